"""A document that was sent in is read within the portal, beside the questions: a photo, a PDF's pages, a Word file."""

from __future__ import annotations

import io
import os
import threading
from types import SimpleNamespace

import pytest
from docx import Document
from sqlalchemy import select

from portal.models import AssignmentDocument, ItemKind, Role, StaffRole, VersionItem
from portal.papers import typesetting
from tests import factories
from tests.client import Client

PNG = (
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89"
    b"\0\0\0\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\0\x05\0\x01\xff\x89\x99=\x1d\0\0\0\0IEND\xaeB`\x82"
)
needs_typst = pytest.mark.skipif(
    not typesetting.available() and not os.environ.get("CI"), reason="typst, which draws pages, is not installed yet"
)


@pytest.fixture
def scene(session):
    moj = factories.institution(session, "MOJ")
    version = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    factories.question(session, version, "why", "text", parent=page)
    reply = factories.submission(session, factories.assignment(session, to=moj, version=version))
    made = SimpleNamespace(
        own=f"/replies/{reply.public_id}",
        desk=f"/review/{reply.public_id}",
        focal=factories.person(session, moj, Role.FOCAL_POINT),
        stranger=factories.person(session, factories.institution(session, "MOI"), Role.FOCAL_POINT),
        coordinator=factories.staff(session),
        observer=factories.staff(session, StaffRole.OBSERVER),
    )
    session.commit()
    return made


def pdf(*pages: str) -> bytes:
    """Return a PDF with a page for each text."""
    import typst

    return bytes(typst.compile("#pagebreak()\n".join(pages).encode(), format="pdf"))


def word(*paragraphs: str, table: tuple[tuple[str, ...], ...] = (), heading: str = "") -> bytes:
    made = Document()
    if heading:
        made.add_heading(heading, 1)
    for one in paragraphs:
        made.add_paragraph(one)
    if table:
        grid = made.add_table(len(table), len(table[0]))
        for row, texts in zip(grid.rows, table, strict=True):
            for cell, text in zip(row.cells, texts, strict=True):
                cell.text = text
    file = io.BytesIO()
    made.save(file)
    return file.getvalue()


def sent(client, scene, session, content, name):
    """Send a document in; return the address at which it is read."""
    client.post(f"{scene.own}/documents", {"document": (io.BytesIO(content), name)}, expect=303)
    newest = session.scalars(select(AssignmentDocument).order_by(AssignmentDocument.id.desc())).first()
    return f"/documents/{newest.public_id}/read"


def test_what_waits_to_be_entered_stands_in_a_frame_beside_the_questions(client_for, scene, session):
    focal, coordinator = client_for(scene.focal), client_for(scene.coordinator)
    focal.get(f"{scene.own}/pages/page1", expect=200)
    assert not focal.page.xpath("//iframe")
    first = sent(focal, scene, session, PNG, "scan.png")
    focal.get(f"{scene.own}/pages/page1", expect=200)
    [frame] = focal.page.xpath("//iframe")
    assert (frame.get("src"), frame.get("name"), frame.get("title")) == (first, "paper", "The document")
    assert not focal.page.xpath("//a[@target='paper']")  # there is nothing else to show
    second = sent(focal, scene, session, word("Our letter"), "letter.docx")
    coordinator.get(f"{scene.desk}/documents", expect=200)
    enter = coordinator.page.xpath("//a[contains(@href, '/paper/')]/@href")[1]
    coordinator.get(enter, follow=True)
    # the one that is entered is shown, the other one click away: in the frame, or in a tab of its own
    assert coordinator.page.xpath("//iframe/@src") == [second]
    assert set(coordinator.page.xpath("//a[@target='paper']/@href")) == {first, second}
    assert set(coordinator.page.xpath("//section[@id='the-paper']//a[@target='_blank']/@href")) == {first, second}
    assert "frame-src 'self'" in coordinator.response.headers["Content-Security-Policy"]


def test_what_cannot_be_shown_is_said_so_beside_the_questions(client_for, scene, session):
    focal = client_for(scene.focal)
    sent(focal, scene, session, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "WordDocument".encode("utf-16-le"), "old.doc")
    focal.get(f"{scene.own}/pages/page1", expect=200)
    assert not focal.page.xpath("//iframe")
    assert "This kind of file cannot be shown here. Download it" in focal.words


