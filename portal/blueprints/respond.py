"""The institution: what it owes, answering page by page, completing, claiming, evidence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, g, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _

from forms.answers import AnswerKey, Parsed, field_name
from forms.expressions import parse, to_json
from forms.question_types import question_type
from portal import clock
from portal.blueprints.answering import AnsweringPage, context_for, load, read_changes, recommendation_box, title_of
from portal.blueprints.guard import requires, wants_json, who
from portal.blueprints.page import notice
from portal.blueprints.reading import read_aloud, thread_views, timeline
from portal.database import write
from portal.errors import IllegalTransition, Incomplete, Invalid, NotFound
from portal.extensions import db
from portal.models import Clarification, Evidence, Status
from portal.models.base import uuid7
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission, may
from portal.queries import owed as owed_queries
from portal.queries import submissions as queries
from portal.queries.actors import actor_names
from portal.queries.clarifications import find_thread, threads
from portal.queries.evidence import evidence_of, find_evidence
from portal.queries.institutions import institution_names
from portal.queries.questionnaires import definition as load_definition
from portal.queries.submissions import SubmissionHead, citation
from portal.services import clarifications
from portal.services import evidence as evidence_service
from portal.services import submissions as services
from portal.services.submissions import Change
from portal.table import pick
from portal.templating import datetime_text, time_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask.typing import ResponseReturnValue

    from forms.definition.model import Definition, Item
    from portal.queries.owed import Owed
    from portal.services.submissions import Saved

blueprint = Blueprint("respond", __name__)


def reply_of(public_id: str, **_more: Any) -> SubmissionHead:
    """Load a reply by its public id."""
    found = queries.find(db.session, public_id)
    if found is None:
        raise NotFound
    return found


def own_reply(public_id: str, **more: Any) -> SubmissionHead:
    """Load a reply of the person's own institution; others do not exist here, not even for staff."""
    found = reply_of(public_id, **more)
    if found.institution_id != who().institution_id:
        raise NotFound
    return found


# --- what is owed -----------------------------------------------------------------------------------------------------


@blueprint.get("/owed")
@requires(Permission.VIEW_OWED)
def owed() -> ResponseReturnValue:
    """Show what this person's institution owes: by when, what is late, who holds what."""
    principal = who()
    institution_id = principal.institution_id
    if institution_id is None:
        raise NotFound
    rounds = owed_queries.rounds_of(db.session, institution_id)
    wanted = request.args.get("round")
    chosen = next((one for one in rounds if one.slug == wanted), rounds[0] if rounds else None)
    rows = owed_queries.owed(db.session, institution_id, chosen.id, clock.today(g.country.time_zone)) if chosen else []
    language, languages = g.view.language, g.country.languages
    about = [_owed_row(one) for one in rows if one.head.about_institution]
    asked = [(one, _owed_row(one)) for one in rows if not one.head.about_institution]
    return render_template(
        "respond/owed.html",
        institution=g.view.account_detail,
        round=pick(chosen.titles, language, languages) if chosen else "",
        rounds=[(one.slug, pick(one.titles, language, languages), one is chosen) for one in rounds],
        total=len(asked),
        late=sum(1 for one, _row in asked if one.late),
        open=sum(1 for one, _row in asked if one.head.status in EDITABLE and not one.late),
        groups=_groups(asked),
        institution_questions=about[0] if about else None,
    )


def _groups(asked: Sequence[tuple[Owed, dict[str, Any]]]) -> list[dict[str, Any]]:
    waiting = {Status.AWAITING_SIGN_OFF, Status.SUBMITTED, Status.CLAIMED}
    groups = [
        (_("Late"), "", [row for one, row in asked if one.late]),
        (_("To answer"), "", [row for one, row in asked if one.head.status in EDITABLE and not one.late]),
        (
            _("Waiting for others"),
            "",
            [row for one, row in asked if one.head.status in waiting and not one.late],
        ),
        (_("Done"), "", [row for one, row in asked if one.head.status in {Status.CLEARED, Status.NOT_OURS}]),
        (_("Closed without a reply"), "", [row for one, row in asked if one.head.status is Status.LAPSED]),
    ]
    return [{"title": title, "text": text, "rows": rows} for title, text, rows in groups if rows]


