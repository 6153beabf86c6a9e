"""The settings sheet: code, titles and languages of a questionnaire, and what rides along."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.definition.headers import SETTINGS, Headers, language_code
from forms.definition.reading import Wording
from forms.definition.types import read_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forms.definition.report import Findings
    from forms.definition.rows import RawRow

REFUSED = ("submission_url", "public_key")
MAX_CODE = 80  # letters of a questionnaire's code, as it is stored
LISTS = "lists"  # the setting under which lists that no question uses are kept
_UNSAFE = re.compile(r"[^a-z0-9]+")
_TITLE = re.compile(r"form_title_([a-z0-9-]+)")


@dataclass
class Front:
    """What the settings sheet says: `settings` are those that ride along."""

    code: str
    wording: Wording
    settings: dict[str, str] = field(default_factory=dict)


def read_front(
    rows: Sequence[RawRow], survey: Sequence[RawRow], choices: Sequence[RawRow], findings: Findings, name: str = ""
) -> Front:
    """Judge the settings sheet; what it does not say is taken from the headers of the other sheets and the file."""
    settings = _settings(rows, survey, findings)
    languages, default = _languages(survey, choices, settings)
    titles = Headers(rows).texts(rows[0], "form_title", default) if rows else {}
    if not titles and settings.get("form_title"):
        titles = {default: settings["form_title"]}
    for setting, text in list(settings.items()):
        found = _TITLE.fullmatch(setting)
        # pyxform cannot bear form_title::Khmer (km), so that other languages have a column of their own
        if found and found[1] in languages:
            titles[found[1]] = text
            del settings[setting]
    for setting in [one for one in settings if one.startswith("form_title::") or one == "form_title"]:
        del settings[setting]
    code = settings.pop("form_id", "") or _code(titles, name, findings)
    titles = titles or {default: code}  # a questionnaire without a title shows its code (pyxform does the same)
    settings.pop("default_language", None)
    if len(code) > MAX_CODE:
        findings.error(
            _l("The form_id is longer than %(limit)s signs.", limit=MAX_CODE),
            rows[0] if rows else None,
            "form_id",
            _l("Write a short one that never changes."),
        )
    return Front(code, Wording(languages, default, titles), settings)


def _code(titles: Mapping[str, str], name: str, findings: Findings) -> str:
    """Return a code out of the title or the file's name; say so, since it decides which questionnaire this is."""
    code = slug(next(iter(titles.values()), "")) or slug(name.rpartition(".")[0] or name) or "questionnaire"
    if name:
        findings.warn(
            _l("The settings hold no form_id; the questionnaire is called “%(code)s”.", code=code),
            mend=_l("Write a form_id on the sheet settings: by it a new version finds its questionnaire."),
        )
    return code


def _settings(rows: Sequence[RawRow], survey: Sequence[RawRow], findings: Findings) -> dict[str, str]:
    found: dict[str, str] = {}
    columns = Headers(survey)
    for row in survey:
        word = read_type(columns.get(row, "type"))
        if word.meaning == "setting" and columns.get(row, "name"):
            found.setdefault(word.type, columns.get(row, "name"))  # an old way to give a form its title and id
    if not rows:
        return found
    headers, row = Headers(rows), rows[0]
    for name in REFUSED:
        if headers.get(row, name):
            findings.error(
                _l("The setting “%(name)s” cannot be used here: answers stay in this portal.", name=name),
                row,
                headers.header(name),
                _l("Please empty the cell."),
            )
    if len(rows) > 1:
        findings.warn(
            _l("Only the first row of the settings is read."), rows[1], mend=_l("Please delete the other rows.")
        )
    for role, by_language in headers.by_role.items():
        for header in by_language.values():
            name = role if role in SETTINGS or (role == "form_title" and not by_language.keys() - {""}) else header
            if text := row.get(header):
                found.setdefault(name, text)
    return found


def _languages(
    survey: Sequence[RawRow], choices: Sequence[RawRow], settings: Mapping[str, str]
) -> tuple[tuple[str, ...], str]:
    """Return the languages in the order of the columns, and the default one."""
    columns = Headers(survey)
    named = list(dict.fromkeys([*columns.languages(), *Headers(choices).languages()]))
    default = language_code(settings.get("default_language", "")) if settings.get("default_language") else ""
    if default in ("", "default"):
        default = named[0] if named else "en"
    bare = "" in columns.by_role.get("label", {})
    if default not in named and (bare or not named):
        named.insert(0, default)
    if default not in named:
        default = named[0]
    return tuple(named), default


def slug(title: str) -> str:
    """Return a short code made of Latin letters and digits out of a title, "" when there are none."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return _UNSAFE.sub("-", plain).strip("-")[:40]
