from __future__ import annotations

import io

import openpyxl
import pytest

from portal.errors import Invalid
from portal.workbooks import texts

ROW = {
    "id": "0190-abc", "symbol": "CCPR/C/XXX/CO/1", "paragraph": "27", "sub_item": "a", "heading": {"en": "Courts"},
    "texts": {"en": "=Do it"}, "summary": {}, "text_status": "none", "checked_by": "",
}  # fmt: skip


def cell(ws, start):
    return next(one for one in ws[1] if str(one.value).split("\n")[-1].startswith(start)).column


def test_an_untouched_workbook_changes_nothing():
    back = texts.read(texts.write([ROW], ["km", "en"]), ["km", "en"])
    assert (back.rows, back.unchanged, back.problems) == ([], 1, [])


def test_only_changed_cells_come_back_with_what_was_seen():
    book = openpyxl.load_workbook(io.BytesIO(texts.write([ROW], ["km", "en"])))
    ws = book["Texts"]
    ws.cell(2, cell(ws, "Text, Khmer (km)")).value = "ធ្វើវា"
    stream = io.BytesIO()
    book.save(stream)
    (row,) = texts.read(stream.getvalue(), ["km", "en"]).rows
    assert (row.id, row.row, row.changed) == ("0190-abc", 2, {("texts", "km"): "ធ្វើវា"})
    assert not row.stale("texts", "km", "")
    assert row.stale("texts", "km", "somebody else's")
    assert not row.stale("texts", "en", "=Do it")


def test_another_workbook_is_refused():
    stream = io.BytesIO()
    openpyxl.Workbook().save(stream)
    with pytest.raises(Invalid):
        texts.read(stream.getvalue(), ["km", "en"])
