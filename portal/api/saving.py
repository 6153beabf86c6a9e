"""Saving rows and answers of a reply: read through the questionnaire's form; all that is stale or refused is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from spectree import Response
from werkzeug.datastructures import MultiDict

from forms.answers import PRESENT_SUFFIX, STATE_SUFFIX, AnswerKey, field_name, parse_field_name
from forms.fields import raw_of
from forms.question_types import question_type
from forms.questionnaire import SectionForm, answer_keys, asked, cell_keys, read_answers
from forms.tables import table_of
from portal.api import shapes
from portal.api.door import blueprint, once, operation, own_reply, take
from portal.api.replies import REFUSALS
from portal.blueprints.guard import requires, who
from portal.blueprints.posting import context_for, load
from portal.errors import Invalid
from portal.permissions import Permission
from portal.queries.actors import actor_names
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
    from portal.queries import submissions as queries
    from portal.queries.submissions import SubmissionHead
    from portal.services.answer_rows import StaleRow
    from portal.services.submissions import Saved, StaleAnswer


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
        made = _saved(session, definition, saved, unknown)
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
    spoken_of = {key.code for key in bases}
    plain = [item for code, item in items.items() if code in spoken_of and table_of(definition, code) is None]
    form = SectionForm(plain, context, post, cells=cells)
    form.validate()
    parsed = read_answers(form, [items[code] for code in spoken_of])
    return {key: Change(parsed[key], base) for key, base in bases.items() if key in parsed}, unknown


def _keys(definition: Definition, item: Item, row: str, context: Context) -> tuple[AnswerKey, ...]:
    """Return the keys that a question's answers can have: in a row of its table, or outside tables."""
    if table_of(definition, item.code) is None:
        return answer_keys(item, context.languages)
    return cell_keys(item, row, context.languages) if row else ()


def _not_taken(name: str, message: str) -> shapes.RefusedAnswer:
    shown = name[:200].encode("utf-8", "replace").decode()
    return shapes.RefusedAnswer(name=shown, message=message, revision=0, kept=False)


def _saved(
    session: Session,
    definition: Definition,
    saved: Saved,
    unknown: list[shapes.RefusedAnswer],
) -> shapes.Saved:
    written = [cell for row in saved.stale_rows for cell in row.theirs.values()]
    actors = [
        *(one.theirs.answered_by for one in saved.stale),
        *(one.by for one in saved.stale_rows),
        *(one.answered_by for one in written),
    ]
    names = actor_names(session, actors)
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
        status=saved.status,
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

    by = names.get(one.by)
    return shapes.StaleRow(
        table=one.name.repeat,
        key=one.name.key,
        removed=one.removed,
        revision=one.revision,
        by=dict(by) if by else None,
        at=one.at,
        mine=[cell(key, given) for key, given in one.mine.items()],
        theirs=[cell(key, given) for key, given in one.theirs.items()],
    )


def _aloud(given: Parsed | queries.StoredAnswer, item: Item) -> str:
    value: Json = given.value
    return given.typed if given.typed is not None else question_type(item.type).text(value, item, "en")
