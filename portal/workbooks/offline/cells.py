"""One answer in one cell, and back: typed as its question type says, never guessed from what it looks like."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask_babel import force_locale

from forms.question_types import question_type
from forms.question_types.choices import spoken_key
from forms.reading import plain, readable
from forms.spoken_choices import speaking, speaking_of_rows, unspoken, worded
from portal.workbooks.cell_text import MOST, clean, units

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from forms.answers import Given
    from forms.definition.model import Definition, Item

DIGITS = 15  # that Excel keeps of a number
FIRST_DAY = date(1900, 3, 1)  # before it, Excel counts a day that never was
LABEL = 240  # signs of a choice in a drop-down list
_PARTS = re.compile(r"[;\n]")
_COMMAS = re.compile("[,\u060c\u3001]")
_NAMED_KEY = re.compile(r" \(([^()\s]+)\)$")
_LEADING_PLACE = re.compile(r"^\s*\d{1,3}\.\s+")


@dataclass(frozen=True)
class Labels:
    """What a list offers on the sheet, all languages at once; ``keys`` names each choice by what stands for it.

    ``meant`` names choices by their number, key or label in one language, where no two are meant by it.
    """

    offered: tuple[str, ...]
    shown: Mapping[str, str]
    keys: Mapping[str, str]
    meant: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Written:
    """What goes into an answer cell; ``too_long`` tells a text that no cell holds."""

    value: Any = None
    too_long: bool = False


def labels_of(definition: Definition, item: Item, languages: Sequence[str]) -> Labels:
    """Return the choices of a question as the sheet shows them (kept on the definition: its words are frozen)."""
    kept: dict[tuple[str, tuple[str, ...]], Labels] = vars(definition).setdefault("_offline_labels", {})
    key = (item.code, tuple(languages))
    if key not in kept:
        kept[key] = _labels(item, languages, _reading_back(definition, item, languages))
    return kept[key]


def labels_in_row(definition: Definition, item: Item, languages: Sequence[str], seen: Mapping[str, str]) -> Labels:
    """Return the same in the words of one row of a table; ``seen`` is what `${name}` reads there (not kept)."""
    if item.code not in speaking_of_rows(definition):
        return labels_of(definition, item, languages)
    back = _reading_back(definition, item, languages)
    return _labels(worded(definition, item, seen), languages, back)


def _reading_back(definition: Definition, item: Item, languages: Sequence[str]) -> Callable[[str], list[str]] | None:
    """Return how a label that has answers put in will be read when the file comes back; None where none are put in."""
    of = unspoken(definition)
    if of is definition or item.code not in speaking(of):
        return None
    labels = labels_of(of, of.question(item.code), languages)
    several = question_type(item.type).excel_rule(item).several
    return lambda label: _chosen(label, labels, several=several)


def _labels(item: Item, languages: Sequence[str], back: Callable[[str], list[str]] | None = None) -> Labels:
    """Name the choices; one whose words would not be read back as this choice says its key too."""
    kind = question_type(item.type)
    said: dict[str, list[str]] = {}
    for language in languages:
        with force_locale(language):
            for value, label in kind.shown_choices(item, language):
                said.setdefault(value, []).append(_plain_label(label))
    offered = tuple(said)
    for choice in item.choices:  # retired ones are read and shown where they were chosen before
        said.setdefault(choice.key, [_plain_label(choice.texts[one]) for one in languages if choice.texts.get(one)])
    shown: dict[str, str] = {}
    for value, words in said.items():
        label = " · ".join(dict.fromkeys(filter(None, words))) or value
        label = label if len(label) <= LABEL else label[: LABEL - 1] + "…"
        clear = label not in shown.values() and (back is None or back(label) == [value])
        shown[value] = label if clear else f"{label} ({value})"
    keys = {label: value for value, label in shown.items()}
    return Labels(tuple(shown[value] for value in offered), shown, keys, _meant(item, offered, said))


def may_number(item: Item) -> bool:
    """Tell whether choices may be named by numbers: not where a key or label is a number itself."""
    return not any(
        text.strip().isdecimal() for choice in item.choices for text in (choice.key, *choice.texts.values())
    )


def _meant(item: Item, offered: Sequence[str], said: Mapping[str, Sequence[str]]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for value, words in said.items():
        for word in {word.casefold() for word in words if word} - {value}:
            found[word] = "" if word in found else value
    found |= {value: value for value in said}
    if may_number(item):
        found |= {str(at): value for at, value in enumerate(offered, start=1)}
    return {word: value for word, value in found.items() if value}


def _plain_label(label: str) -> str:
    return " ".join(label.replace(";", ",").split())


def written(  # noqa: PLR0911 - one return per kind of value
    item: Item, given: Given | None, labels: Labels, time_zone: str
) -> Written:
    """Return what stands in the cell of a stored answer."""
    if given is None or given.state != "answered":
        return Written()
    kind = question_type(item.type)
    if given.typed is not None:
        return _text(given.typed)
    if given.value is None:
        return Written()
    rule = kind.excel_rule(item)
    if rule.choices:
        return _text("; ".join(labels.shown.get(key, key) for key in kind.raw(given.value, item)))
    if rule.kind == "time":
        return Written(kind.restore(given.value))
    cell = kind.cell(given.value, item, "")
    if cell.kind == "date" and isinstance(cell.value, date):
        return Written(cell.value if cell.value >= FIRST_DAY else cell.value.isoformat())
    if isinstance(cell.value, datetime):
        return Written(_local(cell.value, time_zone, kind.raw(given.value, item)[0]))
    if isinstance(cell.value, int | Decimal) and not isinstance(cell.value, bool):
        digits = len(Decimal(cell.value).normalize().as_tuple().digits)
        fits = digits <= DIGITS and abs(Decimal(cell.value)) < Decimal(10) ** DIGITS
        return Written(cell.value if fits else kind.raw(given.value, item)[0])
    # a text as it was stored; a period as it is read aloud, both ends in one cell
    return _text(str(given.value) if isinstance(given.value, str) else kind.text(given.value, item, ""))


def _local(moment: datetime, time_zone: str, spoken: str) -> datetime | str:
    """Return a moment by the portal's clock: text before Excel's first day, and where that clock names another one."""
    zone = ZoneInfo(time_zone)
    bare = moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment
    if bare.replace(tzinfo=zone).isoformat() != moment.isoformat():  # another offset, or a doubled hour
        return moment.isoformat()
    return bare if bare.date() >= FIRST_DAY else spoken


def _text(text: str) -> Written:
    return Written(text) if units(clean(text)[0]) <= MOST else Written(too_long=True)


def normal(value: Any) -> str:  # noqa: PLR0911 - one return per kind of value
    """Return the content of a cell in the one form by which two are compared; "" for a blank."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float | Decimal):
        return plain(+Decimal(repr(value) if isinstance(value, float) else value).quantize(Decimal(1).scaleb(-12)))
    if isinstance(value, datetime):
        return f"{whole_second(value):%Y-%m-%d %H:%M:%S}".removesuffix(" 00:00:00")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return whole_second(datetime.combine(date(2000, 1, 1), value)).strftime("%H:%M:%S")
    return clean(text_in(str(value)))[0]


