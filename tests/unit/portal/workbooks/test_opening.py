from __future__ import annotations

import io
import random
import zipfile

import openpyxl
import pytest

from portal.errors import Invalid
from portal.workbooks.opening import open_workbook, read_sheets
from portal.workbooks.rows import open_rows


def valid(rows=20) -> bytes:
    book = openpyxl.Workbook()
    for number in range(1, rows + 1):
        book.active.append([number, f"ស្ថាប័ន {number}", 2.5, True])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def repacked(content: bytes, change, *, extra=()) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, change(entry.filename, old.read(entry.filename)))
        for name, body in extra:
            new.writestr(name, body)
    return out.getvalue()


def refused(content: bytes, code: str, **kwargs):
    for reader in (open_workbook, read_sheets):
        with pytest.raises(Invalid) as caught:
            reader(io.BytesIO(content), filename="returned.xlsx", **kwargs)
        assert caught.value.code == code
        assert "returned.xlsx" in str(caught.value)


def test_a_plain_workbook_opens_both_ways():
    assert open_workbook(valid()).active["B1"].value == "ស្ថាប័ន 1"
    sheet = read_sheets(valid())[0]
    assert sheet.rows[0] == (1, [1, "ស្ថាប័ន 1", 2.5, True])
    assert sheet.rows[-1][0] == 20


def test_row_and_column_numbers_are_those_excel_shows():
    book = openpyxl.Workbook()
    book.active["C5"] = "here"
    stream = io.BytesIO()
    book.save(stream)
    assert read_sheets(stream.getvalue())[0].rows == [(5, [None, None, "here"])]


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (OLE, "old_excel"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (OLE + "WordDocument".encode("utf-16-le"), "not_a_workbook"),
        (b"%PDF-1.7 ...", "not_a_workbook"),
        (b"<html><table>", "not_a_workbook"),
        (b"code,name\nA,B\n", "not_a_workbook"),
        (b'{"a": 1}', "not_a_workbook"),
        (bytes(range(256)) * 4, "not_a_workbook"),
    ],
)
def test_disguises_are_named(content, code):
    refused(content, code)


def test_too_large_is_refused_with_its_limit():
    refused(valid(), "too_large", limit_bytes=1000)


def test_macros_zips_and_word_documents_are_refused():
    refused(repacked(valid(), lambda name, body: body, extra=[("xl/vbaProject.bin", b"x")]), "macros")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "hello")
    refused(out.getvalue(), "not_a_workbook")
    word = repacked(valid(), lambda name, body: body.replace(b"spreadsheetml", b"wordprocessingml"))
    refused(word, "not_a_workbook")


def test_bombs_are_not_opened():
    bomb = repacked(valid(), lambda name, body: body, extra=[("xl/media/a.xml", bytes(30_000_000))])
    refused(bomb, "bomb")
    many = repacked(valid(), lambda name, body: body, extra=[(f"xl/media/{n}.bin", b"") for n in range(2100)])
    refused(many, "bomb")


def test_entities_are_refused():
    def poison(name, body):
        if name.endswith("sheet1.xml"):
            return b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + body
        return body

    refused(repacked(valid(), poison), "damaged")


def test_a_cell_in_the_last_corner_does_not_fill_memory():
    book = openpyxl.Workbook()
    book.active["A1"] = "a"
    book.active["XFD1048576"] = "z"
    stream = io.BytesIO()
    book.save(stream)
    with pytest.raises(Invalid) as caught:
        read_sheets(stream.getvalue())
    assert caught.value.code == "too_many_cells"


def test_blank_formatted_cells_are_bounded():
    def swell(name, body):
        if not name.endswith("sheet1.xml"):
            return body
        rows = b"".join(
            b'<row r="%d"><c r="A%d" s="0"/><c r="B%d" s="0"/></row>' % (n, n, n) for n in range(21, 250_000)
        )
        return body.replace(b"</sheetData>", rows + b"</sheetData>")

    content = repacked(valid(), swell)
    assert len(read_sheets(content)[0].rows) == 20
    with pytest.raises(Invalid) as caught:
        open_workbook(content)
    assert caught.value.code == "too_many_cells"


def passed_by(source, filename=""):
    with open_rows(source, filename=filename) as sheets:
        return [(sheet.name, [(row.number, row.cells()) for row in sheet.rows()]) for sheet in sheets]


def test_nothing_but_a_sentence_whatever_the_bytes():
    content = valid(60)
    chance = random.Random(7)
    samples = [content[: len(content) * part // 50] for part in range(50)]
    for _ in range(60):
        flipped = bytearray(content)
        for _ in range(chance.randint(1, 6)):
            flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
        samples.append(bytes(flipped))

    def damage(name, body):
        body = bytearray(body)
        for _ in range(3):
            at = chance.randrange(len(body))
            body[at : at + chance.randint(0, 4)] = bytes(chance.choices(b'<>/"=rs9 ', k=chance.randint(0, 3)))
        return bytes(body)

    samples += [repacked(content, damage) for _ in range(80)]
    samples += [b"PK\x03\x04" + chance.randbytes(400) for _ in range(20)]
    for sample in samples:
        for reader in (open_workbook, read_sheets, passed_by):
            try:
                reader(io.BytesIO(sample), filename="x.xlsx")
            except Invalid as error:
                assert str(error)  # noqa: PT017 - reading well is allowed too
