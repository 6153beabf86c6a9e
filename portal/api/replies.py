"""Who I am, what is asked, a reply with its answers, saving answers, what happened to a reply."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from spectree import Response
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from forms.answers import PRESENT_SUFFIX, STATE_SUFFIX, AnswerKey, field_name, parse_field_name
from forms.question_types import question_type
from forms.questionnaire import answer_keys, asked, cell_keys, read_answers, section_form
from forms.tables import may_change, table_of, tables
from portal.api import shapes
from portal.api.door import answer, any_reply, blueprint, once, operation, own_reply, take, take_query
from portal.blueprints.answering import context_for, load
from portal.blueprints.guard import requires, who
from portal.errors import Invalid
from portal.extensions import db
from portal.models import Action, AnswerRevision, Assignment, Institution, ReportingRound, Status, Submission
from portal.permissions import Permission, can
from portal.queries import submissions as queries
from portal.queries.actors import actor_names
from portal.queries.evidence import evidence_of
from portal.services import submissions as services
from portal.services.answer_rows import RowChange
from portal.services.submissions import Change, RefusedAnswer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from forms.answers import Json, Parsed
    from forms.context import Context
    from forms.definition.model import Definition, Item
    from forms.tables import Table
    from portal.queries.submissions import AskedRecommendation, SubmissionHead
    from portal.services.answer_rows import StaleRow
    from portal.services.submissions import Saved, StaleAnswer

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
    if not principal.staff:
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
            answers=_answers(stored) if stored is not None else None,
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


def _answers(stored: queries.StoredReply) -> list[shapes.Answer]:
    return [
        shapes.Answer(
            name=field_name(key),
            value=one.value,
            state=one.state,
            typed=one.typed,
            message=one.message,
            revision=one.revision,
            answered_at=one.answered_at,
        )
        for key, one in sorted(stored.answers.items())
    ]


@blueprint.post("/submissions/<public_id>/answers")
@requires(Permission.ANSWER_SUBMISSION, on=own_reply)
@operation(
    "saveAnswers",
    json=shapes.AnswersIn,
    resp=Response(HTTP_200=shapes.Saved, **(REFUSALS | {"HTTP_409": shapes.Saved, "HTTP_422": shapes.Saved})),
)
def save(head: SubmissionHead) -> ResponseReturnValue:
    """Save rows and answers, each against the revision its writer saw: the same gate as the pages.

    Answers 200, 409 (something was stale: both texts are given) or 422 (something was refused); what could be saved
    is saved in each case.
    """
    given = take(shapes.AnswersIn)
    names = [one.name for one in given.answers]
    if len(set(names)) != len(names):
        raise Invalid(_l("An answer is named twice in this request."))
    if not given.answers and not given.rows:
        raise Invalid(_l("This request holds nothing to save."))
    definition, ids = load(head)
    context = context_for(who(), head, definition)
    changes, unknown = read_given(definition, context, given.answers)

    def act(session: Session) -> tuple[shapes.Saved, int]:
        saved = services.save_answers(
            session, head, definition, ids, changes, context=context, by=who(), row_changes=_row_changes(given.rows)
        )
        made = _saved(session, head, definition, saved, unknown)
        return made, saved.http_status if saved.http_status != 200 or not unknown else 422

    return once(act, body=given.model_dump(mode="json"))


def _row_changes(given: Sequence[shapes.RowIn]) -> list[RowChange]:
    return [
        RowChange(
            one.table,
            one.key,
            one.parent,
            one.position,
            removed=one.removed,
            base=one.base,
            seen=None
            if one.seen is None
            else {key: base for name, base in one.seen.items() if (key := parse_field_name(name)) is not None},
        )
        for one in given
    ]


def read_given(
    definition: Definition, context: Context, given: Sequence[shapes.AnswerIn]
) -> tuple[dict[AnswerKey, Change], list[shapes.RefusedAnswer]]:
    """Read answers through the questionnaire's form; also return what names no question of it."""
    items = {item.code: item for item in asked(definition.pages)}
    post: MultiDict[str, str] = MultiDict()
    bases: dict[AnswerKey, int] = {}
    unknown: list[shapes.RefusedAnswer] = []
    for one in given:
        key = parse_field_name(one.name) if "!" not in one.name else None
        item = items.get(key.code) if key else None
        if key is None or item is None or key not in _keys(definition, item, key.row, context):
            message = _("This questionnaire asks no question of this name.")
            unknown.append(_not_taken(one.name, message))
        elif question_type(item.type).control == "file":
            unknown.append(_not_taken(one.name, _("Files are attached by uploading them.")))
        else:
            name = field_name(key)
            bases[key] = one.base
            post.setlist(name, raw_of(one.value))
            post[name + PRESENT_SUFFIX] = "1"
            post[name + STATE_SUFFIX] = one.state
    cells = {key: items[key.code] for key in bases if key.row}
    form = section_form(definition.pages, context, csrf=False, cells=cells)(formdata=post)
    form.validate()
    parsed = read_answers(form, definition.pages)
    return {key: Change(parsed[key], base) for key, base in bases.items() if key in parsed}, unknown


