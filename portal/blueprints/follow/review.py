"""One reply as the secretariat reads it: what was handed in, never a draft; evidence, threads, history, verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, render_template, request, url_for
from flask_babel import gettext as _

from forms.signing import SheetForm
from portal.blueprints.answering import recommendation_box
from portal.blueprints.changes import between
from portal.blueprints.follow.door import address, blueprint, cite, reply_for_staff, rooms, say, today
from portal.blueprints.frozen import asked_with, frozen_pages, restored
from portal.blueprints.guard import requires, who
from portal.blueprints.happened import with_documents, with_threads
from portal.blueprints.holding import Holding
from portal.blueprints.posting import languages_of, load
from portal.blueprints.reading import read_definition, thread_views, timeline
from portal.blueprints.recollections import mark_confirmed
from portal.extensions import db
from portal.models import Action, Signature, Status
from portal.papers.days import local_day
from portal.permissions import Permission, can, may
from portal.queries import reviews
from portal.queries import submissions as queries
from portal.queries.clarifications import threads
from portal.queries.evidence import evidence_of
from portal.queries.kept_warnings import kept_in, kind_words
from portal.queries.packs import ON_PAPER
from portal.queries.receipts import receipts_of
from portal.queries.register import unknown_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask.typing import ResponseReturnValue

    from forms.definition.model import Definition
    from portal.models import SubmissionEvent
    from portal.queries.submissions import SubmissionHead


@blueprint.get("/review/<public_id>")
@requires(Permission.VIEW_SUBMISSION, on=reply_for_staff)
def submission(head: SubmissionHead) -> ResponseReturnValue:
    """Show one reply for review."""
    return review_page(head)


def review_page(
    head: SubmissionHead, *, error: str = "", field: str = "", status: int = 200, sheet: SheetForm | None = None
) -> ResponseReturnValue:
    """Draw the review page; after a refused verdict with the reason and what was typed."""
    definition, _ids = load(head)
    past = queries.events(db.session, head.id)
    asked = queries.asked_recommendations(db.session, [head.assignment_id]).get(head.assignment_id, [])
    before, after, others = reviews.neighbours(db.session, head.round_id, head.public_id)
    handed_in = _handed_in(head, definition)
    spoken = threads(db.session, head.id)
    page = render_template(
        "follow/submission.html",
        head=head,
        error=error,
        field=field,
        typed=request.form,
        chosen=request.form.getlist("codes"),
        institution=say(head.institution_names),
        round_title=say(head.round_titles),
        board_url=url_for("follow.board", slug=head.round_slug),
        rounds_url=url_for("follow.rounds"),
        cite=cite(asked),
        title=next((text for one in asked if (text := say(one.heading))), "") or say(definition.titles),
        recommendation=recommendation_box(asked, g.view.language, g.country) if asked else None,
        handed_in=handed_in,
        receipts=receipts_of(db.session, head.id),
        changes=_changes(head, definition),
        timeline=with_documents(with_threads(_timeline(past), spoken), head.assignment_id),
        evidence_url=address("remember.round_evidence", slug=head.round_slug),
        unknown_evidence=_unknown_evidence(head, handed_in["pages"] if handed_in else ()),
        threads=thread_views(spoken, definition, staff=True),
        questions=_questions(handed_in["pages"] if handed_in else []),
        claim=_claim(past) if head.status in {Status.CLAIMED, Status.NOT_OURS} else None,
        assign_url=rooms(head.round_slug)["matrix"],
        assignment_url=address("rounds.assignment", slug=head.round_slug, public_id=head.assignment_public_id),
        days_left=(head.due_on - today()).days,
        done=head.status in {Status.SUBMITTED, Status.CLEARED, Status.NOT_OURS, Status.WITHDRAWN},
        previous_url=url_for("follow.submission", public_id=before) if before else "",
        next_url=url_for("follow.submission", public_id=after) if after else "",
        others=others,
        held=Holding(head.round_id).part(head.id, head.status),
        acts=_acts(head),
        sheet=sheet or sheet_form(head, formdata=None),
    )
    return page, status


def sheet_form(head: SubmissionHead, **more: Any) -> SheetForm:
    """Return the form of a signed sheet, which answers what was asked and is here today."""
    asked_on = queries.events(db.session, head.id)[0].done_at
    return SheetForm(first=local_day(asked_on, g.country.time_zone), last=today(), **more)


def may_record_signature(head: SubmissionHead) -> bool:
    """Tell whether a signature on paper can be recorded: a reply waits for it, or was handed in before it came."""
    if head.status in {Status.SUBMITTED, Status.CLEARED}:
        return head.signature is Signature.PENDING
    return head.status is Status.AWAITING_SIGN_OFF and head.sign_off_policy in ON_PAPER


def _unknown_evidence(head: SubmissionHead, pages: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the numbers that a reply cites and that stand for no evidence of its institution."""
    texts = (text for page in pages for row in page["rows"] for _lang, text in row["texts"])
    return unknown_numbers(db.session, head.institution_id, head.round_id, texts)