def _owed_row(one: Owed) -> dict[str, Any]:
    head, language, languages = one.head, g.view.language, g.country.languages
    editable = head.status in EDITABLE and may(who(), Permission.ANSWER_SUBMISSION)
    title = (
        _("Questions about your institution") if head.about_institution else title_of(one.asked, language, languages)
    )
    return {
        "cite": f"{one.asked[0].mechanism} · {_('paragraph')} {citation(one.asked)}" if one.asked else "",
        "title": title,
        "lang": "",
        "status": head.status,
        "mark": "",
        "role": "" if head.about_institution else str(head.role),
        "due": head.due_on,
        "days_left": one.days_left,
        "done": head.status in {Status.SUBMITTED, Status.CLEARED, Status.NOT_OURS, Status.CLAIMED},
        "answered": head.answered,
        "total": head.asked,
        "holder": _holder(one),
        "url": url_for("respond.reply", public_id=head.public_id),
        "action": (_("Go on") if head.saved_at else _("Answer")) if editable else _("Read"),
    }


def _holder(one: Owed) -> str:
    if one.head.status is Status.AWAITING_SIGN_OFF:
        return _("with the approver")
    if one.head.status in {Status.SUBMITTED, Status.CLAIMED}:
        return _("with the secretariat")
    if one.saved_by:
        return _("last written by %(name)s", name=pick(one.saved_by, g.view.language, g.country.languages))
    return ""


@blueprint.get("/replies/<public_id>/")
@requires(Permission.VIEW_ANSWERS, on=own_reply)
def reply(head: SubmissionHead) -> ResponseReturnValue:
    """Lead to the page where work goes on: the first with an unanswered question."""
    definition, _ids = load(head)
    page = AnsweringPage(head, queries.answers(db.session, head.id), who(), definition)
    if page.readonly:
        return redirect(url_for("respond.check", public_id=head.public_id), code=303)
    return redirect(page.page_url(page.first_page().code), code=303)


# --- answering --------------------------------------------------------------------------------------------------------


class _OnPage:
    """A reply together with the page asked for; permissions look at the reply."""

    def __init__(self, head: SubmissionHead, code: str) -> None:
        self.head, self.code = head, code
        self.institution_id, self.status = head.institution_id, head.status


def own_page(public_id: str, code: str) -> _OnPage:
    """Load a reply of one's own institution with the code of a page or question."""
    return _OnPage(own_reply(public_id), code)


def _page(definition: Definition, code: str) -> Item:
    found = next((page for page in definition.pages if page.code == code), None)
    if found is None:
        raise NotFound
    return found


@blueprint.get("/replies/<public_id>/pages/<code>")
@requires(Permission.VIEW_ANSWERS, on=own_page)
def section(on: _OnPage) -> ResponseReturnValue:
    """Show one page of a reply, filled in."""
    definition, _ids = load(on.head)
    page = _page(definition, on.code)
    answering = AnsweringPage(on.head, queries.answers(db.session, on.head.id), who(), definition)
    return _section_page(answering, page)


def _section_page(
    answering: AnsweringPage,
    page: Item,
    *,
    errors: Sequence[tuple[str, str]] = (),
    conflicts: Sequence[dict[str, Any]] = (),
    mine: Mapping[AnswerKey, str] | None = None,
) -> str:
    head, view = answering.head, g.view
    pages = answering.pages()
    codes = [one.code for one in pages]
    number = codes.index(page.code) if page.code in codes else 0
    evidence = (
        answering.evidence()
        if any(question_type(i.type).control == "file" for i in page.items() if i.kind == "question")
        else ()
    )
    languages = answering.context.languages
    return render_template(
        "respond/section.html",
        title=page.text("label", view.language, languages)
        or pick(answering.definition.titles, view.language, languages),
        institution=pick(head.institution_names, view.language, g.country.languages),
        round=pick(head.round_titles, view.language, g.country.languages),
        page_number=number + 1,
        page_total=len(codes),
        recommendation=answering.recommendation(),
        status=head.status,
        due=head.due_on,
        days_left=(head.due_on - answering.context.today).days,
        done=head.status not in EDITABLE,
        items=answering.items(page, evidence, mine),
        readonly=answering.readonly,
        errors=list(errors),
        conflicts=list(conflicts),
        steps=answering.steps(page.code),
        missing=answering.missing(),
        answered=head.answered,
        total=head.asked or sum(1 for item in answering.definition.questions() if answering._asked(item)),  # noqa: SLF001
        saved_at=head.saved_at,
        previous_url=answering.page_url(codes[number - 1]) if number else "",
        next_url=answering.page_url(codes[number + 1]) if number + 1 < len(codes) else "",
        complete_url=url_for("respond.check", public_id=head.public_id),
        not_ours_url=url_for("respond.not_ours", public_id=head.public_id)
        if head.status in {Status.ISSUED, Status.IN_PROGRESS} and not head.about_institution
        else "",
        owed_url=url_for("respond.owed", round=head.round_slug),
        rules_url=url_for("respond.rules", version_id=head.version_id, language=view.language),
        request_key=uuid7(),
    )


