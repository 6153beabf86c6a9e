from __future__ import annotations

import io
from dataclasses import asdict
from datetime import date

import openpyxl
import pytest

from portal.errors import Invalid
from portal.workbooks import recommendations

ROW = {
    "symbol": "A/HRC/1/2", "mechanism": "UPR", "title": {"en": "Report"}, "adopted": None, "published": date(2024, 7, 1),
    "paragraph": "12.10", "sub_item": "a", "kind": "recommendation", "heading": {}, "texts": {"km": "ធ្វើ", "en": "-Do"},
    "summary": {"km": "សូម"}, "text_status": "working", "themes": ("A", ["B", " c"][0]), "affected": (), "sdgs": ("16.3",),
    "follow_up": True, "state_position": "partly", "recommending_state": "Ruritania", "pair": "", "uhri_id": "u-1", "problems": (),
}  # fmt: skip


def test_what_is_exported_comes_back_the_same():
    back = recommendations.read(recommendations.template(["km", "en"], [ROW]), ["km", "en"])
    assert back.problems == []
    (row,) = back.rows
    assert (row.sheet, row.row) == ("Recommendations", 2)
    assert {**asdict(row), "sheet": 0, "row": 0} == {**ROW, "sheet": 0, "row": 0}


def test_an_empty_template_is_read_as_no_rows():
    assert recommendations.read(recommendations.template(["km", "en"]), ["km", "en"]).rows == []


def test_wrong_cells_are_problems_of_their_row():
    book = openpyxl.Workbook()
    book.active.append(["Document symbol", "Mechanism", "Paragraph", "Kind", "Publication date", "Text (en)"])
    book.active.append(["A/1", None, 7, "wish", "soon", None])
    stream = io.BytesIO()
    book.save(stream)
    (row,) = recommendations.read(stream.getvalue(), ["en"]).rows
    assert row.paragraph == "7"
    assert [one.field for one in row.problems] == ["mechanism", "texts", "kind", "published"]


def test_another_workbook_is_refused():
    stream = io.BytesIO()
    openpyxl.Workbook().save(stream)
    with pytest.raises(Invalid):
        recommendations.read(stream.getvalue(), ["en"])
