"""Labels of choices that speak answers: the same words on the page, in what is read, in both workbooks and in Word."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from docx import Document
from openpyxl import load_workbook
from sqlalchemy import select

from forms.answers import AnswerKey, TableRow
from portal.models import Answer, ItemKind, Question, QuestionnaireVersion, Role, StaffRole, Status, VersionItem
from portal.queries.answer_lines import Versions, lines
from portal.queries.handed_in import Content, Entry
from portal.queries.submissions import find
from portal.services.questionnaire_places import retire_item
from portal.services.questionnaire_versions import begin_draft
from tests import factories
from tests.documents import FilledDocument, download
from tests.integration.portal.sharing.test_scope import come_in, hand_out
from tests.offline import Filled, judge

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
    heads = (("who", "${who}"), ("under", "Under ${who}"), ("town", "${town}"))
    both = (("with", "With ${who}, and ${town}"), ("alone", "Alone"))
    for code, kind, offer in (("head", "select_one", heads), ("both", "select_multiple", both)):
        choices = [{"key": key, "texts": {"en": text}} for key, text in offer]
        factories.question(session, version, code, kind, parent=table, choices=choices)
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


def test_a_choice_that_speaks_its_row_says_the_row_everywhere(session, world, client_for):
    client = client_for(world.focal)
    rows = {"A" * 16: "3", "B" * 16: "4"}
    given = {"town": "7", "base:town": "0"}
    for row, who in rows.items():
        given |= {
            f"row:held[{row}]": "1", f"row-base:held[{row}]": "0", f"row-parent:held[{row}]": "",
            f"who[{row}]": who, f"base:who[{row}]": "0", f"work[{row}]": "here", f"base:work[{row}]": "0",
        }  # fmt: skip
    client.get(f"{world.path}/pages/page1", expect=200)
    client.post(f"{world.path}/pages/page1", given | {"action": "save"}, expect=303)
    client.get(f"{world.path}/check", expect=200)
    read = words(client)
    assert "By 3 for 7" in read
    assert "By 4 for 7" in read, "each row is read in its own words"
    # Excel: the answer and the list of a row in the words of the row, of an empty line with what is not known open
    book = client.post(f"{world.path}/workbook", {}, expect=200).get_data()
    filled = Filled(book)
    assert [filled.place("work", line=line).value for line in (1, 2)] == [
        f"ដោយ {who} សម្រាប់ 7 · By {who} for 7" for who in (3, 4)
    ]
    assert [offered(filled, filled.place("work", line=line)) for line in (1, 2, 3)] == [
        [f"ដោយ {who} សម្រាប់ 7 · By {who} for 7"] for who in (3, 4, "…")
    ]
    word = client.post(f"{world.path}/workbook", {"as": "docx"}, expect=200).get_data()
    parts = Document(io.BytesIO(word)).element
    told = "".join(part.text or "" for part in parts.iter() if part.tag.endswith("}t"))
    assert "By 3 for 7" in told
    assert "By 4 for 7" in told
    names = [one.get(one.tag.replace("listItem", "displayText")) for one in parts.iter() if one.tag.endswith("listItem")]
    assert {one for one in names if "for 7" in one} == {
        f"ដោយ {who} សម្រាប់ 7 · By {who} for 7" for who in (3, 4, "…")
    }
    # the round workbook
    head = find(session, world.reply.public_id)
    answers = {
        AnswerKey("town"): Entry(7, "answered", 1, None, head.version_id),
        **{AnswerKey("who", row): Entry(int(who), "answered", 1, None, head.version_id) for row, who in rows.items()},
        **{AnswerKey("work", row): Entry("here", "answered", 1, None, head.version_id) for row in rows},
    }
    standing = {"held": [TableRow(row) for row in rows]}
    content = Content(head.version_id, frozenset(), answers, frozenset(), frozen=False, rows=standing)
    found = lines([SimpleNamespace(head=head, asked=(), content=content)], Versions(session))
    assert [one.text("en") for one in found if one.key.code == "work"] == ["By 3 for 7", "By 4 for 7"]


def test_an_answer_of_an_earlier_version_is_said_in_the_words_of_that_version(session, world):
    head = find(session, world.reply.public_id)
    by = factories.principal(session, factories.staff(session, StaffRole.COORDINATOR))
    newer = begin_draft(session, session.get_one(QuestionnaireVersion, world.version.id), by=by)
    retire_item(session, newer, "office", by=by)
    row = "A" * 16
    then = {"asked_in": head.version_id}
    answers = {
        AnswerKey("town"): Entry(7, "answered", 1, None, **then),
        AnswerKey("office"): Entry("first", "answered", 1, None, **then),
        AnswerKey("who", row): Entry(3, "answered", 1, None, **then),
        AnswerKey("work", row): Entry("here", "answered", 1, None, **then),
    }

    def reply(answers, hidden=()):
        standing = {"held": [TableRow(row)]}
        content = Content(newer.id, frozenset(hidden), answers, frozenset(), frozen=False, rows=standing)
        return SimpleNamespace(head=head, asked=(), content=content)

    def said(*replies):
        found = lines(replies, Versions(session))
        return [one.text("en") for one in found if one.key.code in {"office", "work"}]

    other = {**answers, AnswerKey("town"): Entry(8, "answered", 1, None, **then)}
    assert said(reply(answers), reply(other)) == [
        "By 3 for 7", "The office in 7", "By 3 for 8", "The office in 8"
    ], "each reply in its own words"  # fmt: skip
    # what the reply no longer says is named by its question, and what is not asked does not leave
    gone = {key: entry for key, entry in answers.items() if key.code not in {"town", "who"}}
    assert said(reply(gone)) == ["By [Question who] for [Question town]", "The office in [Question town]"]
    assert said(reply(answers, hidden=["town"]))[1] == "The office in [Question town]"


def offered(filled, cell):
    """Return what the drop-down list of a cell offers."""
    rule = next(one for one in filled.ws.data_validations.dataValidation if cell.coordinate in one.cells)
    sheet, cells = filled.book.defined_names[rule.formula1].attr_text.replace("'", "").replace("$", "").split("!")
    return [line[0].value for line in filled.book[sheet][cells]] if ":" in cells else [filled.book[sheet][cells].value]


def test_what_comes_back_is_judged_by_the_choice_whatever_it_spoke_then(app, session, world, client_for):
    client = client_for(world.focal)
    row = "A" * 16
    given = {
        "town": "7", "base:town": "0",
        f"row:held[{row}]": "1", f"row-base:held[{row}]": "0", f"row-parent:held[{row}]": "",
        f"who[{row}]": "3", f"base:who[{row}]": "0", f"head[{row}]": "town", f"base:head[{row}]": "0",
        f"both[{row}]": "with", f"base:both[{row}]": "0",
    }  # fmt: skip
    client.get(f"{world.path}/pages/page1", expect=200)
    client.post(f"{world.path}/pages/page1", given | {"action": "save"}, expect=303)
    filled = Filled(client.post(f"{world.path}/workbook", {}, expect=200).get_data())
    cell = filled.place("head", line=1)
    assert cell.value == "7 (town)", "words that another choice might say too name their choice"
    assert offered(filled, cell) == ["3 (who)", "Under 3 (under)", "7 (town)"]
    assert offered(filled, filled.place("head", line=2)) == ["… (who)", "Under … (under)", "7 (town)"]
    assert filled.place("both", line=1).value == "With 3, and 7"
    # an unchanged book changes nothing; what is chosen of the list is that choice, though the answers moved on
    by = factories.principal(session, world.focal, world.at)

    def judged(book):
        with app.test_request_context():
            return judge(session, book, by=by)

    assert not any(one.speaks for one in judged(filled.content()).replies)
    client.post(
        f"{world.path}/pages/page1",
        {f"who[{row}]": "5", f"base:who[{row}]": "1", "town": "9", "base:town": "1", "action": "save"}, expect=303,
    )  # fmt: skip
    filled.put("head", "3 (who)", line=1)
    filled.put("both", "With 3, and 7; Alone", line=1)
    filled.put("who", 6, line=2)
    filled.put("head", "Under … (under)", line=2)
    filled.put("both", "2; With 6, and 7", line=2)
    plan = judged(filled.content()).replies[0]
    assert {one.key.code: one.options[0].parsed.value for one in plan.answers} == {
        "head": "who", "both": ["with", "alone"]
    }  # fmt: skip
    assert {one.key.code: (one.old, one.options[0].text) for one in plan.answers} == {
        "head": ("9", "5"), "both": ("With 5, and 9", "With 5, and 9; Alone"),
    }, "the person who looks reads the words of now"  # fmt: skip
    assert {one.key.code: one.options[0].parsed.value for one in plan.rows[0].cells} == {
        "who": 6, "head": "under", "both": ["with", "alone"]
    }  # fmt: skip
    document = FilledDocument(download(session, world.reply, by=by))
    document.put("head", "5 (who)", line=1)
    with app.test_request_context():
        told = judge(session, document.content(), by=by, names=("copy.docx",)).replies[0]
    assert [(one.key.code, one.options[0].parsed.value) for one in told.answers] == [("head", "who")]
    filled.put("head", "Over 3", line=1)
    refused = next(one for one in judged(filled.content()).replies[0].answers if one.outcome == "refused")
    assert refused.key.code == "head"
    assert "${" not in f"{refused.expected} {refused.example}"


def test_the_consolidated_workbook_says_it_by_reply(session, world):
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
