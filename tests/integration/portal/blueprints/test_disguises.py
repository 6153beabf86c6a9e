"""Evidence that is not what its name says: a signature with something else behind it, a package with macros or a program."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from types import SimpleNamespace

import docx
import openpyxl
import pytest
from sqlalchemy import func, select

from portal.models import Evidence, ItemKind, Role, VersionItem
from tests import factories
from tests.integration.portal.blueprints.test_uploads import finish, put
from tests.integration.portal.signing.scenes import PNG

WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
BELIES, MACROS = "is not what its name says", "contains macros"
SCRIPT = b"<script>alert(1)</script>"
# the smallest picture of one grey pixel that a decoder takes, as far as its scan
JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffdb004300" + "01" * 64 + "ffc0000b080001000101011100ffc400140001"
    + "00" * 16 + "ffda0008010100003f00d2cf20ffd9"
)


@pytest.fixture
def scene(session):
    moj = factories.institution(session, "MOJ")
    version = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    factories.question(session, version, "proof", "file", parent=page)
    reply = factories.submission(session, factories.assignment(session, to=moj, version=version))
    made = SimpleNamespace(
        path=f"/replies/{reply.public_id}",
        focal=factories.person(session, moj, Role.FOCAL_POINT),
    )
    session.commit()
    return made


@pytest.fixture
def send(client_for, scene, session):
    client = client_for(scene.focal)

    def send(content, name, expect=422):
        put(client, scene.path, 0, content, 200)
        told = finish(client, scene.path, len(content), expect, name=name)
        if expect == 422:
            assert told["code"] == "file_refused"
            assert f"“{name}”" in told["title"]
            assert session.scalar(select(func.count()).select_from(Evidence)) == 0
        return told

    return send


def saved(document):
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def word():
    return saved(docx.Document())


def changed(content, without=(), put=(), **replaced):
    """A package again, without some parts, with texts replaced in its list of contents, and with parts put in."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            if name in without:
                continue
            part = old.read(name)
            if name == "[Content_Types].xml":
                for old_words, new_words in replaced.get("types", {}).items():
                    assert old_words.encode() in part
                    part = part.replace(old_words.encode(), new_words.encode())
            new.writestr(name, part)
        for name, part in dict(put).items():
            new.writestr(name, part)
    return stream.getvalue()


def odt(*more):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        for name in ("content.xml", *more):
            package.writestr(name, "<x/>")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (word(), "a.docx"), (saved(openpyxl.Workbook()), "a.xlsx"), (odt(), "a.odt"), (PNG, "a.png"),
        (JPEG, "a.jpg"), (JPEG[:2] + b"\xff" + JPEG[2:], "filled.jpeg"),
        # a sheet may lie within a text
        (changed(word(), put={"word/embeddings/sheet1.xlsx": saved(openpyxl.Workbook())}), "sheet.docx"),
    ],
)  # fmt: skip
def test_what_programs_make_is_taken(send, content, name):
    send(content, name, expect=201)


def test_macros_are_found_by_the_type_of_the_part_however_it_is_named(send):
    types = {f"{WORD}.document.main+xml": "application/vnd.ms-word.document.macroEnabled.main+xml"}
    enabled = changed(word(), put={"word/notes.bin": b"\xd0\xcf\x11\xe0"}, types=types)
    assert MACROS in send(enabled, "enabled.docx")["title"]
    renamed = changed(
        word(), put={"word/notes.dat": b"\xd0\xcf\x11\xe0"},
        types={"</Types>": '<Default Extension="dat" ContentType="application/vnd.ms-office.vbaProject"/></Types>'},
    )  # fmt: skip
    assert MACROS in send(renamed, "renamed.docx")["title"]
    assert MACROS in send(changed(word(), put={"word/vbaProject.bin": b"x"}), "plain.docx")["title"]
    assert MACROS in send(changed(word(), put={"word/embeddings/a.xlsm": b"x"}), "within.docx")["title"]
    assert MACROS in send(odt("Basic/Standard/Module1.xml"), "basic.odt")["title"]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (changed(word(), without=("word/document.xml",)), "none.docx"),
        (changed(word(), without=("word/document.xml",), put={"word/evil.exe": b"MZ\x90\0"}), "evil.docx"),
        (changed(word(), without=("[Content_Types].xml",)), "untyped.docx"),
        (changed(word(), types={"<Types": "<!DOCTYPE Types [<!ENTITY a 'b'>]><Types"}), "entity.docx"),
        (b"MZ\x90\0" + word(), "extracts-itself.docx"),
        (word(), "text.xlsx"),
        (odt(), "text.ods"),
    ],
)
def test_a_package_must_hold_the_main_part_of_its_kind(send, content, name):
    assert BELIES in send(content, name)["title"]


@pytest.mark.parametrize(
    ("inner", "content"),
    [("word/evil.exe", b"x"), ("word/media/image1.png", b"MZ\x90\0\x03"), ("word/embeddings/a.bin", b"\x7fELF\x02")],
)
def test_a_program_within_a_package_is_named(send, inner, content):
    told = send(changed(word(), put={inner: content}), "a.docx")
    assert told["title"] == f"“a.docx” contains a program, {inner.rpartition('/')[2]}. Remove it, then send it again."


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, *chunks):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))
    return PNG[:8] + header + b"".join(chunks)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (PNG[:8] + SCRIPT[:8], "signature.png"),
        (PNG[:33] + SCRIPT, "header.png"),
        (PNG[:33], "cut.png"),
        (png(0, 1, chunk(b"IDAT", b"x")), "flat.png"),
        (png(2**30, 1, chunk(b"IDAT", b"x")), "bomb.png"),
        (PNG[:29] + b"\0\0\0\0" + PNG[33:], "unchecked.png"),
        (JPEG[:20] + SCRIPT, "script.jpg"),
        (b"\xff\xd8\xff\xe0" + SCRIPT, "signature.jpg"),
        (JPEG[:20] + JPEG[-12:], "unframed.jpg"),
        (PNG, "png.jpg"),
    ],
)
def test_a_picture_needs_its_header_behind_the_signature(send, content, name):
    assert BELIES in send(content, name)["title"]


def test_the_page_offers_every_kind_that_is_taken(client_for, scene):
    client = client_for(scene.focal)
    client.get(f"{scene.path}/pages/page1", expect=200)
    offered = client.page.xpath("//input[@type='file']/@accept")[0].split(",")
    assert ".doc" in offered
    assert ".docx" in offered


def old_office(*names: str) -> bytes:
    """Return what a file of the old Office looks like where nobody opens it: its first bytes, names in UTF-16."""
    named = b"".join(f"{name}\0".encode("utf-16-le") + b"\0" * 64 for name in names)
    return bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 504 + named


@pytest.mark.parametrize("names", [("Workbook",), ("Book",), ("Workbook", "វគ្គ VBA, Macros")])
def test_a_workbook_of_an_older_excel_is_taken(send, names):
    assert send(old_office(*names), "list.xls", 201)["name"] == "list.xls"


def test_a_workbook_of_an_older_excel_is_one_and_brings_no_macros(send):
    assert BELIES in send(old_office("WordDocument"), "letter.xls")["title"]
    assert BELIES in send(old_office(), "nothing.xls")["title"]
    assert MACROS in send(old_office("Workbook", "_VBA_PROJECT_CUR"), "live.xls")["title"]
