"""The shape of our own templates: one description per column writes the sheet, its instructions and reads it back."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from babel import Locale, UnknownLocaleError
from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.pagebreak import Break

from portal.table import Problem
from portal.workbooks.cell_text import lines
from portal.workbooks.opening import find_header, read_sheets, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from openpyxl.worksheet.worksheet import Worksheet

    from portal.table import Cell, Speakable
    from portal.workbooks.opening import Sheet, Source
    from portal.workbooks.writer import ReportBook

OF_THE_TEMPLATE = frozenset({"Instructions", "_lists", "Notes"})
SPARE = 200  # empty, formatted rows below what exists
_LANGUAGE = re.compile(
    r"^(?P<title>.*?)\s*(?:[,:·\-–—]\s*[^()]*)?\((?P<code>[a-z]{2,3}(?:[-_][A-Za-z]{2,4})?)\)\s*\*?$"
)


@dataclass(frozen=True)
class Field:
    """One column of a template; ``per_language`` makes one column per language, ``choices`` names a drop-down list.

    ``coded`` columns hold the code of a list's entry though they offer no list.
    """

    key: str
    title: Speakable
    help: Speakable
    width: float = 18
    per_language: bool = False
    required: bool = False
    wrap: bool = False
    kind: str = "text"
    aliases: tuple[str, ...] = ()
    example: str = ""
    choices: str = ""
    strict: bool = True
    coded: bool = False


@dataclass
class Row:
    """One filled row: plain texts by key, and texts per language by key; ``raw`` keeps typed values such as dates."""

    sheet: str
    row: int
    values: dict[str, str] = field(default_factory=dict)
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    raw: dict[str, Any] = field(default_factory=dict)

    def get(self, key: str) -> str:
        """Return the text of a column, "" when blank or absent."""
        return self.values.get(key, "")

    def shaped(self, fields: Sequence[Field]) -> dict[str, Any]:
        """Return what the row says by key: texts per language, codes of lists, the other texts as they are."""
        return {
            one.key: self.texts.get(one.key, {})
            if one.per_language
            else self.code(one.key)
            if one.choices or one.coded
            else self.get(one.key)
            for one in fields
        }

    def code(self, key: str) -> str:
        """Return the code in front of the label of a drop-down entry ("lead – Lead institution" -> "lead")."""
        return code_of(self.get(key))


def entry(code: str, label: str) -> str:
    """Return a drop-down entry: the code first, so that it can be read back in any language."""
    return f"{code} – {label}" if label and label != code else code


def code_of(text: str) -> str:
    """Return the code of a drop-down entry, or the text itself."""
    return re.split(r"\s+[–—]\s+", text, maxsplit=1)[0].strip()


def offered(labels: Mapping[str, Speakable], languages: Sequence[str]) -> dict[str, str]:
    """Return the drop-down entries of a list by code, labelled in every language."""
    return {code: entry(code, both(label, languages).replace("\n", " · ")) for code, label in labels.items()}


def spoken(text: Speakable, languages: Sequence[str]) -> dict[str, str]:
    """Say a lazy text in each language (outside an application: in English)."""
    said = {}
    for language in languages:
        with force_locale(language):
            said[language] = str(text)
    return said


def language_name(code: str, in_language: str) -> str:
    """Return the name of a language in a language, the code itself when CLDR has none."""
    try:
        return Locale.parse(code, sep="-" if "-" in code else "_").get_display_name(in_language) or code
    except (UnknownLocaleError, ValueError):
        return code


def both(text: Speakable, languages: Sequence[str]) -> str:
    """Say a text in every language and English, one line each, equal lines once."""
    return "\n".join(dict.fromkeys(spoken(text, with_english(languages)).values()))


def with_english(languages: Sequence[str]) -> tuple[str, ...]:
    """Return the languages and, at the end, English: the names by which columns are always found again."""
    return tuple(dict.fromkeys([*languages, "en"]))


def header(found: Field, languages: Sequence[str], language: str = "") -> str:
    """Return the text of a header cell, in all languages; ``language`` names the column's own language."""
    said = []
    for speaking in with_english(languages):
        title = spoken(found.title, [speaking])[speaking]
        if language:
            title = f"{title}, {language_name(language, speaking)} ({language})"
        said.append(title + (" *" if found.required else ""))
    return "\n".join(dict.fromkeys(said))


