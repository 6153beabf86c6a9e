"""The words of XLSForm's type column: what each means here, and what is taken only with a warning or not at all."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Literal, TypeAlias

Meaning: TypeAlias = Literal["question", "begin", "end", "repeat", "end_repeat", "skip", "refused", "unknown"]

_SPELLINGS = {
    "text": "text",
    "string": "text",
    "add text prompt": "text",
    "q string": "text",
    "integer": "integer",
    "int": "integer",
    "add integer prompt": "integer",
    "q int": "integer",
    "decimal": "decimal",
    "add decimal prompt": "decimal",
    "q decimal": "decimal",
    "range": "range",
    "percentage": "percentage",
    "percent": "percentage",
    "money": "money",
    "currency": "money",
    "year": "year",
    "date": "date",
    "add date prompt": "date",
    "q date": "date",
    "note": "note",
    "add note prompt": "note",
    "file": "file",
    "image": "image",
    "photo": "image",
    "add image prompt": "image",
    "calculate": "calculate",
    "add calculate prompt": "calculate",
    "hidden": "hidden",
    "acknowledge": "acknowledge",
    "trigger": "acknowledge",
    "add acknowledge prompt": "acknowledge",
}
_ONE = ("select_one", "select one", "select1", "select one from", "add select one prompt using", "q select1")
_SEVERAL = (
    "select_multiple",
    "select multiple",
    "select",
    "select all that apply",
    "select all that apply from",
    "add select multiple prompt using",
    "q select",
)
_AS_TEXT = ("time", "datetime", "geopoint", "geotrace", "geoshape", "gps", "barcode", "rank", "location")
_AS_FILE = ("audio", "video", "background-audio")
_AS_HIDDEN = (
    "start",
    "end",
    "deviceid",
    "phonenumber",
    "simserial",
    "subscriberid",
    "username",
    "email",
    "audit",
    "start-geopoint",
    "background-geopoint",
)
_SKIPPED = ("xml-external", "csv-external")
_REFUSED = ("osm", "select_one_external", "entity", "begin loop", "begin_loop", "end loop", "end_loop")
_BEGIN = ("begin group", "begin_group")
_END = ("end group", "end_group")
_BEGIN_REPEAT = ("begin repeat", "begin_repeat", "begin kobomatrix", "begin_kobomatrix", "begin_score", "begin_rank")
_END_REPEAT = ("end repeat", "end_repeat", "end kobomatrix", "end_kobomatrix", "end_score", "end_rank")


@dataclass(frozen=True)
class TypeWord:
    """What a cell of the type column means; `warned` when it is shown as something simpler than it is."""

    meaning: Meaning
    type: str = ""
    list_name: str = ""
    or_other: bool = False
    warned: bool = False
    nearest: str = ""


def read_type(written: str) -> TypeWord:  # noqa: C901, PLR0911 - one line per family of words, in one place
    """Read a cell of the type column."""
    plain = " ".join(written.split())
    lower = plain.lower()
    if lower in _SPELLINGS:
        return TypeWord("question", _SPELLINGS[lower])
    if lower in _BEGIN:
        return TypeWord("begin")
    if lower in _END:
        return TypeWord("end")
    if lower in _BEGIN_REPEAT:
        return TypeWord("repeat")
    if lower in _END_REPEAT:
        return TypeWord("end_repeat")
    if lower == "today":
        return TypeWord("question", "calculate")
    first = lower.split(" ")[0]
    if lower in _REFUSED or first in _REFUSED or lower.startswith(("begin loop", "begin_loop")):
        return TypeWord("refused")
    if lower in _SKIPPED:
        return TypeWord("skip", warned=True)
    if first in ("select_one_from_file", "select_multiple_from_file"):
        return TypeWord("question", "text", warned=True)
    if lower in _AS_HIDDEN:
        return TypeWord("question", "hidden", warned=True)
    if lower in _AS_TEXT or first == "rank":
        return TypeWord("question", "text", warned=True)
    if lower in _AS_FILE:
        return TypeWord("question", "file", warned=True)
    return _select(plain) or TypeWord("unknown", nearest=_nearest(lower))


def _select(plain: str) -> TypeWord | None:
    lower = plain.lower()
    for kind, words in (("select_one", _ONE), ("select_multiple", _SEVERAL)):
        for word in sorted(words, key=len, reverse=True):
            if lower != word and not lower.startswith(word + " "):
                continue
            rest = plain[len(word) :].split()
            other = False
            if rest and rest[-1].lower() in ("or_other", "other"):
                other = True
                rest.pop()
                if rest[-1:] in (["or"], ["specify"]):
                    rest.pop()
            return TypeWord("question", kind, list_name=" ".join(rest), or_other=other)
    return None


def _nearest(lower: str) -> str:
    known = [*_SPELLINGS, "select_one", "select_multiple", "begin_group", "end_group", "begin_repeat", "end_repeat"]
    return next(iter(difflib.get_close_matches(lower.split(" ", maxsplit=1)[0] or lower, known, n=1)), "")
