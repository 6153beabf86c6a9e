"""Publishing a draft: what is wrong with it, what it changes, whom that touches; and handing it on to what is out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.questionnaires.room import blueprint, reading_order, row_of, version_of
from portal.blueprints.questionnaires.versions import letter_of
from portal.database import write
from portal.errors import Conflict, Invalid, NotFound
from portal.extensions import db
from portal.models import QuestionnaireVersion, ReportingRound, Status, VersionStatus
from portal.models.lifecycle import OPEN_TO_STAFF
from portal.permissions import Permission, may
from portal.queries.questionnaire_impact import DONE_WITH, Impact, ImpactRow, impact_of
from portal.queries.questionnaire_versions import version_before
from portal.queries.questionnaires import definition
from portal.queries.rounds import find_round
from portal.queries.version_letters import Letter
from portal.services import questionnaire_versions
from portal.services.questionnaire_adoption import STILL_ANSWERING, Adopted, Choice, adopt_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask.typing import ResponseReturnValue

    from portal.queries.questionnaires import VersionHead
    from portal.table import Problem


@blueprint.get("/questionnaires/<public_id>/publish")
@requires(Permission.EDIT_QUESTIONNAIRE, on=version_of)
def prepare(head: VersionHead) -> ResponseReturnValue:
    """Show what keeps a draft from being published, what it changes and whom that touches."""
    return _prepare(head)


def _prepare(head: VersionHead, problems: Sequence[Problem] = (), status: int = 200) -> ResponseReturnValue:
    version = row_of(head)
    if version.status is not VersionStatus.DRAFT:
        return redirect(url_for("questionnaires.overview", public_id=head.public_id), code=303)
    errors, warnings = questionnaire_versions.what_is_wrong(db.session, version)
    earlier = version_before(db.session, version)
    found = impact_of(db.session, version)
    return (
        render_template(
            "questionnaires/publish.html",
            head=head,
            errors=problems or errors,
            warnings=warnings,
            earlier=earlier,
            impact=_impact_rows(found, version),
            movable=len(_movable(found)) if may(who(), Permission.ADOPT_VERSION) else 0,
            **(letter_of(earlier, version) if earlier is not None else {"sections": [], "count": 0, "unsafe": 0}),
        ),
        status,
    )


def _movable(found: Impact) -> list[Any]:
    """Return the assignments that move without anybody's answer being touched."""
    open_ = {None, Status.ISSUED, *STILL_ANSWERING}
    return [reply for reply in found.replies if reply.status in open_ and not found.touched(reply)]


def _impact_rows(found: Impact, version: QuestionnaireVersion) -> list[dict[str, Any]]:
    """Return each unsafe change as a sentence, with the institutions that it touches."""
    new = definition(db.session, version.id)
    letters = {
        version_id: Letter(definition(db.session, version_id), new, reading_order()) for version_id in found.differences
    }
    told = []
    for row in found.rows():
        for version_id, some in found.differences.items():
            if row.difference in some:
                line = letters[version_id].lines([row.difference])[0]
                told.append({"line": line, "row": row, "sentence": _whom(row)})
                break
    return told


def _whom(row: ImpactRow) -> str:
    institutions = len(row.institutions)
    if not institutions:
        return str(_("Nobody's answer is touched so far."))
    if row.difference.aspect == "added_required" or row.difference.detail == "required":
        said = ngettext(
            "%(num)s institution has begun and has not answered it",
            "%(num)s institutions have begun and have not answered it",
            institutions,
        )
    else:
        said = ngettext("%(num)s institution has answered", "%(num)s institutions have answered", institutions)
    return str(_("%(answered)s; %(signed)s signed.", answered=said, signed=row.signed))


@blueprint.post("/questionnaires/<public_id>/publish")
@requires(Permission.EDIT_QUESTIONNAIRE, on=version_of)
def publish(head: VersionHead) -> ResponseReturnValue:
    """Freeze a draft; with one click more, hand it on to everybody whose answers it does not touch."""
    try:
        with write() as database:
            version = database.get_one(QuestionnaireVersion, head.id, populate_existing=True)
            questionnaire_versions.publish_draft(database, version, by=who())
    except Invalid as error:
        return _prepare(head, error.problems, 422)
    except Conflict as error:
        notice(str(error.message), "warn")
        return redirect(url_for("questionnaires.overview", public_id=head.public_id), code=303)
    if request.form.get("adopt") is not None and may(who(), Permission.ADOPT_VERSION):
        _tell(_adopt_everywhere(row_of(head)))
    else:
        notice(_("The version is published: it cannot change any more, and rounds can use it."))
    if _rounds(row_of(head)):
        return redirect(url_for("questionnaires.adopt", public_id=head.public_id), code=303)
    return redirect(url_for("questionnaires.overview", public_id=head.public_id), code=303)


def _adopt_everywhere(version: QuestionnaireVersion) -> Adopted:
    """Hand a version on in every open round, one transaction each."""
    done = Adopted()
    for round_id in sorted({reply.round_id for reply in impact_of(db.session, version).replies}):
        with write() as database:
            of = database.get_one(ReportingRound, round_id)
            fresh = database.get_one(QuestionnaireVersion, version.id)
            one = adopt_version(database, of, fresh, by=who())
        done.moved += one.moved
        done.kept += one.kept
        done.handed_in += one.handed_in
    return done


