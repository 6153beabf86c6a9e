"""Every construct of XLSForm: what the report says of it, what the questionnaire holds, and that it goes round."""

from __future__ import annotations

import pytest
from pyxform.errors import PyXFormError
from pyxform.xls2xform import convert

from forms.definition.writing import canonical
from portal.workbooks import xlsform_out
from portal.workbooks.xlsform_check import examine
from tests.xlsform_cases import cases, outline, told

CASES = cases()
each_case = pytest.mark.parametrize("title", CASES)
each_accepted = pytest.mark.parametrize("title", [title for title, (_form, _said, held) in CASES.items() if held])


def test_there_are_enough_cases():
    assert len(CASES) >= 45


@each_case
def test_the_report_and_the_questionnaire_are_as_written(title):
    form, said, held = CASES[title]
    report = examine(form.encode(), filename="form.md")
    assert told(report) == said
    assert outline(report.definition) == held


@each_accepted
def test_export_and_import_give_the_same_questionnaire(title):
    form = CASES[title][0]
    first = examine(form.encode(), filename="form.md").definition
    workbook = xlsform_out.write(first)
    second = examine(workbook, filename="form.xlsx")
    assert [str(one.message) for one in second.errors] == []
    assert canonical(second.definition) == canonical(first)
    assert xlsform_out.write(second.definition) == workbook


@each_accepted
def test_exports_convert_with_the_reference_reader(title):
    form, said, _held = CASES[title]
    told_already = any("Other XLSForm tools would refuse" in line for line in said)
    workbook = xlsform_out.write(examine(form.encode(), filename="form.md").definition)
    try:
        convert(xlsform=workbook, file_type=".xlsx", validate=False)
    except PyXFormError:
        assert told_already
    else:
        assert not told_already
