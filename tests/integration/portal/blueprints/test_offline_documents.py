"""Word as a front door, through pages, machine and terminal: the doors of the workbook, for documents too."""

from __future__ import annotations

import io
import json

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from portal.cli import portal
from portal.cli.context import Context
from portal.models import Answer, ApiToken, AssignmentDocument, AuditEvent, DocumentState, Role
from portal.services.sessions import token_digest
from tests import factories, tables
from tests.documents import FilledDocument
from tests.offline import Filled

pytestmark = pytest.mark.engines

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture
def scene(session):
    return tables.scene(session)


def files(*named):
    return [(io.BytesIO(content), name) for name, content in named]


def test_a_document_goes_out_beside_the_workbook_and_both_come_back_together(client_for, scene, session):
    client = client_for(scene.focal)
    client.get("/owed", expect=200)
    assert "As Word" in client.words
    answer = client.post("/owed/workbook", {"round": scene.round.slug, "as": "docx"}, expect=200)
    assert answer.content_type == DOCX
    assert ".docx" in answer.headers["Content-Disposition"]
    filled = FilledDocument(answer.get_data())
    filled.put("people", "12")
    filled.say("See the annex.", after=filled.field("people"))
    book = Filled(client.post(f"/replies/{scene.reply.public_id}/workbook", {}, expect=200).get_data())
    book.put("received", 7, line=1)
    sent = files(("a.docx", filled.content()), ("b.xlsx", book.content()))
    client.post("/owed/offline", {"round": scene.round.slug, "file": sent}, follow=True)
    assert "question 3" in client.words
    assert "“See the annex.”" in client.words
    client.submit(0, expect=200)
    assert {7, 12} <= set(session.scalars(select(Answer.value)))
    assert {"download_offline", "import_offline"} <= set(session.scalars(select(AuditEvent.action)))


def test_a_single_reply_goes_out_as_a_document(client_for, scene):
    client = client_for(scene.focal)
    answer = client.post(f"/replies/{scene.reply.public_id}/workbook", {"as": "docx"}, expect=200)
    assert len(FilledDocument(answer.get_data()).hidden.replies) == 1


def test_a_document_of_their_own_is_handed_in_with_one_click(client_for, scene, session):
    import docx

    made, stream = docx.Document(), io.BytesIO()
    made.add_paragraph("What we did")
    made.save(stream)
    own = ("reply.docx", stream.getvalue())
    client = client_for(scene.focal)
    client.post("/owed/offline", {"round": scene.round.slug, "file": files(own, ("x.bin", b"?"))}, expect=422)
    assert "is a Word document, but not one of questions from this portal" in client.words
    assert "File “reply.docx”" in client.words
    assert "Sheet" not in client.words
    (address,) = client.page.xpath("//form[contains(@action, '/owed/offline/documents/')]/@action")
    elsewhere = factories.institution(session)
    stranger = client_for(factories.person(session, elsewhere, Role.FOCAL_POINT))
    stranger.post(address, {"reply": scene.reply.public_id}, expect=404)
    # nor can somebody else's file be taken for a reply of one's own
    theirs = factories.submission(session, factories.assignment(session, to=elsewhere, in_round=scene.round))
    session.commit()
    stranger.post(address, {"reply": theirs.public_id}, expect=404)
    client_for(factories.person(session, scene.institution, Role.READER)).post(address, expect=403)
    client.submit(address, expect=200)
    assert client.response.request.path == f"/replies/{scene.reply.public_id}/documents"
    kept = session.scalars(select(AssignmentDocument)).one()
    assert (kept.filename, kept.state, kept.from_secretariat) == ("reply.docx", DocumentState.RECEIVED, False)
    # beside a copy of ours, and both: the page of what would change offers it too; another's reply does not exist
    book = Filled(client.post(f"/replies/{scene.reply.public_id}/workbook", {}, expect=200).get_data())
    book.put("people", 3)
    sent = files(("b.xlsx", book.content()), own)
    client.post("/owed/offline", {"round": scene.round.slug, "file": sent}, follow=True)
    assert "Hand “reply.docx” in as it is" in client.words
    (address,) = client.page.xpath("//form[contains(@action, '/owed/offline/documents/')]/@action")
    client.post(address, {"reply": factories.submission(session).public_id}, expect=404)


@pytest.mark.parametrize("gone", ["marks of the sheets", "column of the marks", "first rows"])
def test_a_workbook_of_ours_that_lost_its_marks_is_not_called_a_strangers(client_for, scene, gone):
    client = client_for(scene.focal)
    filled = Filled(client.post("/owed/workbook", {"round": scene.round.slug}, expect=200).get_data())
    filled.put("people", 3)
    if gone == "marks of the sheets":
        filled.ws["A1"].value = None
    elif gone == "column of the marks":
        for ws in filled.book.worksheets:
            ws.delete_cols(1)
    else:
        filled.ws.delete_rows(1)
    sent = {"round": scene.round.slug, "file": files(("ours.xlsx", filled.content()))}
    client.post("/owed/offline", sent, expect=422)
    assert "The hidden marks of the file ours.xlsx were changed" in client.words
    assert "not one of questions from this portal" not in client.words
    assert "no file of this portal" not in client.words
    # it may be handed in, to be entered, as any other workbook
    assert "Hand “ours.xlsx” in as it is" in client.words


def test_a_machine_takes_and_gives_documents(app, scene, session):
    token = f"tamdan_document_{'x' * 30}"
    session.add(ApiToken(user_id=scene.focal.id, name="offline", token_hash=token_digest(token)))
    session.commit()
    machine = app.test_client(use_cookies=False)
    headers = {"Authorization": f"Bearer {token}"}
    out = machine.post(f"/api/v1/rounds/{scene.round.slug}/offline?format=docx", headers=headers)
    assert (out.status_code, out.content_type) == (200, DOCX)
    filled = FilledDocument(out.get_data())
    filled.put("people", "many")
    told = machine.post("/api/v1/offline", data={"file": files(("x.docx", filled.content()))}, headers=headers).json
    (one,) = told["replies"][0]["answers"]
    assert (one["cell"], one["outcome"], one["found"]) == ("question 3", "refused", "many")
    wrong = machine.post(f"/api/v1/rounds/{scene.round.slug}/offline?format=odt", headers=headers)
    assert wrong.status_code == 422


def test_the_terminal_writes_a_document_by_its_suffix_and_takes_both(app, scene, session, tmp_path):
    def run(*arguments):
        session.commit()
        context = Context(lambda _settings: app)
        context._settings, context._app = app.config["SETTINGS"], app
        result = CliRunner().invoke(portal, [*map(str, arguments)], obj=context)
        session.rollback()
        session.expire_all()
        return result

    out = tmp_path / "owed.docx"
    made = run("offline", "export", scene.round.slug, "--institution", scene.institution.code, "--out", out)
    assert made.exit_code == 0, made.output
    filled = FilledDocument(out.read_bytes())
    filled.put("people", "5")
    out.write_bytes(filled.content())
    told = run("offline", "import", out, "--confirm", "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.output)["counts"]["new"] == 1
    assert 5 in set(session.scalars(select(Answer.value)))
