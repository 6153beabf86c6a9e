"""The versions of a questionnaire on pages: a timeline, drafts begun and discarded, two compared; the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from forms.definition.changes import differences
from forms.question_types import question_types
from portal import clock
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.questionnaires.room import blueprint, reading_order, row_of, version_of
from portal.database import write
from portal.errors import Conflict, NotFound
from portal.extensions import db
from portal.models import QuestionnaireVersion, VersionStatus
from portal.permissions import Permission, may
from portal.queries import questionnaire_versions as look
from portal.queries.actors import actor_names
from portal.queries.questionnaire_impact import kept_answers
from portal.queries.questionnaires import definition
from portal.queries.version_letters import Letter
from portal.reader import number
from portal.services import questionnaire_versions
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from portal.queries.questionnaires import VersionHead
    from portal.queries.version_letters import Line

LIBRARY_PAGE = 30  # questions on one page of the library


@blueprint.get("/questionnaires/<public_id>/versions")
@requires(Permission.VIEW_QUESTIONNAIRE, on=version_of)
def overview(head: VersionHead) -> ResponseReturnValue:
    """Show the versions of a questionnaire as a timeline, and where each is in use."""
    stations = look.timeline(db.session, row_of(head).questionnaire_id)
    names = actor_names(db.session, [one.published_by for one in stations])
    order = reading_order()
    out = [one for one in stations if one.published_at is not None]
    return render_template(
        "questionnaires/overview.html",
        head=head,
        stations=stations,
        draft=next((one for one in stations if one.status is VersionStatus.DRAFT), None),
        newest=out[0] if out else None,
        before=_before(stations),
        who={number: pick(found, order[0], order) for number, found in names.items()},
        behind=sum(use.assignments for one in out[1:] for use in one.uses if use.status in {"open", "draft"}),
        may_edit=may(who(), Permission.EDIT_QUESTIONNAIRE),
        may_adopt=may(who(), Permission.ADOPT_VERSION),
    )


def _before(stations: list[look.Station]) -> dict[int, look.Station]:
    """Return, for each version, the one that went out before it."""
    found: dict[int, look.Station] = {}
    for one in stations:
        earlier = [other for other in stations if other.number < one.number and other.published_at is not None]
        if earlier:
            found[one.number] = earlier[0]
    return found


@blueprint.post("/questionnaires/<public_id>/draft")
@requires(Permission.EDIT_QUESTIONNAIRE, on=version_of)
def begin(head: VersionHead) -> ResponseReturnValue:
    """Begin a draft from a version."""

    def act(database: Session, version: QuestionnaireVersion) -> str:
        draft = questionnaire_versions.begin_draft(database, version, by=who())
        number = draft.number
        return str(
            _("Version %(number)s is begun as a draft; nobody is asked by it before it is published.", number=number)
        )

    return _done(head, act)


@blueprint.post("/questionnaires/<public_id>/discard")
@requires(Permission.EDIT_QUESTIONNAIRE, on=version_of)
def discard(head: VersionHead) -> ResponseReturnValue:
    """Lay a draft aside."""

    def act(database: Session, version: QuestionnaireVersion) -> str:
        questionnaire_versions.discard_draft(database, version, by=who())
        return str(_("The draft is laid aside. Its words can still be read, and a draft can be begun from it."))

    return _done(head, act)


@blueprint.post("/questionnaires/<public_id>/retire")
@requires(Permission.EDIT_QUESTIONNAIRE, on=version_of)
def retire(head: VersionHead) -> ResponseReturnValue:
    """Offer a version to no further round."""

    def act(database: Session, version: QuestionnaireVersion) -> str:
        questionnaire_versions.retire_version(database, version, by=who())
        return str(_("The version is retired: no further round can choose it. Where it is in use, it goes on."))

    return _done(head, act)


def _done(head: VersionHead, act: Callable[[Session, QuestionnaireVersion], str]) -> ResponseReturnValue:
    """Do something to a version and say what came of it above its versions; ``act`` returns the sentence."""
    try:
        with write() as database:
            sentence = act(database, database.get_one(QuestionnaireVersion, head.id, populate_existing=True))
    except Conflict as error:
        notice(str(error), "warn")
    else:
        notice(sentence)
    return redirect(url_for("questionnaires.overview", public_id=head.public_id), code=303)


@blueprint.get("/questionnaires/<public_id>/compare")
@requires(Permission.VIEW_QUESTIONNAIRE, on=version_of)
def compare(head: VersionHead) -> ResponseReturnValue:
    """Tell what a version changed, as a letter; by default since the one that went out before it."""
    version = row_of(head)
    asked = request.args.get("with", "")
    other = version_of(asked) if asked else None
    earlier = row_of(other) if other is not None else look.version_before(db.session, version)
    if earlier is not None and earlier.questionnaire_id != version.questionnaire_id:
        raise NotFound
    if earlier is not None and earlier.number > version.number:
        earlier, version = version, earlier
    return render_template(
        "questionnaires/compare.html",
        head=version_of(version.public_id),
        earlier=earlier,
        printed_at=clock.now(),
        stations=look.timeline(db.session, version.questionnaire_id),
        **(letter_of(earlier, version) if earlier is not None else {"sections": [], "count": 0, "unsafe": 0}),
    )


def letter_of(old: QuestionnaireVersion, new: QuestionnaireVersion) -> dict[str, Any]:
    """Return the letter from one version to the next: sections by page, how many changes, how many touch answers."""
    before, after = definition(db.session, old.id), definition(db.session, new.id)
    found = differences(before, after)
    letter = Letter(before, after, reading_order(), kept_answers(db.session, new.questionnaire_id, found), number)
    sections: list[tuple[str, list[Line]]] = []
    for line in letter.lines(found):
        if not sections or sections[-1][0] != line.page:
            sections.append((line.page, []))
        sections[-1][1].append(line)
    return {"sections": sections, "count": len(found), "unsafe": sum(1 for one in found if not one.safe)}


@blueprint.get("/questionnaires/library")
@requires(Permission.VIEW_QUESTIONNAIRE)
def library() -> ResponseReturnValue:
    """List the questions of all questionnaires, to find one worth copying."""
    words = request.args.get("q", "")[:200]
    at = max(1, request.args.get("page", 1, type=int))
    found, count = look.library(db.session, words, limit=LIBRARY_PAGE, skip=(at - 1) * LIBRARY_PAGE)
    return render_template(
        "questionnaires/library.html",
        words=words,
        found=found,
        count=count,
        at=at,
        pages=-(-count // LIBRARY_PAGE),
        spoken=g.country.languages,
        titles={name: kind.title for name, kind in question_types().items()},
    )
