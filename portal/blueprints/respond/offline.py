"""Excel as a front door: download what is owed as a workbook, send it back, take it over at once or look first."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from flask import current_app, g, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal import clock
from portal.blueprints.guard import repeats, requires, who
from portal.blueprints.page import facts, notice
from portal.blueprints.receiving import takes_workbooks
from portal.blueprints.respond.conflicts import apart
from portal.blueprints.respond.door import blueprint, own_reply
from portal.blueprints.respond.own_documents import is_document, kept_ones, offers, remember
from portal.database import write
from portal.errors import IllegalTransition, Invalid, NotFound
from portal.extensions import db
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission
from portal.queries import owed as owed_queries
from portal.queries.actors import actor_names
from portal.services import import_drafts
from portal.services.offline import gathering, judging, taking
from portal.services.offline.kinds import EXCEL, KINDS
from portal.services.offline.plan import in_file
from portal.table import Problem, pick
from portal.workbooks.offline.files import read_file, unkept
from portal.workbooks.offline.marks import Seal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session
    from werkzeug.datastructures import FileStorage

    from portal.models import ImportDraft
    from portal.queries.owed import OwedRound
    from portal.queries.submissions import SubmissionHead
    from portal.services.offline.plan import OfflinePlan
    from portal.services.offline.taking import TakenReply
    from portal.workbooks.offline.found import FoundBook

KIND, PART = "offline", "offline_copy"
MOST_COPIES = 60
SENT = 10  # files sent before that are listed
LONG = 4000  # signs of a text that the dry run shows


@dataclass(frozen=True)
class DraftOf:
    """A dry run with the institution whose replies it is about; permissions look at that."""

    draft: ImportDraft
    institution_id: int


def draft_of(public_id: str) -> DraftOf:
    """Load a dry run of one's own institution."""
    draft = import_drafts.find_draft(db.session, public_id, KIND)
    institution = draft.summary.get("institution")
    if institution is None or institution != who().institution_id:
        raise NotFound
    return DraftOf(draft, institution)


def _round(slug: str) -> OwedRound | None:
    institution_id = who().institution_id
    found = owed_queries.rounds_of(db.session, institution_id) if institution_id is not None else []
    return next((one for one in found if one.slug == slug), found[0] if found and not slug else None)


@blueprint.post("/owed/workbook")
@requires(Permission.ANSWER_SUBMISSION)
@repeats("the answer is a file; each download is written down")
def download_round() -> ResponseReturnValue:
    """Hand out everything that the institution still owes in a round as one workbook or document."""
    chosen, institution_id = _round(request.form.get("round", "")), who().institution_id
    if chosen is None or institution_id is None:
        return _ask(chosen, [Problem(_("Your institution is not asked anything in this round."))]), 422
    heads = gathering.still_owed(db.session, institution_id, chosen.id, facts())
    if not heads:
        return _ask(chosen, [Problem(_("Nothing can be answered in this round at present."))]), 422
    return _file(heads, f"{chosen.slug}-{heads[0].institution_code}")


@blueprint.post("/replies/<public_id>/workbook")
@requires(Permission.ANSWER_SUBMISSION, on=own_reply)
@repeats("the answer is a file; each download is written down")
def download_reply(head: SubmissionHead) -> ResponseReturnValue:
    """Hand out one reply as a workbook or a document."""
    if head.status not in EDITABLE:
        raise IllegalTransition
    return _file([head], f"{head.round_slug}-{head.institution_code}-{head.public_id[-6:]}")


def _file(heads: Sequence[SubmissionHead], name: str) -> ResponseReturnValue:
    kind = KINDS.get(request.form.get("as", ""), EXCEL)
    content = kind.write(
        db.session, heads, facts(), secret=str(current_app.secret_key), by=who(), language=g.view.language
    )
    with write() as session:
        gathering.note_download(session, heads, by=who())
    name = f"{name}-{clock.today(facts().time_zone).isoformat()}.{kind.suffix}"
    return send_file(BytesIO(content), kind.media_type, as_attachment=True, download_name=name)


@blueprint.get("/owed/offline")
@requires(Permission.ANSWER_SUBMISSION)
def offline() -> ResponseReturnValue:
    """Explain the way through Excel, with its two doors."""
    return _ask(_round(request.args.get("round", "")))


