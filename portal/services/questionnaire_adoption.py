"""Assignments that are out move on to a newer version of their questionnaire: what becomes of whom is chosen, and told.

A signed snapshot keeps the version it was signed under. Replies that were handed in are touched only when they are
asked again, and then exactly the questions concerned are open.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, select, update

from forms.context import Context, looked_up
from forms.definition.changes import Aspect
from portal import clock
from portal.errors import Conflict, Invalid
from portal.models import Action, Assignment, QuestionnaireVersion, ReportingRound, RoundStatus, Status, VersionStatus
from portal.models.lifecycle import OPEN_TO_STAFF
from portal.permissions import Permission, require
from portal.queries.countries import country_facts
from portal.queries.questionnaire_impact import AskedReply, Impact, impact_of
from portal.queries.questionnaires import definition, question_ids
from portal.services import audit
from portal.services.events import Act, append_events, locked_all
from portal.services.rejudging import Reread, judge_again
from portal.services.rounds import lock_round
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy.orm import Session

    from forms.definition.changes import Difference
    from forms.definition.model import Definition
    from forms.evaluation import Evaluation
    from portal.permissions import Principal


class Choice(StrEnum):
    """What becomes of the replies that a change touches."""

    KEEP = "keep"  # they stay on their version; everybody else who is still answering moves
    ASK_AGAIN = "ask_again"  # they move too, and are asked the questions concerned again
    ONLY_NEW = "only_new"  # whoever has begun stays; only what is not begun, or goes out later, moves


@dataclass
class Adopted:
    """What became of a round's assignments on earlier versions, as counts; all zero for a second click."""

    moved: int = 0
    asked_again: int = 0
    kept: int = 0
    handed_in: int = 0


@dataclass
class _Plan:
    """What shall happen, worked out before anything is written."""

    move: list[AskedReply] = field(default_factory=list)
    # replies that are asked again, with the questions concerned
    ask: dict[int, tuple[str, ...]] = field(default_factory=dict)
    done: Adopted = field(default_factory=Adopted)


STILL_ANSWERING = frozenset({Status.IN_PROGRESS, Status.RETURNED})


def adopt_version(
    session: Session,
    of: ReportingRound,
    version: QuestionnaireVersion,
    *,
    choice: Choice = Choice.KEEP,
    codes: Iterable[str] = (),
    reason: str = "",
    by: Principal,
) -> Adopted:
    """Let the assignments of a round move on to a published version; call inside ``write()``, one round each.

    Whatever is chosen, what is not begun moves, and what the round issues from now on is on the new version. ``codes``
    narrows the questions that are asked again (none: all concerned). Done again, nothing changes. The number of
    statements does not depend on the number of assignments.

    Raises:
        NotAllowed: if ``by`` may not.
        Conflict: if the round is closed, or the version is not published.
        Invalid: if somebody is asked again without a reason.
    """
    require(by, Permission.ADOPT_VERSION)
    of = lock_round(session, of.id)
    if of.status in {RoundStatus.CLOSED, RoundStatus.FROZEN}:
        raise Conflict(_l("This round is closed: its questionnaires stay as they are."))
    if version.status is not VersionStatus.PUBLISHED:
        raise Conflict(_l("Only a published version can be handed on."))
    found = impact_of(session, version, of.id)
    replies = locked_all(session, [one.submission_id for one in found.replies if one.submission_id is not None])
    if any(replies[one.submission_id].status is not one.status for one in found.replies if one.submission_id):
        # somebody signed or saved between the two statements (PostgreSQL); nothing is half done
        raise Conflict
    new = definition(session, version.id)
    plan = _plan(found, choice, frozenset(codes), new)
    if plan.ask and not reason.strip():
        sentence = _l("Give a reason: the institutions that are asked again will read it.")
        raise Invalid(sentence, problems=[Problem(sentence, field="reason")], code="reason_required")
    _move(session, plan, version, new, reason.strip(), by=by)
    _point(session, of, version)
    done = plan.done
    if done.moved:
        audit.record(
            session, "adopt_version", by=by, kind="round", thing=of.slug, questionnaire=new.code,
            version=version.number, choice=choice.value, **vars(done),
        )  # fmt: skip
    return done


def _plan(found: Impact, choice: Choice, codes: frozenset[str], new: Definition) -> _Plan:
    plan = _Plan()
    for reply in found.replies:
        hits = found.touched(reply)
        if reply.status in {None, Status.ISSUED}:
            plan.move.append(reply)
        elif choice is Choice.ASK_AGAIN and hits:
            concerned = _concerned(hits, new)
            again = tuple(code for code in concerned if not codes or code in codes)
            if again and reply.status in {*STILL_ANSWERING, Status.AWAITING_SIGN_OFF, *OPEN_TO_STAFF}:
                plan.move.append(reply)
                plan.ask[reply.submission_id or 0] = again
            elif reply.status in STILL_ANSWERING and not concerned:
                # only what is not asked any more touches it: nothing to ask again, its answers are kept
                plan.move.append(reply)
            else:
                _stays(plan, reply)
        elif reply.status in STILL_ANSWERING and choice is not Choice.ONLY_NEW and not hits:
            plan.move.append(reply)
        else:
            _stays(plan, reply)
    plan.done.moved = len(plan.move)
    plan.done.asked_again = len(plan.ask)
    return plan


def _stays(plan: _Plan, reply: AskedReply) -> None:
    if reply.status in OPEN_TO_STAFF or reply.status is Status.AWAITING_SIGN_OFF:
        plan.done.handed_in += 1
    else:
        plan.done.kept += 1


