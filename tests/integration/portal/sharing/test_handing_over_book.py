"""The hand-over pack as a workbook: everything on the page and more, no code, no formula, whole in LibreOffice and Excel."""

from __future__ import annotations

import io

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, update

from portal import clock
from portal.models import (
    AuditEvent,
    ClarificationStatus,
    Delegation,
    Membership,
    Role,
    SignOffPolicy,
    StaffRole,
    Status,
    Submission,
)
from tests import factories
from tests.excel import faults
from tests.integration.portal.sharing.scenes import table_world
from tests.integration.portal.sharing.test_handing_over import share

EVIL = '=HYPERLINK("http://evil.example","Kampot")'
TABS = [
    "Overview", "What is owed", "Who holds which question", "Handed to persons", "Asked of units", "Clarifications",
    "Waiting for a signature", "People",
]  # fmt: skip


@pytest.fixture
def world(session):
    return table_world(session)


def taken(client):
    client.get("/hand-over", expect=200)
    got = client.post("/hand-over/workbook", {}, expect=200)
    return got.get_data(), load_workbook(io.BytesIO(got.get_data()))


def lines(book, tab):
    """The rows of a tab below its header, each by the words of its header."""
    _title, _about, _back, heads, *rows = book[tab].iter_rows(values_only=True)
    return [dict(zip(heads, row, strict=True)) for row in rows]


@pytest.mark.engines
def test_the_workbook_says_who_holds_what_until_when(session, world, client_for, tmp_path):
    chief = client_for(world.focal)
    share(chief, world.reply, EVIL)
    chief.get(f"/replies/{world.reply.public_id}/collect", expect=200)
    asked = {"units": "Takeo | 012 345 678\nKandal", "until": "2099-01-01", "codes": ["trainings"]}
    chief.post(f"/replies/{world.reply.public_id}/collect", asked, expect=200)
    codes = set(session.scalars(select(Delegation.code_hash))) | set(session.scalars(select(Delegation.token_hash)))
    content, book = taken(chief)
    assert book.sheetnames == TABS
    owed = lines(book, "What is owed")
    assert [one["State"] for one in owed] == ["Being answered"]
    assert owed[0]["Who holds it now"] == f"now with {EVIL}"
    held = {one["Question"]: (one["Who holds it now"], one["Link ends after"]) for one in lines(book, TABS[2])}
    assert held["Question beds"][0] == EVIL
    assert held["Question beds"][1].isoformat().startswith("2099-01-01")
    assert held["Question trainings"][0] == "2 units asked"
    assert "with the focal point" in {words for words, _until in held.values()}
    assert [one["Name"] for one in lines(book, "Handed to persons")] == [EVIL]
    assert {one["Name of the unit"] for one in lines(book, "Asked of units")} == {"Takeo", "Kandal"}
    assert {one["Name"] for one in lines(book, "People")} == {world.focal.names["en"]}
    cells = [cell for ws in book for row in ws.iter_rows() for cell in row]
    assert not [cell.coordinate for cell in cells if cell.data_type == "f"], "what a person typed is no formula"
    assert any(cell.value == EVIL and cell.quotePrefix for cell in cells)
    text = " ".join(str(cell.value) for cell in cells)
    assert not [one for one in codes if one in text]
    assert "/shared/" not in text, "a link that opens questions never stands in the pack"
    (tmp_path / "pack.xlsx").write_bytes(content)
    assert faults(tmp_path / "pack.xlsx") == []
    assert session.scalars(select(AuditEvent).where(AuditEvent.action == "download_hand_over")).one()


def test_papers_questions_and_other_readers(session, world, client_for):
    world.round.sign_off_policy = SignOffPolicy.PAPER
    session.get_one(Submission, world.reply.id).status = Status.AWAITING_SIGN_OFF
    factories.clarification(session, world.reply)
    session.commit()
    chief = client_for(world.focal)
    _content, book = taken(chief)
    assert [one["What is awaited"] for one in lines(book, TABS[6])] == ["complete, waits for the approver"]
    assert [(one["Last words"], one["Whose turn"]) for one in lines(book, "Clarifications")] == [
        ("Which year?", "we answer")
    ]
    assert lines(book, TABS[2]) == [], "what waits to be signed can be changed by nobody"
    chief.get("/sign-on-paper", expect=200)
    chief.post("/sign-on-paper", {"reply": world.reply.public_id}, expect=303)
    (paper,) = lines(taken(chief)[1], TABS[6])
    assert paper["What is awaited"] == "printed, the signed cover is awaited"
    assert paper["Code on the paper"]
    assert "the signed cover is awaited" in chief.get("/hand-over", expect=200).text
    chief.post("/language", {"language": "km", "next": ""}, expect=303)
    _content, book = taken(chief)
    assert book.sheetnames[0] == "ទិដ្ឋភាពរួម"
    other = factories.institution(session, "moi")
    stranger = client_for(factories.person(session, other, Role.FOCAL_POINT, login="other"))
    session.commit()
    _content, book = taken(stranger)
    assert all(lines(book, tab) == [] for tab in TABS[1:-1])


def test_clarifications_and_people_of_another_institution_stay_out(session, world, client_for):
    """Two institutions side by side in one round: each takes its own out, and of a person in both its own part alone."""
    other = factories.institution(session, "moi")
    about = factories.assignment(session, other, world.round, [factories.recommendation(session)], world.version)
    theirs = factories.submission(session, about, status=Status.IN_PROGRESS)
    for reply, whose in ((world.reply, "ours"), (theirs, "theirs")):
        factories.clarification(session, reply, f"Which year, {whose}?")
        factories.clarification(session, reply, f"Settled, {whose}.", status=ClarificationStatus.CLOSED)
        factories.clarification(session, reply, f"Answered, {whose}.", status=ClarificationStatus.ANSWERED)
    chief = factories.person(session, other, Role.FOCAL_POINT, phone="012 000 111")
    both = factories.person(session, other, Role.APPROVER, phone="012 000 222")
    factories.membership(session, both, world.at, Role.READER)
    left, off = factories.person(session, other, Role.READER), factories.person(session, other, Role.READER, active=False)
    session.execute(update(Membership).where(Membership.user_id == left.id).values(ended_at=clock.now()))
    coordinator, writer = factories.staff(session), factories.staff(session, StaffRole.REPORT_WRITER)
    gone = factories.staff(session, active=False)
    session.commit()

    def out(person):
        client = client_for(person)
        content, book = taken(client)
        people = {one["Name"]: (one["Where"], one["Part"]) for one in lines(book, "People")}
        return content, {one["Last words"] for one in lines(book, "Clarifications")}, people

    _content, words, people = out(world.focal)
    assert words == {"Which year, ours?", "Answered, ours."}
    assert people == {
        world.focal.names["en"]: ("Our institution", "Focal point"),
        both.names["en"]: ("Our institution", "Reader"),
        coordinator.names["en"]: ("The secretariat", "Coordinator"),
    }
    content, words, people = out(chief)
    assert words == {"Which year, theirs?", "Answered, theirs."}
    assert people == {
        chief.names["en"]: ("Our institution", "Focal point"),
        both.names["en"]: ("Our institution", "Approver"),
        coordinator.names["en"]: ("The secretariat", "Coordinator"),
    }
    cells = {str(cell.value) for ws in load_workbook(io.BytesIO(content)) for row in ws.iter_rows() for cell in row}
    assert not cells & {one.names["en"] for one in (world.focal, left, off, writer, gone)}
    assert not [text for text in cells if "ours?" in text or world.reply.public_id in text]