def columns(fields: Sequence[Field], languages: Sequence[str]) -> list[tuple[Field, str]]:
    """Return the columns in order: a field and its language ('' where it has none)."""
    return [(one, language) for one in fields for language in (languages if one.per_language else ("",))]


def write_sheet(
    book: ReportBook,
    code: str,
    fields: Sequence[Field],
    languages: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    *,
    spare: int = SPARE,
) -> Worksheet:
    """Write the header, what exists (key -> cell, or key -> language map) and empty rows with drop-downs."""
    ws = book.add(code)
    shape = columns(fields, languages)
    tallest = 1
    last = 1 + len(rows) + spare
    for at, (one, language) in enumerate(shape, start=1):
        text = header(one, languages, language)
        book.cell(ws, 1, at, text, style="header")
        letter = get_column_letter(at)
        ws.column_dimensions[letter].width = one.width
        tallest = max(tallest, lines(text, one.width))
        if one.choices and last > 1:
            book.drop_down(
                ws, f"{letter}2:{letter}{last}", one.choices, strict=one.strict, message=both(one.help, languages)
            )
    ws.row_dimensions[1].height = 12 + 19 * tallest
    for number, row in enumerate(rows, start=2):
        height = 20.0
        for at, (one, language) in enumerate(shape, start=1):
            value: Cell = (row.get(one.key) or {}).get(language, "") if one.per_language else row.get(one.key)
            book.cell(ws, number, at, value, one.kind, "input", wrap=one.wrap)
            if one.wrap and isinstance(value, str):
                height = max(height, book.height(value, one.width))
        ws.row_dimensions[number].height = min(height, 409)
    for number in range(2 + len(rows), last + 1):
        for at, (one, _language) in enumerate(shape, start=1):
            book.cell(ws, number, at, None, one.kind, "input")
    ws.freeze_panes = "B2"
    ws.auto_filter.ref = f"A1:{get_column_letter(len(shape))}{last}"
    book.printing(ws, header_row=1, title=code)
    return ws


def write_instructions(
    book: ReportBook,
    languages: Sequence[str],
    title: Speakable,
    steps: Sequence[Speakable],
    sheets: Sequence[tuple[str, Sequence[Field]]],
) -> Worksheet:
    """Write the first sheet: steps, then per sheet what belongs into each column, in every language side by side."""
    speaking = tuple(dict.fromkeys(languages)) or ("en",)
    ws = book.add("Instructions")
    book.cell(ws, 1, 1, "  ·  ".join(dict.fromkeys(spoken(title, speaking).values())), style="title")
    ws.row_dimensions[1].height = 34
    ws.column_dimensions["A"].width = 30
    width = 62
    for at in range(len(speaking)):
        ws.column_dimensions[get_column_letter(at + 2)].width = width
    example = len(speaking) + 2
    ws.column_dimensions[get_column_letter(example)].width = 26
    row = 3
    for number, step in enumerate(steps, start=1):
        book.cell(ws, row, 1, number, "integer", "plain")
        height = 20.0
        for at, text in enumerate(spoken(step, speaking).values(), start=2):
            book.cell(ws, row, at, text, style="plain")
            height = max(height, book.height(text, width))
        ws.row_dimensions[row].height = height
        row += 1
    heads_at = 0
    for number, (name, fields) in enumerate(sheets):
        row += 1
        if number:  # on paper the columns of each sheet begin a page of their own
            ws.row_breaks.append(Break(id=row - 1))
        book.cell(ws, row, 1, name, style="subtitle")
        ws.row_dimensions[row].height = 24
        row += 1
        heads = (_l("Column (* = must be filled)"), *(_l("What to write") for _ in speaking), _l("Example"))
        for at, head in enumerate(heads, start=1):
            own = speaking[at - 2] if 2 <= at < example else ""
            text = spoken(head, [own])[own] if own else both(head, speaking)
            book.cell(ws, row, at, text, style="header")
        ws.row_dimensions[row].height = 48
        heads_at = row
        for one in fields:
            row += 1
            text = header(one, languages)
            book.cell(ws, row, 1, text, style="label")
            height = book.height(text, 30)
            for at, text in enumerate(spoken(one.help, speaking).values(), start=2):
                book.cell(ws, row, at, text, style="body")
                height = max(height, book.height(text, width))
            book.cell(ws, row, example, one.example, style="hint")
            ws.row_dimensions[row].height = max(height, book.height(one.example, 24))
        row += 1
    book.printing(ws, title="Instructions")
    if len(sheets) == 1:
        ws.print_title_rows = f"{heads_at}:{heads_at}"
    ws.freeze_panes = "A2"
    return ws


