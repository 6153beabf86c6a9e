"""Who I am, what is asked, a reply with its answers, what happened to a reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spectree import Response
from sqlalchemy import select

from forms.answers import AnswerKey, field_name
from forms.evaluation import evaluate
from forms.questionnaire import answer_keys, asked, cell_keys
from forms.tables import may_change, table_of, tables
from portal.api import shapes
from portal.api.door import answer, any_reply, blueprint, operation, take_query
from portal.blueprints.answering import why_not_taken
from portal.blueprints.guard import requires, who
from portal.blueprints.posting import context_for, load
from portal.extensions import db
from portal.models import Action, AnswerRevision, Assignment, Institution, ReportingRound, Status, Submission
from portal.permissions import Permission, can, everywhere
from portal.queries import submissions as queries
from portal.queries.actors import actor_names
from portal.queries.evidence import evidence_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from forms.context import Context
    from forms.definition.model import Definition, Item
    from forms.tables import Table
    from portal.queries.submissions import AskedRecommendation, SubmissionHead

REFUSALS = {f"HTTP_{status}": shapes.ProblemDetails for status in (400, 401, 403, 404, 409, 415, 422, 429, 503)}
# acts within an institution: whoever is outside reads that they happened, not what was said
INNER = frozenset({Action.DECLINE, Action.FIRST_SAVE, Action.COMPLETE})


@blueprint.get("/me")
@requires(Permission.EDIT_OWN_ACCOUNT)
@operation("me", resp=Response(HTTP_200=shapes.Me, **REFUSALS))
def me() -> ResponseReturnValue:
    """Tell whom the token speaks for."""
    principal = who()
    part = principal.part
    place = shapes.InstitutionPart(
        code=part.institution_code, names=dict(part.institution_names), role=part.role.value
    ) if part else None  # fmt: skip
    return answer(
        shapes.Me(
            id=principal.public_id,
            login=principal.login,
            names=dict(principal.names),
            language=principal.language,
            institution=place,
            staff_roles=sorted(role.value for role in principal.staff),
        )
    )


@blueprint.get("/assignments")
@requires(Permission.VIEW_SUBMISSION)
@operation("listAssignments", query=shapes.AssignmentsQuery, resp=Response(HTTP_200=shapes.Assignments, **REFUSALS))
def list_assignments() -> ResponseReturnValue:
    """List what was asked: of the caller's own institution, or of all for the secretariat."""
    principal, wanted = who(), take_query(shapes.AssignmentsQuery)
    chosen = queries.HEAD.order_by(Assignment.public_id).limit(wanted.limit + 1)
    if not everywhere(principal, Permission.VIEW_SUBMISSION):
        chosen = chosen.where(Assignment.institution_id == principal.institution_id)
        chosen = chosen.where(Submission.status != Status.WITHDRAWN)
    if wanted.round:
        chosen = chosen.where(ReportingRound.slug == wanted.round)
    if wanted.institution:
        chosen = chosen.where(Institution.code == wanted.institution)
    if wanted.status:
        chosen = chosen.where(Submission.status == wanted.status)
    if wanted.after:
        chosen = chosen.where(Assignment.public_id > wanted.after)
    heads = [queries.head_of(row) for row in db.session.execute(chosen)]
    shown = heads[: wanted.limit]
    about = queries.asked_recommendations(db.session, [head.assignment_id for head in shown])
    return answer(
        shapes.Assignments(
            items=[_assignment(head, about.get(head.assignment_id, [])) for head in shown],
            next=shown[-1].assignment_public_id if len(heads) > len(shown) else None,
        )
    )


def _assignment(head: SubmissionHead, about: Sequence[AskedRecommendation]) -> shapes.Assignment:
    return shapes.Assignment(
        id=head.public_id,
        assignment=head.assignment_public_id,
        round=head.round_slug,
        institution=head.institution_code,
        role=head.role.value,
        status=head.status,
        signature=head.signature.value if head.signature else None,
        under_review=head.under_review,
        hand_in=head.hand_in,
        due_on=head.due_on,
        recommendations=[
            shapes.Asked(
                id=one.public_id,
                symbol=one.symbol,
                mechanism=one.mechanism,
                citation=one.citation,
                texts=dict(one.texts),
                summary=dict(one.summary),
            )
            for one in about
        ],
    )


@blueprint.get("/submissions/<public_id>")
@requires(Permission.VIEW_SUBMISSION, on=any_reply)
@operation("getSubmission", resp=Response(HTTP_200=shapes.Submission, **REFUSALS))
def get_submission(head: SubmissionHead) -> ResponseReturnValue:
    """Give a reply with its questions and, where the caller may read them, its answers."""
    definition, ids = load(head)
    readable = can(who(), Permission.VIEW_ANSWERS, head)
    codes = {question_id: code for code, question_id in ids.items()}
    context = context_for(who(), head, definition)
    stored = queries.stored_reply(db.session, head.id, definition) if readable else None
    return answer(
        shapes.Submission(
            id=head.public_id,
            assignment=head.assignment_public_id,
            round=head.round_slug,
            institution=head.institution_code,
            status=head.status,
            signature=head.signature.value if head.signature else None,
            under_review=head.under_review,
            hand_in=head.hand_in,
            due_on=head.due_on,
            unlocked=list(head.unlocked) if head.unlocked is not None else None,
            questions=[
                _question(head, definition, item, context, tell_hidden=readable)
                for item in asked(definition.pages)
            ],
            tables=[_table(head, definition, table, tell_hidden=readable) for table in tables(definition).values()],
            rows=_rows(stored) if stored is not None else None,
            answers=_answers(stored, definition, context) if stored is not None else None,
            evidence=[
                shapes.EvidenceItem(
                    id=one.public_id,
                    number=one.number,
                    kind=one.kind.value,
                    question=codes.get(one.question_id) if one.question_id else None,
                    filename=one.filename,
                    media_type=one.media_type,
                    size=one.size,
                    sha256=one.sha256,
                    url=one.url,
                    caption=one.caption,
                    visibility=one.visibility.value,
                    scanned_at=one.scanned_at,
                )
                for one in evidence_of(db.session, head.id)
            ]
            if readable
            else None,
        )
    )  # fmt: skip


