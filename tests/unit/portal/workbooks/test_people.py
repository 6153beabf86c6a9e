from __future__ import annotations

import io
from dataclasses import asdict

import openpyxl
import pytest

from portal.errors import Invalid
from portal.workbooks import people

LANGUAGES = ("km", "en")
ROLES = {"focal_point": {"en": "Focal point", "km": "មន្ត្រីទំនាក់ទំនង"}, "approver": {"en": "Approver"}}
HONORIFICS = [{"code": "excellency_m", "names": {"en": "His Excellency", "km": "ឯកឧត្តម"}}]
PLACE = {
    "code": "MOJ", "names": {"km": "ក្រសួងយុត្តិធម៌", "en": "Ministry of Justice"}, "parent": "", "rank": "30",
    "kind": "ministry", "letter_form": {"en": "=cmd"},
}  # fmt: skip
PERSON = {
    "institution": "MOJ", "role": "focal_point", "login": "moj.focal", "names": {"en": "Focal point, Ministry of Justice"},
    "honorific": "excellency_m", "post": {"km": "នាយករង"}, "phone": "+85512345678", "telegram": "@moj", "email": "",
    "language": "km",
}  # fmt: skip


def made(institutions=(PLACE,), persons=(PERSON,)):
    return people.template(LANGUAGES, ROLES, HONORIFICS, institutions, persons)


def test_what_is_exported_comes_back_the_same():
    rows = people.read(made(), LANGUAGES)
    assert rows.problems == []
    (place,) = rows.institutions
    (person,) = rows.persons
    assert (place.sheet, place.row, person.sheet, person.row) == ("Institutions", 2, "Persons", 2)
    assert {**asdict(place), "sheet": 0, "row": 0} == {**PLACE, "sheet": 0, "row": 0}
    assert {**asdict(person), "sheet": 0, "row": 0} == {**PERSON, "sheet": 0, "row": 0}


def test_an_empty_template_has_no_rows_and_no_problems():
    rows = people.read(made((), ()), LANGUAGES)
    assert (rows.institutions, rows.persons, rows.problems) == ([], [], [])


def test_a_workbook_by_hand_is_read_by_its_headers_in_any_order():
    book = openpyxl.Workbook()
    book.active.append(["Our institutions"])
    book.active.append([])
    book.active.append(["Name (en)", "CODE", "Remarks", "Name (fr)"])
    book.active.append(["Ministry of Health", " MOH "])
    book.active.append([None, "  "])
    stream = io.BytesIO()
    book.save(stream)
    rows = people.read(stream.getvalue(), LANGUAGES)
    (place,) = rows.institutions
    assert (place.code, place.names, place.row) == ("MOH", {"en": "Ministry of Health"}, 4)
    assert [problem.column for problem in rows.problems] == ["C", "D"]


def test_another_workbook_is_refused_in_one_sentence():
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    stream = io.BytesIO()
    book.save(stream)
    with pytest.raises(Invalid) as caught:
        people.read(stream.getvalue(), LANGUAGES)
    assert caught.value.code == "wrong_template"


def test_no_cell_of_the_template_is_a_formula():
    book = openpyxl.load_workbook(io.BytesIO(made()))
    assert {cell.data_type for ws in book for row in ws.iter_rows() for cell in row} <= {"s", "n"}
    assert book["_lists"].sheet_state == "hidden"
