"""The export files of the Universal Human Rights Index, Excel or JSON, read row by row and never whole.

Rows of other countries pass by undecoded, so that memory grows with the country's own rows only.
"""

from __future__ import annotations

import codecs
import json
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from portal.table import Problem
from portal.workbooks.layout import normal
from portal.workbooks.opening import BROKEN, LIMIT_BYTES, Sheet, Source, find_header, shown, text_of
from portal.workbooks.refusals import damaged, refuse, unreadable
from portal.workbooks.rows import open_rows
from portal.workbooks.uhri import HEADERS, NAMES, Countries, UhriRow, normalised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from portal.workbooks.rows import LongSheet, Row

NEEDED = ("text", "countries", "body", "symbol", "annotation_id")
WITHIN = 15  # rows in which the header is looked for
JSON_KEYS = {
    "text": "Text", "countries": "Countries", "body": "Body", "symbol": "Symbol", "themes": "Themes",
    "affected": "AffectedPersons", "sdgs": "Sdgs", "published": "PublicationDate",
    "recommending_states": "UprRecommendingCountry", "position": "UprPosition", "type": "AnnotationType",
    "annotation_id": "AnnotationId", "session": "UprCycle", "regions": "Regions",
}  # fmt: skip
_JSON_NAMES = {normal(name): key for key, name in JSON_KEYS.items()} | {
    normal("UprSession"): "session", normal("UPRPosition"): "position",
}  # fmt: skip


@dataclass
class UhriFile:
    """What a file holds: the rows of the country asked for, counts of the rest, and problems of the file."""

    rows: list[UhriRow] = field(default_factory=list)
    other_countries: int = 0
    duplicates: int = 0
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _Entry:
    """One annotation before it is decoded: ``cell`` gives a cell by its key."""

    cell: Callable[[str], Any]
    sheet: str
    row: int


def read(source: Source, country: Sequence[str], *, filename: str = "", limit_bytes: int = LIMIT_BYTES) -> UhriFile:
    """Read an export and keep the rows of one country (its names and ISO codes).

    Raises:
        Invalid: as :func:`scan`.
    """
    found = UhriFile()
    found.rows.extend(scan(source, country, found, filename=filename, limit_bytes=limit_bytes))
    return found


def scan(
    source: Source, country: Sequence[str], found: UhriFile, *, filename: str = "", limit_bytes: int = LIMIT_BYTES
) -> Iterator[UhriRow]:
    """Yield the rows of one country from an export, .xlsx or .json by content; ``found`` counts the others.

    Raises:
        Invalid: not an export of the index; the sentence names the headers expected and found.
    """
    ours = Countries(country)
    seen: dict[str, tuple[int, int]] = {}
    for entry in _entries(source, filename, limit_bytes):
        if ours(entry.cell("countries")) is False:
            found.other_countries += 1
            continue
        row = normalised({key: entry.cell(key) for key in HEADERS}, sheet=entry.sheet, row=entry.row)
        mark = (row.row, hash(row.raw))
        first = seen.setdefault(row.annotation_id, mark) if row.annotation_id else mark
        if first is mark:
            yield row
            continue
        found.duplicates += 1
        if first[1] != mark[1]:
            message = _l(
                "The annotation id stands here a second time with another text (first in row %(row)s).", row=first[0]
            )
            found.problems.append(Problem(message, row.sheet or None, row.row or None, HEADERS["annotation_id"]))


def _entries(source: Source, filename: str, limit_bytes: int) -> Iterator[_Entry]:
    if isinstance(source, bytes) or not isinstance(source, (str, Path)):
        yield from _entries_of(source, filename, limit_bytes)
        return
    try:
        stream = Path(source).open("rb")  # noqa: SIM115 - closed by the with below
    except OSError as error:
        raise unreadable(Path(source).name) from error
    with stream:
        yield from _entries_of(stream, shown(source, filename), limit_bytes)


def _entries_of(source: bytes | IO[bytes], filename: str, limit_bytes: int) -> Iterator[_Entry]:
    import io

    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    start = stream.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n")
    stream.seek(0)
    if start[:1] in {b"[", b"{"}:
        yield from _json(stream, filename)
        return
    try:
        with open_rows(stream, filename=filename, limit_bytes=limit_bytes) as sheets:
            yield from _excel(sheets)
    except BROKEN as error:
        raise damaged(filename) from error


