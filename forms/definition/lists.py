"""The choices sheet: lists of choices by name, judged row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.definition.headers import Headers
from forms.definition.model import Choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forms.definition.report import Findings
    from forms.definition.rows import RawRow

_KNOWN = frozenset({"list_name", "name", "value", "label", "retired"})
YES = frozenset({"yes", "true", "true()", "1", "x", "✓"})


def read_lists(
    rows: Sequence[RawRow], languages: Sequence[str], default_language: str, *, duplicates: bool, findings: Findings
) -> dict[str, tuple[Choice, ...]]:
    """Return the choice lists by name; mistakes go to `findings`."""
    headers = Headers(rows)
    key_role = "name" if headers.header("name") else "value"
    extras = headers.others(_KNOWN)
    lists: dict[str, dict[str, Choice]] = {}
    for row in rows:
        name, key = headers.get(row, "list_name"), headers.get(row, key_role)
        texts = headers.texts(row, "label", default_language)
        if not (name or key or texts):
            continue
        if not name:
            findings.error(
                _l("This choice names no list."),
                row,
                headers.header("list_name") or "list_name",
                _l("Write the name of its list in the column list_name."),
            )
            continue
        listed = lists.setdefault(name, {})
        if not _good_key(key, row, headers.header(key_role), findings):
            continue
        if key in listed and not duplicates:
            findings.error(
                _l("The choice “%(key)s” stands twice in the list “%(name)s”.", key=key, name=name),
                row,
                headers.header(key_role),
                _l("Give each choice of a list its own name."),
            )
            continue
        _warn_untranslated(texts, languages, row, headers, findings)
        extra = {role: row.get(header) for role, header in extras.items() if row.get(header)}
        retired = headers.get(row, "retired").lower() in YES
        listed.setdefault(key, Choice(key, texts or {default_language: key}, extra, retired))
    return {name: tuple(listed.values()) for name, listed in lists.items()}


def _good_key(key: str, row: RawRow, header: str, findings: Findings) -> bool:
    if not key:
        findings.error(
            _l("This choice has no name."),
            row,
            header or "name",
            _l("Write a short name that never changes, for example done."),
        )
        return False
    if len(key.split()) > 1 or len(key) > 100:
        findings.error(
            _l("The name “%(key)s” of this choice holds a space or is too long.", key=key[:40]),
            row,
            header,
            _l("Write a short name without spaces, for example in_progress; the label may be as long as needed."),
        )
        return False
    return True


def _warn_untranslated(
    texts: dict[str, str], languages: Sequence[str], row: RawRow, headers: Headers, findings: Findings
) -> None:
    if not texts:
        findings.warn(
            _l("This choice has no label; its name is shown."),
            row,
            headers.header("label") or "label",
            _l("Write the label that people should read."),
        )
        return
    columns = headers.by_role.get("label", {})
    for language in languages:
        if language not in texts and language in columns:
            findings.warn(
                _l("The label is not translated into “%(language)s”.", language=language), row, columns[language]
            )
