from __future__ import annotations

import io
from datetime import date

import openpyxl
import pytest

from portal.errors import Invalid
from portal.workbooks import wording

ROW = {
    "id": "0123.0", "used": "page: People", "files": "templates/people/institutions.html", "english": "=People",
    "form": "", "keep": "", "text": {"km": "បុគ្គល"}, "checked_by": {"km": "A native reader"},
    "checked_on": {"km": date(2026, 3, 27)}, "note": {}, "shipped": {},
}  # fmt: skip


def at(ws, start):
    return next(one.column for one in ws[1] if str(one.value).split("\n")[-1].startswith(start))


def changed(**cells):
    book = openpyxl.load_workbook(io.BytesIO(wording.write([ROW], ["km"], "km")))
    ws = book["Wording"]
    for start, value in cells.items():
        ws.cell(2, at(ws, start.replace("_", " "))).value = value
    stream = io.BytesIO()
    book.save(stream)
    return wording.read(stream.getvalue(), ["km"])


def test_an_untouched_workbook_changes_nothing():
    back = wording.read(wording.write([ROW], ["km"], "km"), ["km"])
    assert (back.rows, back.unchanged, back.problems) == ([], 1, [])


def test_changed_cells_come_back_with_what_was_seen():
    (row,) = changed(Words="មនុស្ស", Checked_on=date(2026, 4, 1)).rows
    assert row.changed == {("text", "km"): "មនុស្ស", ("checked_on", "km"): "2026-04-01"}
    assert (row.id, row.row, row.english) == ("0123.0", 2, "=People")
    assert not row.stale("text", "km", "បុគ្គល")
    assert row.stale("text", "km", "somebody else's")


def test_a_damaged_row_is_named_and_the_others_are_read():
    back = changed(Check_mark="{")
    assert [one.row for one in back.problems] == [2]
    assert back.rows == []


def test_the_sheet_is_fit_for_readers():
    ws = openpyxl.load_workbook(io.BytesIO(wording.write([ROW], ["km"], "km")))["Wording"]
    assert ws.freeze_panes == "E2"
    assert ws.auto_filter.ref.startswith("A1:")
    assert ws.cell(2, at(ws, "English words")).data_type == "s"
    words = ws.cell(2, at(ws, "Words, Khmer"))
    assert (words.font.name, words.alignment.wrap_text, words.protection.locked) == ("Khmer OS Siemreap", True, False)
    assert ws.cell(2, at(ws, "English words")).protection.locked
    assert ws.column_dimensions["A"].hidden


def test_another_workbook_is_refused():
    stream = io.BytesIO()
    openpyxl.Workbook().save(stream)
    with pytest.raises(Invalid):
        wording.read(stream.getvalue(), ["km"])
