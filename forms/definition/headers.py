"""What the columns of a sheet mean: roles, languages, own columns (XLSForm's spellings, old ones included)."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forms.definition.rows import RawRow

TRANSLATED = (
    "label", "hint", "guidance_hint", "constraint_message", "required_message", "soft_constraint_message", "form_title",
)  # fmt: skip
ALIASES = {
    "caption": "label",
    "relevance": "relevant",
    "calculate": "calculation",
    "list": "list_name",
    "constraint_msg": "constraint_message",
    "constraining_message": "constraint_message",
    "requiredmsg": "required_message",
    "jr:requiredmsg": "required_message",
    "jr:constraintmsg": "constraint_message",
    "guidance": "guidance_hint",
    "title": "form_title",
    "set_form_title": "form_title",
    "id_string": "form_id",
    "set_form_id": "form_id",
    "readonly": "read_only",
    "command": "type",
    "count": "repeat_count",
    "jr:count": "repeat_count",
    "image": "media::image",
    "big-image": "media::big-image",
    "audio": "media::audio",
    "video": "media::video",
}
# XForms spellings of ordinary columns: bind::relevant, control::appearance ...
_NESTED = {
    "relevant": "relevant",
    "required": "required",
    "constraint": "constraint",
    "calculate": "calculation",
    "readonly": "read_only",
    "jr:constraintmsg": "constraint_message",
    "jr:requiredmsg": "required_message",
    "appearance": "appearance",
    "jr:count": "repeat_count",
}
STANDARD = frozenset(
    {
        "type", "name", "required", "relevant", "constraint", "calculation", "default", "choice_filter", "disabled",
        "appearance", "parameters", "read_only", "repeat_count", "trigger", "list_name",
    }
)  # fmt: skip
OWN = frozenset(
    {
        "word_budget", "evidence_required", "sensitive", "owner_unit", "indicator", "scope", "not_available",
        "not_applicable", "one_language", "multiline", "rows", "unit", "accept", "max_files", "matrix_rows", "total",
        "or_other", "specifies", "own_type", "retired", "start", "end", "step", "soft_constraint", "part_of",
    }
)  # fmt: skip
TEXTS = frozenset({"unit", "statement"})  # own columns that may stand once per language
SETTINGS = frozenset(
    {
        "form_id", "version", "default_language", "instance_name", "style", "public_key", "submission_url",
        "allow_choice_duplicates", "clean_text_values", "client_editable", "auto_send", "auto_delete",
    }
)  # fmt: skip
KNOWN = STANDARD | OWN | SETTINGS | TEXTS | set(TRANSLATED)
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
_CODE = re.compile(r"\(([A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*)\)\s*$")
_BARE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_UNSAFE = re.compile(r"[^a-z0-9]+")
MAX_LANGUAGE = 16  # letters of a language's code, as it is stored


def language_code(written: str) -> str:
    """Return the code of "Khmer (km)", "km" or "Khmer"; an unknown name stands for itself, in ASCII."""
    written = written.strip()
    found = _CODE.search(written)
    code = found[1].lower() if found else _LANGUAGES.get(written.lower(), "")
    if not code and _BARE.fullmatch(written) and (len(written) <= 3 or "-" in written):
        code = written.lower()
    if not code:
        # the name of an unknown language becomes part of field names, so it must be plain
        code = _UNSAFE.sub("-", written.lower()).strip("-")
        if not written.isascii() or not code:
            code = f"x-{zlib.crc32(written.encode('utf-8', 'replace')):08x}"
    return code[:MAX_LANGUAGE].rstrip("-")


def english_name(code: str) -> str:
    """Return the English name of a language that headers may be written in, "" when it is none of the usual."""
    return next((name.capitalize() for name, known in _LANGUAGES.items() if known == code and name.isascii()), "")


def canonical(text: str) -> str:
    """Return a header in one spelling: known names in lower case with underscores, unknown ones as they are written.

    Unknown columns keep their case, because a choice filter names them so (pyxform does the same).
    """
    text = " ".join(text.split())
    parts = [part.strip() for part in text.split("::")]
    if len(parts) == 1:
        head, colon, tail = text.partition(":")
        if colon and _plain(head) in TRANSLATED:
            parts = [head.strip(), tail.strip()]
    base = _plain(parts[0])
    if base in KNOWN:
        return "::".join([base, *(part for part in parts[1:] if part)])
    return "::".join(parts)


def _plain(name: str) -> str:
    """Return a column name in lower case with underscores, its aliases resolved where that changes no meaning."""
    plain = re.sub(r"[\s-]+", "_", name.strip().lower())
    return plain if plain in KNOWN else ALIASES.get(plain, ALIASES.get(name.strip().lower(), plain))


class Headers:
    """The columns of one sheet by role; a role may have one column per language ("" = no language named)."""

    def __init__(self, rows: Sequence[RawRow]) -> None:
        self.by_role: dict[str, dict[str, str]] = {}
        self.doubles: list[tuple[str, str]] = []  # a header, and the one that was read in its place
        for header in dict.fromkeys(header for row in rows for header in (*row.columns, *row.cells)):
            role, language = _meaning(header)
            columns = self.by_role.setdefault(role, {})
            if columns.setdefault(language, header) != header:
                self.doubles.append((header, columns[language]))
        for old in ("value", "tag"):
            if old in self.by_role and "name" not in self.by_role:
                self.by_role["name"] = self.by_role.pop(old)

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
                if language:
                    found[language] = text
                else:
                    found.setdefault(default_language, text)
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
    """Return the role of a header, and the language it names."""
    parts = [part.strip() for part in header.split("::")]
    if len(parts) == 1:
        head, colon, tail = header.partition(":")
        if colon and (_plain(head) in TRANSLATED or head.strip().lower() in ("bind", "control", "body")):
            parts = [head.strip(), tail.strip()]
    role = _plain(parts[0])
    if parts[0].lower() in ("bind", "control", "body") and len(parts) > 1:
        nested = _NESTED.get(parts[1].lower())
        if nested is None:
            return header, ""
        role, parts = nested, parts[1:]
    if role in TRANSLATED:
        language = parts[1] if len(parts) > 1 else ""
        return role, language_code(language) if language else ""
    if role in TEXTS and len(parts) > 1:
        return role, language_code(parts[1])
    if role in KNOWN and len(parts) == 1:
        return role, ""
    return "::".join([role, *parts[1:]]) if role.startswith("media::") else header, ""
