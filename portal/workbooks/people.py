"""The one workbook of institutions and persons: template, export and import share one layout."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from portal.table import Problem, pick
from portal.workbooks.layout import (
    Field,
    code_of,
    entry,
    filled_sheets,
    language_name,
    offered,
    read_sheet,
    write_instructions,
    write_sheet,
)
from portal.workbooks.opening import LIMIT_BYTES
from portal.workbooks.refusals import refuse
from portal.workbooks.writer import ReportBook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from portal.workbooks.opening import Source

INSTITUTIONS, PERSONS = "Institutions", "Persons"

KINDS = {
    "ministry": _l("ministry"),
    "agency": _l("agency or department"),
    "council": _l("council or committee"),
    "court": _l("court"),
    "parliament": _l("parliament"),
    "province": _l("province or municipality"),
    "independent": _l("independent body"),
    "other": _l("other"),
}

INSTITUTION_FIELDS = (
    Field(
        "code",
        _l("Code"),
        _l(
            "A short sign that never changes, in Latin letters. "
            "It links the sheets and finds the institution again at the next upload."
        ),
        14,
        required=True,
        example="MOJ",
        aliases=("institution code", "abbreviation", "abbr"),
    ),
    Field(
        "names",
        _l("Name"),
        _l("The full official name, one column per language. At least one is needed."),
        44,
        per_language=True,
        required=True,
        wrap=True,
        example="Ministry of Justice",
        aliases=("institution", "institution name"),
    ),
    Field(
        "parent",
        _l("Parent code"),
        _l("Only for a part of another institution: that institution's code."),
        14,
        example="MOI",
        aliases=("parent", "belongs to"),
        coded=True,
    ),
    Field(
        "rank",
        _l("Protocol order"),
        _l("A number: lists and letters follow it. Leave gaps (10, 20, 30) for later."),
        12,
        kind="integer",
        example="30",
        aliases=("rank", "order", "protocol"),
    ),
    Field(
        "kind",
        _l("Kind"),
        _l("Choose from the list."),
        30,
        choices="kinds",
        strict=False,
        example="ministry",
        aliases=("type",),
    ),
    Field(
        "letter_form",
        _l("Address in letters"),
        _l("Optional: how a letter addresses the head of the institution."),
        40,
        per_language=True,
        wrap=True,
        example="His Excellency the Minister of Justice",
        aliases=("honorific form", "form of address"),
    ),
)
PERSON_FIELDS = (
    Field(
        "institution",
        _l("Institution code"),
        _l("The code from the sheet Institutions. Leave it blank for staff of the secretariat."),
        16,
        choices="institutions",
        strict=False,
        example="MOJ",
        aliases=("institution",),
    ),
    Field(
        "role",
        _l("Role"),
        _l("Choose from the list. One person may have several rows, one per role."),
        34,
        required=True,
        choices="roles",
        strict=False,
        example="focal_point",
    ),
    Field(
        "login",
        _l("Log-in name"),
        _l(
            "Latin letters and digits, without spaces. "
            "The person signs in with it, or with the phone number or e-mail. Left blank, the portal makes one."
        ),
        20,
        example="moj.focal",
        aliases=("login", "user name", "username"),
    ),
    Field(
        "names",
        _l("Person's name"),
        _l("The name as it stands in official letters, in each script."),
        30,
        per_language=True,
        required=True,
        wrap=True,
        example="Focal point, Ministry of Justice",
        aliases=("name", "full name"),
    ),
    Field(
        "honorific",
        _l("Honorific"),
        _l("Choose from the list, or write another."),
        30,
        choices="honorifics",
        strict=False,
        example="",
        aliases=("title",),
    ),
    Field(
        "post",
        _l("Post"),
        _l("Function in the institution."),
        34,
        per_language=True,
        wrap=True,
        example="Deputy director",
        aliases=("position", "function"),
    ),
    Field(
        "phone",
        _l("Phone"),
        _l("With the leading zero or the country code. Written as text, so that no zero is lost."),
        18,
        example="012 345 678",
        aliases=("telephone", "mobile"),
    ),
    Field("telegram", _l("Telegram"), _l("Optional: the Telegram name or number."), 18, example="@name"),
    Field(
        "email",
        _l("E-mail"),
        _l("Optional. Without it the person gets a link and a code by hand."),
        30,
        example="name@example.org",
        aliases=("e-mail address", "mail"),
    ),
    Field(
        "language",
        _l("Language"),
        _l("The language of the portal for this person."),
        18,
        choices="languages",
        strict=False,
        example="km",
    ),
)
STEPS = (
    _l("Fill the sheet Institutions first, then the sheet Persons. Keep the header rows; the order of rows and columns does not matter."),  # noqa: E501 - a sentence stays in one piece
    _l("Upload the file in the portal. It first shows what would be added, changed or refused, row by row; nothing is written before you confirm."),  # noqa: E501 - a sentence stays in one piece
    _l("The same file may be uploaded again: rows that say nothing new change nothing. A blank cell leaves what is stored. Rows that you delete here are not deleted in the portal."),  # noqa: E501 - a sentence stays in one piece
    _l("Cells with a list offer its entries; the word before the dash is what counts."),
)  # fmt: skip


@dataclass(frozen=True)
class InstitutionRow:
    """One row of the sheet of institutions; blanks are empty texts."""

    sheet: str
    row: int
    code: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""
    rank: str = ""
    kind: str = ""
    letter_form: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PersonRow:
    """One row of the sheet of persons; blanks are empty texts."""

    sheet: str
    row: int
    institution: str = ""
    role: str = ""
    login: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    honorific: str = ""
    post: Mapping[str, str] = field(default_factory=dict)
    phone: str = ""
    telegram: str = ""
    email: str = ""
    language: str = ""


@dataclass(frozen=True)
class PeopleRows:
    """What the workbook holds, and what of the file itself could not be read."""

    institutions: list[InstitutionRow]
    persons: list[PersonRow]
    problems: list[Problem]


def read(source: Source, languages: Sequence[str], *, filename: str = "", limit_bytes: int = LIMIT_BYTES) -> PeopleRows:
    """Read a workbook in the layout of the template; sheets are known by their columns, not their titles.

    Raises:
        Invalid: not an .xlsx, or no sheet with our columns; one sentence.
    """
    found = PeopleRows([], [], [])
    seen = False
    for sheet in filled_sheets(source, filename=filename, limit_bytes=limit_bytes):
        people = read_sheet(sheet, PERSON_FIELDS, languages)
        places = read_sheet(sheet, INSTITUTION_FIELDS, languages)
        if people and (places is None or _better(people[1], places[1], sheet.name)):
            found.persons.extend(PersonRow(row.sheet, row.row, **row.shaped(PERSON_FIELDS)) for row in people[0])
            found.problems.extend(people[1])
        elif places:
            found.institutions.extend(
                InstitutionRow(row.sheet, row.row, **row.shaped(INSTITUTION_FIELDS)) for row in places[0]
            )
            found.problems.extend(places[1])
        else:
            continue
        seen = True
    if not seen:
        raise refuse(
            _l("The file has no sheet of institutions or persons. Download the template and fill that one."),
            code="wrong_template",
        )
    return found


def _better(persons: list[Problem], institutions: list[Problem], title: str) -> bool:
    if title in {INSTITUTIONS, PERSONS}:
        return title == PERSONS
    return len(persons) < len(institutions)


def template(
    languages: Sequence[str],
    roles: Mapping[str, Mapping[str, str]],
    honorifics: Sequence[Mapping[str, Any]] = (),
    institutions: Iterable[Mapping[str, Any]] = (),
    persons: Iterable[Mapping[str, Any]] = (),
) -> bytes:
    """Return the workbook: instructions, institutions, persons; with what exists it is the export.

    ``roles``: code -> names; ``honorifics``: as in the country's settings (code, names). The rows are mappings (or
    objects made so by ``vars``) with the attributes of :class:`InstitutionRow` and :class:`PersonRow`.
    """
    language = languages[0]
    book = ReportBook(language=language, languages=languages, title=INSTITUTIONS)
    named = {code: entry(code, pick(names, language, languages)) for code, names in roles.items()}
    titles = {
        str(one.get("code", "")): entry(str(one.get("code", "")), pick(one.get("names", {}), language, languages))
        for one in honorifics
    }
    kinds = offered(KINDS, languages)
    tongues = {code: entry(code, language_name(code, code)) for code in languages}
    places = [dict(one) for one in institutions]
    for name, values in (
        ("kinds", kinds), ("roles", named), ("honorifics", titles), ("languages", tongues),
        ("institutions", {one["code"]: one["code"] for one in places}),
    ):  # fmt: skip
        book.choices(name, values.values())
    people = [dict(one) for one in persons]
    for one in places:
        rank = one.get("rank")
        one["rank"] = int(rank) if isinstance(rank, str) and rank.isdigit() else rank
        one["kind"] = kinds.get(one.get("kind") or "", one.get("kind"))
    for one in people:
        one["role"] = named.get(one.get("role") or "", one.get("role"))
        one["honorific"] = titles.get(code_of(one.get("honorific") or ""), one.get("honorific"))
        one["language"] = tongues.get(one.get("language") or "", one.get("language"))
    write_instructions(
        book,
        languages,
        _l("Institutions and persons"),
        STEPS,
        [(INSTITUTIONS, INSTITUTION_FIELDS), (PERSONS, PERSON_FIELDS)],
    )
    write_sheet(book, INSTITUTIONS, INSTITUTION_FIELDS, languages, places)
    write_sheet(book, PERSONS, PERSON_FIELDS, languages, people)
    # Codes typed on the first sheet are offered on the second at once.
    ws = book.workbook[PERSONS]
    for rule in ws.data_validations.dataValidation:
        if rule.formula1 == "list_institutions":
            rule.formula1 = f"'{INSTITUTIONS}'!$A$2:$A${len(places) + 201}"
    return book.content()