def whole_second(moment: datetime) -> datetime:
    """Return a moment to the nearest second: Excel counts in parts of days."""
    return (moment + timedelta(microseconds=500_000)).replace(microsecond=0)


def text_in(text: str) -> str:
    """Return a text as it was typed, line ends plain; a blank is nothing. The reader undid Excel's own escapes."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if text.strip() else ""


def raw_of(item: Item, value: Any, labels: Labels) -> list[str]:  # noqa: PLR0911 - one return per kind of value
    """Return what a control would post for the content of a cell: read by the question's own form afterwards."""
    rule = question_type(item.type).excel_rule(item)
    if value is None or (isinstance(value, str) and not value.strip()):
        return []
    if rule.choices:
        return _chosen(value, labels, several=rule.several)
    if isinstance(value, bool):
        return ["TRUE" if value else "FALSE"]
    if isinstance(value, datetime):
        return [_moment(whole_second(value), rule.kind, rule.number_format)]
    if isinstance(value, date):  # the reader gives a moment at midnight as a day; its cell shows 00:00
        return [_moment(datetime.combine(value, time()), rule.kind, rule.number_format)]
    if isinstance(value, time):
        return [whole_second(datetime.combine(date(2000, 1, 1), value)).strftime("%H:%M:%S")]
    if isinstance(value, int | float):
        return [_number(value, rule.kind, rule.number_format)]
    return [text_in(str(value))]