def test_a_photo_is_read_as_it_is_and_only_the_portal_may_frame_it(client_for, scene, session):
    focal = client_for(scene.focal)
    read = sent(focal, scene, session, PNG, "scan.png")
    focal.get(read, expect=200)
    [image] = focal.page.xpath("//main/img/@src")
    policy = focal.response.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy
    assert "form-action 'none'" in policy
    assert focal.response.headers["X-Frame-Options"] == "SAMEORIGIN"
    got = focal.get(image, check=False)
    assert (got.mimetype, got.headers["X-Content-Type-Options"]) == ("image/png", "nosniff")
    assert got.headers["Content-Disposition"].startswith("attachment")
    # every other page stays as it was
    focal.get("/owed", expect=200)
    assert focal.response.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in focal.response.headers["Content-Security-Policy"]


@needs_typst
def test_a_pdf_is_read_as_a_picture_of_each_page(client_for, scene, session):
    focal = client_for(scene.focal)
    read = sent(focal, scene, session, pdf("first", "second", "third"), "លិខិត.pdf")
    focal.get(read, expect=200)
    pages = focal.page.xpath("//main/img")
    assert [one.get("alt") for one in pages] == ["Page 1 of 3", "Page 2 of 3", "Page 3 of 3"]
    assert all(one.get("loading") == "lazy" for one in pages)
    drawn = [focal.get(one.get("src"), check=False, expect=200) for one in pages]
    assert {one.mimetype for one in drawn} == {"image/png"}
    assert all(one.get_data().startswith(b"\x89PNG") for one in drawn)
    assert len({one.get_data() for one in drawn}) == 3
    assert drawn[0].headers["Cache-Control"] == "private, no-store"
    for number in (0, 4, 99999):
        focal.get(read.replace("/read", f"/pages/{number}"), expect=422)


@needs_typst
@pytest.mark.parametrize(
    "content", [b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n", b"%PDF-1.7\n" + b"\xff" * 3000 + b"%%EOF"]
)
def test_a_pdf_that_cannot_be_drawn_says_so_and_can_be_downloaded(client_for, scene, session, content):
    focal = client_for(scene.focal)
    read = sent(focal, scene, session, content, "broken.pdf")
    focal.get(read, expect=200)
    assert "This file cannot be shown: it is damaged or locked by a password. Download it." in focal.words
    assert focal.page.xpath("//a/@href") == [read.removesuffix("/read")]
    focal.get(read.replace("/read", "/pages/1"), expect=422)


@needs_typst
def test_until_pages_can_be_drawn_it_says_so(client_for, scene, session, monkeypatch):
    focal = client_for(scene.focal)
    read = sent(focal, scene, session, pdf("other"), "other.pdf")
    monkeypatch.setattr(typesetting, "_found", threading.Event())
    monkeypatch.setattr(typesetting.importlib.util, "find_spec", lambda _name: None)
    focal.get(read, expect=200)
    assert "PDFs cannot be shown yet" in focal.words
    focal.get(read.replace("/read", "/pages/1"), expect=422)


def test_a_word_document_is_read_as_its_words_and_tables(client_for, scene, session):
    focal = client_for(scene.focal)
    content = word(
        "ចម្លើយតប <b>bold</b>\tand more", "#panic()", heading="Part one", table=(("Year", "Cases"), ("2025", "12"))
    )
    focal.get(sent(focal, scene, session, content, "letter.docx"), expect=200)
    assert focal.page.xpath("//h2/text()") == ["Part one"]
    assert [[cell.text for cell in one] for one in focal.page.xpath("//main//tr")] == [["Year", "Cases"], ["2025", "12"]]
    assert "ចម្លើយតប <b>bold</b> and more" in focal.words
    assert not focal.page.xpath("//main//b")
    focal.get(sent(focal, scene, session, word(), "empty.docx"), expect=200)
    assert "There are no words in this document." in focal.words


def test_only_who_may_read_the_reply_reads_its_documents(app, client_for, scene, session):
    focal = client_for(scene.focal)
    read = sent(focal, scene, session, PNG, "scan.png")
    page = read.replace("/read", "/pages/1")
    client_for(scene.coordinator).get(read, expect=200)
    for path in (read, page):
        client_for(scene.stranger).get(path, expect=404)
        client_for(scene.observer).get(path, expect=404)
        Client(app, session).get(path, expect=303)
    focal.get("/documents/01a21afe1f5a703a864172066cc5b214/read", expect=404)
