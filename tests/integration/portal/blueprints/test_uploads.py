"""Evidence in pieces, within its room, described, and given out: through the pages' own doors."""

from __future__ import annotations

import errno
import io
import os
import re
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import func, select

from portal import clock
from portal.jobs import housekeeping
from portal.models import Answer, Evidence, ItemKind, Role, Status, Submission, VersionItem, Visibility
from tests import factories

pytestmark = pytest.mark.engines

JSON = {"Accept": "application/json"}
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
ID = "0123456789abcdef0123456789abcdef"


def pdf(size: int) -> bytes:
    return PDF + b"%" * (size - len(PDF))


@pytest.fixture
def settings(database_url, tmp_path):
    from tests.conftest import make_settings

    return make_settings(database_url, tmp_path, evidence_max_mb=2, evidence_quota_mb=3)


@pytest.fixture
def scene(session):
    moj = factories.institution(session, "MOJ")
    version = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    factories.question(session, version, "proof", "file", parent=page)
    reply = factories.submission(session, factories.assignment(session, to=moj, version=version))
    other = factories.submission(session, factories.assignment(session, to=moj, version=version))
    made = SimpleNamespace(
        reply=reply,
        path=f"/replies/{reply.public_id}",
        other=f"/replies/{other.public_id}",
        focal=factories.person(session, moj, Role.FOCAL_POINT),
        colleague=factories.person(session, moj, Role.CONTRIBUTOR),
        reader=factories.person(session, moj, Role.READER),
        stranger=factories.person(session, factories.institution(session, "MOI"), Role.FOCAL_POINT),
    )
    session.commit()
    return made


def put(client, path, at, piece, expect, identifier=ID):
    return client.open(
        f"{path}/uploads/{identifier}?offset={at}", method="PUT", data=piece, expect=expect,
        headers=JSON | {"X-CSRFToken": client.token(), "Content-Type": "application/octet-stream"},
    ).get_json()  # fmt: skip


def ask(client, path, identifier=ID, expect=200):
    return client.get(f"{path}/uploads/{identifier}", headers=JSON, expect=expect).get_json()


def finish(client, path, size, expect, name="របាយការណ៍.pdf", identifier=ID):
    fields = {"upload": identifier, "name": name, "size": str(size)}
    return client.post(f"{path}/questions/proof/files", fields, headers=JSON, expect=expect).get_json()


def whole(client, path, content, expect, name="a.pdf"):
    given = {"file": (io.BytesIO(content), name)}
    return client.post(f"{path}/questions/proof/files", given, headers=JSON, expect=expect).get_json()


def in_pieces(client, path, content, expect, name):
    # not by a form: the test client leaves the temporary file of a large one open
    for at in range(0, len(content), 1024**2):
        put(client, path, at, content[at : at + 1024**2], 200, identifier=(name * 16)[:20].replace(".", "-"))
    return finish(client, path, len(content), expect, name=name, identifier=(name * 16)[:20].replace(".", "-"))


def kept_files(app):
    of = app.config["SETTINGS"]
    return [one for folder in (of.tmp_dir, of.evidence_dir) for one in folder.rglob("*") if one.is_file()]


def test_a_file_comes_in_pieces_and_goes_on_where_it_stopped(app, client_for, scene, session):
    content = pdf(700_000)
    client = client_for(scene.focal)
    client.get(f"{scene.path}/pages/page1", expect=200)
    assert client.page.xpath("//form[@data-pieces]/@data-pieces") == [f"{scene.path}/uploads/"]
    assert ask(client, scene.path)["offset"] == 0
    assert put(client, scene.path, 0, content[:300_000], 200) == {"offset": 300_000}
    # the answer was lost, the piece comes again: nothing changes
    assert put(client, scene.path, 0, content[:300_000], 200) == {"offset": 300_000}
    # a piece from elsewhere, and one with other bytes: where to go on
    assert put(client, scene.path, 400_000, content[400_000:], 409)["offset"] == 300_000
    assert put(client, scene.path, 0, b"x" * 1000, 409)["offset"] == 300_000
    # too early
    assert finish(client, scene.path, len(content), 409)["code"] == "wrong_offset"
    # signed in again, on another device: it goes on
    again = client_for(scene.focal)
    assert ask(again, scene.path)["offset"] == 300_000
    assert put(again, scene.path, 300_000, content[300_000:], 200) == {"offset": 700_000}
    told = finish(again, scene.path, len(content), 201)
    assert (told["number"], told["size"], told["name"]) == (1, 700_000, "របាយការណ៍.pdf")
    # the answer was lost, the end is sent again: told the same, done once
    assert finish(again, scene.path, len(content), 201) == told
    assert again.get(told["url"], check=False).get_data() == content
    assert session.scalars(select(Answer.value)).one() == [session.scalars(select(Evidence.public_id)).one()]
    assert len(kept_files(app)) == 1


