"""A form for one section of a questionnaire, built anew for each request, and the answers read from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms.fields.core import UnboundField

from forms.answers import AnswerKey, Parsed, field_name
from forms.fields import AnswerField
from forms.question_types import question_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from forms.answers import Text
    from forms.context import Context
    from forms.definition.model import Item


class SectionForm(FlaskForm):
    """The base of all section forms; `answer_fields` gives the bound fields by answer key."""

    def answer_field(self, key: AnswerKey) -> AnswerField | None:
        """Return the bound field of an answer, None when this section does not ask it."""
        field = self._fields.get(_attribute(key))
        return field if isinstance(field, AnswerField) else None

    @property
    def answer_fields(self) -> dict[AnswerKey, AnswerField]:
        """The bound fields of the section, in the order of its questions."""
        return {field.key: field for field in self._fields.values() if isinstance(field, AnswerField)}


def section_form(
    items: Sequence[Item], context: Context, *, csrf: bool, cells: Mapping[AnswerKey, Item] | None = None
) -> type[SectionForm]:
    """Return a new form class that asks these items (a page, or any items; groups are walked).

    HTML names are `field_name(key)`; beside each stand `name!state` (answered, not_applicable, not_available) and
    `name!present`, a hidden field which says that an empty answer was posted on purpose. A post may hold any part of
    the section: only what it speaks of is considered. ``cells`` are the cells of tables that the post speaks of,
    each with its column: a column has no field of its own.
    """
    attributes: dict[str, Any] = {}
    for item in outside_tables(items):
        for key in answer_keys(item, context.languages):
            attributes[_attribute(key)] = UnboundField(AnswerField, item, key, context, name=field_name(key))
    for key, item in (cells or {}).items():
        attributes[_attribute(key)] = UnboundField(AnswerField, item, key, context, name=field_name(key))
    if csrf:
        return type("SectionForm", (SectionForm,), attributes | {"Meta": _WithCsrf})
    made = type("SectionForm", (SectionForm,), attributes)
    # WTForms would look through all names of the class for its fields, at each save
    made._unbound_fields = list(attributes.items())  # type: ignore[attr-defined]  # noqa: SLF001 - as its metaclass keeps them
    made._wtforms_meta = _WithoutCsrf  # type: ignore[attr-defined]  # noqa: SLF001 - the same
    return made


def read_answers(form: SectionForm, items: Sequence[Item]) -> Mapping[AnswerKey, Parsed]:
    """Return what the post says of these items' answers: only those it speaks of, readable or not."""
    codes = {item.code for item in asked(items) if not read_only(item)}
    return {key: field.parsed for key, field in form.answer_fields.items() if field.present and key.code in codes}


def why_unreadable(item: Item, key: AnswerKey, typed: str, context: Context) -> Text:
    """Say why a typed text that was kept is not taken: read once more, for whoever looks at it now.

    No sentence is stored with an answer: a colleague, the secretariat and a machine read it each in their own language.
    """
    again = question_type(item.type).judge([typed], item, context, key.lang)
    return again.message if again.message is not None else _l("This answer could not be read.")


def asked(items: Iterable[Item]) -> Iterator[Item]:
    """Yield the questions that somebody fills in, depth first."""
    for item in items:
        if item.children:
            yield from asked(item.children)
        elif item.kind == "question" and not item.calculation and question_type(item.type).asks:
            yield item


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


def _attribute(key: AnswerKey) -> str:
    # Never the plain code: a question called "data" or "errors" must not shadow a method of the form.
    return f"answer:{field_name(key)}"


class _WithCsrf(FlaskForm.Meta):
    """Posts from a browser."""


class _WithoutCsrf(FlaskForm.Meta):
    """Posts from the API, a workbook or a paper entry."""

    csrf = False