def _concerned(hits: Sequence[Difference], new: Definition) -> tuple[str, ...]:
    """Return the questions of the new version that the changes concern, in its order."""
    known = new.compiled.by_code
    named = {code for one in hits if one.aspect is not Aspect.GONE for code in one.questions if code in known}
    return tuple(code for code in known if code in named)


def _move(
    session: Session, plan: _Plan, version: QuestionnaireVersion, new: Definition, reason: str, *, by: Principal
) -> None:
    """Move assignments: their version, what follows for their replies, an event and an audit row for each."""
    if not plan.move:
        return
    session.connection().execute(
        update(Assignment.__table__)  # type: ignore[arg-type] # __table__ is a Table
        .where(Assignment.id == bindparam("assignment"))
        .values(version_id=version.id),
        [{"assignment": reply.assignment_id} for reply in plan.move],
    )
    issued = [reply for reply in plan.move if reply.submission_id is not None]
    context = _context(session, new)
    rereads = [Reread(reply.submission_id or 0, reply.hidden, context(reply)) for reply in issued]
    verdicts = judge_again(session, rereads, new, question_ids(session, version.id), by=by)
    acts = [act for reply in issued for act in _acts(reply, plan, version, new, verdicts, reason)]
    append_events(session, acts, by=by)
    audit.record_all(
        session,
        Action.ADOPT_VERSION.value,
        [
            audit.Entry(
                reply.assignment_public_id,
                {
                    "from": reply.version_number,
                    "to": version.number,
                    "submission": reply.submission_public_id or "",
                    "asked_again": list(plan.ask.get(reply.submission_id or 0, ())),
                },
            )
            for reply in plan.move
        ],
        by=by,
        kind="assignment",
    )


def _context(session: Session, new: Definition) -> Callable[[AskedReply], Context]:
    """Return how the facts that rules may need are gathered for a reply."""
    country, now = country_facts(session), clock.now()
    languages = tuple(code for code in country.languages if code in new.languages) or new.languages

    def context(reply: AskedReply) -> Context:
        institution = {"code": reply.institution_code}
        person = {"login": reply.saved_by_login or "", "email": reply.saved_by_email or ""}
        return Context(
            today=clock.today(country.time_zone),
            languages=languages,
            language=languages[0],
            time_zone=country.time_zone,
            now=now,
            person=person,
            institution=institution,
            tables=looked_up(new.table_rows, person, institution),
        )

    return context


def _acts(
    reply: AskedReply,
    plan: _Plan,
    version: QuestionnaireVersion,
    new: Definition,
    verdicts: dict[int, Evaluation],
    reason: str,
) -> list[Act]:
    """Return the events of one reply: handed back first if it was handed in, then the move."""
    number = reply.submission_id or 0
    again = plan.ask.get(number, ())
    moved = {"questionnaire": new.code, "from": reply.version_number, "to": version.number}
    if not again:
        return [Act(number, reply.institution_id, Action.ADOPT_VERSION, details=moved)]
    moved |= {"ask_again": list(again)}
    open_ = _to_open(again, verdicts[number], new)
    if reply.status is Status.SUBMITTED:
        back = {"unlocked": open_, "clarifications": []}
        return [
            Act(number, reply.institution_id, Action.RETURN, reason, back),
            Act(number, reply.institution_id, Action.ADOPT_VERSION, details=moved | {"unlocked": open_}),
        ]
    if reply.status is Status.CLEARED:
        return [
            Act(number, reply.institution_id, Action.REOPEN, reason),
            Act(number, reply.institution_id, Action.ADOPT_VERSION, details=moved | {"unlocked": open_}),
        ]
    if reply.unlocked is not None:
        moved |= {"unlocked": sorted({*reply.unlocked, *open_})}
    return [Act(number, reply.institution_id, Action.ADOPT_VERSION, reason, moved)]


def _to_open(again: Sequence[str], verdict: Evaluation, new: Definition) -> list[str]:
    """Return the questions to open: those asked again, what they bring up, and whatever else would block completing."""
    blocking = {key.code for key in (*verdict.missing, *verdict.refused, *verdict.unreadable)}
    # what is hidden now may appear with the new answers, and must not be shut then
    hidden = {code.partition("[")[0] for code in verdict.hidden}
    return sorted({*again, *blocking, *(_readers(new, again) & hidden)})


def _readers(new: Definition, codes: Sequence[str]) -> set[str]:
    """Return the items that appear or vanish with the answers to some questions, through others too."""
    reads = new.compiled.reads
    found, waiting = set(codes), list(codes)
    while waiting:
        name = waiting.pop()
        more = {code for code, before in reads.items() if name in before} - found
        found |= more
        waiting.extend(more)
    return {code for code in found if code in new.compiled.by_code and new.compiled.by_code[code].kind == "question"}


def _point(session: Session, of: ReportingRound, version: QuestionnaireVersion) -> None:
    """Let the round issue the new version from now on, wherever it issued an earlier one of the same questionnaire."""
    earlier = set(
        session.scalars(
            select(QuestionnaireVersion.id).where(
                QuestionnaireVersion.questionnaire_id == version.questionnaire_id,
                QuestionnaireVersion.number < version.number,
            )
        )
    )
    of = lock_round(session, of.id)
    changed = False
    for name in ("short_version_id", "full_version_id", "institution_version_id"):
        if getattr(of, name) in earlier:
            setattr(of, name, version.id)
            changed = True
    if changed:
        of.revision += 1
        session.flush()