@blueprint.post("/replies/<public_id>/pages/<code>")
@requires(Permission.ANSWER_SUBMISSION, on=own_page)
def save_section(on: _OnPage) -> ResponseReturnValue:
    """Save the answers of a post: a whole page without script, or one answer of an autosave."""
    principal, head = who(), on.head
    definition, ids = load(head)
    page = _page(definition, on.code)
    context = context_for(principal, head, definition)
    changes = read_changes(definition, page, context)
    request_key = request.form.get("request_key") or None
    with write() as session:
        saved = services.save_answers(
            session,
            head,
            definition,
            ids,
            changes,
            context=context,
            by=principal,
            request_key=(request_key or "")[:64] or None,
        )
    if wants_json():
        return _saved_json(saved, definition), saved.http_status
    return _after_save(saved, changes, head, definition, page)


def _saved_json(saved: Saved, definition: Definition) -> dict[str, Any]:
    names = actor_names(db.session, [one.theirs.answered_by for one in saved.stale]) if saved.stale else {}
    language, languages = g.view.language, g.country.languages
    return {
        "saved": [{"name": field_name(key), "revision": revision} for key, revision in saved.saved.items()],
        "stale": [
            {
                "name": field_name(one.key),
                "mine": _shown(one.mine, one.key, definition),
                "theirs": _stored_text(one, definition),
                "theirs_raw": _stored_raw(one, definition),
                "revision": one.theirs.revision,
                "by": pick(names.get(one.theirs.answered_by), language, languages),
                "at": datetime_text(one.theirs.answered_at),
            }
            for one in saved.stale
        ],
        "refused": [
            {"name": field_name(one.key), "message": str(one.message), "revision": one.revision}
            for one in saved.refused
        ],
        "shown": sorted(saved.appeared),
        "hidden": sorted(saved.evaluation.hidden),
        "missing": saved.missing,
        "saved_at": time_text(saved.at),
    }


def _stored_raw(one: services.StaleAnswer, definition: Definition) -> list[str]:
    item = definition.question(one.key.code)
    return [one.theirs.typed] if one.theirs.typed is not None else question_type(item.type).raw(one.theirs.value, item)


def _stored_text(one: services.StaleAnswer, definition: Definition) -> str:
    if one.theirs.typed is not None:
        return one.theirs.typed
    item = definition.question(one.key.code)
    return question_type(item.type).text(one.theirs.value, item, g.view.language)


def _shown(parsed: Parsed, key: AnswerKey, definition: Definition) -> str:
    if parsed.typed is not None:
        return parsed.typed
    item = definition.question(key.code)
    return question_type(item.type).text(parsed.value, item, g.view.language)


def _after_save(
    saved: Saved, changes: Mapping[AnswerKey, Change], head: SubmissionHead, definition: Definition, page: Item
) -> ResponseReturnValue:
    """Answer a post without script: go on, or show the page again with what needs a look."""
    head = queries.head_by_id(db.session, head.id)
    answering = AnsweringPage(head, queries.answers(db.session, head.id), who(), definition)
    if saved.stale:
        names = actor_names(db.session, [one.theirs.answered_by for one in saved.stale])
        conflicts = [
            {
                "name": field_name(one.key),
                "label": definition.question(one.key.code).text("label", g.view.language, answering.context.languages),
                "mine": _shown(one.mine, one.key, definition),
                "theirs": _stored_text(one, definition),
                "by": pick(names.get(one.theirs.answered_by), g.view.language, g.country.languages),
                "at": one.theirs.answered_at,
                "revision": one.theirs.revision,
            }
            for one in saved.stale
        ]
        mine = {one.key: _shown(one.mine, one.key, definition) for one in saved.stale if one.key.lang}
        errors = [
            (f"q-{one.key.code}", _("Somebody else changed this answer; both texts are shown.")) for one in saved.stale
        ]
        return _section_page(answering, page, errors=errors, conflicts=conflicts, mine=mine), 409
    if saved.refused:
        errors = [(f"q-{one.key.code}", str(one.message)) for one in saved.refused]
        return _section_page(answering, page, errors=errors), 422
    del changes
    if request.form.get("action") != "next":
        notice(_("Saved."))
        return redirect(answering.page_url(page.code), code=303)
    codes = [one.code for one in answering.pages()]
    after = codes.index(page.code) + 1 if page.code in codes else 0
    if after < len(codes):
        return redirect(answering.page_url(codes[after]), code=303)
    return redirect(url_for("respond.check", public_id=head.public_id), code=303)


