from __future__ import annotations

from portal.table import Column, Table
from portal.workbooks import people, recommendations, texts
from portal.workbooks.writer import ReportBook
from tests.office import convert, needs_office

pytestmark = needs_office


def report():
    book = ReportBook()
    book.sheet(Table("T", {"en": "T"}, (Column("a", {"en": "A"}, wrap=True),), [["=1+1"], ["ខ្មែរ" * 9000], ["\x01"]]))
    return book.content()


def test_every_workbook_opens_in_libreoffice(tmp_path):
    files = {
        "people": people.template(["km", "en"], {"focal_point": {"en": "Focal point"}}),
        "recommendations": recommendations.template(["km", "en"]),
        "texts": texts.write([{"id": "1", "texts": {"en": "Do"}, "symbol": "A/1"}], ["km", "en"]),
        "report": report(),
    }
    for name, content in files.items():
        (tmp_path / f"{name}.xlsx").write_bytes(content)
    convert((tmp_path / f"{name}.xlsx" for name in files), "pdf", tmp_path)
    assert {path.stem for path in tmp_path.glob("*.pdf")} == set(files)