def test_pieces_are_of_one_person_and_one_reply(client_for, scene):
    client = client_for(scene.focal)
    put(client, scene.path, 0, PDF, 200)
    assert ask(client, scene.other)["offset"] == 0
    assert ask(client_for(scene.colleague), scene.path)["offset"] == 0
    ask(client_for(scene.stranger), scene.path, expect=404)
    ask(client_for(scene.reader), scene.path, expect=403)
    for identifier in ("short", "..%2F..%2Fetc%2Fpasswd1234", "x" * 65):
        ask(client, scene.path, identifier, expect=404)
    client.open(f"{scene.path}/uploads/{ID}?offset=0", method="PUT", data=PDF, headers=JSON, expect=400)


def test_limits_hold_while_pieces_come_and_nothing_stays(app, client_for, scene):
    client = client_for(scene.focal)
    mega = 1024**2
    assert put(client, scene.path, 0, b"%" * (mega + 1), 422)["code"] == "piece_too_large"
    for number in range(2):
        put(client, scene.path, number * mega, pdf(mega), 200)
    assert put(client, scene.path, 2 * mega, b"%", 422)["code"] == "file_too_large"
    assert kept_files(app) == []


def ahead(client, path, name, size, expect=422):
    query = {"name": name, "size": size}
    return client.get(f"{path}/uploads/{ID}", headers=JSON, query_string=query, expect=expect).get_json()


@pytest.mark.parametrize(
    ("name", "size", "code", "words"),
    [
        ("របាយការណ៍.pdf", 3 * 1024**2, "file_too_large", "“របាយការណ៍.pdf” is larger than 2 MB. Make it smaller."),
        ("empty.pdf", 0, "file_refused", "“empty.pdf” is empty. Choose the file again."),
        ("a.exe", 100, "file_refused", "“a.exe” is not of a kind that is taken."),
        ("a.php.jpg", 100, "file_refused", "“a.php.jpg” has a second ending, .php"),
        ("IMG_1.HEIC", 100, "file_refused", "(HEIC)"),
    ],
)
def test_name_and_size_are_judged_before_the_first_byte(app, client_for, scene, name, size, code, words):
    client = client_for(scene.focal)
    told = ahead(client, scene.path, name, size)
    assert told["code"] == code
    assert words in told["title"]
    assert kept_files(app) == []
    assert ahead(client, scene.path, "good.pdf", 1000, expect=200)["offset"] == 0


def test_a_file_for_which_there_is_no_room_is_told_so_before_the_first_byte(client_for, scene):
    client = client_for(scene.focal)
    in_pieces(client, scene.path, pdf(2 * 1024**2), 201, "a.pdf")
    told = ahead(client, scene.path, "b.pdf", 2 * 1024**2)
    assert told["code"] == "quota_reached"
    assert ahead(client, scene.path, "c.pdf", 1024**2, expect=200)["offset"] == 0


def test_an_empty_file_is_called_empty_whole_and_in_pieces(client_for, scene):
    client = client_for(scene.focal)
    for told in (whole(client, scene.path, b"", 422, name="none.pdf"), finish(client, scene.path, 0, 422, "none.pdf")):
        assert told["title"] == "“none.pdf” is empty. Choose the file again."


