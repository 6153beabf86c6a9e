"""What the sheet says of a question - help, form, rules - made from the questionnaire itself, in each language."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from forms import bilingual
from forms.definition.bounds import bounded_rule
from forms.definition.compiled import ALWAYS, NEVER
from forms.definition.said import said_wholly
from forms.question_types import question_type
from portal.workbooks.offline.cells import may_number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forms.definition.model import Definition, Item
    from portal.table import Speakable

STATES: Mapping[str, Speakable] = {
    "not_available": _l("Not available"),
    "not_applicable": _l("Not applicable"),
}
SHOWN_CHOICES = 12


@dataclass(frozen=True)
class Medium:
    """How a kind of file is filled in: a list, several of it, a list in order, a confirmation, no answer, files."""

    name: str
    choose: Speakable
    several: Speakable
    ranked: Speakable
    confirm: Speakable
    no_answer: Speakable
    files: Speakable


EXCEL = Medium(
    "excel",
    choose=_l("Choose from the list of the cell."),
    several=_l("Put an x beside each choice below that applies."),
    ranked=_l("Write 1 beside the choice below that comes first, 2 beside the next, and so on. Not all need a place."),
    confirm=_l("Choose from the list of the cell."),
    no_answer=_l("No answer? Say why in the column “No answer because”."),
    files=_l("Files are attached on the page of the reply, not in this workbook."),
)
# one cell of a table, in Excel and where a table of Word is written line by line
IN_A_CELL = replace(
    EXCEL,
    name="cell",
    several=_l("Write one or more of these into the cell, by number or name, with a comma between them: %(names)s"),
    ranked=_l(
        "Write the choices into the cell in their order, by number or name, with a comma between them: %(names)s"
    ),
)


def in_all(texts: Sequence[str]) -> str:
    """Return the same thing said in several languages as one text, equal ones once."""
    return "\n".join(dict.fromkeys(text for text in texts if text.strip()))


def everywhere(text: Speakable, languages: Sequence[str]) -> str:
    """Say a lazy text in each language, one line each."""
    spoken = []
    for language in languages:
        with force_locale(language):
            spoken.append(str(text))
    return in_all(spoken)


def label(item: Item, languages: Sequence[str], texts: Mapping[str, str] | None = None) -> str:
    """Return a label in all languages; one that is missing falls back to another, never to a blank."""
    if texts is not None:
        return in_all([texts.get(language, "") for language in languages]) or item.code
    return in_all([item.text("label", language, tuple(languages)) for language in languages]) or item.code


def own_name(language: str) -> str:
    """Return the name of a language in itself, its code where none is known."""
    return bilingual.own_name(language)


def states_of(item: Item) -> tuple[str, ...]:
    """Return the states that may stand in the place of an answer."""
    return tuple(state for state in STATES if item.settings.get(state))


def state_labels(languages: Sequence[str]) -> dict[str, str]:
    """Return how each state is written on the sheet."""
    return {state: everywhere(word, languages).replace("\n", " · ") for state, word in STATES.items()}


def state_meant(text: str, languages: Sequence[str]) -> str | None:
    """Return the state that a cell names, in any language or by its key; None for anything else."""
    wanted = " ".join(text.split()).casefold()
    for state, word in STATES.items():
        names = {state, state_labels(languages)[state], *everywhere(word, [*languages, "en"]).split("\n")}
        if wanted in {name.casefold() for name in names}:
            return state
    return None


def how_to(definition: Definition, item: Item, languages: Sequence[str], medium: Medium = EXCEL) -> str:
    """Return help and rules of a question, language after language (kept on the definition: its words are frozen)."""
    kept: dict[tuple[str, str, tuple[str, ...]], str] = vars(definition).setdefault("_offline_how_to", {})
    key = (medium.name, item.code, tuple(languages))
    if key not in kept:
        spoken = []
        for language in languages:
            with force_locale(language):
                spoken.append("\n".join(_sentences(definition, item, language, tuple(languages), medium)))
        kept[key] = in_all(spoken)
    return kept[key]


def _sentences(
    definition: Definition, item: Item, language: str, languages: tuple[str, ...], medium: Medium
) -> Iterator[str]:
    items = definition.compiled.by_code
    for role in ("hint", "guidance"):
        if text := item.text(role, language, languages).strip():
            yield text
    yield from form_of(item, language, medium)
    if item.required in ALWAYS:
        yield _("This question needs an answer.")
    elif item.required not in NEVER:
        rule = said_wholly(item.required, items, language, languages)
        yield _("Needs an answer if %(rule)s.", rule=rule) if rule else _("Other answers decide whether it needs one.")
    if item.relevant:
        rule = said_wholly(item.relevant, items, language, languages)
        yield _("Asked only if %(rule)s.", rule=rule) if rule else _("Other answers decide whether this is asked.")
    if rule := constraint(definition, item, language, languages):
        yield rule
    if states_of(item):
        yield str(medium.no_answer)


def constraint(definition: Definition, item: Item, language: str, languages: tuple[str, ...]) -> str:
    """Say the rule of a question in the present language: by its message, else in words; "" where there is none."""
    if not item.constraint:
        return ""
    message = item.text("constraint_message", language, languages)
    rule = message or said_wholly(item.constraint, definition.compiled.by_code, language, languages)
    return message or (str(_("Must hold: %(rule)s.", rule=rule)) if rule else "")


def form_of(item: Item, language: str, medium: Medium = EXCEL) -> Iterator[str]:
    """Yield how an answer is written: its form, bounds, unit, list; in the present language."""
    kind = question_type(item.type)
    rule = kind.excel_rule(item)
    if kind.control == "file":
        yield str(medium.files)
        return
    if text := str(kind.how_to(item)):
        yield text if text.endswith((".", "។")) else f"{text}."
    if unit := kind.unit(item, language):
        yield _("Counted in: %(unit)s.", unit=unit)
    if rule.choices:
        yield from _of_list(item, language, medium, several=rule.several)
    if budget := item.settings.get("word_budget"):
        yield _("About %(count)s words will do.", count=budget)


def _of_list(item: Item, language: str, medium: Medium, *, several: bool) -> Iterator[str]:
    kind = question_type(item.type)
    names = "; ".join(numbered([name for _key, name in kind.shown_choices(item, language)], item, several=several))
    sentence = medium.ranked if kind.control == "rank" else medium.several if several else medium.choose
    if kind.control == "choices" and not several:
        sentence = medium.confirm
    yield str(sentence).replace("%(names)s", names)
    if item.choice_filter:
        yield _("Which of them may be chosen depends on other answers.")


def numbered(names: Sequence[str], item: Item, *, several: bool) -> list[str]:
    """Return choices with the numbers by which a cell may name several of them."""
    if not several or not may_number(item):
        return list(names)
    return [f"{at}. {name}" for at, name in enumerate(names, start=1)]


def expected(item: Item, language: str) -> str:
    """Say in the reader's language what an answer cell takes, for somebody whose cell held something else."""
    kind = question_type(item.type)
    rule = kind.excel_rule(item)
    if rule.choices:
        names = [name for _key, name in kind.shown_choices(item, language)]
        more = "; …" if len(names) > SHOWN_CHOICES else ""
        return str(_("from the list: %(names)s", names="; ".join(names[:SHOWN_CHOICES]) + more))
    if text := str(kind.how_to(item)):
        return text
    words: Mapping[str, Speakable] = {
        "whole": _l("a whole number"), "decimal": _l("a number"), "date": _l("a day"), "time": _l("a time of day"),
    }  # fmt: skip
    return str(words.get(rule.kind, _l("a text")))


