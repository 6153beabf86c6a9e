"""The judging of a questionnaire file: plain rows in, all mistakes at once and the definition out."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.definition.headers import Headers, language_code
from forms.definition.lists import YES, read_lists
from forms.definition.model import Definition
from forms.definition.report import Findings, Mistake, Report
from forms.definition.rules import Rules
from forms.definition.survey import Survey, Wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forms.definition.rows import RawRow, SheetRows

__all__ = ["Mistake", "Report", "check"]

MAX_ROWS = 20_000  # of any one sheet
REFUSED_SHEETS = ("entities", "external_choices", "osm")
REFUSED_SETTINGS = ("submission_url", "public_key")
_UNSAFE = re.compile(r"[^a-z0-9]+")


def check(rows: SheetRows) -> Report:
    """Judge the sheets survey, choices and settings of a questionnaire; never raises, whatever the rows hold.

    `Report.definition` is None when there is an error; warnings do not keep it from being used. Source of the rules:
    XLSForm (xlsform.org), with our own columns word_budget, evidence_required, sensitive, owner_unit, indicator,
    scope, not_available, not_applicable, one_language, unit, retired.
    """
    findings = Findings()
    sheets: Mapping[str, Sequence[RawRow]] = {name.strip().lower(): found for name, found in rows.items()}
    survey, choices = sheets.get("survey", ()), sheets.get("choices", ())
    if not _readable(sheets, findings):
        return Report(findings.sorted(), None)
    setting_rows = sheets.get("settings", ())
    settings = _settings(setting_rows, findings)
    languages, default = _languages(survey, choices, settings)
    titles = _titles(setting_rows, languages, default)
    lists = read_lists(
        choices,
        languages,
        default,
        duplicates=settings.get("allow_choice_duplicates", "").lower() in YES,
        findings=findings,
    )
    read = Survey(survey, lists, Wording(languages, default, titles), findings)
    _warn_languages(read, findings)
    for name in lists.keys() - read.used_lists:
        findings.found.append(
            Mistake(_l("The list “%(name)s” is used by no question.", name=name), "choices", severity="warning")
        )
    rules = Rules(read, findings)
    if not read.pages and not findings.fatal:
        findings.found.append(_empty())
    if findings.fatal:
        return Report(findings.sorted(), None)
    definition = Definition(
        id=None,
        code=settings.get("form_id") or slug(next(iter(titles.values()), "")) or "questionnaire",
        version=None,
        titles=titles,
        languages=languages,
        default_language=default,
        pages=tuple(rules.mended(page) for page in read.pages),
        settings={
            name: text for name, text in settings.items() if name != "form_id" and not name.startswith("form_title")
        },
    )
    return Report(findings.sorted(), definition)


def _readable(sheets: Mapping[str, Sequence[RawRow]], findings: Findings) -> bool:
    """Say whether there is a survey to judge; note sheets that cannot be used."""
    for name in REFUSED_SHEETS:
        if sheets.get(name):
            findings.error(
                _l("The sheet “%(name)s” cannot be used here.", name=name),
                sheets[name][0],
                mend=_l("Please delete the sheet; lists of choices belong on the sheet choices."),
            )
    for name, rows in sheets.items():
        if len(rows) > MAX_ROWS:
            findings.error(
                _l("The sheet “%(name)s” has more than %(limit)s rows.", name=name, limit=MAX_ROWS),
                rows[0],
                mend=_l("Please split the questionnaire."),
            )
    if any(len(rows) > MAX_ROWS for rows in sheets.values()):
        return False
    survey = sheets.get("survey")
    if not survey:
        findings.found.append(_empty())
        return False
    headers = Headers(survey)
    for role in ("type", "name"):
        if not headers.header(role):
            findings.error(
                _l("The sheet survey has no column “%(name)s”.", name=role),
                survey[0],
                mend=_l("The first row must hold the headers type, name and label."),
            )
            return False
    return True


def _empty() -> Mistake:
    return Mistake(
        _l("The questionnaire has no questions."),
        "survey",
        mend=_l("Write one question per row on the sheet survey, with type, name and label."),
    )


def _settings(rows: Sequence[RawRow], findings: Findings) -> dict[str, str]:
    if not rows:
        return {}
    headers, row = Headers(rows), rows[0]
    for name in REFUSED_SETTINGS:
        if headers.get(row, name):
            findings.error(
                _l("The setting “%(name)s” cannot be used here: answers stay in this portal.", name=name),
                row,
                headers.header(name),
                _l("Please empty the cell."),
            )
    return {role: headers.get(row, role) for role in headers.by_role if headers.get(row, role)}


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


def _titles(rows: Sequence[RawRow], languages: tuple[str, ...], default: str) -> dict[str, str]:
    """Return the titles per language: `form_title::Khmer (km)` or, as pyxform cannot bear that, `form_title_km`."""
    if not rows:
        return {}
    headers = Headers(rows)
    titles = headers.texts(rows[0], "form_title", default)
    plain = {language: headers.get(rows[0], f"form_title_{language}") for language in languages}
    return {**titles, **{language: text for language, text in plain.items() if text}}


def _warn_languages(read: Survey, findings: Findings) -> None:
    """Warn once where a whole column of a language is missing."""
    labels = read.headers.by_role.get("label", {})
    for language in read.languages:
        if language not in labels and not (language == read.default_language and "" in labels):
            findings.found.append(
                Mistake(
                    _l("The questions have no label column for “%(language)s”.", language=language),
                    "survey",
                    field="label",
                    mend=_l("Add a column, for example label::Khmer (km)."),
                    severity="warning",
                )
            )


def slug(title: str) -> str:
    """Return a short code made of Latin letters and digits out of a title, "" when there are none."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return _UNSAFE.sub("-", plain).strip("-")[:40]