def _excel(sheets: list[LongSheet]) -> Iterator[_Entry]:
    seen: list[str] = []
    matched = False
    for sheet in sheets:
        rows = sheet.rows()
        # the first rows are held, to find the header among them
        top = [(row.number, row.cells()) for row in islice(rows, WITHIN)]
        filled = [(number, cells) for number, cells in top if any(cell is not None for cell in cells)]
        heading = find_header(Sheet(sheet.name, filled), set(HEADERS), _key_of, within=WITHIN, least=4)
        if heading is None or not set(NEEDED) <= set(heading[1]):
            seen.extend(text_of(cell) for _, cells in filled[:1] for cell in cells if cell is not None)
            continue
        matched = True
        index, columns = heading
        held = [_Held(number, cells) for number, cells in filled[index + 1 :]]
        passing: Iterator[Row | _Held] = chain(held, rows)
        for row in passing:
            entry = _Entry(_picker(row, columns), sheet.name, row.number)
            if any(text_of(entry.cell(key)) for key in ("annotation_id", "symbol", "text")):
                yield entry
    if not matched:
        raise refuse(
            _l(
                "This is not an export of the Universal Human Rights Index: columns %(expected)s are expected, found were %(found)s. Choose “Export to Excel” on the index's search page, or use our own template.",  # noqa: E501 - a sentence stays in one piece
                expected=", ".join(HEADERS[key] for key in NEEDED),
                found=", ".join(text[:40] for text in seen[:16]) or "–",
            ),
            code="not_uhri",
        )


@dataclass(frozen=True)
class _Held:
    """One of the first rows, decoded."""

    number: int
    values: list[Any]

    def cell(self, at: int) -> Any:
        """Return a cell."""
        return self.values[at] if at < len(self.values) else None


def _key_of(text: str) -> str:
    return NAMES.get(normal(text), "")


def _picker(row: Row | _Held, columns: dict[str, int]) -> Callable[[str], Any]:
    def cell(key: str) -> Any:
        at = columns.get(key)
        return row.cell(at) if at is not None else None

    return cell


def _json(stream: IO[bytes], filename: str) -> Iterator[_Entry]:
    """Read the JSON export object by object: memory stays flat for 360 MB."""
    count = 0
    keys: dict[str, str] = {}
    for count, entry in enumerate(_objects(stream, filename), start=1):
        cells: dict[str, Any] = {}
        for name, value in entry.items():
            if (key := keys.get(name)) is None:
                key = _JSON_NAMES.get(normal(name), "")
                if len(keys) < 1_000:
                    keys[name] = key
            if key and value not in (None, "") and key not in cells:
                cells[key] = value
        if count == 1 and not {"text", "annotation_id"} <= set(cells):
            raise _not_json(filename, ", ".join(str(name) for name in list(entry)[:16]))
        yield _Entry(_joiner(cells), "", count)
    if not count:
        raise _not_json(filename, "–")


def _joiner(cells: dict[str, Any]) -> Callable[[str], Any]:
    return lambda key: _joined(cells.get(key))


def _joined(value: Any) -> Any:
    if isinstance(value, list):
        return "\n".join(str(_joined(part)) for part in value if part not in (None, ""))
    if isinstance(value, dict):
        return next((str(value[key]) for key in value if normal(key) in {"name", "label", "title", "value"}), "")
    return value


def _not_json(filename: str, found: str) -> Exception:
    return refuse(
        _l(
            "The file %(file)s is not a complete JSON export of the Universal Human Rights Index: objects with Text, Symbol and AnnotationId are expected, found was %(found)s. Download it again.",  # noqa: E501 - a sentence stays in one piece
            file=filename or "(.json)",
            found=found,
        ),
        code="not_uhri",
    )


LONGEST_OBJECT = 4_000_000  # characters of one annotation; the longest seen is below 100,000


def _objects(stream: IO[bytes], filename: str) -> Iterator[dict[str, Any]]:  # noqa: C901 - one scanner, one state
    """Yield the objects of the first array in a JSON text, decoding piece by piece."""
    decoder, utf8 = json.JSONDecoder(), codecs.getincrementaldecoder("utf-8-sig")("strict")
    text, begun, ended, need = "", False, False, 0
    try:
        while not ended:
            raw = stream.read(1 << 18)
            text += utf8.decode(raw, final=not raw)
            if not begun and (at := text.find("[")) >= 0:
                text, begun = text[at + 1 :], True
            at = 0
            while begun and (raw == b"" or len(text) >= need):
                while at < len(text) and text[at] in " \t\r\n,":
                    at += 1
                if at >= len(text):
                    break
                if text[at] == "]":
                    ended = True
                    break
                try:
                    entry, at = decoder.raw_decode(text, at)
                except json.JSONDecodeError:
                    if raw == b"" or len(text) - at > LONGEST_OBJECT:
                        raise
                    need = 2 * (len(text) - at)
                    break
                need = 0
                if not isinstance(entry, dict):
                    raise _not_json(filename, type(entry).__name__)
                yield entry
            text = text[at:] if begun else text[-1:] if len(text) > LONGEST_OBJECT else text
            if raw == b"" and not ended:
                raise _not_json(filename, "…")
    except (ValueError, RecursionError) as error:
        raise _not_json(filename, "…") from error
