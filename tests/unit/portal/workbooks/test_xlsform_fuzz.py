"""Whatever a file holds: a report in sentences or one refusal, never an accident; and what is taken goes round."""

from __future__ import annotations

import io
import os
import zipfile
from datetime import date, datetime, time

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forms.definition.check import check
from forms.definition.rows import RawRow
from forms.definition.writing import canonical, sheets
from portal.errors import Invalid
from portal.workbooks import xlsform_out
from portal.workbooks.xlsform_check import examine
from portal.workbooks.xlsform_judge import judge

# no control characters: a workbook cannot hold them, and the writer replaces them
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
NAMES = st.sampled_from(
    ["a", "b", "c", "ok", "ចំនួន", "1st", "two words", "a" * 90, "x:y", "-", "", "b[1]", "b@km", "b!state"]
)
TYPES = st.sampled_from(
    [
        "text",
        "integer",
        "decimal",
        "range",
        "note",
        "date",
        "time",
        "dateTime",
        "file",
        "image",
        "calculate",
        "hidden",
        "acknowledge",
        "select_one l",
        "select_multiple l",
        "select_one l or_other",
        "rank l",
        "select_one_from_file t.csv",
        "select_one ${a}",
        "begin_group",
        "end_group",
        "begin_repeat",
        "end_repeat",
        "begin_kobomatrix",
        "end_kobomatrix",
        "begin_score",
        "score__row",
        "end_score",
        "start",
        "today",
        "audit",
        "geopoint",
        "percentage",
        "money",
        "year",
        "period",
        "form_id",
        "osm",
        "begin loop over l",
        "end loop",
        "intger",
        "select_one",
        "range",
        "xml-external",
        "",
    ]
)
RULES = st.sampled_from(
    ["", "", "${a} > 1", "${nobody}", "((((", "selected(${b}, 'x')", "yes", "false", "${a} = “x”", "'", "regex(., '(a+)+$')",
     "sum(${a})", "../a", ". + 1", "pulldata('t','x','y',${a})", "today()", "x" * 300]
)  # fmt: skip
COLUMNS = {
    "type": TYPES, "name": NAMES, "label": TEXT, "label::Khmer (km)": TEXT, "hint::English": TEXT, "relevant": RULES,
    "calculation": RULES, "constraint": RULES, "required": RULES, "choice_filter": RULES, "default": RULES,
    "repeat_count": RULES, "parameters": st.sampled_from(["", "start=1 end=x", "rows=3", "=", "a=b;c", "rows=99999999999"]),
    "appearance": st.sampled_from(["", "multiline", "table-list", "field-list", "search('x')"]),
    "matrix_rows": st.sampled_from(["", "l", "none"]), "kobo--score-choices": st.sampled_from(["", "l"]),
    "word_budget": st.sampled_from(["", "12", "1.0", "-3", "៥", "1e9"]), "own_type": st.sampled_from(["", "money", "poem"]),
    "setting::deep": st.sampled_from(["", "{}", '{"a": [1, null]}', "[[[", "1"]), "own column": TEXT,
    "or_other": st.sampled_from(["", "yes", "no", "perhaps"]), "specifies": NAMES, "total": st.sampled_from(["", "sum", "x"]),
}  # fmt: skip
CHOICES = {"list_name": st.sampled_from(["l", "m", ""]), "name": st.sampled_from(["x", "y", "other", "a b", ""]), "label": TEXT, "Extra": TEXT, "retired": st.sampled_from(["", "yes"])}  # fmt: skip
SETTINGS = {"form_title": TEXT, "form_id": TEXT, "default_language": st.sampled_from(["", "Khmer (km)", "en", "ភាសា", "(("]), "allow_choice_duplicates": st.sampled_from(["", "yes"]), "My own": TEXT}  # fmt: skip
TABLE = {"name": TEXT, "label": TEXT, "x": TEXT}