def _question(
    head: SubmissionHead, definition: Definition, item: Item, context: Context, *, tell_hidden: bool
) -> shapes.Question:
    return shapes.Question(
        code=item.code,
        page=definition.page_of(item.code).code,
        type=item.type,
        labels=dict(item.texts.get("label") or {}),
        table=getattr(table_of(definition, item.code), "code", None),
        names=[
            field_name(key)
            for key in (
                answer_keys(item, context.languages)
                if table_of(definition, item.code) is None
                else cell_keys(item, "{row}", context.languages)
            )
        ],
        # what is asked follows from the answers, so it is as private as they are
        asked=item.code not in head.hidden if tell_hidden else True,
        locked=not may_change(definition, item.code, head.unlocked),
        choices=[shapes.Choice(key=one.key, texts=dict(one.texts)) for one in item.choices if not one.retired],
    )


def _table(head: SubmissionHead, definition: Definition, table: Table, *, tell_hidden: bool) -> shapes.Table:
    return shapes.Table(
        code=table.code,
        page=definition.page_of(table.code).code,
        kind="matrix" if table.fixed else "repeat",
        labels=dict(table.item.texts.get("label") or {}),
        inside=table.inside or None,
        columns=[item.code for item in table.columns],
        most_rows=table.most,
        asked=table.code not in head.hidden if tell_hidden else True,
        locked=not may_change(definition, table.code, head.unlocked),
        rows=[
            shapes.Choice(key=one.key, texts=dict(one.texts))
            for one in table.item.choices
            if table.fixed and not one.retired
        ],
    )


def _rows(stored: queries.StoredReply) -> list[shapes.Row]:
    return [
        shapes.Row(
            table=name.repeat,
            key=name.key,
            parent=row.parent,
            position=row.position,
            removed=row.removed,
            revision=row.revision,
        )
        for name, row in sorted(stored.rows.items(), key=lambda one: (one[0].repeat, one[1].position, one[0].key))
    ]


def _answers(stored: queries.StoredReply, definition: Definition, context: Context) -> list[shapes.Answer]:
    evaluation = evaluate(definition, stored.answers, context, queries.standing_rows(stored.rows))
    said = why_not_taken(definition, stored.answers, evaluation, context)
    return [
        shapes.Answer(
            name=field_name(key),
            value=one.value,
            state=one.state,
            typed=one.typed,
            message=said.get(key),
            revision=one.revision,
            answered_at=one.answered_at,
        )
        for key, one in sorted(stored.answers.items())
    ]


@blueprint.get("/submissions/<public_id>/history")
@requires(Permission.VIEW_SUBMISSION, on=any_reply)
@operation("history", resp=Response(HTTP_200=shapes.History, **REFUSALS))
def history(head: SubmissionHead) -> ResponseReturnValue:
    """Tell what happened to a reply; its own institution also reads every revision of every answer."""
    inside = who().institution_id == head.institution_id
    events = queries.events(db.session, head.id)
    rows: Sequence[Any] = db.session.scalars(_revisions(head.id)).all() if inside else []
    names = actor_names(db.session, [*(one.done_by for one in events), *(row.saved_by for row in rows)])
    codes = {question_id: code for code, question_id in load(head)[1].items()}

    def by(actor_id: int) -> dict[str, str] | None:
        return dict(names[actor_id]) if actor_id in names else None

    return answer(
        shapes.History(
            events=[
                shapes.Event(
                    number=one.number,
                    action=one.action.value,
                    status=one.status,
                    reason=one.reason if inside or one.action not in INNER else None,
                    details=dict(one.details) if inside or one.action not in INNER else None,
                    by=by(one.done_by),
                    at=one.done_at,
                )
                for one in events
            ],
            revisions=[
                shapes.Revision(
                    name=field_name(AnswerKey(codes.get(row.question_id, "?"), row.row, row.lang)),
                    revision=row.revision,
                    value=row.value,
                    state=row.state.value,
                    typed=row.typed,
                    by=by(row.saved_by),
                    at=row.saved_at,
                )
                for row in rows
            ]
            if inside
            else None,
        )
    )


def _revisions(submission_id: int) -> Any:
    return (
        select(AnswerRevision)
        .where(AnswerRevision.submission_id == submission_id)
        .order_by(AnswerRevision.saved_at, AnswerRevision.id)
    )