def test_the_room_of_an_institution_is_told_before_and_when_it_is_reached(app, client_for, scene, session):
    client = client_for(scene.focal)
    mega = 1024**2
    in_pieces(client, scene.path, pdf(mega), 201, "a.pdf")
    # the same file on another reply takes no more room
    in_pieces(client, scene.other, pdf(mega), 201, "a.pdf")
    client.get(f"{scene.path}/pages/page1")
    assert "1 MB of 3 MB" in client.words
    assert "1 MB" in client.page.xpath("//ul[@class='files']/li/span")[0].text_content()
    in_pieces(client, scene.path, pdf(2 * mega - 10), 201, "b.pdf")
    told = whole(client, scene.path, pdf(5000), 422, name="c.pdf")
    assert told["code"] == "quota_reached"
    assert "no room left" in told["title"]
    assert put(client, scene.path, 0, pdf(5000), 422)["code"] == "quota_reached"
    client.get(f"{scene.path}/files", expect=200)
    second = session.scalars(select(Evidence).where(Evidence.filename == "b.pdf")).one()
    client.post(f"/evidence/{second.public_id}/remove", expect=303)
    whole(client, scene.path, pdf(5000), 201, name="c.pdf")


def test_an_upload_that_was_given_up_is_swept_after_a_day_and_no_sooner(app, client_for, scene, session):
    client = client_for(scene.focal)
    put(client, scene.path, 0, PDF, 200)
    session.commit()
    (path,) = kept_files(app)

    def sweep(hours):
        at = (clock.now() - timedelta(hours=hours)).timestamp()
        os.utime(path, (at, at))
        with app.app_context():
            return housekeeping.keep_house(app)["uploads"]

    assert (sweep(23), path.exists()) == (0, True)
    assert (sweep(25), path.exists()) == (1, False)
    assert ask(client, scene.path)["offset"] == 0


