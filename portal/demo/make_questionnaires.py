"""Make the demo questionnaires as XLSForm workbooks from the readable rows beside them.

Run it from the checkout after a change of the rows: `python -m portal.demo.make_questionnaires`. Each country keeps
`questionnaires/questions.tsv` (one row per survey row; the column `forms` names the workbooks it belongs to),
`choices.tsv` and `settings.tsv`; a question that stands in two workbooks is written once, so its code, type and
wording cannot differ between them. The workbooks open in every tool that reads XLSForm: a type of our own is written as
the standard one it stands for, beside the column `own_type`, and a table with fixed rows repeats once for each row.
"""

from __future__ import annotations

import csv
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from openpyxl import Workbook, load_workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from forms.definition.writing import BASES

if TYPE_CHECKING:
    from collections.abc import Mapping

COUNTRIES = Path(__file__).parent / "countries"
MADE = datetime(2026, 1, 1)  # noqa: DTZ001 - workbook properties hold no time zone
OWN_TYPES = {**BASES, "period": "text"}
WIDE = ("label", "hint", "constraint_message", "title")

Rows = list[dict[str, str]]


def read_rows(path: Path) -> Rows:
    """Read a tab-separated file with a header row."""
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def sheets(folder: Path, form: str) -> dict[str, Rows]:
    """Collect the survey, choices and settings rows of one form of a country's questionnaires folder."""
    survey = [row for row in read_rows(folder / "questions.tsv") if form in row["forms"].split()]
    lists = {row["type"].split()[1] for row in survey if row["type"].startswith(("select_", "rank "))}
    lists |= {row.get("matrix_rows", "") for row in survey}
    settings = next(row for row in read_rows(folder / "settings.tsv") if row["form"] == form)
    choices = [row for row in read_rows(folder / "choices.tsv") if row["list_name"] in lists]
    rows_of = Counter(row["list_name"] for row in choices)
    return {
        "survey": [_standard(row, rows_of) for row in survey],
        "choices": choices,
        "settings": [{key: value for key, value in settings.items() if key != "form"}],
    }


def _standard(row: dict[str, str], rows_of: Mapping[str, int]) -> dict[str, str]:
    """Return a survey row as other tools read it."""
    made = {key: value for key, value in row.items() if key != "forms"}
    own = row["type"] if row["type"] in OWN_TYPES else ""
    fixed = row.get("matrix_rows", "")
    return {
        **made,
        "type": OWN_TYPES.get(row["type"], row["type"]),
        "own_type": own,
        "repeat_count": str(rows_of[fixed]) if fixed else "",
    }


def write_workbook(contents: dict[str, Rows], path: Path) -> None:
    """Write the sheets as an .xlsx file; every cell is text, columns without any value are left out."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    workbook.properties.creator = "Tamdan demo"
    workbook.properties.created = workbook.properties.modified = MADE
    for title, rows in contents.items():
        sheet = workbook.create_sheet(title)
        for position, key in enumerate(_columns(rows), start=1):
            head = sheet.cell(1, position, key)
            head.font = Font(bold=True)
            head.fill = PatternFill("solid", fgColor="FFE8EEF4")
            sheet.column_dimensions[get_column_letter(position)].width = 48 if key.startswith(WIDE) else 18
            for line, row in enumerate(rows, start=2):
                if row[key]:
                    cell = sheet.cell(line, position, row[key])
                    cell.data_type = "s"  # never a formula
                    cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.freeze_panes = "A2"
    workbook.save(path)


def make(country: Path) -> list[Path]:
    """Make every workbook of one country folder that does not say what its rows say; return their paths."""
    folder = country / "questionnaires"
    made = []
    for row in read_rows(folder / "settings.tsv"):
        path = folder / f"{row['form']}.xlsx"
        contents = sheets(folder, row["form"])
        if not path.exists() or _written_in(path) != {title: _shown(rows) for title, rows in contents.items()}:
            write_workbook(contents, path)
            made.append(path)
    return made


def _written_in(path: Path) -> dict[str, list[list[str]]]:
    """Return what stands in a workbook: no two are equal byte by byte, since each holds the time of its making."""
    workbook = load_workbook(path)
    return {
        sheet.title: [[str(value or "") for value in line] for line in sheet.iter_rows(values_only=True)]
        for sheet in workbook
    }


def _shown(rows: Rows) -> list[list[str]]:
    """Return what `write_workbook` writes of some rows."""
    columns = _columns(rows)
    return [columns, *([row[key] for key in columns] for row in rows)]


def _columns(rows: Rows) -> list[str]:
    return [key for key in rows[0] if any(row[key] for row in rows)] if rows else ["list_name", "name"]


def main() -> None:
    """Make the workbooks of all demo countries."""
    for country in sorted(path for path in COUNTRIES.iterdir() if (path / "questionnaires").is_dir()):
        for path in make(country):
            print(path.relative_to(COUNTRIES))  # noqa: T201 - a script for the terminal


if __name__ == "__main__":
    main()