def _tell(done: Adopted) -> None:
    parts = [
        ngettext(
            "%(num)s questionnaire moved to the new version.",
            "%(num)s questionnaires moved to the new version.",
            done.moved,
        ),
        ngettext("%(num)s is asked again.", "%(num)s are asked again.", done.asked_again) if done.asked_again else "",
        ngettext("%(num)s stays as it is.", "%(num)s stay as they are.", done.kept) if done.kept else "",
        ngettext("%(num)s handed in stays untouched.", "%(num)s handed in stay untouched.", done.handed_in)
        if done.handed_in
        else "",
    ]
    notice(" ".join(part for part in parts if part))


@blueprint.get("/questionnaires/<public_id>/adopt")
@requires(Permission.ADOPT_VERSION, on=version_of)
def adopt(head: VersionHead) -> ResponseReturnValue:
    """Show, round by round, which assignments are on earlier versions, and what can become of them."""
    return _adopt_page(head)


def _adopt_page(
    head: VersionHead, asked: Mapping[str, Any] | None = None, field: str = "", sentence: str = ""
) -> ResponseReturnValue:
    """Draw the page; after a post that failed, with what was ``asked`` and the sentence at its field."""
    asked = asked or {}
    errors = [(f"{asked['round']}-{field}", sentence)] if sentence else []
    page = render_template(
        "questionnaires/adopt.html", head=head, rounds=_rounds(row_of(head)), asked=asked, errors=errors
    )
    return page, 422 if errors else 200


def _rounds(version: QuestionnaireVersion) -> list[dict[str, Any]]:
    """Return the open rounds with assignments on earlier versions: counts, and whom the changes touch."""
    if version.status is not VersionStatus.PUBLISHED:
        return []
    everything = impact_of(db.session, version)
    order: dict[int, str] = {}
    for reply in everything.replies:
        order.setdefault(reply.round_id, reply.round_slug)
    rounds = []
    for round_id, slug in order.items():
        of = find_round(db.session, slug)
        mine = everything.in_round(round_id)
        if of is None:
            continue
        rows = [row for row in _impact_rows(mine, version) if row["row"].replies]
        open_ = {None, Status.ISSUED, *STILL_ANSWERING}
        rounds.append(
            {
                "slug": slug,
                "titles": of.titles,
                "impact": rows,
                "free": len(_movable(mine)),
                "not_begun": sum(1 for one in mine.replies if one.status in {None, Status.ISSUED}),
                "touched": len(mine.hits),
                "open": sum(1 for one in mine.replies if one.status in open_),
                "waiting": sum(1 for one in mine.replies if one.status is Status.AWAITING_SIGN_OFF),
                "handed_in": sum(1 for one in mine.replies if one.status in OPEN_TO_STAFF),
                "done_with": sum(1 for one in mine.replies if one.status in DONE_WITH),
                "questions": _questions(mine, version),
            }
        )
    return rounds


def _questions(found: Impact, version: QuestionnaireVersion) -> list[tuple[str, str]]:
    """Return the questions that can be asked again: (code, label)."""
    new = definition(db.session, version.id).compiled.by_code
    hits = {one for some in found.hits.values() for one in some if one.aspect != "gone"}
    named = {code for one in hits for code in one.questions if code in new}
    order = reading_order()
    return [(code, item.text("label", order[0], order) or code) for code, item in new.items() if code in named]


@blueprint.post("/questionnaires/<public_id>/adopt")
@requires(Permission.ADOPT_VERSION, on=version_of)
def hand_on(head: VersionHead) -> ResponseReturnValue:
    """Let the assignments of one round move on, in one transaction."""
    of = find_round(db.session, request.form.get("round", ""))
    if of is None:
        raise NotFound
    chosen, codes = request.form.get("choice", ""), request.form.getlist("codes")
    asked = {"round": of.slug, "choice": chosen, "reason": request.form.get("reason", ""), "codes": codes}
    if chosen not in set(Choice):
        return _adopt_page(head, asked, "keep", _("Choose what becomes of the replies that are touched."))
    if chosen == Choice.ASK_AGAIN and "codes-shown" in request.form and not codes:
        return _adopt_page(head, asked, "codes", _("Name at least one question that should be answered again."))
    try:
        with write() as database:
            done = adopt_version(
                database,
                database.get_one(ReportingRound, of.id),
                database.get_one(QuestionnaireVersion, head.id, populate_existing=True),
                choice=Choice(chosen),
                codes=codes,
                reason=request.form.get("reason", ""),
                by=who(),
            )
    except Invalid as error:
        return _adopt_page(head, asked, "reason", str(error.message))
    except Conflict as error:
        notice(str(error.message), "warn")
        return redirect(url_for("questionnaires.adopt", public_id=head.public_id), code=303)
    _tell(done)
    return redirect(url_for("questionnaires.adopt", public_id=head.public_id), code=303)
