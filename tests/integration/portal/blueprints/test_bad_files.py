"""Every file that the web takes in, given what is not such a file: one sentence, nothing written, never a fault."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass

import pytest
from openpyxl import Workbook
from sqlalchemy import func, select

from portal.models import ImportDraft, RoundStatus, StaffRole
from portal.queries.dump import CanonicalDump
from tests import factories

pytestmark = pytest.mark.engines

LIMIT_MB = 25
OLE = bytes.fromhex("d0cf11e0a1b11ae1")


@dataclass(frozen=True)
class Import:
    """An import: the page that asks for the file, where it is posted, and a name such a file usually has."""

    page: str
    action: str
    name: str = "list.xlsx"


IMPORTS = {
    "people": Import("/people/import", "/people/import"),
    "recommendations": Import("/recommendations/import", "/recommendations/import"),
    "texts": Import("/recommendations/texts", "/recommendations/texts"),
    "questionnaire": Import("/questionnaires", "/questionnaires/import"),
    "last report": Import("/recommendations/last-report", "/recommendations/last-report"),
    "wording": Import("/wording/workbook", "/wording/workbook"),
}


def book(**sheets) -> bytes:
    made = Workbook()
    made.remove(made.active)
    for title, rows in (sheets or {"Sheet": [["A", "B"], [1, 2]]}).items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def rezip(content: bytes, **changes) -> bytes:
    """Return a workbook with parts put in or, given a function, changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            change = changes.pop(entry.filename, None)
            kept = old.read(entry)
            new.writestr(entry.filename, change(kept) if callable(change) else kept if change is None else change)
        for name, part in changes.items():
            new.writestr(name, part)
    return out.getvalue()


def macros() -> bytes:
    plain, live = (
        b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
        b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    )
    return rezip(
        book(), **{"[Content_Types].xml": lambda part: part.replace(plain, live), "xl/vbaProject.bin": OLE + b"\0" * 900}
    )


def entities() -> bytes:
    declared = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    return rezip(book(), **{"xl/workbook.xml": lambda part: part.replace(b"<workbook", declared + b"<workbook", 1)})


def utf16(word: str) -> bytes:
    return OLE + b"\0" * 1000 + word.encode("utf-16-le") + b"\0" * 1000


# name of the file (None: the usual one), its bytes, a word of the sentence
BAD = {
    "empty": (None, b"", "empty"),
    "a PDF": (None, b"%PDF-1.7\n%%EOF", "Choose the workbook itself"),
    "a picture": (None, b"\x89PNG\r\n\x1a\n" + b"\0" * 400, None),
    "plain words": (None, b"just words without any sign between them", None),
    "a web page called workbook": ("list.xlsx", b"<!DOCTYPE html><table><tr><td>1</td></tr></table>", None),
    "cut short": (None, book()[:900], "damaged"),
    "cut at its end": (None, book()[:-30], "damaged"),
    "protected by a password": (None, utf16("EncryptedPackage"), "password"),
    "an old workbook": ("list.xls", utf16("Workbook"), ".xls"),
    "an old workbook renamed": ("list.xlsx", utf16("Workbook"), ".xls"),
    "a Word document": (None, utf16("WordDocument"), None),
    "with macros": ("list.xlsm", macros(), "macro"),
    "with macros, renamed": ("list.xlsx", macros(), "macro"),
    "a zip of something else": (None, rezip(book(), **{"[Content_Types].xml": b"<a/>"}), None),
    "a bomb": (None, rezip(book(), **{"xl/media/image1.png": b"\0" * 20_000_000}), "unpacks"),
    "entities": (None, entities(), None),
    "another table": (None, book(Sheet1=[["Fruit", "Price"], ["Mango", 2]]), None),
    "no sheet filled": (None, book(Sheet1=[]), None),
    "a name with a path": ("../../etc/passwd", b"root:x:0:0", None),
    "a name of hostile letters": ("<b>\u202exslx.exe", b"\0\1\2", None),
}
# what only the import of recommendations could take for JSON
JSON = {
    "cut JSON": ("list.json", b'[{"AnnotationId": "1", "Text": "7. The', None),
    "a list of numbers": ("list.json", b"[1, 2, 3]", None),
    "another document": ("list.json", b'{"recommendations": 7}', None),
    "deep JSON": ("list.json", b"[" * 100_000, None),
    "JSON with a number that is none": ("list.json", b'[{"AnnotationId": NaN}]', None),
    "JSON in another encoding": ("list.json", '[{"Text": "កម្ពុជា"}]'.encode("utf-16"), None),
    "an empty list": ("list.json", b"[]", None),
}


def dumped(session) -> list[str]:
    session.commit()
    return list(CanonicalDump(session).lines())


def sentences(client) -> list[str]:
    """What the page says in its summary of mistakes."""
    found = client.page.xpath("//main//*[@role='alert']//li | //main//ul[contains(@class, 'mistakes')]/li")
    return [" ".join(one.text_content().split()) for one in found]


