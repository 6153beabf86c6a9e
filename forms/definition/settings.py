"""What a survey row sets beyond its texts and rules: appearance, parameters and our own columns."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from forms.definition.headers import OWN, STANDARD
from forms.definition.lists import YES
from forms.question_types import question_types
from forms.reading import latin_digits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forms.definition.headers import Headers
    from forms.definition.report import Findings
    from forms.definition.rows import RawRow
    from forms.question_types.settings import Setting

FLAGS = ("sensitive", "not_available", "not_applicable", "one_language", "multiline", "or_other")
COUNTS = ("word_budget", "rows")
PLAIN = (
    "owner_unit", "indicator", "unit", "accept", "max_files", "trigger", "repeat_count", "specifies", "start", "end",
    "step", "soft_constraint", "part_of",
)  # fmt: skip
NO = frozenset({"", "no", "false", "false()", "0"})
SCOPES = ("recommendation", "institution")
TOTALS = ("sum",)
TYPED = "setting::"  # the header of a setting that has no column of its own: its value stands as JSON
_PARAMETERS = ("start", "end", "step", "rows", "unit")
_MOST = 40  # rows of a text field
_PAIR = re.compile(r"([^\s,;=]+)\s*=\s*([^\s,;]+)")
_NOT_SHOWN = ("media::", "bind::", "body::", "control::", "instance::")


def item_settings(headers: Headers, row: RawRow, kind: str, findings: Findings) -> dict[str, Any]:
    """Return the settings of one row; unknown columns ride along under "columns"."""
    settings: dict[str, Any] = {}
    if appearance := headers.get(row, "appearance"):
        settings["appearance"] = appearance
    _true_or_rule(headers, row, "read_only", settings)
    _parameters(headers, row, settings, findings)
    for role in FLAGS:
        _flag(headers, row, role, settings, findings)
    for role in COUNTS:
        _count(headers, row, role, settings, findings)
    for role in PLAIN:
        if text := headers.get(row, role):
            settings[role] = text
    _true_or_rule(headers, row, "evidence_required", settings)
    _one_of(headers, row, "scope", SCOPES, settings, findings)
    _one_of(headers, row, "total", TOTALS, settings, findings)
    tall = settings.get("rows", 1) > 1 or settings.get("word_budget") or "multiline" in appearance.split()
    if kind == "text" and tall:
        settings["multiline"] = True
    _range(headers, row, kind, settings, findings)
    _of_type(headers, row, kind, settings, findings)
    _others(headers, row, kind, settings, findings)
    return settings


def type_settings(kind: str) -> Mapping[str, Setting]:
    """Return the settings that a question type understands, by name."""
    found = question_types().get(kind)
    return {setting.name: setting for setting in found.settings} if found is not None else {}


def _of_type(headers: Headers, row: RawRow, kind: str, settings: dict[str, Any], findings: Findings) -> None:
    """Read the columns that a question type knows, each as what its setting is."""
    for name, setting in type_settings(kind).items():
        written = str(settings.get(name) or "") or headers.get(row, name)
        if setting.kind == "texts":
            columns = headers.by_role.get(name, {})
            if texts := {one: row.get(header) for one, header in columns.items() if one and row.get(header)}:
                settings[name] = texts
            elif written:
                settings[name] = written
        elif setting.kind == "flag" and name not in FLAGS:
            _flag(headers, row, name, settings, findings)
        elif setting.kind == "count" and name not in COUNTS and written:
            if not _whole(written):
                _not_whole(headers, row, name, written, findings)
            settings[name] = _whole(written) or written
        elif setting.kind not in ("flag", "count", "appearance") and written:
            settings[name] = written


def _others(headers: Headers, row: RawRow, kind: str, settings: dict[str, Any], findings: Findings) -> None:
    """Let the other columns ride along; a setting in JSON goes back to its place."""
    others: dict[str, str] = {}
    for role, header in headers.others({*STANDARD, *OWN, *type_settings(kind)}).items():
        text = row.get(header)
        if not text:
            continue
        if not role.startswith(TYPED):
            others[role] = text
            continue
        try:
            settings[role.removeprefix(TYPED)] = json.loads(text)
        except (ValueError, RecursionError):
            findings.error(
                _l("This setting cannot be read: %(written)s.", written=text[:60]),
                row,
                header,
                _l("The column holds JSON; write a text in double quotation marks."),
            )
    if others:
        settings["columns"] = others


def warn_of_columns(headers: Headers, rows: Iterable[RawRow], findings: Findings) -> None:
    """Say once per column what is kept and not shown: pictures and sounds of a question, attributes of the XForm."""
    waiting = {
        header
        for role, header in headers.others({*STANDARD, *OWN}).items()
        if role.lower().startswith(_NOT_SHOWN) or role.lower() in ("autoplay", "intent", "compact_tag", "hxl")
    }
    for row in rows:
        for header in [one for one in waiting if row.get(one)]:
            waiting.discard(header)
            findings.warn(
                _l("The column “%(name)s” is kept, but it is not shown to those who answer.", name=header[:60]),
                row,
                header,
            )


def inherited(parent: Mapping[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with the scope of the group around, unless the row names its own."""
    if "scope" in parent:
        own.setdefault("scope", parent["scope"])
    return own