@blueprint.get("/rules/<int:version_id>/<language>")
@requires(Permission.EDIT_OWN_ACCOUNT)
def rules(version_id: int, language: str) -> ResponseReturnValue:
    """Give the relevance trees of a version to the browser: {relevant: {code: tree}, inside: {code: parent}}.

    The wording of a frozen version never changes, so the address may be cached for ever, in private.
    """
    del language
    definition = load_definition(db.session, version_id)
    relevant = {item.code: to_json(parse(item.relevant)) for item in definition.items() if item.relevant}
    inside = {child.code: item.code for item in definition.items() for child in item.children}
    response = current_app.response_class(
        json.dumps({"relevant": relevant, "inside": inside}, separators=(",", ":")), mimetype="application/json"
    )
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


# --- completing, claiming, recalling ----------------------------------------------------------------------------------


@blueprint.get("/replies/<public_id>/check")
@requires(Permission.VIEW_ANSWERS, on=own_reply)
def check(head: SubmissionHead) -> ResponseReturnValue:
    """Show the whole reply read aloud, what is missing, what happened, and what can be done next."""
    return _check_page(head)


def _check_page(head: SubmissionHead, *, error: str = "", status: int = 200) -> ResponseReturnValue:
    definition, _ids = load(head)
    stored = queries.answers(db.session, head.id)
    answering = AnsweringPage(head, stored, who(), definition)
    events = queries.events(db.session, head.id)
    page = render_template(
        "respond/check.html",
        head=head,
        error=error,
        title=pick(definition.titles, g.view.language, answering.context.languages),
        institution=pick(head.institution_names, g.view.language, g.country.languages),
        recommendation=answering.recommendation(),
        pages=read_aloud(answering),
        missing=answering.missing(),
        evidence=evidence_of(db.session, head.id),
        timeline=timeline(events),
        threads=thread_views(threads(db.session, head.id), definition, staff=False),
        can_complete=not answering.readonly and may(who(), Permission.COMPLETE_SUBMISSION),
        can_recall=head.status is Status.SUBMITTED
        and not head.under_review
        and may(who(), Permission.RECALL_SUBMISSION),
        can_retract=head.status is Status.CLAIMED and may(who(), Permission.COMPLETE_SUBMISSION),
        can_hand_in_pending=head.status is Status.AWAITING_SIGN_OFF
        and head.sign_off_policy in {"paper", "either"}
        and may(who(), Permission.COMPLETE_SUBMISSION),
        days_left=(head.due_on - answering.context.today).days,
        editing=head.status in EDITABLE,
        owed_url=url_for("respond.owed", round=head.round_slug),
    )
    return page, status


@blueprint.post("/replies/<public_id>/complete")
@requires(Permission.COMPLETE_SUBMISSION, on=own_reply)
def complete(head: SubmissionHead) -> ResponseReturnValue:
    """Say that the reply is complete."""
    principal = who()
    definition, _ids = load(head)
    if head.status is Status.AWAITING_SIGN_OFF or (head.status is Status.SUBMITTED and head.hand_in):
        return redirect(url_for("respond.check", public_id=head.public_id), code=303)
    context = context_for(principal, head, definition)
    try:
        with write() as session:
            event = services.complete(session, head, definition, context=context, by=principal)
    except Incomplete as error:
        return _check_page(head, error=str(error), status=422)
    if event.status is Status.SUBMITTED:
        notice(_("Handed in. The secretariat has been told."))
    else:
        notice(_("Complete. It now waits for the approver's signature."))
    return redirect(url_for("respond.owed", round=head.round_slug), code=303)


