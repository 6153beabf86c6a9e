"""A version as the institution will see it, and tried out with sample answers; nothing of either can become a reply."""

from __future__ import annotations

import io
import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask import current_app, g, render_template, request, send_file, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from markupsafe import Markup

from forms.browser import browser_rules, known
from forms.tables import may_change
from forms.trial import told
from portal import clock
from portal.blueprints.answering import AnsweringPage
from portal.blueprints.drawing import clone, draw
from portal.blueprints.guard import repeats, requires, who
from portal.blueprints.posting import context_for
from portal.blueprints.questionnaires import sampling
from portal.blueprints.questionnaires.room import blueprint, version_of
from portal.blueprints.questionnaires.verdicts import Verdict, verdicts
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.models import AssignmentRole, QuestionnaireScope, RoundStatus, SignOffPolicy, Status, VersionStatus
from portal.permissions import Permission
from portal.queries.questionnaires import definition
from portal.queries.readable_drafts import readable
from portal.queries.submissions import StoredReply, SubmissionHead
from portal.queries.version_letters import language_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from flask.typing import ResponseReturnValue

    from forms.definition.model import Definition, Item
    from portal.page_views import ItemView
    from portal.queries.questionnaires import VersionHead

PHONE = "phone"
NOTHING = StoredReply({}, {})


class SamplePage(AnsweringPage):
    """The answering page of a reply that does not exist: drawn like any other, writable, and sent nowhere."""

    show_all = False

    def _why_read_only(self) -> str:
        return ""

    def locked(self, code: str) -> bool:
        """Tell that no question is closed but those that everybody only reads."""
        return not may_change(self.definition, code, None)

    def upload_url(self, code: str) -> str:
        """Return no address: a file has nowhere to go."""
        del code
        return ""

    def page_url(self, code: str) -> str:
        """Return the address of a page of the preview."""
        return url_for(
            "questionnaires.preview", public_id=self.head.assignment_public_id, page=code,
            language=request.args.get("language") or None, width=request.args.get("width") or None,
            all=1 if self.show_all else None,
        )  # fmt: skip

    def pages(self) -> list[Item]:
        """Return the pages that are asked, on demand all of them."""
        return list(self.definition.pages) if self.show_all else super().pages()


def _sample_head(head: VersionHead) -> SubmissionHead:
    """Return the head of a reply that does not exist; its assignment's name is the version's."""
    today = clock.today(g.country.time_zone)
    return SubmissionHead(
        id=0, public_id="preview", status=Status.ISSUED, hand_in=0, signature=None, under_review=False,
        handed_in_at=None, unlocked=None, hidden=frozenset(), answered=0, asked=0, missing=0, saved_at=None,
        saved_by=None, assignment_id=0, assignment_public_id=head.public_id, version_id=head.id,
        role=AssignmentRole.LEAD, about_institution=head.scope is QuestionnaireScope.INSTITUTION, note={},
        institution_id=0, institution_code="SAMPLE", institution_names={}, round_id=0, round_slug="preview",
        round_titles={}, round_status=RoundStatus.OPEN, sign_off_policy=SignOffPolicy.EITHER, due_on=today,
        closes_on=today,
    )  # fmt: skip


@contextmanager
def reading_in(language: str) -> Iterator[None]:
    """Draw what stands inside as a reader of another language sees it."""
    kept = g.view
    g.view = replace(kept, language=language)
    try:
        with force_locale(language.replace("-", "_")):
            yield
    finally:
        g.view = kept


@dataclass
class Looking:
    """What somebody looks at: a version that can be drawn, in a language, at a width."""

    head: VersionHead
    of: Definition
    left_out: tuple[str, ...]
    language: str
    phone: bool

    @property
    def languages(self) -> list[tuple[str, str]]:
        """The languages of the questionnaire with their names."""
        return [(code, language_name(code)) for code in self.of.languages]

    def page(self, code: str, pages: Sequence[Item]) -> Item:
        """Return the page asked for; the first one where none is. Raises: NotFound."""
        if not code or not pages:
            return (*pages, *self.of.pages)[0]
        found = next((page for page in self.of.pages if page.code == code), None)
        if found is None:
            raise NotFound
        return found

    def shared(self, page: Item) -> dict[str, Any]:
        """Return what both pages show around the questions, in the reader's own language."""
        return {
            "head": self.head,
            "left_out": self.left_out,
            "language": self.language,
            "spoken": self.languages,
            "phone": self.phone,
            "stylesheet": "css/phone.css" if self.phone else "css/app.css",
            "of_page": page,
            "page_title": page.text("label", self.language, self.of.languages) or page.code,
            "wide": any(item.kind in {"repeat", "matrix"} for item in page.items()),
        }

    def recommendation(self) -> Markup:
        """Draw a box in our own words, in the place of what an institution is asked about."""
        if self.head.scope is QuestionnaireScope.INSTITUTION:
            return Markup("")
        text = _("Sample recommendation: the State party should review its legislation and report on the results.")
        return _macro("recommendation_box")(
            _("Sample document, paragraph 12 (a)"),
            text,
            self.language,
            _("Here stands, in plain words, what the institution is asked to report."),
        )