def _ask(chosen: OwedRound | None, errors: Sequence[Problem] = (), own: Sequence[ImportDraft] = ()) -> str:
    return render_template(
        "respond/offline.html",
        errors=errors,
        own=offers(own),
        slug=chosen.slug if chosen else "",
        round=pick(chosen.titles, g.view.language, g.country.languages) if chosen else "",
        institution=g.view.account.detail,
        limit=current_app.config["SETTINGS"].max_upload_mb,
        sent=_sent_before(chosen.slug) if chosen else [],
    )


def _sent_before(slug: str) -> list[dict[str, Any]]:
    """Return what the institution sent back in a round and is still kept: what was left can be decided later."""
    drafts = import_drafts.of_institution(db.session, KIND, who().institution_id or 0)
    names = actor_names(db.session, [one.created_by for one in drafts])
    return [
        {
            "url": url_for("respond.offline_dry_run", public_id=one.public_id),
            "files": ", ".join(each["filename"] for each in one.summary["files"]) or one.filename,
            "at": one.created_at,
            "by": pick(names.get(one.created_by or 0), g.view.language, g.country.languages),
            "taken_at": one.confirmed_at,
        }
        for one in drafts if one.summary["round"] == slug
    ][:SENT]  # fmt: skip


@blueprint.post("/owed/offline")
@requires(Permission.ANSWER_SUBMISSION)
@takes_workbooks
def upload_offline() -> ResponseReturnValue:
    """Keep returned workbooks, one or several copies; take over what is clear, or lead to what they would change.

    With ``take`` nothing that is in doubt is touched: it waits on the page of what would change.
    """
    chosen, institution_id = _round(request.form.get("round", "")), who().institution_id
    if chosen is None or institution_id is None:
        return _ask(chosen, [Problem(_("Your institution is not asked anything in this round."))]), 422
    sent = [one for one in request.files.getlist("file") if one.filename]
    beside = request.form.get("reply", "")
    if not sent:
        return _ask(chosen, [Problem(_("Choose a file first."), field="file")]), 422
    if len(sent) > MOST_COPIES:
        return _ask(chosen, [Problem(_("At most %(count)s files can be sent at once.", count=MOST_COPIES))]), 422
    kept, problems, own = _sort(sent)
    if not kept:
        with write() as session:
            drafts = remember(session, own, institution_id, chosen.slug, beside)
        return _ask(chosen, [one for _name, one in problems], drafts), 422
    summary: dict[str, Any] = {
        "institution": institution_id, "round": chosen.slug, "files": kept,
        "problems": [
            {"file": name, "message": str(one.message), "mend": str(one.mend or "")} for name, one in problems
        ],
    }  # fmt: skip
    # judged before the writers wait for it; what changes in between is stale, as in any save
    plan = _judged(summary) if "take" in request.form else None
    taken: list[TakenReply] = []
    with write() as session:
        summary["own"] = [one.public_id for one in remember(session, own, institution_id, chosen.slug, beside)]
        first, *others = kept
        draft = import_drafts.add_draft(session, KIND, **first, summary=summary, by=who())
        for copy in others:
            import_drafts.add_draft(session, PART, **copy, summary={"institution": institution_id}, by=who())
        public_id = draft.public_id
        if plan is not None:
            taken = _take(session, plan, taking.clear_choices(plan), public_id, draft.sha256)
    if plan is None:
        return redirect(url_for("respond.offline_dry_run", public_id=public_id), code=303)
    waits = summary["own"] or plan.doubtful or any(one.left for one in taken)
    return _lead_on(taken, public_id, chosen.slug, _("What needs a decision of yours stands here.") if waits else "")


def _sort(
    sent: Sequence[FileStorage],
) -> tuple[list[dict[str, str]], list[tuple[str, Problem]], list[dict[str, str]]]:
    """Keep what was sent: copies of ours, why others are none, and which of those can be handed in as they are."""
    settings = current_app.config["SETTINGS"]
    kept: list[dict[str, str]] = []
    problems: list[tuple[str, Problem]] = []
    own: list[dict[str, str]] = []
    for one in sent:
        name = (one.filename or "")[-255:]
        sha256 = ""
        try:
            sha256, _size = import_drafts.keep_file(one.stream, settings.data_dir, limit=settings.max_upload_bytes)
            _book(sha256, name)
        except Invalid as error:
            place = in_file(name) if len(sent) > 1 else None
            told = error if sha256 else unkept(error, name, settings.max_upload_bytes)
            problems += [(name, Problem(each.message, mend=each.mend, place=place)) for each in told.problems]
            if sha256 and is_document(settings.data_dir / import_drafts.FOLDER / sha256, name):
                own.append({"filename": name, "sha256": sha256})
            continue
        kept.append({"filename": name, "sha256": sha256})
    return kept, problems, own