@blueprint.post("/replies/<public_id>/hand-in-pending")
@requires(Permission.COMPLETE_SUBMISSION, on=own_reply)
def hand_in_pending(head: SubmissionHead) -> ResponseReturnValue:
    """Hand in a reply whose stamped signature follows."""
    definition, _ids = load(head)
    with write() as session:
        services.hand_in_pending(session, head, definition, by=who())
    notice(_("Handed in, signature to follow."))
    return redirect(url_for("respond.check", public_id=head.public_id), code=303)


@blueprint.post("/replies/<public_id>/recall")
@requires(Permission.RECALL_SUBMISSION, on=own_reply)
def recall(head: SubmissionHead) -> ResponseReturnValue:
    """Take a reply back before the secretariat starts its review."""
    with write() as session:
        services.recall(session, head, by=who())
    notice(_("Taken back. You can change it and complete it again."))
    return redirect(url_for("respond.reply", public_id=head.public_id), code=303)


@blueprint.get("/replies/<public_id>/not-ours")
@requires(Permission.COMPLETE_SUBMISSION, on=own_reply)
def not_ours(head: SubmissionHead) -> ResponseReturnValue:
    """Ask which institution should answer instead."""
    return _not_ours_page(head)


def _not_ours_page(head: SubmissionHead, *, error: Invalid | None = None) -> str:
    asked = queries.asked_recommendations(db.session, [head.assignment_id]).get(head.assignment_id, [])
    return render_template(
        "respond/not_ours.html",
        head=head,
        error=error,
        instead=request.form.get("instead", ""),
        reason=request.form.get("reason", ""),
        recommendation=recommendation_box(asked, g.view.language, g.country) if asked else None,
        institutions=[
            (code, pick(names, g.view.language, g.country.languages))
            for code, names in institution_names(db.session)
            if code != head.institution_code
        ],
    )


@blueprint.post("/replies/<public_id>/not-ours")
@requires(Permission.COMPLETE_SUBMISSION, on=own_reply)
def claim_not_ours(head: SubmissionHead) -> ResponseReturnValue:
    """Say that another institution should answer: an answer, never silence."""
    try:
        with write() as session:
            services.claim_not_ours(
                session, head, instead=request.form.get("instead", ""), reason=request.form.get("reason", ""), by=who()
            )
    except IllegalTransition:
        raise
    except Invalid as error:
        return _not_ours_page(head, error=error), 422
    notice(_("Thank you. The secretariat will decide who answers."))
    return redirect(url_for("respond.owed", round=head.round_slug), code=303)


@blueprint.post("/replies/<public_id>/retract")
@requires(Permission.COMPLETE_SUBMISSION, on=own_reply)
def retract(head: SubmissionHead) -> ResponseReturnValue:
    """Take back the claim that another institution should answer."""
    with write() as session:
        services.retract_claim(session, head, by=who())
    return redirect(url_for("respond.reply", public_id=head.public_id), code=303)


@blueprint.post("/clarifications/<public_id>/answer")
@requires(Permission.ANSWER_CLARIFICATION, on=lambda public_id: thread_on(public_id))
def answer_clarification(on: _ThreadOf) -> ResponseReturnValue:
    """Answer the secretariat's question; the reply itself does not change."""
    with write() as session:
        thread = session.get_one(Clarification, on.thread.id)
        clarifications.answer(session, on.head, thread, request.form.get("body", ""), by=who())
    notice(_("Your answer was sent to the secretariat."))
    return redirect(url_for("respond.check", public_id=on.head.public_id), code=303)


class _ThreadOf:
    """A clarification with its reply; permissions look at the reply."""

    def __init__(self, thread: Clarification, head: SubmissionHead) -> None:
        self.thread, self.head = thread, head
        self.institution_id, self.status = head.institution_id, head.status


def thread_on(public_id: str) -> _ThreadOf:
    """Load a clarification with the reply it belongs to."""
    found = find_thread(db.session, public_id)
    if found is None:
        raise NotFound
    return _ThreadOf(found[0], reply_of(found[1]))


# --- evidence ---------------------------------------------------------------------------------------------------------