def rows(name, columns, most):
    letters = dict.fromkeys(columns, "A")
    return st.lists(st.fixed_dictionaries({}, optional=columns), max_size=most).map(
        lambda found: [
            RawRow(name, number, {key: text for key, text in one.items() if text.strip()}, letters)
            for number, one in enumerate(found, 2)
        ]
    )


BOOKS = st.fixed_dictionaries(
    {"survey": rows("survey", COLUMNS, 9), "choices": rows("choices", CHOICES, 5)},
    optional={"settings": rows("settings", SETTINGS, 2), "t": rows("t", TABLE, 3)},
)
SLOW = settings(max_examples=int(os.environ.get("FUZZ", "60")), deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(BOOKS)
def test_any_rows_give_a_report(book):
    report = check(book)
    for one in report.problems:
        assert str(one.message)
        assert one.mend is None or str(one.mend)
    assert (report.definition is None) == bool(report.errors)
    if report.definition is not None:
        judge(report.definition, report.places)
        report.definition.compiled  # noqa: B018 - it must compile


def sound(column, words):
    return st.sampled_from(words.split("|"))


SOUND = {
    **COLUMNS,
    "type": sound("type", "text|integer|note|date|select_one l|select_multiple l|rank l|select_one l or_other|geopoint|money|begin_group|end_group|begin_repeat|end_repeat|today|file|range|calculate"),
    "relevant": st.sampled_from(["", "1 = 1"]), "calculation": st.sampled_from(["", "1 + 1"]), "constraint": st.sampled_from(["", ". != ''"]),
    "required": st.sampled_from(["", "yes"]), "choice_filter": st.sampled_from(["", "Extra = 'x'"]), "default": st.sampled_from(["", "x"]),
    "repeat_count": st.sampled_from(["", "3"]), "parameters": st.sampled_from(["", "rows=3", "a=b"]), "word_budget": st.sampled_from(["", "12"]),
    "setting::deep": st.sampled_from(["", '{"a": [1, null]}']), "or_other": st.sampled_from(["", "yes"]), "total": st.sampled_from(["", "sum"]),
    "own_type": st.sampled_from(["", "money"]), "matrix_rows": st.sampled_from(["", "l"]),
}  # fmt: skip


def closed(found):
    """Name the rows one by one, and close what was opened in its order, so that most of the books can be used."""
    made, depth = [], []
    for number, row in enumerate(found, 2):
        cells = {**row.cells, "name": f"q{number}", "label": row.cells.get("label") or f"Question {number}"}
        kind = cells.get("type", "text")
        if kind.startswith("end"):
            if not depth:
                continue
            kind = cells["type"] = depth.pop()
        elif kind.startswith("begin"):
            if cells.get("matrix_rows") and any("repeat" in one for one in depth):
                del cells["matrix_rows"]
            depth.append(kind.replace("begin", "end"))
        elif kind == "calculate":
            cells["calculation"] = "1"
        if not kind.startswith("begin_repeat"):
            cells.pop("matrix_rows", None)
        made.append(RawRow("survey", number, {**cells, "type": kind}, row.columns))
    end = len(found) + 2
    made.extend(RawRow("survey", end + at, {"type": kind}, {}) for at, kind in enumerate(reversed(depth)))
    return made


@settings(max_examples=int(os.environ.get("FUZZ", "40")), deadline=None, suppress_health_check=list(HealthCheck))
@given(rows("survey", SOUND, 9).map(closed), st.booleans())
def test_what_is_taken_goes_round(survey, titled):
    choices = [
        RawRow("choices", 2, {"list_name": "l", "name": "x", "label": "X", "Extra": "x"}, {}),
        RawRow("choices", 3, {"list_name": "l", "name": "y", "label::Khmer (km)": "យ"}, {}),
    ]
    book = {"survey": survey, "choices": choices}
    if titled:
        book["settings"] = [RawRow("settings", 2, {"form_title": "T", "form_id": "t", "version": "2"}, {})]
    first = check(book).definition
    if first is None:
        return
    workbook = xlsform_out.write(first)
    report = examine(workbook, filename="x.xlsx")
    assert [str(one.message) for one in report.errors] == []
    assert canonical(report.definition) == canonical(first)
    assert xlsform_out.write(report.definition) == workbook
    assert len(sheets(first)[0].rows) == len(sheets(first)[0].codes)


def sentences(content, filename):
    """Return what is said of a file, whether it can be read or not."""
    try:
        return [str(one.message) for one in examine(content, filename=filename).problems]
    except Invalid as error:
        return [str(one.message) for one in error.problems] or [""]


def workbook(sheets_of):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, lines in sheets_of.items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


CELLS = [None, 1, 1.0, 1.5, True, "1.0", date(2026, 1, 2), datetime(2026, 1, 2, 3, 4), time(5, 6), "<script>alert(1)</script>", "_x0041_", "=1+1", "\u200b", "a" * 5000]  # fmt: skip  # noqa: DTZ001 - cells hold no time zone


@settings(max_examples=int(os.environ.get("FUZZ", "30")), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(st.sampled_from(CELLS), min_size=4, max_size=4), max_size=5))
def test_cells_of_any_kind_are_read(lines):
    content = workbook({"survey": [["type", "name", "label", "default"], ["text", "a", "A", None], *lines]})
    assert all(sentences(content, "cells.xlsx"))