def _book(sha256: str, filename: str) -> FoundBook:
    settings = current_app.config["SETTINGS"]
    path = settings.data_dir / import_drafts.FOLDER / sha256
    return read_file(
        path, Seal(str(current_app.secret_key)), filename=filename, limit_bytes=settings.max_upload_bytes
    )


def _plan(draft: ImportDraft) -> OfflinePlan:
    import_drafts.file_of(draft, current_app.config["SETTINGS"].data_dir)
    return _judged(draft.summary)


def _judged(summary: Mapping[str, Any]) -> OfflinePlan:
    books = [_book(one["sha256"], one["filename"]) for one in summary["files"]]
    plan = judging.plan_offline(
        db.session, books, facts(), by=who(), language=g.view.language, round_slug=summary["round"]
    )
    plan.problems += [
        Problem(one["message"], mend=one["mend"], place=in_file(one["file"])) for one in summary.get("problems", ())
    ]
    return plan


@blueprint.get("/owed/offline/<public_id>")
@requires(Permission.ANSWER_SUBMISSION, on=draft_of)
def offline_dry_run(on: DraftOf) -> ResponseReturnValue:
    """Show what returned workbooks would change, judged anew."""
    return _dry_run_page(on.draft, _plan(on.draft))


def _dry_run_page(draft: ImportDraft, plan: OfflinePlan, *, moved: bool = False, left: Sequence[Problem] = ()) -> str:
    return render_template(
        "respond/offline_dry_run.html",
        draft=draft,
        plan=plan,
        counts=plan.counts,
        files=[one["filename"] for one in draft.summary["files"]],
        own=offers(kept_ones(draft.summary.get("own", ()))),
        slug=draft.summary["round"],
        fingerprint=plan.fingerprint,
        moved=moved,
        left=list(left),
        long=LONG,
        apart=apart,
    )


@blueprint.post("/owed/offline/<public_id>")
@requires(Permission.ANSWER_SUBMISSION, on=draft_of)
def offline_confirm(on: DraftOf) -> ResponseReturnValue:
    """Take over what was chosen; if somebody saved meanwhile what this would touch, show it first."""
    public_id, round_slug = on.draft.public_id, on.draft.summary["round"]
    plan = _plan(on.draft)
    if plan.fingerprint != request.form.get("fingerprint"):
        return _dry_run_page(on.draft, plan, moved=True), 409
    chosen = {name.removeprefix("take:"): value for name, value in request.form.items() if name.startswith("take:")}
    with write() as session:
        taken = _take(session, plan, chosen, public_id, on.draft.sha256)
    left = [problem for one in taken for problem in one.left]
    if left:
        found = draft_of(public_id)
        return _dry_run_page(found.draft, _plan(found.draft), left=left), 409
    waits = _("What you did not choose stands here still.") if _open_questions(plan, chosen) else ""
    return _lead_on(taken, public_id, round_slug, waits)


def _take(
    session: Session, plan: OfflinePlan, chosen: Mapping[str, str], public_id: str, source: str
) -> list[TakenReply]:
    """Take over what was chosen, and note it on the dry run."""
    taken = taking.take_offline(
        session, plan, chosen, by=who(), request_key=f"offline-{public_id}", source=source
    )
    if any(chosen.values()):
        import_drafts.mark_taken(session, public_id)
    return taken


def _lead_on(taken: Sequence[TakenReply], public_id: str, round_slug: str, waits: str) -> ResponseReturnValue:
    """Say what was taken over, and lead to what ``waits`` for a decision, or back to what is owed."""
    count, replies = sum(one.count for one in taken), sum(1 for one in taken if one.count)
    told = ngettext("%(num)s answer was taken over", "%(num)s answers were taken over", count)
    if waits:
        notice(_("%(told)s. %(more)s", told=told, more=waits), "warn")
        return redirect(url_for("respond.offline_dry_run", public_id=public_id), code=303)
    changed = ngettext("%(num)s reply was changed.", "%(num)s replies were changed.", replies)
    notice(_("%(told)s. %(more)s", told=told, more=changed))
    return redirect(url_for("respond.owed", round=round_slug), code=303)


def _open_questions(plan: OfflinePlan, chosen: Mapping[str, str]) -> bool:
    """Tell whether a conflict was left without a word, or something was refused: that should be seen again."""
    return any(
        one.outcome == "refused"
        or (one.outcome in {"conflict", "copies"} and f"{reply.head.public_id}:{one.name}" not in chosen)
        for reply in plan.replies if not reply.closed for one in reply.every
    )  # fmt: skip
