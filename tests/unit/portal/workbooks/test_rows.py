"""Rows of a large workbook one at a time: the same values as by the reader that holds a workbook whole."""

from __future__ import annotations

import io
import re
import tracemalloc
import zipfile
from datetime import date

import openpyxl
import pytest
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from portal.errors import Invalid
from portal.workbooks import opening, uhri_files
from portal.workbooks.opening import read_sheets
from portal.workbooks.rows import open_rows
from portal.workbooks.uhri import day

HEADS = ["Text", "Countries Concerned", "Recommending Body", "Document Symbol", "OHCHR Annotation Id"]


def saved(book):
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def repacked(content, change):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out.getvalue()


def with_shared_texts(content):
    """Move the texts of the cells into the part that Excel keeps them in; openpyxl writes them in their cells."""
    texts = []

    def shared(found):
        texts.append(found[1])
        return b' t="s"><v>%d</v>' % (len(texts) - 1)

    def change(name, body):
        if "worksheets/sheet" in name:
            return re.sub(rb' t="inlineStr"><is>(.*?)</is>', shared, body, flags=re.DOTALL)
        if name.endswith("workbook.xml.rels"):
            kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
            one = b'<Relationship Id="rId99" Type="%s" Target="sharedStrings.xml"/></Relationships>' % kind
            return body.replace(b"</Relationships>", one)
        return body

    moved = io.BytesIO(repacked(content, change))
    with zipfile.ZipFile(moved, "a") as archive:
        items = b"".join(b"<si>%s</si>" % text for text in texts)
        main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        archive.writestr("xl/sharedStrings.xml", b'<sst xmlns="%s">%s</sst>' % (main, items))
    assert texts
    return moved.getvalue()


def passed_by(content, **more):
    with open_rows(content, **more) as sheets:
        return {sheet.name: [(row.number, row.cells()) for row in sheet.rows()] for sheet in sheets}


@pytest.mark.parametrize("kept", [lambda content: content, with_shared_texts], ids=["in cells", "shared"])
def test_the_same_values_as_by_the_reader_that_holds_it_whole(kept):
    book = openpyxl.Workbook()
    ws = book.active
    rich = CellRichText("one ", TextBlock(InlineFont(b=True), "two"))
    ws.append(["ក្រសួង", 12, 2.5, True, None, rich, " ", "line\nbreak", "_x0041_"])
    ws["C4"] = "far"
    ws["B6"] = "#N/A"
    ws["B6"].data_type = "e"
    other = book.create_sheet("ខ្មែរ")
    other.append([None, "x", "ក្រសួង", "_x005F_x0041_", "a_x000D_\nb"])
    content = kept(saved(book))

    whole = {sheet.name: sheet.rows for sheet in read_sheets(content)}
    streamed = {}
    for name, rows in passed_by(content).items():
        streamed[name] = [(number, cells) for number, cells in rows if any(cell is not None for cell in cells)]

    def trimmed(rows):
        shown = []
        for number, cells in rows:
            while cells and cells[-1] is None:
                cells.pop()
            shown.append((number, cells))
        return shown

    assert {name: trimmed(rows) for name, rows in streamed.items()} == {
        name: trimmed(rows) for name, rows in whole.items()
    }


def test_a_cell_is_found_by_its_column_where_blank_ones_are_left_out():
    book = openpyxl.Workbook()
    book.active["B2"], book.active["E2"] = "b", "e"
    with open_rows(saved(book)) as (sheet,):
        for row in sheet.rows():
            assert row.number == 2
            assert [row.cell(at) for at in range(6)] == [None, "b", None, None, "e", None]


def test_rows_and_cells_may_come_without_their_places():
    def bare(name, body):
        if not name.endswith("sheet1.xml"):
            return body
        return body.replace(b' r="1"', b"").replace(b' r="A1"', b"").replace(b' r="B1"', b"")

    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    assert passed_by(repacked(saved(book), bare)) == {"Sheet": [(1, ["a", "b"])]}


def test_dates_come_as_days_that_the_index_reader_knows():
    book = openpyxl.Workbook()
    book.active.append([date(2022, 5, 18)])
    ((_number, (value,)),) = passed_by(saved(book))["Sheet"]
    assert day(value) == date(2022, 5, 18)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("part", ["sheet1.xml", "sharedStrings.xml", "workbook.xml"])
def test_document_types_are_refused(part, encoding):
    def poison(name, body):
        if not name.endswith(part):
            return body
        if body.startswith(b"<?xml"):
            body = body[body.index(b"?>") + 2 :]
        kind = b'<!DOCTYPE a [<!ENTITY x "lol">]>'
        return (kind + body).decode().encode(encoding)

    book = openpyxl.Workbook()
    book.active.append(["a"])
    with pytest.raises(Invalid) as caught:
        passed_by(repacked(with_shared_texts(saved(book)), poison))
    assert caught.value.code == "damaged"


def test_what_unpacks_to_more_than_a_web_upload_may_is_left_to_the_command_line(monkeypatch):
    from portal.workbooks import rows

    book = openpyxl.Workbook()
    for number in range(200):
        book.active.append([f"text {number}"])
    content = saved(book)
    monkeypatch.setattr(rows, "UNPACKED", 5_000)
    with pytest.raises(Invalid) as caught:
        passed_by(content)
    assert caught.value.code == "bomb"
    assert len(passed_by(content, limit_bytes=opening.LIMIT_BYTES + 1)["Sheet"]) == 200


def test_rows_of_other_countries_pass_by_without_being_held():
    def exported(many):
        book = openpyxl.Workbook(write_only=True)
        ws = book.create_sheet()
        ws.append(HEADS)
        for number in range(many):
            text = f"{number % 90 + 1}. " + f"Do it, number {number}. " * 20
            ws.append([text, "Cambodia" if number % 500 == 0 else "Else", "CCPR", "X/1", f"id-{number}"])
        return with_shared_texts(saved(book))

    def peak(content):
        found = uhri_files.UhriFile()
        tracemalloc.start()
        try:
            own = list(uhri_files.scan(content, ["Cambodia"], found))
            return tracemalloc.get_traced_memory()[1], len(own), found.other_countries
        finally:
            tracemalloc.stop()

    small, large = exported(1_000), exported(8_000)
    peak(small)  # what is made once
    (little, *_), (much, own, others) = peak(small), peak(large)
    assert (own, others) == (16, 7_984)
    # seven thousand more rows of half a kilobyte each
    assert much - little < 800_000
