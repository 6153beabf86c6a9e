"""The words of XLSForm's type column: what each means here, and what is taken only with a warning or not at all."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal, TypeAlias

from forms.question_types import question_types

Meaning: TypeAlias = Literal[
    "question", "begin", "end", "repeat", "end_repeat", "setting", "refused", "unknown", "begin_list", "end_list",
    "list_row",
]  # fmt: skip

_SPELLINGS = {
    "text": ("text", "string", "add text prompt", "q string"),
    "integer": ("integer", "int", "add integer prompt", "q int"),
    "decimal": ("decimal", "add decimal prompt", "q decimal"),
    "range": ("range",),
    "percentage": ("percentage", "percent"),
    "money": ("money", "currency"),
    "year": ("year",),
    "period": ("period",),
    "date": ("date", "add date prompt", "q date"),
    "time": ("time",),
    "datetime": ("datetime", "date time", "add date time prompt", "add datetime prompt", "q date time", "q datetime"),
    "note": ("note", "add note prompt", "q note"),
    "file": ("file", "add file prompt"),
    "image": ("image", "photo", "add image prompt", "add photo prompt", "q image", "q picture"),
    "calculate": ("calculate", "add calculate prompt", "q calculate"),
    "hidden": ("hidden",),
    "acknowledge": ("acknowledge", "trigger", "add acknowledge prompt", "q acknowledge"),
}
_PLAIN = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}
_SELECTS = {
    "select_one": (
        "select_one", "select one", "select1", "select one from", "select one using", "add select one prompt using",
        "q select1",
    ),
    "select_multiple": (
        "select_multiple", "select multiple", "select", "select all that apply", "select all that apply from",
        "select multiple from", "select multiple using", "add select multiple prompt using", "q select",
    ),
    "rank": ("rank",),
}  # fmt: skip
_COMMANDS = sorted(((word, kind) for kind, words in _SELECTS.items() for word in words), key=lambda pair: -len(pair[0]))
_FROM_FILE = {
    "select_one_from_file": "select_one",
    "select one from file": "select_one",
    "select_multiple_from_file": "select_multiple",
    "select multiple from file": "select_multiple",
}
_AS_TEXT = frozenset(
    {
        "geopoint", "geotrace", "geoshape", "gps", "location", "barcode", "add location prompt", "add barcode prompt",
        "q geopoint", "q geotrace", "q geoshape", "q location", "q barcode", "number of days in last month",
        "number of days in last six months", "number of days in last year",
    }
)  # fmt: skip
_AS_FILE = frozenset({"audio", "video", "add audio prompt", "add video prompt", "q audio", "q video"})
_DEVICE = frozenset(
    {
        "deviceid", "device id", "get device id", "imei", "phonenumber", "phone number", "get phone number",
        "simserial", "sim id", "get sim id", "subscriberid", "subscriber id", "get subscriber id", "audit",
        "start-geopoint", "background-geopoint", "background-audio", "xml-external", "csv-external",
    }
)  # fmt: skip
# What a device or a portal knows without asking, as an expression: the tables person and institution have one row,
# whose column "me" says yes, and come with every context.
METADATA = {
    "today": "today()",
    "start": "if(. = '', now(), .)",
    "end": "now()",
    "username": "pulldata('person', 'login', 'me', 'yes')",
    "email": "pulldata('person', 'email', 'me', 'yes')",
}
_METADATA_WORDS = {
    **{name: name for name in METADATA},
    "get today": "today",
    "start time": "start",
    "get start time": "start",
    "end time": "end",
    "get end time": "end",
}
_SETTINGS = {"form_title": "form_title", "set_form_title": "form_title", "form_id": "form_id", "set_form_id": "form_id"}
_REFUSED = frozenset({"osm", "select_one_external", "entity", "include"})
_BEGIN = frozenset({"begin group", "begin_group"})
_END = frozenset({"end group", "end_group"})
_TABLE_WORDS = ("repeat", "lgroup", "looped group", "kobomatrix")
_BEGIN_REPEAT = frozenset(f"begin{gap}{word}" for gap in " _" for word in _TABLE_WORDS)
_END_REPEAT = frozenset(f"end{gap}{word}" for gap in " _" for word in _TABLE_WORDS)
# KoBo's score and rank groups: rows that share one list of choices
_BEGIN_LIST = frozenset(f"begin{gap}{word}" for gap in " _" for word in ("score", "rank"))
_END_LIST = frozenset(f"end{gap}{word}" for gap in " _" for word in ("score", "rank"))
_LIST_ROWS = frozenset({"score__row", "rank__level"})


@dataclass(frozen=True)
class TypeWord:
    """What a cell of the type column means; `warned` when it is shown as something simpler than it is.

    `calculation` is what computes a piece of metadata; `file` is the file that holds the choices.
    """

    meaning: Meaning
    type: str = ""
    list_name: str = ""
    or_other: bool = False
    warned: bool = False
    nearest: str = ""
    calculation: str = ""
    file: str = ""


def read_type(written: str) -> TypeWord:
    """Read a cell of the type column."""
    plain = " ".join(written.split())
    lower = plain.lower()
    return _question(lower) or _structure(lower) or _select(plain) or TypeWord("unknown", nearest=_nearest(lower))


def _question(lower: str) -> TypeWord | None:
    if name := _PLAIN.get(lower):
        known = name in question_types()
        return TypeWord("question", name if known else "text", warned=not known)
    if name := _METADATA_WORDS.get(lower):
        return TypeWord("question", "calculate", calculation=METADATA[name])
    kept = ((_AS_TEXT, "text"), (_AS_FILE, "file"), (_DEVICE, "hidden"))
    shown = next((name for words, name in kept if lower in words), "hidden" if lower.startswith("uri:") else "")
    return TypeWord("question", shown, warned=True) if shown else None


def _structure(lower: str) -> TypeWord | None:
    if lower in _SETTINGS:
        return TypeWord("setting", _SETTINGS[lower])
    loop = lower.startswith(("begin loop", "begin_loop", "end loop", "end_loop"))
    if loop or lower.split(" ", maxsplit=1)[0] in _REFUSED:
        return TypeWord("refused")
    groups: tuple[tuple[frozenset[str], Meaning], ...] = (
        (_BEGIN, "begin"),
        (_END, "end"),
        (_BEGIN_REPEAT, "repeat"),
        (_END_REPEAT, "end_repeat"),
        (_BEGIN_LIST, "begin_list"),
        (_END_LIST, "end_list"),
        (_LIST_ROWS, "list_row"),
    )
    return next((TypeWord(meaning, lower) for words, meaning in groups if lower in words), None)


def _select(plain: str) -> TypeWord | None:
    lower = plain.lower()
    for word, kind in _FROM_FILE.items():
        if lower.startswith(word + " "):
            return TypeWord("question", kind, file=plain[len(word) :].strip())
    for word, kind in _COMMANDS:
        if lower != word and not lower.startswith(word + " "):
            continue
        rest = plain[len(word) :].split()
        other = False
        ending = " ".join(rest[1:]).lower()
        if ending in ("or_other", "or other", "or specify other", "or_specify_other"):
            other = True
            rest = rest[:1]
        return TypeWord("question", kind, list_name=" ".join(rest), or_other=other)
    return None


def _nearest(lower: str) -> str:
    known = [*_PLAIN, "select_one", "select_multiple", "begin_group", "end_group", "begin_repeat", "end_repeat"]
    return next(iter(difflib.get_close_matches(lower.split(" ", maxsplit=1)[0] or lower, known, n=1)), "")
