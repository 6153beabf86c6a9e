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

_KNOWN = frozenset({"list_name", "name", "label", "retired"})
YES = frozenset({"yes", "true", "true()", "1", "x", "✓"})
MAX_KEY = 100  # letters of a choice's name


def read_lists(
    rows: Sequence[RawRow], languages: Sequence[str], default_language: str, *, duplicates: bool, findings: Findings
) -> dict[str, tuple[Choice, ...]]:
    """Return the choice lists by name; mistakes go to `findings`.

    With `duplicates` (the setting allow_choice_duplicates) a key may stand several times in a list, each time with
    other extra columns, as cascades of places use it.
    """
    headers = Headers(rows)
    extras = headers.others(_KNOWN)
    lists: dict[str, list[Choice]] = {}
    seen: set[tuple[str, str]] = set()
    for row in rows:
        name, key = headers.get(row, "list_name"), headers.get(row, "name")
        texts = headers.texts(row, "label", default_language)
        if not (name or key or texts):
            continue
        if not name:
            findings.warn(
                _l("This choice names no list and is left out."),
                row,
                headers.header("list_name") or "list_name",
                _l("Write the name of its list in the column list_name."),
            )
            continue
        listed = lists.setdefault(name, [])
        if not _good_key(key, row, headers.header("name"), findings):
            continue
        if (name, key) in seen and not duplicates:
            findings.error(
                _l("The choice “%(key)s” stands twice in the list “%(name)s”.", key=key, name=name),
                row,
                headers.header("name"),
                _l("Give each choice of a list its own name."),
            )
            continue
        seen.add((name, key))
        _warn_untranslated(texts, languages, row, headers, findings)
        extra = {role: row.get(header) for role, header in extras.items() if row.get(header)}
        retired = headers.get(row, "retired").lower() in YES
        listed.append(Choice(key, texts or {default_language: key}, extra, retired))
    return {name: tuple(listed) for name, listed in lists.items()}


def _good_key(key: str, row: RawRow, header: str, findings: Findings) -> bool:
    if not key:
        findings.error(
            _l("This choice has no name."),
            row,
            header or "name",
            _l("Write a short name that never changes, for example done."),
        )
        return False
    if len(key) > MAX_KEY:
        findings.error(
            _l("The name “%(key)s” of this choice is too long: at most %(limit)s signs.", key=key[:40], limit=MAX_KEY),
            row,
            header,
            _l("Write a short name without spaces, for example in_progress; the label may be as long as needed."),
        )
        return False
    if len(key.split()) > 1:
        findings.warn(
            _l("The name “%(key)s” of this choice holds a space.", key=key[:40]),
            row,
            header,
            _l("Write a short name without spaces, for example in_progress; the label may be as long as needed."),
        )
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
