"""Questionnaires through LibreOffice: what we write it opens, and what it saves in the old format we read."""

from __future__ import annotations

from forms.definition.writing import canonical
from portal.workbooks import xlsform_out
from portal.workbooks.xlsform_check import examine
from tests.office import convert, needs_office
from tests.xlsform_cases import cases

pytestmark = needs_office
TITLES = ("One of a list, several of a list, in two languages", "A table of laws", "Choices from an attached table")


def test_an_export_saved_as_old_excel_is_the_same_questionnaire_whatever_its_name(tmp_path):
    made = [examine(cases()[title][0].encode(), filename="form.md").definition for title in TITLES]
    for number, definition in enumerate(made):
        (tmp_path / f"{number}.xlsx").write_bytes(xlsform_out.write(definition))
    convert((tmp_path / f"{number}.xlsx" for number in range(len(made))), "xls", tmp_path)
    for number, definition in enumerate(made):
        old = (tmp_path / f"{number}.xls").read_bytes()
        for name in ("form.xls", "form.xlsx", "form.csv"):
            assert canonical(examine(old, filename=name).definition) == canonical(definition)