def _acts(head: SubmissionHead) -> dict[str, bool]:
    """Return which acts this person can do now; the service decides again."""
    person, status = who(), head.status
    review = can(person, Permission.REVIEW_SUBMISSION, head)
    return {
        "start": review and status is Status.SUBMITTED and not head.under_review,
        "verdict": review and status is Status.SUBMITTED,
        "settle": review and status is Status.CLAIMED,
        "reopen": can(person, Permission.REOPEN_SUBMISSION, head) and status in {Status.CLEARED, Status.NOT_OURS},
        "withdraw": can(person, Permission.WITHDRAW_ASSIGNMENT, head)
        and status not in {Status.CLEARED, Status.NOT_OURS, Status.WITHDRAWN, Status.LAPSED},
        "restore": can(person, Permission.WITHDRAW_ASSIGNMENT, head)
        and may(person, Permission.CLOSE_ROUND)
        and status in {Status.WITHDRAWN, Status.LAPSED},
        "signature": can(person, Permission.RECORD_SIGNATURE, head) and may_record_signature(head),
        "ask": can(person, Permission.ASK_CLARIFICATION, head),
    }


def _handed_in(head: SubmissionHead, definition: Definition) -> dict[str, Any] | None:
    """Return what was handed in last, read aloud; None when nothing ever was.

    A reply that the institution is changing again is read from its snapshot: staff never see a draft.
    """
    languages = languages_of(definition, g.country)
    if can(who(), Permission.VIEW_ANSWERS, head):
        reply = queries.stored_reply(db.session, head.id, definition)
        rows = queries.standing_rows(reply.rows)
        return {
            "pages": mark_confirmed(
                head, read_definition(definition, reply.answers, head.hidden, languages, rows=rows), reply.answers
            ),
            "evidence": [_file(one) for one in evidence_of(db.session, head.id)],
            "warnings": _kept(queries.latest_snapshot(db.session, head.id) or {}, definition),
            "note": "",
        }
    kept = queries.latest_snapshot(db.session, head.id)
    if kept is None:
        return None
    return {
        "pages": mark_confirmed(head, frozen_pages(kept, definition, languages), restored(kept)),
        "evidence": [
            {"number": one["number"], "title": one["name"], "url": "", "detail": "", "visibility": "", "is_link": False,
             "remove_url": ""}
            for one in kept["evidence"]
        ],
        "warnings": _kept(kept, definition),
        "note": _("This is what was handed in last. The institution may be changing it: changes are not shown here."),
    }  # fmt: skip


def _kept(kept: Mapping[str, Any], definition: Definition) -> list[dict[str, str]]:
    """Return the warnings that the institution kept with a reason."""
    words, found = kind_words(), []
    for one in kept_in(kept):
        item = definition.compiled.by_code.get(one.place.partition("[")[0])
        label = item.text("label", g.view.language, languages_of(definition, g.country)) if item else one.place
        found.append({"kind": words[one.kind], "label": label, "url": "", "sentence": "", "reason": one.reason})
    return found


def _changes(head: SubmissionHead, definition: Definition) -> dict[str, Any] | None:
    """Return what changed between the last two hand-ins; a draft is never compared with."""
    two = queries.last_two(db.session, head.id) if head.hand_in > 1 else None
    if two is None:
        return None
    return between(two.before, two.after, asked_with(two.after, definition)) | {"at": two.before_at}


def _file(one: Any) -> dict[str, Any]:
    return {
        "number": one.number,
        "title": one.filename or one.url,
        "url": url_for("respond.evidence", public_id=one.public_id) if one.sha256 else one.url,
        "detail": one.caption,
        "visibility": str(one.visibility),
        "is_link": not one.sha256,
        "remove_url": "",
    }


def _timeline(past: Sequence[SubmissionEvent]) -> list[dict[str, Any]]:
    """Tell what happened; what an approver told colleagues on handing a draft back stays inside the institution."""
    told = timeline(past)
    for event, row in zip(reversed(past), told, strict=True):
        if event.action is Action.DECLINE:
            row["note"] = ""
    return told


def _questions(pages: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """List the questions that can be named in a return or asked about: (code, label)."""
    return [(row["code"], row["label"]) for page in pages for row in page["rows"] if row.get("named", True)]


def _claim(past: Sequence[SubmissionEvent]) -> dict[str, Any] | None:
    """Return who should answer instead, and why, in the institution's words."""
    event = next((one for one in reversed(past) if one.action is Action.CLAIM_NOT_OURS), None)
    if event is None:
        return None
    named = str(event.details.get("instead", ""))
    found = reviews.find_institution(db.session, named)
    return {"named": named, "code": found[0] if found else "", "name": say(found[1]) if found else named,
            "reason": event.reason or ""}  # fmt: skip