def _looking(head: VersionHead) -> Looking:
    found = definition(db.session, head.id)
    left_out: tuple[str, ...] = ()
    if head.status is VersionStatus.DRAFT or head.published_at is None:
        found, left_out = readable(found)
    if not found.pages:
        raise NotFound
    asked = request.values.get("language", "")
    own = g.view.language if g.view.language in found.languages else found.default_language
    return Looking(
        head, found, left_out, asked if asked in found.languages else own, request.values.get("width") == PHONE
    )


def _macro(name: str) -> Callable[..., Markup]:
    """Return a component's macro, to be drawn in the language in force."""
    macro: Callable[..., Markup] = getattr(current_app.jinja_env.get_template(f"components/{name}.html").module, name)
    return macro


@blueprint.get("/questionnaires/<public_id>/preview")
@requires(Permission.VIEW_QUESTIONNAIRE, on=version_of)
def preview(head: VersionHead) -> ResponseReturnValue:
    """Show a page of a version as the institution will see it, in one of its languages, on demand as on a phone."""
    looking = _looking(head)
    show_all = request.args.get("all") == "1"
    with reading_in(looking.language):
        sample = SamplePage(_sample_head(head), NOTHING, who(), looking.of)
        sample.show_all = show_all
        page = looking.page(request.args.get("page", ""), sample.pages())
        views = sample.items(page, ())
        conditional = sum(1 for view in views if view.hidden)
        if show_all:
            views = [_shown(view) for view in views]
        pages = sample.pages()
        codes = [one.code for one in pages]
        at = codes.index(page.code) if page.code in codes else 0
        html = {
            "questions": draw(looking.of, page.code, views),
            "steps": _macro("steps")(sample.steps(page.code)),
            "recommendation": looking.recommendation(),
            "over": _("Page %(number)s of %(total)s", number=at + 1, total=len(codes)),
        }
    return render_template(
        "questionnaires/preview.html",
        **looking.shared(page),
        **html,
        show_all=show_all,
        conditional=conditional,
        previous_url=sample.page_url(codes[at - 1]) if at else "",
        next_url=sample.page_url(codes[at + 1]) if at + 1 < len(codes) else "",
        address=lambda **other: url_for(
            "questionnaires.preview", public_id=head.public_id,
            **{"page": page.code, "language": looking.language, "width": PHONE if looking.phone else None,
               "all": 1 if show_all else None, **other},
        ),
    )  # fmt: skip


def _shown(view: ItemView) -> ItemView:
    if not view.hidden:
        return view
    seen = clone(view)
    seen.hidden = False
    return seen


@blueprint.get("/questionnaires/<public_id>/test-drive")
@requires(Permission.VIEW_QUESTIONNAIRE, on=version_of)
def test_drive(head: VersionHead) -> ResponseReturnValue:
    """Begin to try a version out, with no answers."""
    looking = _looking(head)
    return _driven(looking, {}, request.args.get("page", ""))