def example(item: Item, language: str) -> str:
    """Return an answer that the question takes; "" for a free text, which needs none."""
    kind = question_type(item.type)
    rule = bounded_rule(item)
    if rule.choices:
        return next((name for _key, name in kind.shown_choices(item, language)), "")
    if rule.kind in {"whole", "decimal"}:
        return _number_within(kind.typical, rule.minimum, rule.maximum, percent=rule.number_format.endswith("%"))
    if rule.kind == "date":
        day = "27/03/2026"
        if isinstance(rule.maximum, date) and rule.maximum < date(2026, 3, 27):
            day = f"{rule.maximum:%d/%m/%Y}"
        elif isinstance(rule.minimum, date) and rule.minimum > date(2026, 3, 27):
            day = f"{rule.minimum:%d/%m/%Y}"
        return f"{day} 14:30" if "hh" in rule.number_format else day
    return "14:30" if rule.kind == "time" else ""


def _number_within(found: float, low: object, high: object, *, percent: bool) -> str:
    if isinstance(high, int | float) and found > high:
        found = float(high)
    if isinstance(low, int | float) and found < low:
        found = float(low)
    return f"{found * 100:g}%" if percent else f"{found:.12g}"


def expected_in(definition: Definition, item: Item, language: str, languages: tuple[str, ...]) -> str:
    """Say in a language what a cell takes, with the rule of the question where its bounds come from that."""
    with force_locale(language):
        told = expected(item, language)
        if bounded_rule(item) == question_type(item.type).excel_rule(item):
            return told
        return "\n".join(filter(None, (told, constraint(definition, item, language, languages))))


def short_form(item: Item, language: str, medium: Medium = EXCEL) -> str:
    """Say in a line, for the head of a column, how its cells are filled in."""
    with force_locale(language):
        parts = list(form_of(item, language, medium))
        if item.required in ALWAYS:
            parts.append(_("This question needs an answer."))
    return " ".join(parts)


def type_rule(item: Item, language: str) -> str:
    """Say in a language how questions of a type are answered in Excel, with an example."""
    kind = question_type(item.type)
    rule = kind.excel_rule(item)
    with force_locale(language):
        if kind.control == "file":
            return str(_("Files are attached on the page of the reply, not in this workbook."))
        if rule.choices and rule.several:
            sentence = _l(
                "Put an x beside each choice that applies. In a table, write their numbers or names into the cell, with a comma between them."  # noqa: E501 - a sentence stays in one piece
            )
            if kind.control == "rank":
                sentence = _l(
                    "Write beside each choice its place, 1 for the first. In a table, write the choices into the cell in their order, with a comma between them."  # noqa: E501 - a sentence stays in one piece
                )
            return str(sentence)
        if rule.choices:
            return str(_("Choose from the list of the cell."))
        kinds: Mapping[str, Speakable] = {
            "whole": _l("Digits only. Excel refuses what is out of the bounds said beside the question."),
            "decimal": _l(
                "Digits, with a point before decimals. A percentage is written with its sign, for example 34%."
            ),
            "date": _l("Day, month and year, for example 27/03/2026."),
            "time": _l("Hours and minutes of the day, for example 14:30."),
        }
        return str(
            kinds.get(
                rule.kind,
                _l(
                    "Any text; lines within a cell by Alt+Enter. A cell holds 32,767 signs; for more use the page of the reply."  # noqa: E501 - a sentence stays in one piece
                ),
            )
        )
