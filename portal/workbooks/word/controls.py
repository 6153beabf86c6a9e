"""The content controls of an answer: text, list, boxes to tick, calendar; and how an answer is written in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.question_types import question_type
from portal.workbooks.offline import words
from portal.workbooks.offline.cells import normal
from portal.workbooks.offline.marks import CellMark, digest
from portal.workbooks.word.elements import NOTHING, Xml, node, paragraph, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from forms.answers import Given
    from forms.definition.model import Item
    from portal.table import Speakable
    from portal.workbooks.offline.cells import Labels

MOST_BOXES = 12  # of a question in a table; longer lists are written out there, as in a workbook
CHECKED, UNCHECKED = "☒", "☐"
DAY = "%d/%m/%Y"
HINTS: Mapping[str, Speakable] = {
    "text": _l("Write here"), "list": _l("Choose from the list"), "date": _l("Choose a day"),
}  # fmt: skip


@dataclass(frozen=True)
class Control:
    """One control: what is drawn, its content ("" for none), label and key of each choice of a list, whether it is ticked."""  # noqa: E501 - a sentence stays in one piece

    kind: str
    content: str = ""
    offered: tuple[tuple[str, str], ...] = ()
    ticked: bool = False
    label: str = ""


def answer_text(item: Item, given: Given | None, labels: Labels) -> str:
    """Return what stands for a stored answer: choices by their labels, all else as its control on the page shows it."""
    if given is None or given.state != "answered":
        return ""
    if given.typed is not None:
        return given.typed
    if given.value is None:
        return ""
    kind = question_type(item.type)
    raw = kind.raw(given.value, item)
    if kind.excel_rule(item).choices:
        return "; ".join(labels.shown.get(key, key) for key in raw)
    return raw[0] if len(raw) == 1 else kind.text(given.value, item, "")


def controls_of(item: Item, text: str, labels: Labels, *, in_table: bool) -> list[Control]:
    """Return the controls of an answer with what stands in them."""
    kind = question_type(item.type)
    rule = kind.excel_rule(item)
    if rule.choices and (rule.several or kind.control == "choices"):
        return _of_list(text, labels, ranked=kind.control == "rank", in_table=in_table)
    if rule.choices:
        return [Control("list", text, _offered(labels, [text] if text else []))]
    if kind.control == "date" and rule.kind == "date" and "hh" not in rule.number_format:
        return [Control("date", text)]
    return [Control("text", text)]


def _of_list(text: str, labels: Labels, *, ranked: bool, in_table: bool) -> list[Control]:
    chosen = [part for part in text.split("; ") if part]
    if (in_table and len(labels.offered) > MOST_BOXES) or not set(chosen) <= set(labels.shown.values()):
        return [Control("text", text)]
    offered = _offered(labels, chosen)
    if ranked:
        places = [*chosen, *[""] * (len(offered) - len(chosen))]
        return [Control("list", name, offered, label=f"{at}.") for at, name in enumerate(places, start=1)]
    return [Control("box", key, label=name, ticked=name in chosen) for name, key in offered]


def _offered(labels: Labels, chosen: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return labels and keys on offer; what was chosen before and is retired, or could not be read, stays in reach."""
    offered = [(name, labels.keys[name]) for name in labels.offered]
    known = {name for name, _key in offered}
    more = [(name, labels.keys.get(name, name)) for name in chosen if name not in known]
    return (*offered, *more)


def state_control(text: str, names: Mapping[str, str]) -> Control:
    """Return the list of reasons why there is no answer."""
    return Control("list", text, tuple((name, state) for state, name in names.items()))


class Cells:
    """The answers of one row: their marks, and the controls that were named for them."""

    def __init__(self) -> None:
        self.marks: list[CellMark] = []
        self.controls: dict[int, list[Control]] = {}

    def add(self, code: str, lang: str, revision: int, text: str, controls: list[Control]) -> int:
        """Take an answer and return its number in the row."""
        number = len(self.marks) + 1
        if controls[0].kind == "box":  # a box is known by its choice, whatever its label is
            text = "; ".join(control.content for control in controls if control.ticked)
        self.marks.append(CellMark(number, code, lang, revision, digest(normal(text))))
        self.controls[number] = controls
        return number


class Drawer:
    """Draws controls; bookmarks are numbered through the document."""

    def __init__(self, languages: Sequence[str]) -> None:
        self.bookmarks = 0
        self.hints = {
            kind: words.everywhere(text, languages).replace("\n", " · ") for kind, text in HINTS.items()
        }
        self.small = {"text": "…", "list": "▾ …", "date": "… / … / …"}  # in the cells of a table

    def draw(self, name: str, control: Control, hints: Mapping[str, str]) -> Xml:
        """Return a control within its bookmark."""
        self.bookmarks += 1
        number = self.bookmarks
        hint = NOTHING
        if control.kind == "box":
            content = run(CHECKED if control.ticked else UNCHECKED, style="Box")
        elif control.content:
            content = run(control.content)
        else:
            hint = Xml("<w:showingPlcHdr/>")
            content = run(hints[control.kind], style="PlaceholderText")
        look = f'<w:tag w:val="{name}"/><w:lock w:val="sdtLocked"/>{hint}{_KINDS[control.kind](control)}'
        return Xml(
            f'<w:bookmarkStart w:id="{number}" w:name="{name}"/>'
            f"<w:sdt><w:sdtPr>{look}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"
            f'<w:bookmarkEnd w:id="{number}"/>'
        )

    def paragraphs(self, drawn: Sequence[tuple[str, Control]], style: str) -> Iterator[Xml]:
        """Yield the paragraphs of an answer: one for each control, its label beside it."""
        for name, control in drawn:
            made = self.draw(name, control, self.small if style == "Cell" else self.hints)
            if control.kind == "box":
                yield paragraph(made, run(f" {control.label}"), style=style)
            else:
                yield paragraph(run(f"{control.label} ") if control.label else NOTHING, made, style=style)


def _list(control: Control) -> Xml:
    return _offer(control.offered)


@lru_cache(maxsize=256)  # a table repeats its lists line by line
def _offer(offered: tuple[tuple[str, str], ...]) -> Xml:
    return node("w:dropDownList", *(node("w:listItem", displayText=name, value=key) for name, key in offered))


def _box(control: Control) -> Xml:
    return node(
        "w14:checkbox",
        node("w14:checked", val="1" if control.ticked else "0"),
        node("w14:checkedState", val="2612", font="MS Gothic"),
        node("w14:uncheckedState", val="2610", font="MS Gothic"),
    )


def _date(control: Control) -> Xml:
    try:
        day = datetime.strptime(control.content, DAY)  # noqa: DTZ007 - a day has no zone
        said = {"fullDate": f"{day.date().isoformat()}T00:00:00Z"}
    except ValueError:
        said = {}
    return node(
        "w:date", node("w:dateFormat", val="dd/MM/yyyy"), node("w:lid", val="en-GB"),
        node("w:storeMappedDataAs", val="dateTime"), node("w:calendar", val="gregorian"), **said,
    )  # fmt: skip


def _text(control: Control) -> Xml:
    # not the plain-text control: LibreOffice 7.4 moves its line ends out of it
    del control
    return Xml("<w:richText/>")


_KINDS: Mapping[str, Callable[[Control], Xml]] = {"list": _list, "box": _box, "date": _date, "text": _text}
