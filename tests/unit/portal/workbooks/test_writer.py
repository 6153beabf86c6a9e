from __future__ import annotations

import io
from datetime import UTC, date, datetime, time
from decimal import Decimal

import openpyxl
import pytest

from portal.table import Column, Link, Table
from portal.workbooks.cell_text import MOST, split_text, units
from portal.workbooks.opening import read_sheets, text_of
from portal.workbooks.plain import write_csv
from portal.workbooks.writer import ReportBook

NAUGHTY = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "'quoted", "007", "2024-01-01", "1e5", "TRUE", "</script><b>",
    "ការអនុវត្ត \u200bអនុសាសន៍", "\u202eright to left", "line\nbreak", '=HYPERLINK("http://x","y")', "|cmd", "😀" * 10, "&amp;", "]]>",
]  # fmt: skip


def written(values, kind="text"):
    book = ReportBook(time_zone="Asia/Phnom_Penh")
    book.sheet(
        Table("T", {"en": "T"}, (Column("a", {"en": "=Header"}, kind, wrap=True),), [[value] for value in values])
    )
    return book, openpyxl.load_workbook(io.BytesIO(book.content()))


@pytest.mark.parametrize("value", NAUGHTY)
def test_text_comes_back_exactly_and_is_never_a_formula(value):
    _, back = written([value])
    cell = back["T"]["A2"]
    assert cell.value == value
    assert cell.data_type == "s"
    assert back["T"]["A1"].data_type == "s"


def test_what_looks_like_an_escape_is_escaped_as_excel_does():
    book, _ = written(["_x0041_"])
    (row,) = read_sheets(book.content())[0].rows[1:]
    assert text_of(row[1][0]) == "_x0041_"


def test_formula_like_text_stays_text_when_edited():
    _, back = written(["=1+1", "word"])
    assert back["T"]["A2"].quotePrefix
    assert not back["T"]["A3"].quotePrefix


def test_control_characters_are_replaced_and_listed():
    book, back = written(["a\x00b\x1f"])
    assert back["T"]["A2"].value == "a\ufffdb\ufffd"
    assert book.notes[0].cell == "A2"
    assert back["Notes"]["B2"].value == "A2"


@pytest.mark.parametrize("letter", ["x", "ក្ខុំ", "😀"])
def test_long_text_goes_on_in_the_next_column(letter):
    text = (letter * 40_000)[:40_000]
    book, back = written(["short", text])
    parts = [cell.value for cell in back["T"][3] if cell.value]
    assert "".join(parts) == text
    assert all(units(part) <= MOST for part in parts)
    assert back["T"]["B1"].value.endswith(f"(2 of {len(parts)})")
    assert book.notes


def test_a_cut_never_separates_a_khmer_cluster():
    parts = split_text("ក្ខុំ" * 10, most=12)
    assert "".join(parts) == "ក្ខុំ" * 10
    assert all(part[0] == "ក" for part in parts)


def test_numbers_and_dates_are_typed_in_the_countrys_time_zone():
    _, back = written([5, Decimal("2.50"), date(2026, 3, 1), datetime(2026, 3, 1, 20, 30, tzinfo=UTC), None, True])
    column = [row[0].value for row in back["T"].iter_rows(min_row=2)]
    days = [datetime(2026, 3, 1), datetime(2026, 3, 2, 3, 30)]  # noqa: DTZ001 - Excel knows no zones
    assert column == [5, 2.5, *days, None, True]
    assert back["T"]["A4"].number_format == "yyyy-mm-dd"


@pytest.mark.parametrize("kind", ["time", "text", "date"])
def test_a_time_of_day_is_a_time_in_any_column(kind):
    _, back = written([time(14, 30), time(0, 0), time(7, 5, 9)], kind)
    cells = [back["T"][f"A{row}"] for row in (2, 3, 4)]
    assert [cell.value for cell in cells] == [time(14, 30), time(0, 0), time(7, 5, 9)]
    assert {cell.number_format for cell in cells} == {"hh:mm"}


def test_what_excel_cannot_hold_is_text_and_listed():
    book, back = written([12345678901234567890, float("nan"), date(1890, 1, 1)])
    assert [back["T"][f"A{n}"].value for n in (2, 3, 4)] == ["12345678901234567890", "nan", "1890-01-01"]
    assert len(book.notes) == 3


def test_only_web_and_internal_addresses_become_links():
    book, back = written(
        [Link("https://example.org/a", "=x"), Link("javascript:alert(1)", "no"), Link("#'T'!A1", "up")]
    )
    assert back["T"]["A2"].hyperlink.target == "https://example.org/a"
    assert back["T"]["A2"].value == "=x"
    assert back["T"]["A2"].data_type == "s"
    assert back["T"]["A3"].hyperlink is None
    assert back["T"]["A4"].hyperlink.location == "'T'!A1"
    assert len(book.notes) == 1


def test_sheet_titles_are_short_legal_and_unique():
    book = ReportBook()
    titles = [book.add(code).title for code in ("a/b:c", "A-B-C", "ក" * 40, "ក" * 40, "", "History")]
    assert len({title.lower() for title in titles}) == 6
    assert all(units(title) <= 31 for title in titles)


def test_khmer_cells_name_a_khmer_font():
    _, back = written(["ខ្មែរ", "Latin"])
    assert back["T"]["A2"].font.name == "Khmer OS Siemreap"
    assert back["T"]["A3"].font.name == "Calibri"


def test_a_saved_file_is_whole(tmp_path):
    book, _ = written(["x"])
    book.save(tmp_path / "out.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["out.xlsx"]


def test_csv_has_a_mark_and_no_formula():
    out = io.BytesIO()
    rows = [["=1+1", -5], ["ខ្មែរ", Decimal("1.5")]]
    write_csv(Table("T", {}, (Column("a", {"en": "A"}), Column("b", {"en": "B"}, "decimal")), rows), out)
    assert out.getvalue().decode("utf-8") == "\ufeffA,B\r\n'=1+1,-5\r\nខ្មែរ,1.5\r\n"
