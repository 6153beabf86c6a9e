"""Text that would like to be script, in every place that takes text, read by every role: nothing runs, no CSP report."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from portal.models import Answer, Country, Institution, Recommendation, SourceDocument, UserAccount, VersionItem
from tests.journeys.places import PLACES, drafted

pytestmark = pytest.mark.browser

PAYLOADS = (
    "<script>ran()</script>",
    "</script><script>ran()</script>",
    "</title><script>ran()</script>",
    "</textarea><script>ran()</script>",
    "</style><script>ran()</script>",
    "--><script>ran()</script><!--",
    "<img src=x onerror=ran()>",
    "<img src=x:x onerror=ran() a='",
    "<svg onload=ran()>",
    "<svg><script>ran()</script></svg>",
    "<svg><animate onbegin=ran() attributeName=x dur=1s>",
    "<body onload=ran()>",
    "<iframe src=javascript:parent.ran()>",
    "<iframe srcdoc='<script>parent.ran()</script>'>",
    "<object data=javascript:ran()>",
    "<embed src=javascript:ran()>",
    "<a href=javascript:ran()>x</a>",
    "<form action=javascript:ran()><button>x",
    "<details open ontoggle=ran()>",
    "<video><source onerror=ran()>",
    "<marquee onstart=ran()>",
    "<input autofocus onfocus=ran()>",
    "<math><mtext><table><mglyph><style><img src=x onerror=ran()>",
    "<base href='http://attacker.test/'>",
    "<meta http-equiv=refresh content='0;url=http://attacker.test/'>",
    "<link rel=stylesheet href='http://attacker.test/x.css'>",
    '" onmouseover=ran() autofocus onfocus=ran() x="',
    "' onfocus=ran() autofocus x='",
    "javascript:ran()",
    "{{ ran() }}${ran()}<%= ran() %>#{7*7}",
    "`${ran()}`",
    "\u2028ran()\u2029//",
    "&lt;script&gt;ran()&lt;/script&gt;",
    "\ufeff<scr\u0000ipt>ran()</scr\u0000ipt>".replace("\u0000", ""),
)
EVERYTHING = " ".join(PAYLOADS)
TRAP = "globalThis.ran = () => { console.error('A PAYLOAD RAN', new Error().stack); };"


@pytest.fixture
def poisoned(served, make_scene):
    """A scene in which every name, text, heading, file name and answer is hostile."""
    scene = make_scene()
    texts = {"en": EVERYTHING, "km": EVERYTHING}
    with served.session() as session:
        drafted(session, scene)
        for item in session.scalars(select(VersionItem)):
            item.texts = dict.fromkeys(("label", "hint", "guidance"), texts)
            item.choices = [{**choice, "texts": texts} for choice in item.choices]
        people = [scene.focal.id, scene.colleague.id, scene.approver.id]
        session.execute(update(UserAccount).where(UserAccount.id.in_(people)).values(names=texts, post=texts))
        session.execute(update(Institution).where(Institution.id == scene.institution.id).values(names=texts))
        session.execute(
            update(Recommendation)
            .where(Recommendation.id == scene.asked.id)
            .values(texts=texts, summary=texts, heading=texts)
        )
        session.execute(update(SourceDocument).where(SourceDocument.id == scene.document.id).values(titles=texts))
        for answer in session.scalars(select(Answer).where(Answer.submission_id == scene.reply.id, Answer.lang != "")):
            answer.value = EVERYTHING
        scene.country = session.scalars(select(Country)).one()
    return scene


@pytest.mark.parametrize("who", ["focal", "approver", "coordinator", "writer"])
def test_nothing_runs(served, visit, poisoned, who):
    visitor = visit()
    visitor.context.add_init_script(TRAP)
    page = visitor.page
    visitor.let_in(served.session_of(getattr(poisoned, who)))
    visitor.allow("status of 40[34]")  # a page of another role is refused, and its refusal is read too
    met = 0
    for path in dict.fromkeys(place.path.format(s=poisoned) for place in PLACES):
        page.goto(path)
        assert page.evaluate("[...document.querySelectorAll('main *, header *')].every((one) => "
                             "![...one.attributes].some((a) => a.name.startsWith('on') || /^\\s*javascript:/i.test(a.value)))"), path  # fmt: skip
        met += "ran()" in page.content()
        assert not visitor.faults, f"{path}: {visitor.faults}"
    assert met >= 2
