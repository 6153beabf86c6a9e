"""A form for one section of a questionnaire, made anew for each post, and the answers read from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from wtforms.form import BaseForm
from wtforms.meta import DefaultMeta

from forms.answers import AnswerKey, Parsed, field_name
from forms.fields import AnswerField
from forms.question_types import question_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from werkzeug.datastructures import MultiDict

    from forms.answers import Text
    from forms.context import Context
    from forms.definition.model import Item

# nothing is kept in it: WTForms asks it for words of validators, which answers have not
_META = DefaultMeta()


class SectionForm(BaseForm):
    """A post to some items of a questionnaire, read: a page, or any items; groups are walked.

    HTML names are `field_name(key)`; beside each stand `name!state` (answered, not_applicable, not_available) and
    `name!present`, a hidden field which says that an empty answer was posted on purpose. A post may hold any part of
    the section: only what it speaks of is considered. ``cells`` are the cells of tables that the post speaks of,
    each with its column: a column has no field of its own.

    The fields are made for this one post, and no class is: WTForms takes both (docs/decisions/0055). Whether a browser
    may post at all is asked at the door, before any form.
    """

    def __init__(
        self,
        items: Sequence[Item],
        context: Context,
        formdata: MultiDict[str, Any],
        *,
        cells: Mapping[AnswerKey, Item] | None = None,
    ) -> None:
        super().__init__((), meta=_META)
        for item in outside_tables(items):
            for key in answer_keys(item, context.languages):
                self._ask(item, key, context)
        for key, item in (cells or {}).items():
            self._ask(item, key, context)
        self.process(formdata)

    def _ask(self, item: Item, key: AnswerKey, context: Context) -> None:
        name = field_name(key)
        # with a form a field is made at once, without one WTForms keeps what it would be made of
        self._fields[name] = AnswerField(item, key, context, name=name, _form=self)

    def answer_field(self, key: AnswerKey) -> AnswerField | None:
        """Return the bound field of an answer, None when this section does not ask it."""
        field = self._fields.get(field_name(key))
        return field if isinstance(field, AnswerField) else None

    @property
    def answer_fields(self) -> dict[AnswerKey, AnswerField]:
        """The bound fields of the section, in the order of its questions."""
        return {field.key: field for field in self._fields.values() if isinstance(field, AnswerField)}


def read_answers(form: SectionForm, items: Sequence[Item]) -> Mapping[AnswerKey, Parsed]:
    """Return what the post says of these items' answers: only those it speaks of, readable or not."""
    codes = {item.code for item in asked(items) if not read_only(item)}
    return {key: field.parsed for key, field in form.answer_fields.items() if field.present and key.code in codes}


def why_unreadable(item: Item, key: AnswerKey, typed: str, context: Context) -> Text:
    """Say why a typed text that was kept is not taken: read once more, for whoever looks at it now.

    No sentence is stored with an answer: a colleague, the secretariat and a machine read it each in their own language.
    """
    again = question_type(item.type).judge([typed], item, context, key.lang)
    if again.message is not None:
        return again.message
    # it reads well: it was written beside "not available", or where that was chosen and is not offered
    return _l("This answer is kept as it was typed, but does not count yet. Save it again, or empty it.")


def asked(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the questions that somebody fills in, depth first."""
    for item in items:
        if item.children:
            yield from _asked_below(item)
        elif item.kind == "question" and not item.calculation and question_type(item.type).asks:
            yield item


def _asked_below(item: Item) -> tuple[Item, ...]:
    # kept with the item, which never changes: a page is walked for every answer that is saved
    kept: tuple[Item, ...] | None = vars(item).get("_asked")
    if kept is None:
        kept = vars(item)["_asked"] = tuple(asked(item.children))
    return kept


def read_only(item: Item) -> bool:
    """Tell whether a question only shows what it begins with (XLSForm, column read_only); nobody's post changes it."""
    return item.settings.get("read_only") is True


def outside_tables(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the questions that somebody fills in once, not row by row."""
    for item in items:
        if item.kind in {"repeat", "matrix"}:
            continue
        if item.children:
            yield from outside_tables(item.children)
        elif item.kind == "question" and not item.calculation and question_type(item.type).asks:
            yield item


def cell_keys(item: Item, row: str, languages: Sequence[str]) -> tuple[AnswerKey, ...]:
    """Return the keys of a column's answers in one row."""
    return tuple(key._replace(row=row) for key in answer_keys(item, languages))


def answer_keys(item: Item, languages: Sequence[str]) -> tuple[AnswerKey, ...]:
    """Return the keys of a question's answers: one per language for texts, else one."""
    return question_type(item.type).keys(item, languages)
