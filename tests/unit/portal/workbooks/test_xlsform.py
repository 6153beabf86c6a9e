from __future__ import annotations

import io

import openpyxl
import pytest

from portal.errors import Invalid
from portal.workbooks import xlsform


def made(rows, title="Survey"):
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_rows_have_normalised_headers_sheet_row_and_column():
    rows = xlsform.read(
        made(
            [
                ["Type", "name", " Label :: Khmer (km) ", "Constraint Message"],
                ["text", "q1", "ឈ្មោះ"],
                [],
                ["integer", "q2", 5],
            ]
        ),
        filename="q.xlsx",
    )
    first, second = rows["survey"]
    assert first.cells == {"type": "text", "name": "q1", "label::Khmer (km)": "ឈ្មោះ"}
    assert first.columns["constraint_message"] == "D"
    assert (second.sheet, second.row, second.get("label::Khmer (km)")) == ("Survey", 4, "5")


def test_reading_stops_after_twenty_blank_rows():
    rows = xlsform.read(made([["type", "name"], ["text", "a"], *[[]] * 25, ["text", "b"]]))
    assert [row.get("name") for row in rows["survey"]] == ["a"]


def test_a_formula_without_result_is_reported_with_its_cell():
    with pytest.raises(Invalid) as caught:
        xlsform.read(made([["type", "name"], ["text", "=A1"]]))
    assert [(one.sheet, one.row, one.column) for one in caught.value.problems] == [("Survey", 2, "B")]


def test_a_workbook_without_survey_is_refused():
    with pytest.raises(Invalid) as caught:
        xlsform.read(made([["a"]], "Budget"))
    assert "Budget" in str(caught.value)


MARKDOWN = """
| survey |
|        | type | name | label |
|        | ---- | ---- | ----- |
|        | select_one yn | q1 | A \\| B |
| choices |
|        | list_name | name | label |
|        | yn | y | Yes |
"""


def test_markdown_and_csv_are_read_alike():
    rows = xlsform.read(MARKDOWN.encode(), filename="q.md")
    assert rows["survey"][0].get("label") == "A | B"
    assert rows["choices"][0].get("name") == "y"
    text = 'survey,,\n,type,name\n,text,"q,1"\nchoices,,\n,list_name,name\n,yn,y\n'
    rows = xlsform.read(b"\xef\xbb\xbf" + text.encode(), filename="q.csv")
    assert rows["survey"][0].get("name") == "q,1"
    assert rows["choices"][0].row == 6


@pytest.mark.parametrize("filename", ["q.csv", "q.md", "q.xlsx", ""])
def test_the_content_decides_and_not_the_name(filename):
    for content in (
        made([["type", "name", "label"], ["text", "a", "A"]]),
        b"| survey |\n| | type | name | label |\n| | text | a | A |\n",
        b"survey,type,name,label\n,text,a,A\n",
        '"survey";"type";"name";"label"\r\n;"text";"a";"A"\r\n'.encode("utf-8-sig"),
    ):
        (row,) = xlsform.read(content, filename=filename)["survey"]
        assert row.cells == {"type": "text", "name": "a", "label": "A"}


def test_unknown_columns_keep_their_case_and_doubled_ones_are_numbered():
    (row,) = xlsform.read(made([["TYPE", "name", "label", "My Column", "label"], ["text", "a", "A", "x", "B"]]))[
        "survey"
    ]
    assert row.cells == {"type": "text", "name": "a", "label": "A", "My Column": "x", "label (2)": "B"}


def test_tables_come_in_files_beside_and_under_their_names():
    table = "Code;Amount\nmoj;120\n".encode("utf-8-sig")
    rows = xlsform.read(made([["type", "name"], ["text", "a"]]), tables=[("folder/Budget.csv", table)])
    assert [(row.sheet, row.cells) for row in rows["budget"]] == [("Budget", {"Code": "moj", "Amount": "120"})]
    with pytest.raises(Invalid):
        xlsform.read(made([["type", "name"], ["text", "a"]]), tables=[("x" * 40 + ".csv", table)])