def test_a_piece_on_a_full_disk_says_so_and_leaves_no_half(app, client_for, scene, monkeypatch):
    client = client_for(scene.focal)
    put(client, scene.path, 0, PDF, 200)

    def full(_handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("portal.services.uploads.os.fsync", full)
        assert put(client, scene.path, len(PDF), b"more", 507)["code"] == "storage_full"
        assert put(client, scene.path, 0, b"new", 507, identifier=ID[::-1])["code"] == "storage_full"
    assert [one.stat().st_size for one in kept_files(app)] == [len(PDF)]
    assert put(client, scene.path, len(PDF), b"more", 200)["offset"] == len(PDF) + 4


def test_a_refused_file_in_pieces_leaves_nothing_behind(app, client_for, scene, session):
    client = client_for(scene.focal)
    put(client, scene.path, 0, b"<html>", 200)
    assert finish(client, scene.path, 6, 422)["code"] == "file_refused"
    assert kept_files(app) == []
    assert session.scalar(select(func.count()).select_from(Evidence)) == 0


@pytest.mark.parametrize(
    "name",
    ["minutes.exe.pdf", "a.js.docx", "report\u202efdp.pdf", "a\x07b.pdf", "page.html", "archive.zip", "noending", ".pdf"],
)
def test_names_that_hide_something_are_refused_with_a_sentence(client_for, scene, name):
    client = client_for(scene.focal)
    put(client, scene.path, 0, PDF, 200)
    told = finish(client, scene.path, len(PDF), 422, name=name)
    assert told["code"] == "file_refused"
    assert len(told["title"]) > 30
    assert "\u202e" not in told["title"]


@pytest.mark.parametrize(
    ("content", "name"),
    [(b"MZ\x90 program", "a.txt"), (b"<!DOCTYPE html><script>", "a.csv"), (b"\xef\xbb\xbf <svg onload=x>", "a.txt")],
)
def test_texts_that_are_none_are_refused(client_for, scene, content, name):
    assert whole(client_for(scene.focal), scene.path, content, 422, name=name)["code"] == "file_refused"


def test_khmer_names_with_breaks_between_words_are_taken_and_given_out_by_the_standard(client_for, scene):
    client = client_for(scene.focal)
    told = whole(client, scene.path, PDF, 201, name="របាយការណ៍\u200bប្រចាំ v1.2.pdf")
    got = client.get(told["url"], check=False)
    assert re.search(r"filename\*=UTF-8''%E1%9E%9A", got.headers["Content-Disposition"])
    assert got.headers["Content-Disposition"].startswith("attachment;")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in got.headers["Content-Security-Policy"]
    assert "no-store" in got.headers["Cache-Control"]


def test_what_a_file_shows_and_who_may_see_it_can_change_while_the_reply_is_open(client_for, scene, session):
    client = client_for(scene.focal)
    whole(client, scene.path, PDF, 201)
    one = session.scalars(select(Evidence)).one()
    path = f"/evidence/{one.public_id}/describe"
    client.get(f"{scene.path}/files", expect=200)
    assert "Not scanned for viruses" in client.words
    client.post(path, {"caption": "ក្រឹត្យ", "visibility": "confidential"}, expect=303)
    session.refresh(one)
    assert (one.caption, one.visibility) == ("ក្រឹត្យ", Visibility.CONFIDENTIAL)
    client.post(path, {"caption": "x", "visibility": "everybody"}, expect=422)
    client_for(scene.reader).post(path, {"caption": "x", "visibility": "public"}, expect=403)
    client_for(scene.stranger).post(path, {"caption": "x", "visibility": "public"}, expect=404)
    session.get_one(Submission, scene.reply.id).status = Status.SUBMITTED
    client.post(path, {"caption": "x", "visibility": "public"}, expect=409)
    client.get(f"{scene.path}/files", expect=200)
    assert not client.page.xpath("//form[contains(@action, '/describe')]")


def test_the_number_by_which_a_text_cites_a_file_stands_beside_it(client_for, scene):
    client = client_for(scene.focal)
    whole(client, scene.path, pdf(200), 201)
    whole(client, scene.path, PDF, 201)
    client.get(f"{scene.path}/pages/page1", expect=200)
    assert client.page.xpath("//ul[@class='files']/li/span")[1].text_content() == "E2 · 1 kB"
    client.get(f"{scene.path}/files", expect=200)
    assert client.page.xpath("//h2[@id='evidence-2-title']")[0].text_content() == "E2 · a.pdf"
    assert "cites a file or link by its number in square brackets, such as [E12]." in client.words
    client.get(f"{scene.path}/check", expect=200)
    assert client.page.xpath("//ol[@class='evidence']/li/span[@class='evidence-number']")[1].text_content() == "E2"


def test_the_same_file_hangs_on_a_question_once(client_for, scene, session):
    client = client_for(scene.focal)
    first = whole(client, scene.path, PDF, 201)
    assert whole(client, scene.path, PDF, 201, name="again.pdf") == first
    assert session.scalar(select(func.count()).select_from(Evidence)) == 1


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504


def test_an_older_word_file_is_taken_without_macros_only(client_for, scene):
    client = client_for(scene.focal)
    body = OLE + "WordDocument".encode("utf-16-le")
    whole(client, scene.path, body, 201, name="old.doc")
    told = whole(client, scene.path, body + "_VBA_PROJECT".encode("utf-16-le"), 422, name="macros.doc")
    assert "macros" in told["title"]
    for content in (OLE, b"\xd0\xcf", PDF):
        assert whole(client, scene.path, content, 422, name="none.doc")["code"] == "file_refused"


def test_an_upload_that_cannot_be_taken_shows_the_page_again_with_why_and_a_way_to_its_question(client_for, scene):
    client = client_for(scene.focal)
    for given, why in (((io.BytesIO(b""), ""), "Choose a file first."), ((io.BytesIO(b"MZ"), "tool.exe"), "“tool.exe”")):
        client.get(scene.path, follow=True)
        client.open(
            f"{scene.path}/questions/proof/files", method="POST", content_type="multipart/form-data",
            data={"csrf_token": client.token(), "proof": given}, expect=422,
        )  # fmt: skip
        (told,) = client.page.xpath("//div[contains(@class, 'error-summary')]//a")
        assert why in told.text_content()
        assert client.page.xpath(f"//*[@id='{told.get('href')[1:]}']"), "it leads to the question"
        assert client.page.xpath("//input[@type='file'][@name='proof']"), "the form stands there again"
