"""Text that would like to be script, in every place that takes text, read by every role: nothing runs, no CSP report."""

from __future__ import annotations

from string import Formatter

import pytest
from sqlalchemy import select, update

from portal.models import (
    Answer,
    AssignmentDocument,
    Country,
    Delegation,
    Evidence,
    Institution,
    Recommendation,
    SourceDocument,
    Unit,
    UserAccount,
    VersionItem,
)
from tests.journeys.places import PLACES, came, drafted, printed
from tests.journeys.sharing import collected, shared

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
    return poison(served, make_scene(), shared, collected, came, drafted)


def poison(served, scene, *befores):
    texts = {"en": EVERYTHING, "km": EVERYTHING}
    with served.session() as session:
        for before in befores:
            before(session, scene)
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
        session.execute(update(Delegation).values(name=EVERYTHING[:200], contact=EVERYTHING[:200], note=EVERYTHING))
        for number, unit in enumerate(session.scalars(select(Unit))):
            unit.name = f"{number}{EVERYTHING}"[:200]
        session.execute(update(AssignmentDocument).values(filename=EVERYTHING[:255], note=EVERYTHING))
        session.execute(update(Evidence).values(filename=EVERYTHING[:255], caption=EVERYTHING))
        for answer in session.scalars(select(Answer).where(Answer.lang != "")):
            answer.value = EVERYTHING
        scene.country = session.scalars(select(Country)).one()
    return scene


@pytest.mark.parametrize("who", ["focal", "approver", "coordinator", "writer"])
def test_nothing_runs(served, visit, poisoned, who):
    # what a printed reply or one that is entered from paper shows is read below
    open_places = [place.path for place in PLACES if not {"pack", "paper"} & set(named(place.path))]
    assert read_all(served, visit, poisoned, who, open_places) >= 2


@pytest.mark.parametrize(("before", "what", "who"), [(printed, "pack", "focal"), (came, "paper", "coordinator")])
def test_nothing_runs_on_papers(served, visit, make_scene, before, what, who):
    scene = poison(served, make_scene(), before)
    papers = [place.path for place in PLACES if what in named(place.path)]
    assert read_all(served, visit, scene, who, papers) == len(papers) > 0


def named(path):
    """Return what of the scene an address names."""
    return [name.partition(".")[2].partition(".")[0] for _text, name, *_rest in Formatter().parse(path) if name]


def read_all(served, visit, scene, who, paths):
    """Read the pages as somebody; return on how many a payload stands, as text."""
    visitor = visit()
    visitor.context.add_init_script(TRAP)
    page = visitor.page
    visitor.let_in(served.session_of(getattr(scene, who)))
    visitor.allow("status of 40[34]")  # a page of another role is refused, and its refusal is read too
    met = 0
    for path in dict.fromkeys(one.format(s=scene) for one in paths):
        page.goto(path)
        assert page.evaluate("[...document.querySelectorAll('main *, header *')].every((one) => "
                             "![...one.attributes].some((a) => a.name.startsWith('on') || /^\\s*javascript:/i.test(a.value)))"), path  # fmt: skip
        met += "ran()" in page.content()
        assert not visitor.faults, f"{path}: {visitor.faults}"
    return met