def _keys(definition: Definition, item: Item, row: str, context: Context) -> tuple[AnswerKey, ...]:
    """Return the keys that a question's answers can have: in a row of its table, or outside tables."""
    if table_of(definition, item.code) is None:
        return answer_keys(item, context.languages)
    return cell_keys(item, row, context.languages) if row else ()


def _not_taken(name: str, message: str) -> shapes.RefusedAnswer:
    shown = name[:200].encode("utf-8", "replace").decode()
    return shapes.RefusedAnswer(name=shown, message=message, revision=0, kept=False)


def raw_of(value: str | float | list[str] | None) -> list[str]:
    """Return a JSON value as a control would post it; a number is written so that it can be read in one way only."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    if isinstance(value, str):
        return [value]
    if isinstance(value, int):
        return [str(value)]
    plain = f"{Decimal(repr(value)):f}"
    return [plain + "0" if "." in plain else plain]


def _saved(
    session: Session,
    head: SubmissionHead,
    definition: Definition,
    saved: Saved,
    unknown: list[shapes.RefusedAnswer],
) -> shapes.Saved:
    written = [cell for row in saved.stale_rows for cell in row.theirs.values()]
    names = actor_names(session, [*(one.theirs.answered_by for one in saved.stale), *(one.answered_by for one in written)])
    status = session.scalar(select(Submission.status).where(Submission.id == head.id))
    return shapes.Saved(
        saved=[shapes.SavedAnswer(name=field_name(key), revision=number) for key, number in saved.saved.items()],
        stale=[_stale(one, definition, names) for one in saved.stale],
        refused=[*(_refused(one) for one in saved.refused), *unknown],
        rows=[
            shapes.SavedRow(
                table=name.repeat, key=name.key, position=row.position, removed=row.removed, revision=row.revision
            )
            for name, row in saved.rows.items()
        ],
        stale_rows=[_stale_row(one, definition, names) for one in saved.stale_rows],
        refused_rows=[
            shapes.RefusedRow(table=one.name.repeat, key=one.name.key, message=str(one.message))
            for one in saved.refused_rows
        ],
        status=status or head.status,
        missing=saved.missing,
        hidden=sorted(saved.evaluation.hidden),
        saved_at=saved.at,
    )


def _refused(one: RefusedAnswer) -> shapes.RefusedAnswer:
    return shapes.RefusedAnswer(
        name=field_name(one.key), message=str(one.message), revision=one.revision, kept=one.kept
    )


def _stale(one: StaleAnswer, definition: Definition, names: Mapping[int, Mapping[str, str]]) -> shapes.StaleAnswer:
    item = definition.question(one.key.code)
    by = names.get(one.theirs.answered_by)
    return shapes.StaleAnswer(
        name=field_name(one.key),
        mine=_aloud(one.mine, item),
        theirs=_aloud(one.theirs, item),
        theirs_value=one.theirs.value,
        revision=one.theirs.revision,
        by=dict(by) if by else None,
        at=one.theirs.answered_at,
    )


def _stale_row(one: StaleRow, definition: Definition, names: Mapping[int, Mapping[str, str]]) -> shapes.StaleRow:
    def cell(key: AnswerKey, given: Parsed | queries.StoredAnswer) -> shapes.StaleCell:
        stored = one.theirs.get(key)
        by = names.get(stored.answered_by) if stored is not None else None
        return shapes.StaleCell(
            name=field_name(key),
            text=_aloud(given, definition.question(key.code)),
            value=given.value,
            revision=stored.revision if stored is not None else 0,
            by=dict(by) if by else None,
            at=stored.answered_at if stored is not None else None,
        )

    return shapes.StaleRow(
        table=one.name.repeat,
        key=one.name.key,
        removed=one.removed,
        revision=one.revision,
        mine=[cell(key, given) for key, given in one.mine.items()],
        theirs=[cell(key, given) for key, given in one.theirs.items()],
    )


def _aloud(given: Parsed | queries.StoredAnswer, item: Item) -> str:
    value: Json = given.value
    return given.typed if given.typed is not None else question_type(item.type).text(value, item, "en")


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