@blueprint.post("/questionnaires/<public_id>/test-drive")
@requires(Permission.VIEW_QUESTIONNAIRE, on=version_of)
@repeats("nothing is stored: the sample answers travel in the page")
def drive(head: VersionHead) -> ResponseReturnValue:
    """Take a page of sample answers and say what the rules make of them; also reset, load and download."""
    looking = _looking(head)
    code = request.form.get("page", "")
    action = request.form.get("action", "")
    given: dict[str, Any] = {}
    try:
        if action == "reset":
            return _driven(looking, {}, "")
        if action == "load":
            return _driven(looking, sampling.loaded(), "")
        given = sampling.carried(head)
        page = looking.page(code, looking.of.pages)
        with reading_in(looking.language):
            context = context_for(who(), _sample_head(head), looking.of)
            sample = sampling.read(looking.of, given, context)
            given = sampling.with_post(looking.of, page, sample, context)
    except Invalid as error:
        return _driven(looking, given, code, error), 422
    if action == "download":
        return send_file(
            io.BytesIO(json.dumps(given, ensure_ascii=False, indent=1).encode()), "application/json",
            as_attachment=True, download_name=f"{head.code}-{head.number}-answers.json",
        )  # fmt: skip
    return _driven(looking, given, request.form.get("go") or code, step=action)


def _driven(
    looking: Looking, given: Mapping[str, Any], code: str, error: Invalid | None = None, step: str = ""
) -> str:
    """Draw a page of the test drive with the verdict of the rules beside each question."""
    head = looking.head
    with reading_in(looking.language):
        sample = sampling.read(looking.of, given, context_for(who(), _sample_head(head), looking.of))
        of_reply = _sample_head(head)
        if given:
            of_reply = replace(of_reply, saved_at=clock.now())  # what is missing is marked once somebody began
        page_view = SamplePage(of_reply, sampling.reply_of(sample), who(), looking.of)
        asked = page_view.pages()
        page = looking.page(code, asked)
        codes = [one.code for one in looking.of.pages]
        at = codes.index(page.code)
        if step in {"next", "previous"}:
            page = _beside(looking.of.pages, asked, at, 1 if step == "next" else -1)
            at = codes.index(page.code)
        views = page_view.items(page, ())
        drawn = [draw(looking.of, page.code, [view]) for view in views]
        recommendation = looking.recommendation()
    judged = told(looking.of, sample, page_view.evaluation)
    beside = verdicts(looking.of, sample, page_view.evaluation, judged, looking.language)
    return render_template(
        "questionnaires/test_drive.html",
        **looking.shared(page),
        recommendation=recommendation,
        items=_beside_items(views, drawn, beside),
        state=sampling.sealed(given, head),
        state_name=sampling.STATE,
        problems=error.problems if error is not None else (),
        verdict=judged,
        strange=[(name, text) for name, text in judged["problems"].items() if _names_nothing(looking.of, name)],
        pages=[
            (one.code, one.text("label", looking.language, looking.of.languages) or one.code, one in asked)
            for one in looking.of.pages
        ],
        first=at == 0,
        last=at == len(codes) - 1,
        answers=json.dumps(given, ensure_ascii=False, indent=1),
        rules_url=url_for("questionnaires.rules", public_id=head.public_id, language=looking.language),
        known=json.dumps(
            known(looking.of, page, page_view.evaluation, page_view.context.moment()),
            ensure_ascii=False, separators=(",", ":"),
        ),
        today=page_view.context.today.isoformat(),
    )  # fmt: skip


def _names_nothing(of: Definition, name: str) -> bool:
    return name.partition("[")[0].partition("@")[0] not in of.compiled.by_code


def _beside(pages: Sequence[Item], asked: Sequence[Item], at: int, way: int) -> Item:
    """Return the next page that is asked, forward or back; the present one where there is none."""
    to = at + way
    while 0 <= to < len(pages) and pages[to] not in asked:
        to += way
    return pages[to] if 0 <= to < len(pages) else pages[at]


def _beside_items(
    views: Sequence[ItemView], drawn: Sequence[Markup], beside: Mapping[str, Verdict]
) -> list[tuple[ItemView, Markup, Verdict | None]]:
    return [(view, html, beside.get(view.code)) for view, html in zip(views, drawn, strict=True)]


@blueprint.get("/questionnaires/<public_id>/rules/<language>")
@requires(Permission.VIEW_QUESTIONNAIRE, on=lambda public_id, language: _InLanguage(version_of(public_id), language))
def rules(of: _InLanguage) -> ResponseReturnValue:
    """Give the rules of a version to the browser of whoever tries it out; a draft's change, so nobody keeps them."""
    found, _left_out = readable(definition(db.session, of.head.id))
    response = current_app.response_class(
        json.dumps(browser_rules(found, of.language), separators=(",", ":")), mimetype="application/json"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@dataclass(frozen=True)
class _InLanguage:
    head: VersionHead
    language: str
