"""What the columns of a sheet mean: roles, languages, own columns (XLSForm's spellings, old ones included)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forms.definition.rows import RawRow

TRANSLATED = ("label", "hint", "guidance_hint", "constraint_message", "required_message", "form_title")
ALIASES = {
    "caption": "label",
    "relevance": "relevant",
    "calculate": "calculation",
    "list name": "list_name",
    "constraint message": "constraint_message",
    "constraint_msg": "constraint_message",
    "required message": "required_message",
    "guidance hint": "guidance_hint",
    "guidance": "guidance_hint",
    "title": "form_title",
    "id_string": "form_id",
    "readonly": "read_only",
    "read only": "read_only",
}
_LANGUAGES = {
    "khmer": "km",
    "ភាសាខ្មែរ": "km",
    "ខ្មែរ": "km",
    "english": "en",
    "anglais": "en",
    "french": "fr",
    "français": "fr",
    "francais": "fr",
    "spanish": "es",
    "español": "es",
    "arabic": "ar",
    "russian": "ru",
    "chinese": "zh",
    "portuguese": "pt",
    "lao": "lo",
    "thai": "th",
    "vietnamese": "vi",
    "nepali": "ne",
    "burmese": "my",
}
_CODE = re.compile(r"\(([A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)\)\s*$")
_BARE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def language_code(written: str) -> str:
    """Return the code of "Khmer (km)", "km" or "Khmer"; an unknown name in lower case stands for itself."""
    written = written.strip()
    if found := _CODE.search(written):
        return found[1].lower()
    if known := _LANGUAGES.get(written.lower()):
        return known
    if _BARE.fullmatch(written) and len(written) <= 3:
        return written.lower()
    return "-".join(written.lower().split())[:20]


class Headers:
    """The columns of one sheet by role; a role may have one column per language ("" = no language named)."""

    def __init__(self, rows: Sequence[RawRow]) -> None:
        self.by_role: dict[str, dict[str, str]] = {}
        for header in dict.fromkeys(header for row in rows for header in row.cells):
            role, language = _meaning(header)
            self.by_role.setdefault(role, {}).setdefault(language, header)

    def header(self, role: str) -> str:
        """Return the header that stands for a role, "" when the sheet has none."""
        columns = self.by_role.get(role) or {}
        return columns.get("") or next(iter(columns.values()), "")

    def get(self, row: RawRow, role: str) -> str:
        """Return the trimmed text of a row under a role, "" for none."""
        header = self.header(role)
        return row.get(header) if header else ""

    def texts(self, row: RawRow, role: str, default_language: str) -> dict[str, str]:
        """Return the language map of a row under a role, blanks left out."""
        found: dict[str, str] = {}
        for language, header in (self.by_role.get(role) or {}).items():
            if text := row.get(header):
                found[language or default_language] = text
        return found

    def languages(self, roles: Iterable[str] = TRANSLATED) -> list[str]:
        """Return the languages named in the headers, in the order of the columns."""
        return list(dict.fromkeys(language for role in roles for language in self.by_role.get(role, {}) if language))

    def others(self, known: Iterable[str]) -> Mapping[str, str]:
        """Return the roles beyond the known ones with their headers."""
        skip = set(known) | set(TRANSLATED)
        return {
            role: header for role, columns in self.by_role.items() if role not in skip for header in columns.values()
        }


def _meaning(header: str) -> tuple[str, str]:
    name, mark, language = header.partition("::")
    if not mark:
        head, colon, tail = header.partition(":")
        if colon and _role(head) in TRANSLATED:
            name, language = head, tail
    role = _role(name)
    if role in TRANSLATED:
        return role, language_code(language) if language.strip() else ""
    return (role if not mark else "::".join(part.strip().lower() for part in header.split("::"))), ""


def _role(name: str) -> str:
    plain = " ".join(name.strip().lower().split())
    return ALIASES.get(plain, plain.replace(" ", "_") if plain.replace(" ", "_") in TRANSLATED else plain)
