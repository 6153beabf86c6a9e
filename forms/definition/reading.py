"""What the readers of the survey's rows share: headers, lists, tables, languages, places and findings."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forms.answers import Text
    from forms.definition.headers import Headers
    from forms.definition.model import Choice, Table
    from forms.definition.report import Findings
    from forms.definition.rows import RawRow

MAX_NAME = 80  # letters of a name, as it is stored
ROLES = {
    "label": "label",
    "hint": "hint",
    "guidance_hint": "guidance",
    "required_message": "required_message",
    "constraint_message": "constraint_message",
    "soft_constraint_message": "soft_constraint_message",
}
_STRAIGHT = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "\u00a0": " "})


@dataclass(frozen=True)
class Wording:
    """The languages of a questionnaire, the one that columns without a language stand for, and its titles."""

    languages: tuple[str, ...]
    default_language: str
    titles: Mapping[str, str]


@dataclass
class Reading:
    """One reading of a survey sheet; `places` is the row of each item, `unknown` the names of rows not understood."""

    headers: Headers
    lists: dict[str, tuple[Choice, ...]]
    tables: Mapping[str, Table]
    wording: Wording
    findings: Findings
    places: dict[str, RawRow] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    used_lists: set[str] = field(default_factory=set)

    def at(self, role: str) -> str:
        """Return the header under which a role stands, the role itself when the sheet has no such column."""
        return self.headers.header(role) or role

    def texts(self, row: RawRow) -> dict[str, Mapping[str, str]]:
        """Return the texts of a row: role to language map."""
        found: dict[str, Mapping[str, str]] = {}
        for header_role, role in ROLES.items():
            if texts := self.headers.texts(row, header_role, self.wording.default_language):
                found[role] = texts
        return found

    def rule(self, row: RawRow, role: str) -> str:
        """Return the expression of a row, with straight quotation marks where Excel made curly ones of them."""
        return self.headers.get(row, role).translate(_STRAIGHT)

    def bad_name(self, row: RawRow, name: str) -> None:
        """Note a name that cannot be one."""
        self.findings.error(
            _l("“%(name)s” cannot be a name.", name=name[:40]),
            row,
            self.at("name"),
            _l(
                "A name starts with a letter and holds letters, digits, hyphens, points and underscores, no spaces, "
                "at most %(limit)s signs.",
                limit=MAX_NAME,
            ),
        )

    def free(self, name: str) -> str:
        """Return a name that no item has yet: the name itself, else with a number after it."""
        code, count = name, 1
        while code in self.places:
            count += 1
            code = f"{name}_{count}"
        return code

    def warn_type(self, row: RawRow, written: str, mend: Text) -> None:
        """Note a type that is asked as something simpler than it is."""
        self.findings.warn(
            _l("The type “%(type)s” is not shown as such yet.", type=written[:60]), row, self.at("type"), mend
        )

    def warn_untranslated(self, row: RawRow, texts: Mapping[str, Mapping[str, str]]) -> None:
        """Note the languages in which a text of the row is missing, where the sheet has a column for it."""
        for header_role, role in ROLES.items():
            columns = self.headers.by_role.get(header_role, {})
            said = texts.get(role) or {}
            for language in self.wording.languages:
                if said and language not in said and language in columns:
                    self.findings.warn(
                        _l("The text is not translated into “%(language)s”.", language=language),
                        row,
                        columns[language],
                    )


def good_name(name: str) -> bool:
    """Say whether a name may stand in ${...}: XLSForm's rule, Khmer letters and their marks included."""
    if not name or len(name) > MAX_NAME or not (name[0].isalpha() or name[0] == "_"):
        return False
    return all(sign in "_-.:" or sign.isdigit() or unicodedata.category(sign)[0] in "LM" for sign in name)


def in_languages(texts: Mapping[str, str], wording: Wording) -> dict[str, str]:
    """Return one of our own texts in the languages of a questionnaire, in English when it has none of them."""
    return {one: texts[one] for one in wording.languages if one in texts} or {wording.default_language: texts["en"]}
