"""Asking many units at once: each answers apart; rows are joined, numbers added up, and taken over once."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from forms.sharing import read_units
from portal.models import Answer, AnswerRow, Question, Status, Submission, Unit
from tests import factories
from tests.client import Client
from tests.integration.portal.sharing.scenes import ROW_A, ROW_B, table_world
from tests.scenes import answer as store


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


@pytest.mark.engines
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
    assert "have answers not taken over" in chief.text
    take(chief, home + "/take")
    assert stored(session, world.reply)["beds", "", ""] == 120
    assert len(session.scalars(select(AnswerRow).where(AnswerRow.submission_id == world.reply.id)).all()) == 2


@pytest.mark.engines
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


def test_what_the_institution_wrote_itself_is_kept(app, session, world, client_for):
    chief = client_for(world.focal)
    asked = ask(chief, world.reply, units="Kampot")
    by = factories.system_actor(session).id
    store(session, world.reply, world.version, "measures", "Our own words.", by, lang="en")
    store(session, world.reply, world.version, "beds", 3, by)
    session.commit()
    kampot(app, session, asked)
    chief.get(f"/replies/{world.reply.public_id}/share", expect=200)
    address = chief.page.xpath("string(//ul[@class='share-collections']//a/@href)") + "/take"
    chief.get(address, expect=200)
    text = chief.page.text_content()
    assert "Our own words." in text
    assert "Kampot" in text
    # only the text is wanted
    chief.submit(0, action="take", take=["measures@en"])
    seen = stored(session, world.reply)
    assert seen["measures", "en", ""] == "Our own words.\n\nKampot\nTwo courses."
    assert seen["beds", "", ""] == 3
    assert not [code for code, _lang, _row in seen if code == "people"]


def test_a_reply_changed_meanwhile_is_not_overwritten(app, session, world, client_for):
    chief = client_for(world.focal)
    asked = ask(chief, world.reply, units="Kampot", codes=("beds",))
    answer(app, session, *asked["Kampot"], {"beds": "12", "base:beds": "0"})
    chief.get(f"/replies/{world.reply.public_id}/share", expect=200)
    address = chief.page.xpath("string(//ul[@class='share-collections']//a/@href)") + "/take"
    chief.get(address, expect=200)
    sign = chief.page.xpath("string(//input[@name='sign:beds']/@value)")
    chief.post(
        f"/replies/{world.reply.public_id}/pages/page1", {"beds": "99", "base:beds": "0"},
        headers={"Accept": "application/json"}, expect=200,
    )  # fmt: skip
    chief.post(address, {"take": "beds", "base:beds": "0", "sign:beds": sign, "action": "take"}, expect=409)
    assert stored(session, world.reply)["beds", "", ""] == 99
    assert "meanwhile" in chief.text


def test_the_name_of_the_unit_can_stand_in_a_column(app, session, world, client_for):
    chief = client_for(world.focal)
    kampot(app, session, ask(chief, world.reply, units="Kampot"))
    chief.get(f"/replies/{world.reply.public_id}/share", expect=200)
    address = chief.page.xpath("string(//ul[@class='share-collections']//a/@href)") + "/take"
    chief.get(address + "?unit-column:trainings=place", expect=200)
    chief.submit(0, action="take")
    places = [value for (code, _lang, _row), value in stored(session, world.reply).items() if code == "place"]
    assert places == ["Kampot"]


def test_the_list_of_units_is_kept_and_taken_again(session, world, client_for):
    chief = client_for(world.focal)
    ask(chief, world.reply)
    chief.get(f"/replies/{world.reply.public_id}/collect", expect=200)
    boxes = chief.page.xpath("//input[@name='unit']/@value")
    assert len(boxes) == 3
    fields = {"unit": boxes[:2], "units": "Takeo; 099\nKep", "until": "2099-01-01", "codes": ["beds"]}
    chief.post(f"/replies/{world.reply.public_id}/collect", fields, expect=200)
    names = chief.page.xpath("//li[contains(@class, 'code-card')]//h2/text()")
    assert names == ["Kampot", "Kandal", "Takeo", "Kep"]
    assert len(session.scalars(select(Unit)).all()) == 4


def test_a_file_of_a_unit_is_the_institutions_to_read_alone(app, session, world, client_for):
    chief = client_for(world.focal)
    ask(chief, world.reply, units="Kampot", codes=("beds",))
    chief.get(f"/replies/{world.reply.public_id}/share", expect=200)
    address = chief.page.xpath("string(//ul[@class='share-collections']//a/@href)")
    stranger = client_for(factories.person(session, factories.institution(session, "moi"), login="stranger"))
    for path in ("", "/take", "/files/1"):
        stranger.get(address + path, expect=404)
    chief.get(address + "/files/1", expect=404)


@pytest.mark.parametrize(
    ("line", "unit"),
    [
        ("Kampot", ("Kampot", "")),
        ("  Kampot   province ", ("Kampot province", "")),
        ("Kampot\t012 345", ("Kampot", "012 345")),
        ("Kampot; @kampot", ("Kampot", "@kampot")),
        ("Kampot, 012 345", ("Kampot", "012 345")),
        ("Agriculture, Forestry and Fisheries", ("Agriculture, Forestry and Fisheries", "")),
        ("កំពត | a@example.org", ("កំពត", "a@example.org")),
    ],
)
def test_a_pasted_line_is_a_unit_with_its_contact(line, unit):
    assert read_units(line) == [unit]


def test_the_text_for_a_unit_carries_its_code_only_where_that_is_asked_for(world, client_for):
    chief = client_for(world.focal)
    asked = ask(chief, world.reply)
    texts = {name: [] for name in ("km", "en", "km-code", "en-code")}
    for number in range(1, len(asked) + 1):
        for kind, found in texts.items():
            found.append(chief.page.xpath(f"string(//textarea[@id='u{number}-{kind}'])"))
    for kind, found in texts.items():
        for text, (link, code) in zip(found, asked.values(), strict=True):
            assert link in text
            assert (code in text) is kind.endswith("-code")