def _moment(moment: datetime, kind: str, number_format: str) -> str:
    midnight = (moment.hour, moment.minute, moment.second) == (0, 0, 0)
    if kind == "date" and "hh" in number_format:
        return f"{moment:%Y-%m-%dT%H:%M:%S}"
    if kind == "date":
        return f"{moment:%Y-%m-%d}" if midnight else f"{moment:%Y-%m-%dT%H:%M}"
    if kind == "time" or moment.year < 1901:
        return f"{moment:%H:%M:%S}"
    return f"{moment:%d/%m/%Y}" if midnight else f"{moment:%d/%m/%Y %H:%M}"


def _number(value: int | float, kind: str, number_format: str) -> str:  # noqa: PYI041 - a whole number stays whole
    """Write a number so that it can be read in one way only."""
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if kind == "time" and 0 <= value < 1:
        return whole_second(datetime(2000, 1, 1) + timedelta(days=float(value))).strftime("%H:%M:%S")  # noqa: DTZ001 - a time of day has no zone
    if number_format.endswith("%"):
        number *= 100
    # "12.345" could be read as thousands; of a text nothing is changed
    return readable(plain(number)) if kind in {"whole", "decimal"} else plain(number)


def _chosen(value: Any, labels: Labels, *, several: bool) -> list[str]:
    """Return the keys that a cell names, by the sheet's own labels; the rest is left to the question type.

    Several may be parted by semicolons or lines, by commas too where each part names a choice, and named by number.
    """
    if isinstance(value, bool):
        return ["yes" if value else "no"]
    text = plain(Decimal(repr(value))) if isinstance(value, float) else " ".join(str(value).split(" "))
    whole = _plain_label(text)
    if text.strip() in labels.shown or whole in labels.keys:
        return [labels.keys.get(whole, text.strip())]
    if not several and (spoken := _spoken(whole, labels)):
        return [spoken]
    parts = [_LEADING_PLACE.sub("", part).strip() for part in _PARTS.split(text)]
    found: list[str] = []
    for part in filter(None, parts):
        plain_part = " ".join(part.split())
        if plain_part in labels.keys or not several:
            found.append(labels.keys.get(plain_part, part))
            continue
        if named := _named(part, labels):
            found.append(named)
            continue
        parted = [one for one in _COMMAS.split(part) if one.strip()]
        several_named = [_named(one, labels) or _spoken(" ".join(one.split()), labels) for one in parted]
        if len(parted) > 1 and all(several_named):
            found += [one for one in several_named if one]
        else:
            found.append(_spoken(plain_part, labels) or part)
    return found


def _spoken(label: str, labels: Labels) -> str:
    """Return the key of a label that had answers put in: the key it names at its end, else the one that fits."""
    if not any("${" in one for one in labels.keys):
        return ""
    named = _NAMED_KEY.search(label)
    if named is not None and "${" in labels.shown.get(named[1], ""):
        return named[1]
    return spoken_key(label, labels.keys)


def _named(part: str, labels: Labels) -> str | None:
    text = " ".join(_LEADING_PLACE.sub("", part).split())
    return labels.keys.get(text) or labels.meant.get(text) or labels.meant.get(text.casefold().removesuffix("."))


def choose_number_format(item: Item, value: Any) -> str:
    """Return the number format of an answer cell; seconds are shown where a time has some."""
    number_format = question_type(item.type).excel_rule(item).number_format
    if isinstance(value, time | datetime) and value.second and "hh:mm" in number_format:
        return number_format.replace("hh:mm", "hh:mm:ss")
    # Excel shows a whole number under "0.##" as "5."
    if number_format.endswith("0.###"):
        return "General"
    return number_format.replace("0.##", "0.00")
