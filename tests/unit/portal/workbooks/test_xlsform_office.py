"""Questionnaires through LibreOffice: what we write it opens, and what it saves in the old format we read."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from forms.definition.writing import canonical
from portal.workbooks import xlsform_out
from portal.workbooks.xlsform_check import examine
from tests.xlsform_cases import cases

OFFICE = shutil.which("soffice")
pytestmark = [
    pytest.mark.soffice,
    pytest.mark.skipif(OFFICE is None and not os.environ.get("CI"), reason="LibreOffice (soffice) is not installed"),
]
TITLES = ("One of a list, several of a list, in two languages", "A table of laws", "Choices from an attached table")


def test_an_export_saved_as_old_excel_is_the_same_questionnaire_whatever_its_name(tmp_path):
    made = [examine(cases()[title][0].encode(), filename="form.md").definition for title in TITLES]
    for number, definition in enumerate(made):
        (tmp_path / f"{number}.xlsx").write_bytes(xlsform_out.write(definition))
    subprocess.run(
        [OFFICE, "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", "--convert-to", "xls", "--outdir", tmp_path]
        + [tmp_path / f"{number}.xlsx" for number in range(len(made))],
        check=True, capture_output=True, timeout=200,
    )  # fmt: skip
    for number, definition in enumerate(made):
        old = (tmp_path / f"{number}.xls").read_bytes()
        for name in ("form.xls", "form.xlsx", "form.csv"):
            assert canonical(examine(old, filename=name).definition) == canonical(definition)
