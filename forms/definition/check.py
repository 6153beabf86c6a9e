"""The judging of a questionnaire file: plain rows in, all mistakes at once and the definition out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from forms.definition.front import LISTS, read_front
from forms.definition.headers import Headers
from forms.definition.lists import YES, read_lists
from forms.definition.model import Definition
from forms.definition.report import Findings, Mistake, Report
from forms.definition.rules import Rules
from forms.definition.survey import Survey
from forms.definition.tables import OURS, read_tables, warn_unused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forms.definition.model import Choice
    from forms.definition.reading import Wording
    from forms.definition.rows import RawRow, SheetRows

__all__ = ["Mistake", "Report", "check"]

MAX_ROWS = 20_000  # of any one sheet
MAX_TEXT = 32_767  # letters of a cell in Excel: what is longer could not be given back
REFUSED_SHEETS = ("entities", "external_choices", "osm")
_MEND_SHEET = {
    "entities": _l("Please delete the sheet: there are no entities here, answers belong to a reply."),
    "external_choices": _l("Please delete the sheet; lists of choices belong on the sheet choices."),
    "osm": _l("Please delete the sheet; a place can be asked as text."),
}


def check(rows: SheetRows, name: str = "", *, keep: bool = True) -> Report:
    """Judge the sheets of a questionnaire; never raises, whatever the rows hold.

    With `keep`, rules that are right and cannot be computed here ride along with a warning (`Rules`).
    `name` is the name of the file: a questionnaire whose settings hold no form_id takes its code from it.

    `Report.definition` is None when there is an error; warnings do not keep it from being used. Sheets beside survey,
    choices and settings become attached tables. Source of the rules: XLSForm (xlsform.org) and pyxform, with our own
    columns (`forms.definition.headers.OWN`).
    """
    findings = Findings()
    sheets: SheetRows = {name.strip().lower(): found for name, found in rows.items()}
    survey, choices = sheets.get("survey", []), sheets.get("choices", [])
    if not _readable(sheets, findings):
        return Report(findings.sorted(), None)
    front = read_front(sheets.get("settings", []), survey, choices, findings, name)
    wording = front.wording
    lists = read_lists(
        choices,
        wording.languages,
        wording.default_language,
        duplicates=front.settings.get("allow_choice_duplicates", "").lower() in YES,
        findings=findings,
    )
    tables = read_tables({name: found for name, found in sheets.items() if name not in REFUSED_SHEETS}, findings)
    read = Survey(survey, lists, wording, findings, tables)
    _warn_languages(read, wording, findings)
    _warn_doubles(sheets, findings)
    rules = Rules(read, findings, keep=keep)
    settings: dict[str, Any] = dict(front.settings)
    if unused := _unused(read, rules.looked_up, findings):
        settings[LISTS] = unused
    warn_unused(tables, rules.looked_up | read.files, findings)
    if not read.pages and not findings.fatal:
        findings.found.append(_empty())
    if findings.fatal:
        return Report(findings.sorted(), None)
    definition = Definition(
        id=None,
        code=front.code,
        version=None,
        titles=wording.titles,
        languages=wording.languages,
        default_language=wording.default_language,
        pages=tuple(rules.mended(page) for page in read.pages),
        settings=settings,
        tables=tables,
    )
    return Report(findings.sorted(), definition, read.places)


def _readable(sheets: Mapping[str, Sequence[RawRow]], findings: Findings) -> bool:
    """Say whether there is a survey to judge; note sheets that cannot be used."""
    _judge_sheets(sheets, findings)
    if any(len(rows) > MAX_ROWS for rows in sheets.values()):
        return False
    survey = sheets.get("survey")
    if not survey:
        findings.found.append(_empty())
        return False
    for rows in sheets.values():
        _judge_lengths(rows, findings)
    headers = Headers(survey)
    for role in ("type", "name"):
        if not headers.header(role):
            findings.error(
                _l("The sheet survey has no column “%(name)s”.", name=role),
                survey[0],
                mend=_l("The first row must hold the headers type, name and label."),
            )
            return False
    if headers.header("save_to"):
        _judge_entities(survey, headers.header("save_to"), findings)
    return True


def _judge_sheets(sheets: Mapping[str, Sequence[RawRow]], findings: Findings) -> None:
    for name in REFUSED_SHEETS:
        if sheets.get(name):
            findings.error(
                _l("The sheet “%(name)s” cannot be used here.", name=name), sheets[name][0], mend=_MEND_SHEET[name]
            )
    for name, rows in sheets.items():
        if len(rows) > MAX_ROWS:
            findings.error(
                _l("The sheet “%(name)s” has more than %(limit)s rows.", name=name, limit=MAX_ROWS),
                rows[0],
                mend=_l("Please split the questionnaire.") if name in OURS else _l("Please shorten the table."),
            )


def _judge_lengths(rows: Sequence[RawRow], findings: Findings) -> None:
    for row in rows:
        for header, text in row.cells.items():
            if len(text) > MAX_TEXT:
                findings.error(
                    _l("The text is longer than %(limit)s letters, more than a cell of Excel holds.", limit=MAX_TEXT),
                    row,
                    header,
                    _l("Please shorten it, or split it over several rows."),
                )


def _judge_entities(survey: Sequence[RawRow], header: str, findings: Findings) -> None:
    for row in survey:
        if row.get(header):
            findings.error(
                _l("The column save_to belongs to entities, which cannot be used here."),
                row,
                header,
                _l("Please empty the column."),
            )
            return


def _empty() -> Mistake:
    return Mistake(
        _l("The questionnaire has no questions."),
        "survey",
        mend=_l("Write one question per row on the sheet survey, with type, name and label."),
    )


def _unused(read: Survey, looked_up: set[str], findings: Findings) -> dict[str, list[dict[str, Any]]]:
    """Return the lists that no question offers, as they are kept; warn of those that no rule looks up either."""
    unused = {name: read.lists[name] for name in sorted(read.lists.keys() - read.used_lists)}
    for name in unused.keys() - looked_up:
        findings.found.append(
            Mistake(_l("The list “%(name)s” is used by no question.", name=name), "choices", severity="warning")
        )
    return {name: [plain_choice(choice) for choice in choices] for name, choices in unused.items()}


def plain_choice(choice: Choice) -> dict[str, Any]:
    """Return a choice as plain JSON, what is empty left out."""
    plain: dict[str, Any] = {"key": choice.key, "texts": dict(choice.texts)}
    if choice.extra:
        plain["extra"] = dict(choice.extra)
    if choice.retired:
        plain["retired"] = True
    return plain


def _warn_languages(read: Survey, wording: Wording, findings: Findings) -> None:
    """Warn once where a whole column of a language is missing."""
    labels = read.headers.by_role.get("label", {})
    for language in wording.languages:
        if language not in labels and not (language == wording.default_language and "" in labels):
            findings.found.append(
                Mistake(
                    _l("The questions have no label column for “%(language)s”.", language=language),
                    "survey",
                    field="label",
                    mend=_l("Add a column, for example label::Khmer (km)."),
                    severity="warning",
                )
            )


def _warn_doubles(sheets: Mapping[str, Sequence[RawRow]], findings: Findings) -> None:
    """Warn of columns that mean the same as another one."""
    for name in OURS & sheets.keys():
        for header, read in Headers(sheets[name]).doubles:
            findings.warn(
                _l("The columns “%(first)s” and “%(second)s” mean the same.", first=read[:40], second=header[:40]),
                sheets[name][0],
                header,
                _l("Only the first of them is read; please keep one."),
            )
