"""Labels of choices that speak answers: the same words on the page, in what is read, in both workbooks and in Word."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from docx import Document
from openpyxl import load_workbook
from sqlalchemy import select

from portal.models import Answer, ItemKind, Question, Role, Status, VersionItem
from portal.queries.answer_lines import Versions, lines
from portal.queries.handed_in import Content, Entry
from portal.queries.submissions import find
from tests import factories
from tests.integration.portal.sharing.test_scope import come_in, hand_out
from tests.offline import Filled

JSON = {"Accept": "application/json"}
OFFICES = [
    {"key": "first", "texts": {"en": "The office in ${town}", "km": "ការិយាល័យ ${town}"}},
    {"key": "none", "texts": {"en": "No office", "km": "គ្មាន"}},
]
WORKSHOPS = [{"key": "here", "texts": {"en": "By ${who} for ${town}", "km": "ដោយ ${who} សម្រាប់ ${town}"}}]


@pytest.fixture
def world(session):
    at = factories.institution(session, "moj")
    version = factories.questionnaire_version(session)
    page = session.scalars(
        select(VersionItem).where(VersionItem.version_id == version.id, VersionItem.kind == ItemKind.SECTION)
    ).one()
    factories.question(session, version, "town", "integer", parent=page)
    factories.question(session, version, "office", "select_one", parent=page, choices=OFFICES)
    label = {"label": {"en": "You chose ${office}", "km": "${office}"}}
    factories.question(session, version, "more", "integer", parent=page, texts=label)
    table = factories.item(session, version, "held", kind=ItemKind.REPEAT, parent=page)
    factories.question(session, version, "who", "integer", parent=table)
    factories.question(session, version, "work", "select_one", parent=table, choices=WORKSHOPS)
    kept = {"choices": [{"key": "jan", "texts": {"en": "January in ${town}"}}], "label": "By month"}
    matrix = factories.item(session, version, "months", kind=ItemKind.MATRIX, parent=page, **kept)
    factories.question(session, version, "cases", "integer", parent=matrix)
    reply = factories.submission(
        session, factories.assignment(session, at, None, (), version), status=Status.IN_PROGRESS
    )
    made = SimpleNamespace(
        at=at, version=version, reply=reply, focal=factories.person(session, at, Role.FOCAL_POINT, login="focal"),
        path=f"/replies/{reply.public_id}",
    )  # fmt: skip
    session.commit()
    return made


def words(client):
    return " ".join(client.page.xpath("string(//main)").split())


def test_what_a_choice_speaks_is_said_wherever_it_is_read(app, session, world, client_for):
    client = client_for(world.focal)
    page = f"{world.path}/pages/page1"
    client.get(page, expect=200)
    assert "The office in …" in words(client)
    row = "A" * 16
    given = {
        "town": "7", "base:town": "0", "office": "first", "base:office": "0",
        f"row:held[{row}]": "1", f"row-base:held[{row}]": "0", f"row-parent:held[{row}]": "",
        f"who[{row}]": "3", f"base:who[{row}]": "0", f"work[{row}]": "here", f"base:work[{row}]": "0",
    }  # fmt: skip
    client.post(page, given | {"action": "save"}, expect=303)
    client.get(page, expect=200)
    assert "The office in 7" in words(client)
    assert "You chose The office in 7" in words(client), "a label that speaks the choice speaks its answer too"
    assert "${" not in words(client)
    # the script renews them, beside boxes and in drop-downs
    assert client.page.xpath("//label[@class='option']//*[@data-wording='The office in ${town}']/text()") == [
        "The office in 7"
    ]
    cell = client.page.xpath(f"//select[@name='work[{row}]']/option[@value='here']")[0]
    assert (cell.get("data-wording"), cell.text) == ("By ${who} for ${town}", "By 3 for 7"), "a cell sees its row"
    assert "January in 7" in words(client), "the rows of a fixed table are choices too"
    client.get(f"{world.path}/check", expect=200)
    assert "${town}" not in client.text
    # whoever was handed the choice alone reads no answer of others in it
    _chief, link, code = hand_out(client_for, world, ("office",))
    guest = come_in(app, session, link, code)
    assert "ការិយាល័យ …" in words(guest)
    assert "ការិយាល័យ 7" not in guest.text
    # out as Excel and Word with the words of this reply, and back by label, whatever it spoke where it was filled in
    book = client.post(f"{world.path}/workbook", {}, expect=200).get_data()
    cells = [str(one.value) for ws in load_workbook(io.BytesIO(book)) for line in ws for one in line if one.value]
    assert any("The office in 7" in one for one in cells)
    assert not [one for one in cells if "${town}" in one]
    word = client.post(f"{world.path}/workbook", {"as": "docx"}, expect=200).get_data()
    told = "".join(part.text or "" for part in Document(io.BytesIO(word)).element.iter() if part.tag.endswith("}t"))
    assert "The office in 7" in told
    assert "${town}" not in told
    client.post(
        page, {"office": "none", "base:office": "1", "town": "8", "base:town": "1", "action": "save"}, expect=303
    )
    filled = Filled(client.post(f"{world.path}/workbook", {}, expect=200).get_data())
    filled.put("office", "The office in 9")
    client.post(
        "/owed/offline",
        {
            "round": find(session, world.reply.public_id).round_slug,
            "file": [(io.BytesIO(filled.content()), "copy.xlsx")],
        },
        expect=303,
    )
    client.follow()
    client.submit(0, expect=200)
    session.expire_all()
    stored = select(Answer.value).join(Question, Question.id == Answer.question_id).where(Question.code == "office")
    assert session.scalars(stored).one() == "first"


def test_the_consolidated_workbook_says_it_by_reply(session, world):
    from forms.answers import AnswerKey

    head = find(session, world.reply.public_id)

    def line(town):
        answers = {
            AnswerKey("town"): Entry(town, "answered", 1, None, head.version_id),
            AnswerKey("office"): Entry("first", "answered", 1, None, head.version_id),
        }
        content = Content(head.version_id, frozenset(), answers, frozenset(), frozen=False)
        reply = SimpleNamespace(head=head, asked=(), content=content)
        return next(one for one in lines([reply], Versions(session)) if one.key.code == "office")

    assert [line(town).text("en") for town in (7, 8)] == ["The office in 7", "The office in 8"]
    assert line(7).typed("km").label == "ការិយាល័យ 7"