def normal(text: str) -> str:
    """Return a header without case, punctuation and invisible characters."""
    text = unicodedata.normalize("NFC", text).casefold()
    return "".join(letter for letter in text if letter.isalnum() or unicodedata.category(letter) in {"Mn", "Mc"})


def _heads(text: str, known: dict[str, str]) -> tuple[str, str] | None:
    """Recognise a header cell by any of its lines: (key, language)."""
    for line in [text, *text.splitlines()]:
        match = _LANGUAGE.match(line.strip())
        title, language = (match["title"], match["code"]) if match else (line, "")
        if key := known.get(normal(title)):
            return key, language
        if key := known.get(normal(line)):
            return key, ""
    return None


def filled_sheets(source: Source, *, filename: str, limit_bytes: int) -> Iterator[Sheet]:
    """Yield the sheets that people fill; what the template adds for itself is passed over.

    Raises:
        Invalid: not a readable, plain .xlsx.
    """
    for sheet in read_sheets(source, filename=filename, limit_bytes=limit_bytes):
        if sheet.name not in OF_THE_TEMPLATE:
            yield sheet


def read_sheet(
    sheet: Sheet, fields: Sequence[Field], languages: Sequence[str], *, least: int = 2
) -> tuple[list[Row], list[Problem]] | None:
    """Read the filled rows of a sheet; None when the sheet has not at least ``least`` of the columns.

    Columns may stand in any order, with notes above the header; blank rows are passed over.
    """
    by_key = {one.key: one for one in fields}
    known: dict[str, str] = {}
    for one in fields:
        for name in (one.key, *spoken(one.title, with_english(languages)).values(), *one.aliases):
            known.setdefault(normal(name), one.key)
    found = find_header(sheet, set(by_key), lambda text: (_heads(text, known) or ("", ""))[0], least=least)
    if found is None:
        return None
    index = found[0]
    problems: list[Problem] = []
    places: dict[int, tuple[str, str]] = {}
    number, cells = sheet.rows[index]
    for at, cell in enumerate(cells):
        text = text_of(cell)
        heads = _heads(text, known) if text else None
        problem = _misplaced(heads, by_key, languages, set(places.values()), text)
        if heads and not problem:
            key, language = heads
            places[at] = (key, (language or languages[0]) if by_key[key].per_language else "")
        elif problem:
            problems.append(Problem(problem, sheet.name, number, get_column_letter(at + 1)))
    present = {key for key, _ in places.values()}
    for one in fields:
        if one.required and one.key not in present:
            message = _l("The column %(column)s is missing.", column=spoken(one.title, languages[:1])[languages[0]])
            problems.append(Problem(message, sheet.name, number, field=one.key))
    return [row for row in (_row(sheet.name, *line, places) for line in sheet.rows[index + 1 :]) if row], problems


def _misplaced(
    heads: tuple[str, str] | None,
    by_key: Mapping[str, Field],
    languages: Sequence[str],
    taken: set[tuple[str, str]],
    text: str,
) -> Speakable | None:
    sentence: Speakable | None = None
    if heads is None:
        if text:
            sentence = _l("The column “%(column)s” is not known and was not read.", column=text[:80])
        return sentence
    key, language = heads
    per_language = by_key[key].per_language
    if per_language and language and language not in languages:
        sentence = _l(
            "The column “%(column)s” is in a language that the portal does not use; it was not read.", column=text[:80]
        )
    elif (key, (language or languages[0]) if per_language else "") in taken:
        sentence = _l("The column “%(column)s” stands here twice; only the first was read.", column=text[:80])
    return sentence


def _row(sheet: str, number: int, cells: list[Any], places: Mapping[int, tuple[str, str]]) -> Row | None:
    row = Row(sheet, number)
    for at, (key, language) in places.items():
        value = cells[at] if at < len(cells) else None
        text = text_of(value)
        if not text:
            continue
        if language:
            row.texts.setdefault(key, {})[language] = text
        else:
            row.values[key] = text
            row.raw[key] = value
    return row if row.values or row.texts else None
