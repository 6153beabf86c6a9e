"""What a survey row sets beyond its texts and rules: appearance, parameters and our own columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from forms.definition.lists import YES
from forms.reading import latin_digits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forms.definition.headers import Headers
    from forms.definition.report import Findings
    from forms.definition.rows import RawRow

STANDARD = frozenset(
    {
        "type", "name", "required", "relevant", "constraint", "calculation", "default", "choice_filter", "disabled",
        "appearance", "parameters", "read_only", "repeat_count", "trigger",
    }
)  # fmt: skip
FLAGS = ("sensitive", "not_available", "not_applicable", "one_language", "multiline")
COUNTS = ("word_budget", "rows")
PLAIN = ("owner_unit", "indicator", "unit", "accept", "max_files")
NO = frozenset({"", "no", "false", "false()", "0"})
SCOPES = ("recommendation", "institution")
_PARAMETERS = ("start", "end", "step", "rows", "unit")


def item_settings(headers: Headers, row: RawRow, kind: str, findings: Findings) -> dict[str, Any]:
    """Return the settings of one row; unknown columns ride along under "columns"."""
    settings: dict[str, Any] = {}
    appearance = headers.get(row, "appearance")
    if appearance:
        settings["appearance"] = appearance
        if "multiline" in appearance.split():
            settings["multiline"] = True
    if headers.get(row, "read_only").lower() in YES:
        settings["read_only"] = True
    _parameters(headers, row, settings, findings)
    for role in FLAGS:
        _flag(headers, row, role, settings, findings)
    for role in COUNTS:
        _count(headers, row, role, settings, findings)
    for role in PLAIN:
        if text := headers.get(row, role):
            settings[role] = text
    _evidence(headers, row, settings)
    _scope(headers, row, settings, findings)
    if kind == "text" and (settings.get("rows", 1) > 1 or settings.get("word_budget")):
        settings["multiline"] = True
    known = {*STANDARD, *FLAGS, *COUNTS, *PLAIN, "evidence_required", "scope"}
    others = {header: row.get(header) for header in headers.others(known).values() if row.get(header)}
    if others:
        settings["columns"] = others
    return settings


def inherited(parent: Mapping[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Return the settings with the scope of the group around, unless the row names its own."""
    if "scope" in parent:
        own.setdefault("scope", parent["scope"])
    return own


def _parameters(headers: Headers, row: RawRow, settings: dict[str, Any], findings: Findings) -> None:
    written = headers.get(row, "parameters")
    if not written:
        return
    pairs = dict(part.split("=", 1) for part in written.replace(";", " ").replace(",", " ").split() if "=" in part)
    for name in _PARAMETERS:
        if name not in pairs:
            continue
        if name == "rows":
            if pairs[name].isdecimal():
                settings["rows"] = min(int(pairs[name]), 40)
        else:
            settings[name] = pairs[name]
    if not pairs:
        findings.warn(
            _l("The parameters “%(parameters)s” are not understood.", parameters=written[:60]),
            row,
            headers.header("parameters"),
            _l("Write them as name=value, for example start=0 end=100"),
        )
    settings["parameters"] = written


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
    written = latin_digits(headers.get(row, role)).removesuffix(".0")
    if not written:
        return
    if written.isascii() and written.isdecimal() and 0 < int(written[:9]) < 100_000:
        settings[role] = int(written)
        return
    findings.error(
        _l("“%(written)s” is not a whole number above zero.", written=written[:40]),
        row,
        headers.header(role),
        _l("Write a number, for example 150."),
    )


def _evidence(headers: Headers, row: RawRow, settings: dict[str, Any]) -> None:
    written = headers.get(row, "evidence_required")
    if written.lower() in YES:
        settings["evidence_required"] = True
    elif written.lower() not in NO:
        settings["evidence_required"] = written  # an expression, judged with the other rules


def _scope(headers: Headers, row: RawRow, settings: dict[str, Any], findings: Findings) -> None:
    written = headers.get(row, "scope").lower()
    if written in SCOPES:
        settings["scope"] = written
    elif written:
        findings.error(
            _l("“%(written)s” is not a scope.", written=written[:40]),
            row,
            headers.header("scope"),
            _l("Write recommendation (asked for each) or institution (asked once per round)."),
        )
