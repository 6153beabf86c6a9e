"""Asking many units at once: each answers apart; rows are joined, numbers added up, and taken over once."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.models import Answer, AnswerRow, Question, Status, Submission
from tests import factories
from tests.client import Client
from tests.integration.portal.sharing.scenes import ROW_A, ROW_B, table_world

pytestmark = pytest.mark.engines


@pytest.fixture
def world(session):
    return table_world(session)


def ask(chief, reply, units="Kampot\t012 345 678\nKandal; @kandal\nTakeo", codes=("beds", "measures", "trainings")):
    """Ask some units; return link and code by name."""
    address = f"/replies/{reply.public_id}/collect"
    chief.get(address, expect=200)
    chief.post(address, {"units": units, "until": "2099-01-01", "codes": list(codes)}, expect=200)
    rows = [line.split("\t") for line in chief.page.xpath("string(//textarea[@id='all-links'])").strip().split("\n")]
    return {name: (url.removeprefix("http://localhost"), code) for name, _contact, url, code in rows}


def answer(app, session, link, code, fields):
    """Come in as a unit and save some answers without script; return the browser."""
    unit = Client(app, session)
    unit.get(link, expect=200)
    unit.post(link, {"code": code}, expect=303)
    unit.follow()
    unit.post(unit.response.request.path, {"action": "save"} | fields, expect=303)
    return unit


def kampot(app, session, asked, **more):
    fields = {
        "beds": "12", "base:beds": "0", "measures@en": "Two courses.", "base:measures@en": "0",
        f"row:trainings[{ROW_A}]": "1", f"row-base:trainings[{ROW_A}]": "0", f"row-parent:trainings[{ROW_A}]": "",
        f"people[{ROW_A}]": "30", f"base:people[{ROW_A}]": "0", f"place[{ROW_A}]": "", f"base:place[{ROW_A}]": "0",
    }  # fmt: skip
    return answer(app, session, *asked["Kampot"], fields | more)


def kandal(app, session, asked):
    fields = {
        "beds": "8", "base:beds": "0", "measures@en": "One law.", "base:measures@en": "0",
        f"row:trainings[{ROW_B}]": "1", f"row-base:trainings[{ROW_B}]": "0", f"row-parent:trainings[{ROW_B}]": "",
        f"people[{ROW_B}]": "5", f"base:people[{ROW_B}]": "0",
    }  # fmt: skip
    return answer(app, session, *asked["Kandal"], fields)


def stored(session, reply):
    """The answers of a reply by code, language and row."""
    rows = session.execute(
        select(Question.code, Answer.lang, Answer.row, Answer.value)
        .join(Question, Question.id == Answer.question_id)
        .where(Answer.submission_id == reply.id)
    )
    return {(code, lang, row): value for code, lang, row, value in rows}


def take(chief, address, **more):
    chief.get(address, expect=200)
    chief.submit(0, action="take", expect=200, **more)


def test_units_answer_apart_and_are_taken_over_once(app, session, world, client_for):
    chief = client_for(world.focal)
    asked = ask(chief, world.reply)
    assert list(asked) == ["Kampot", "Kandal", "Takeo"]
    kampot(app, session, asked)
    kandal(app, session, asked)
    assert stored(session, world.reply) == {}, "nothing of a unit stands in the reply before it is taken over"
    chief.get(f"/replies/{world.reply.public_id}/share", expect=200)
    home = chief.page.xpath("string(//ul[@class='share-collections']//a/@href)")
    chief.get(home, expect=200)
    assert "2" in chief.text
    assert "20" in chief.page.xpath("string(//p[@class='collected-sum']/strong)")
    assert "35" in chief.page.xpath("string(//tfoot)"), "the numbers of a column are added up"
    take(chief, home + "/take")
    session.expire_all()
    first = stored(session, world.reply)
    assert first["beds", "", ""] == 20
    assert first["measures", "en", ""] == "Kampot\nTwo courses.\n\nKandal\nOne law."
    assert sorted(value for (code, _lang, _row), value in first.items() if code == "people") == [5, 30]
    # a second time adds nothing
    chief.get(home + "/take", expect=200)
    assert "already" in chief.text
    rows = session.scalars(select(AnswerRow).where(AnswerRow.submission_id == world.reply.id)).all()
    assert len(rows) == 2
    # a unit that answers later is offered as new, and only that
    answer(app, session, *asked["Takeo"], {"beds": "100", "base:beds": "0"})
    chief.get(home, expect=200)
    assert "new since you took over" in chief.text
    take(chief, home + "/take")
    assert stored(session, world.reply)["beds", "", ""] == 120
    assert len(session.scalars(select(AnswerRow).where(AnswerRow.submission_id == world.reply.id)).all()) == 2


def test_no_round_counts_what_units_answer(app, session, world, client_for):
    chief = client_for(world.focal)
    kampot(app, session, ask(chief, world.reply))
    assert session.scalars(select(Submission.status).where(Submission.assignment_id.is_(None))).all() == [
        Status.IN_PROGRESS
    ] * 3
    staff = client_for(factories.staff(session))
    staff.get(f"/rounds/{world.round.slug}/grid", expect=200)
    assert "Kampot" not in staff.text
    chief.get("/owed", expect=200)
    assert len(chief.page.xpath("//li[contains(@class, 'owed-row')]")) == 1