@blueprint.post("/replies/<public_id>/questions/<code>/files")
@requires(Permission.ANSWER_SUBMISSION, on=own_page)
def upload(on: _OnPage) -> ResponseReturnValue:
    """Attach a file to a question: stored and hashed first, then its row and the answer in one transaction."""
    head, principal = on.head, who()
    definition, ids = load(head)
    item = next((i for i in definition.questions() if i.code == on.code), None)
    if item is None or question_type(item.type).control != "file":
        raise NotFound
    if head.status not in EDITABLE or (head.unlocked is not None and on.code not in head.unlocked):
        raise IllegalTransition
    given = next((one for one in request.files.values() if one.filename), None)
    if given is None:
        raise Invalid(_("Choose a file first."))
    settings = current_app.config["SETTINGS"]
    received = evidence_service.receive(
        given.stream,
        given.filename or "",
        folder=settings.evidence_dir,
        tmp=settings.tmp_dir,
        limit=settings.evidence_max_bytes,
    )
    context = context_for(principal, head, definition)
    with write() as session:
        made = evidence_service.add_file(session, head, received, question_id=ids[on.code], by=principal)
        _set_files(session, head, definition, ids, on.code, context)
    if wants_json():
        return {
            "number": made.number,
            "name": made.filename,
            "size": made.size,
            "url": url_for("respond.evidence", public_id=made.public_id),
            "remove_url": url_for("respond.remove_evidence", public_id=made.public_id),
        }, 201
    notice(_("“%(name)s” is attached.", name=made.filename))
    return redirect(
        url_for("respond.section", public_id=head.public_id, code=definition.page_of(on.code).code)
        + f"#q-{on.code}-item",
        code=303,
    )


def _set_files(
    session: Any, head: SubmissionHead, definition: Definition, ids: Mapping[str, int], code: str, context: Any
) -> None:
    """Let the answer of a file question name what is attached to it."""
    attached = [one.public_id for one in evidence_of(session, head.id) if one.question_id == ids[code]]
    change = Change(Parsed(value=attached or None), None)  # type: ignore[arg-type]
    services.save_answers(session, head, definition, ids, {AnswerKey(code): change}, context=context, by=who())


class _EvidenceOf:
    """A piece of evidence with its reply; permissions look at the reply."""

    def __init__(self, evidence: Evidence, head: SubmissionHead) -> None:
        self.evidence, self.head = evidence, head
        self.institution_id, self.status = head.institution_id, head.status


def evidence_on(public_id: str) -> _EvidenceOf:
    """Load a piece of evidence with the reply it belongs to."""
    found = find_evidence(db.session, public_id)
    if found is None:
        raise NotFound
    return _EvidenceOf(found[0], reply_of(found[1]))


@blueprint.get("/evidence/<public_id>")
@requires(Permission.VIEW_ANSWERS, on=evidence_on)
def evidence(on: _EvidenceOf) -> ResponseReturnValue:
    """Give a file, always as a download, never rendered (ASVS 3.2.1, 5.3.1); a link is shown, not followed."""
    one = on.evidence
    if one.sha256 is None:
        return redirect(one.url or url_for("public.home"), code=303)
    path = current_app.config["SETTINGS"].evidence_dir / one.sha256[:2] / one.sha256
    if not path.is_file():
        raise NotFound(
            _("This file is missing from the store. Tell the administrator its number: %(number)s.", number=one.number)
        )
    response = send_file(path, mimetype=one.media_type, as_attachment=True, download_name=one.filename)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.post("/evidence/<public_id>/remove")
@requires(Permission.ANSWER_SUBMISSION, on=evidence_on)
def remove_evidence(on: _EvidenceOf) -> ResponseReturnValue:
    """Take a file off a reply that may still be changed."""
    head = on.head
    definition, ids = load(head)
    code = next((code for code, question_id in ids.items() if question_id == on.evidence.question_id), None)
    if head.status not in EDITABLE or (head.unlocked is not None and code not in head.unlocked):
        raise IllegalTransition
    context = context_for(who(), head, definition)
    with write() as session:
        one = session.get_one(Evidence, on.evidence.id)
        evidence_service.remove(session, one, by=who())
        session.flush()
        if code is not None:
            _set_files(session, head, definition, ids, code, context)
    if wants_json():
        return {"removed": True}
    notice(_("The file was removed."))
    target = (
        url_for("respond.section", public_id=head.public_id, code=definition.page_of(code).code)
        if code
        else url_for("respond.check", public_id=head.public_id)
    )
    return redirect(target, code=303)