def send(client, given, name, content, expect=None):
    client.get(given.page, expect=200)
    fields = {"file": (io.BytesIO(content), name or given.name)}
    client.post(given.action, fields, content_type="multipart/form-data", expect=expect)


@pytest.fixture
def coordinator(session, client_for):
    return client_for(factories.staff(session, StaffRole.COORDINATOR))


@pytest.mark.parametrize("which", IMPORTS)
def test_a_bad_file_is_told_in_one_sentence_and_nothing_is_written(session, coordinator, which):
    given = IMPORTS[which]
    before = dumped(session)
    wrong = []
    for case, (name, content, word) in (BAD | (JSON if which == "recommendations" else {})).items():
        send(coordinator, given, name, content)
        said = sentences(coordinator)
        if coordinator.response.status_code != 422 or len(said) != 1:
            wrong.append(f"{case}: {coordinator.response.status_code} {said or coordinator.words[:200]}")
        # what it is, and what to do about it
        elif len(said[0]) < 40 or not said[0].rstrip().endswith((".", ")")) or (word or "") not in said[0]:
            wrong.append(f"{case}: {said}")
    assert not wrong, "\n".join(wrong)
    assert dumped(session) == before
    assert session.scalar(select(func.count()).select_from(ImportDraft)) == 0


@pytest.mark.parametrize("which", IMPORTS)
def test_no_file_at_all_is_told(session, coordinator, which):
    given = IMPORTS[which]
    before = dumped(session)
    coordinator.get(given.page, expect=200)
    coordinator.post(given.action, {}, content_type="multipart/form-data", expect=422)
    assert len(sentences(coordinator)) == 1
    assert dumped(session) == before


def send_large(client, given, megabytes, path):
    """Send a file of mostly zeros that lies sparsely on the disk, so that it costs no memory."""
    client.get(given.page, expect=200)
    with path.open("wb") as body:
        body.write(b'--edge\r\nContent-Disposition: form-data; name="file"; filename="large.xlsx"\r\n\r\nPK\x03\x04')
        body.seek(int(megabytes * 1024 * 1024))
        body.write(b"\r\n--edge--\r\n")
    with path.open("rb") as body:
        client.open(
            given.action,
            method="POST",
            input_stream=body,
            content_length=path.stat().st_size,
            content_type="multipart/form-data; boundary=edge",
            headers={"X-CSRFToken": client.token()},
        )


@pytest.mark.parametrize("which", IMPORTS)
def test_a_file_over_the_limit_is_refused_before_it_is_read(app, session, coordinator, which, tmp_path):
    given = IMPORTS[which]
    before = dumped(session)
    send_large(coordinator, given, LIMIT_MB + 0.25, tmp_path / "body")
    assert coordinator.response.status_code == 422
    (said,) = sentences(coordinator)
    assert "25 MB" in said
    send_large(coordinator, given, 100, tmp_path / "body")
    assert coordinator.response.status_code == 413
    # the limit that holds at this door, not the one of evidence
    assert re.search(r"too large to send at once: at most 25 MB(\.| a file and 50 MB together)", coordinator.words)
    assert dumped(session) == before
    folder = app.config["SETTINGS"].data_dir / "imports"
    assert [one for one in folder.glob("**/*") if one.is_file() and one.stat().st_size > 1_000_000] == []


PASTES = {
    "nothing": "",
    "blanks": " \t \n \t ",
    "words": "this is not a table",
    "a row of another table": "Mango\t2\tkg",
    "a binary file": "PK\x03\x04\x14\0\0\0\x08\0!\0",
    "a formula": '=HYPERLINK("http://x.example")\tMOJ\tlead',
    "a paragraph that is none": "999\tMOJ\tlead",
    "an institution that is none": "8\tNOWHERE\tlead",
    "a role that is none": "8\tMOJ\tking",
    "too long": "8\tMOJ\tlead\n" * 60_000,
}


def test_a_bad_paste_is_told_by_line_kept_and_nothing_is_written(session, coordinator):
    document = factories.document(session)
    factories.recommendation(session, document, paragraph="8")
    factories.institution(session, "MOJ")
    factories.reporting_round(
        session, document, slug="r", status=RoundStatus.DRAFT, issued_at=None,
        short_version_id=factories.questionnaire_version(session).id,
    )  # fmt: skip
    before = dumped(session)
    for case, lines in PASTES.items():
        coordinator.post("/rounds/r/matrix/paste", {"lines": lines})
        assert coordinator.response.status_code in {413, 422}, (case, coordinator.text[-1500:])
        if coordinator.response.status_code == 422:
            assert 1 <= len(sentences(coordinator)) <= 4, (case, sentences(coordinator))
            shown = coordinator.page.xpath("//textarea[@name='lines']")[0].text or ""
            if case != "a binary file":
                assert shown.split() == lines.split(), case
    assert dumped(session) == before