GOOD = workbook({"survey": [["type", "name", "label"], ["text", "a", "A"]]})


@settings(max_examples=int(os.environ.get("FUZZ", "40")), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_damaged_workbook_is_refused_in_a_sentence(data):
    content = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    assert all(sentences(bytes(content[:cut]) if data.draw(st.booleans()) else bytes(content), "x.xlsx"))


@settings(max_examples=int(os.environ.get("FUZZ", "60")), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace"))),
    st.sampled_from(["x.xlsx", "x.xls", "x.csv", "x.md", ""]),
    st.sampled_from(
        [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"| survey |\n", b"survey,type,name,label\n"]
    ),
)
def test_any_bytes_under_any_name(rest, filename, start):
    assert all(sentences(start + rest, filename))


def test_labels_with_script_stay_text_and_formulas_are_no_formulas():
    first = examine(
        b"| survey |\n| | type | name | label |\n| | text | a | =cmd()<script>x</script> |\n", filename="f.md"
    ).definition
    assert first.question("a").texts["label"]["en"] == "=cmd()<script>x</script>"
    sheet = openpyxl.load_workbook(io.BytesIO(xlsform_out.write(first)))["survey"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}


def test_a_list_of_ten_thousand_choices_is_taken():
    lines = [["list_name", "name", "label"], *(["l", f"k{number}", f"Place {number}"] for number in range(10_000))]
    content = workbook({"survey": [["type", "name", "label"], ["select_one l", "a", "A"]], "choices": lines})
    definition = examine(content, filename="many.xlsx").definition
    assert len(definition.question("a").choices) == 10_000


@pytest.mark.parametrize(("depth", "taken"), [(50, True), (61, False), (400, False)])
def test_groups_in_groups_end_somewhere(depth, taken):
    lines = [
        ["type", "name", "label"],
        *(["begin_group", f"g{n}", "G"] for n in range(depth)),
        ["text", "a", "A"],
        *[["end_group"]] * depth,
    ]
    report = examine(workbook({"survey": lines}), filename="deep.xlsx")
    assert (report.definition is not None) is taken
    assert taken or [str(one.message) for one in report.errors] == ["Groups stand in groups more than 60 deep."]


def test_a_sheet_that_is_too_long_is_refused_in_a_sentence():
    lines = [["type", "name", "label"], *(["text", f"q{number}", "Q"] for number in range(20_001))]
    report = examine(workbook({"survey": lines}), filename="long.xlsx")
    assert "more than" in str(report.errors[0].message)


def test_a_bomb_is_refused():
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(GOOD)) as before, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as after:
        for entry in before.infolist():
            after.writestr(entry.filename, before.read(entry))
        after.writestr("xl/media/image1.xml", b" " * 300_000_000)
    with pytest.raises(Invalid):
        examine(stream.getvalue(), filename="bomb.xlsx")