def parameters_of(written: str) -> dict[str, str]:
    """Return the parameters of a cell by name: pairs name=value between spaces, commas or semicolons."""
    return dict(_PAIR.findall(written))


def _parameters(headers: Headers, row: RawRow, settings: dict[str, Any], findings: Findings) -> None:
    written = headers.get(row, "parameters")
    if not written:
        return
    pairs = parameters_of(written)
    for name in _PARAMETERS:
        if name not in pairs:
            continue
        if name != "rows":
            settings[name] = pairs.pop(name)
        elif pairs[name].isdecimal() and int(pairs[name][:4]) > 0:
            settings["rows"] = min(int(pairs.pop(name)[:4]), _MOST)
    rest = " ".join(f"{name}={value}" for name, value in pairs.items())
    if _PAIR.sub("", written).strip(" \t\n,;"):
        findings.warn(
            _l("The parameters “%(parameters)s” are not understood.", parameters=written[:60]),
            row,
            headers.header("parameters"),
            _l("Write them as name=value, for example start=0 end=100"),
        )
        rest = written
    if rest:
        settings["parameters"] = rest


def _range(headers: Headers, row: RawRow, kind: str, settings: dict[str, Any], findings: Findings) -> None:
    for name in ("start", "end", "step"):
        written = settings.get(name)
        if written is None or kind != "range":
            continue
        try:
            float(written)
        except ValueError:
            findings.error(
                _l("“%(name)s=%(written)s” is not a number.", name=name, written=written[:40]),
                row,
                headers.header("parameters") or name,
                _l("Write them as name=value, for example start=0 end=100"),
            )


def _flag(headers: Headers, row: RawRow, role: str, settings: dict[str, Any], findings: Findings) -> None:
    written = headers.get(row, role).lower()
    if written in YES:
        settings[role] = True
    elif written not in NO:
        findings.error(
            _l("“%(written)s” is neither yes nor no.", written=written[:40]),
            row,
            headers.header(role),
            _l("Write yes, or leave the cell empty."),
        )


def _count(headers: Headers, row: RawRow, role: str, settings: dict[str, Any], findings: Findings) -> None:
    written = headers.get(row, role)
    if not written:
        return
    if number := _whole(written):
        settings[role] = number
        return
    _not_whole(headers, row, role, written, findings)


def _whole(written: str) -> int:
    """Return a whole number above zero, 0 when it is none."""
    plain = latin_digits(written).removesuffix(".0")
    return int(plain) if plain.isascii() and plain.isdecimal() and len(plain) < 9 else 0


def _not_whole(headers: Headers, row: RawRow, role: str, written: str, findings: Findings) -> None:
    findings.error(
        _l("“%(written)s” is not a whole number above zero.", written=written[:40]),
        row,
        headers.header(role) or headers.header("parameters"),
        _l("Write a number, for example 150."),
    )


def _true_or_rule(headers: Headers, row: RawRow, role: str, settings: dict[str, Any]) -> None:
    """Read a column that says yes, no or an expression, which is judged with the other rules."""
    written = headers.get(row, role)
    if written.lower() in YES:
        settings[role] = True
    elif written.lower() not in NO:
        settings[role] = written


def _one_of(
    headers: Headers, row: RawRow, role: str, words: tuple[str, ...], settings: dict[str, Any], findings: Findings
) -> None:
    written = headers.get(row, role).lower()
    if written in words:
        settings[role] = written
    elif written and role == "scope":
        findings.error(
            _l("“%(written)s” is not a scope.", written=written[:40]),
            row,
            headers.header("scope"),
            _l("Write recommendation (asked for each) or institution (asked once per round)."),
        )
    elif written not in NO:
        findings.error(
            _l("“%(written)s” is not known as a total.", written=written[:40]),
            row,
            headers.header(role),
            _l("Write sum, or leave the cell empty."),
        )
