"""Taking over what is not added up: one choice of several, means on request, files; and what units change afterwards."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import select

from portal.models import AnswerRow, Evidence, Question, VersionItem
from portal.queries.evidence import used_bytes
from tests import factories
from tests.integration.portal.sharing.scenes import ROW_A, ROW_B, table_world
from tests.integration.portal.sharing.test_collection import answer, ask, kampot, stored

GROUPS = [{"key": key, "texts": {"en": key.title(), "km": key}} for key in ("women", "children", "elders")]


@pytest.fixture
def world(session):
    made = table_world(session)
    place = VersionItem.version_id == made.version.id, VersionItem.code == "page1"
    page = session.scalars(select(VersionItem).where(*place)).one()
    for code, kind in (("share", "percentage"), ("since", "date"), ("proof", "file")):
        factories.question(session, made.version, code, kind, parent=page)
    factories.question(session, made.version, "groups", "select_multiple", parent=page, choices=GROUPS)
    session.commit()
    return made


def home_of(chief, reply):
    chief.get(f"/replies/{reply.public_id}/share", expect=200)
    return chief.page.xpath("string(//ul[@class='share-collections']//a/@href)")


def work_of(unit):
    """The address of what a unit was handed."""
    return "/".join(unit.response.request.path.split("/")[:4])


def send_file(unit, text, name="decision.txt"):
    work = work_of(unit)
    return unit.open(
        f"{work}/questions/proof/files", method="POST", content_type="multipart/form-data",
        data={"csrf_token": unit.token(), "proof": (io.BytesIO(text), name)}, expect=303,
    )  # fmt: skip


def ways(chief, name):
    """What can be chosen for an answer: value of the radio by its words."""
    found = {}
    for radio in chief.page.xpath(f"//input[@type='radio' and @name='pick:{name}']"):
        found[" ".join(radio.getparent().text_content().split())] = radio.get("value")
    return found


def of(found, words):
    return next(value for text, value in found.items() if words in text)


def test_choices_dates_percentages_and_files_are_taken_over_as_chosen(app, session, world, client_for):
    chief = client_for(world.focal)
    codes = ("state", "beds", "share", "since", "groups", "proof", "measures")
    asked = ask(chief, world.reply, codes=codes)
    said = {"base:beds": "0", "base:share": "0", "base:state": "0", "base:since": "0", "base:groups": "0"}
    first = answer(app, session, *asked["Kampot"], said | {
        "state": "done", "beds": "10", "share": "50", "since": "2024-05-01", "groups": ["women"], "groups!present": "1",
    })  # fmt: skip
    second = answer(app, session, *asked["Kandal"], said | {
        "state": "not_started", "beds": "30", "share": "10", "since": "2024-05-01",
        "groups": ["children"], "groups!present": "1",
    })  # fmt: skip
    send_file(first, b"A decision of the province.")
    send_file(second, b"A decision of the province.", "copy.txt")
    send_file(second, b"Another decision.", "other.txt")
    assert used_bytes(session, world.at.id) == len(b"A decision of the province.") + len(b"Another decision.")
    home = home_of(chief, world.reply)
    chief.get(home, expect=200)
    counts = [" ".join(one.text_content().split()) for one in chief.page.xpath("//ul[@class='collected-counts']/li")]
    assert {"Implemented 1", "Not started 1"} <= set(counts)
    chief.get(home + "/take", expect=200)
    shares, groups = ways(chief, "share"), ways(chief, "groups")
    assert of(shares, "30% the mean, each unit") == "average"
    weighted = of(shares, "20% the mean, weighted by")  # (50 * 10 + 10 * 30) / 40
    assert weighted == "weighted:beds"
    assert not [text for text in shares if text.startswith("60")], "percentages are never added up"
    checked = chief.page.xpath("//input[@type='radio' and @checked]/@name[starts-with(., 'pick:')]/../@value")
    agreed = of(ways(chief, "since"), "2 units")
    assert [one for one in checked if one] == [agreed], "what all units say suggests itself, and nothing else"
    assert len(chief.page.xpath("//input[@name='take' and starts-with(@value, 'file:')]")) == 2, "the same file once"
    chief.submit(0, action="take", expect=200, **{
        "pick:state": of(ways(chief, "state"), "Implemented"), "pick:share": weighted, "pick:groups": of(groups, "every choice"),
        "note:state": "measures@en",
    })  # fmt: skip
    seen = stored(session, world.reply)
    assert seen["state", "", ""] == "done"
    assert str(seen["share", "", ""]) == "20"
    assert seen["groups", "", ""] == ["women", "children"]
    assert seen["since", "", ""] == "2024-05-01"
    assert "Not started: Kandal" in seen["measures", "en", ""]
    kept = session.scalars(select(Evidence).where(Evidence.submission_id == world.reply.id)).all()
    assert {one.public_id for one in kept} == set(seen["proof", "", ""])
    assert sorted(one.caption for one in kept) == ["Kampot, Kandal", "Kandal"]
    # nothing is left; what was chosen can be chosen anew
    chief.get(home + "/take", expect=200)
    assert "Everything is in the reply already" in chief.text
    assert ways(chief, "state")
    # a unit takes its file back and says something else: told, and nothing happens by itself
    one = session.scalars(
        select(Evidence.number).where(Evidence.filename == "other.txt", Evidence.submission_id != world.reply.id)
    ).one()
    work = work_of(second)
    second.get(f"{work}/pages/page1", expect=200)
    second.post(f"{work}/files/{one}/remove", expect=303)
    later = {"state": "done", "base:state": "1", "since": "2025-01-01", "base:since": "1", "action": "save"}
    second.post(f"{work}/pages/page1", later, expect=303)
    chief.get(home + "/take", expect=200)
    gone = chief.page.xpath("//input[@name='take' and starts-with(@value, 'gone:file:') and not(@checked)]/@value")
    assert len(gone) == 1
    assert "changed since" in chief.page.xpath("string(//fieldset[.//input[@name='pick:since']]/legend)")
    assert len(stored(session, world.reply)["proof", "", ""]) == 2
    chief.submit(0, action="take", take=gone)
    assert len(stored(session, world.reply)["proof", "", ""]) == 1


def test_a_row_that_a_unit_changes_or_removes_is_told_and_the_institutions_own_is_kept(app, session, world, client_for):
    chief = client_for(world.focal)
    asked = ask(chief, world.reply)
    second_row = {
        f"row:trainings[{ROW_B}]": "1", f"row-base:trainings[{ROW_B}]": "0", f"row-parent:trainings[{ROW_B}]": "",
        f"people[{ROW_B}]": "7", f"base:people[{ROW_B}]": "0",
    }  # fmt: skip
    unit = kampot(app, session, asked, **second_row)
    home = home_of(chief, world.reply)
    chief.get(home + "/take", expect=200)
    chief.submit(0, action="take", expect=200)

    def people():
        ids = select(Question.id).where(Question.code == "people").scalar_subquery()
        from portal.models import Answer

        return dict(
            session.execute(
                select(Answer.value, Answer.row).where(
                    Answer.submission_id == world.reply.id, Answer.question_id == ids
                )
            ).all()
        )

    def plan():
        chief.get(home + "/take", expect=200)
        return {box.get("value"): box.get("checked") is not None for box in chief.page.xpath("//input[@name='take']")}

    mine = people()
    assert set(mine) == {30, 7}
    # the institution corrects a figure: what the unit said once is not pressed upon it again
    page = f"/replies/{world.reply.public_id}/pages/page1"
    fields = {f"people[{mine[30]}]": "31", f"base:people[{mine[30]}]": "1"}
    chief.post(page, fields, headers={"Accept": "application/json"}, expect=200)
    assert plan() == {}
    # both units' rows change afterwards: the untouched one suggests itself, the corrected one waits to be ticked
    work = unit.response.request.path
    unit.get(work, expect=200)
    changed = {
        f"people[{ROW_A}]": "33",
        f"base:people[{ROW_A}]": "1",
        f"people[{ROW_B}]": "8",
        f"base:people[{ROW_B}]": "1",
    }
    unit.post(work, changed | {"action": "save"}, expect=303)
    assert plan() == {f"row:trainings[{mine[30]}]": False, f"row:trainings[{mine[7]}]": True}
    assert "changed since" in chief.text
    assert set(people()) == {31, 7}
    chief.submit(0, action="take")
    assert set(people()) == {31, 8}
    # a removed row is offered, never taken off by itself
    gone = {"row-act": f"remove:trainings[{ROW_B}]", f"row-base:trainings[{ROW_B}]": "1", f"base:people[{ROW_B}]": "2"}
    unit.get(work, expect=200)
    unit.post(work, gone, expect=303)
    offered = plan()
    assert offered == {f"row:trainings[{mine[30]}]": False, f"gone:trainings[{mine[7]}]": False}
    chief.submit(0, action="take", take=[f"gone:trainings[{mine[7]}]"])
    rows = dict(
        session.execute(select(AnswerRow.key, AnswerRow.removed).where(AnswerRow.submission_id == world.reply.id)).all()
    )
    assert rows == {mine[30]: False, mine[7]: True}


def test_units_are_corrected_removed_added_and_asked_anew(app, session, world, client_for):
    chief = client_for(world.focal)
    asked = ask(chief, world.reply)
    answer(app, session, *asked["Kampot"], {"beds": "12", "base:beds": "0"})
    other = answer(app, session, *asked["Kandal"], {"beds": "8", "base:beds": "0"})
    home = home_of(chief, world.reply)
    chief.get(home + "/units", expect=200)
    ids = dict(
        zip(
            chief.page.xpath("//input[@name='name']/@value"),
            chief.page.xpath("//li[@class='unit-edit']/@id"),
            strict=True,
        )
    )
    unit = {name: one.removeprefix("unit-") for name, one in ids.items()}
    chief.submit(f"/delegations/{unit['Takeo']}/correct", name="Kampot", expect=422)
    assert "Another unit of your list has this name." in chief.text
    chief.submit(f"/delegations/{unit['Takeo']}/correct", name="Takeo province", contact="099", expect=200)
    chief.submit(f"/delegations/{unit['Kandal']}/leave-out", retire="y", expect=200)
    other.get(other.response.request.path, expect=403)
    chief.get(home, expect=200)
    assert chief.page.xpath("string(//p[@class='collected-sum']/strong)") == "12"
    assert "Takeo province" in chief.text
    chief.get(f"/replies/{world.reply.public_id}/collect", expect=200)
    assert "Kandal" not in chief.text, "taken off the list for the next time"
    # its link was never opened: a new one for all such units; the old one is void
    chief.get(home + "/units", expect=200)
    chief.submit(home + "/anew", expect=200)
    lines = chief.page.xpath("string(//textarea[@id='all-links'])").strip().split("\n")
    assert [line.split("\t")[0] for line in lines] == ["Takeo province"]
    other.get(asked["Takeo"][0], expect=404)
    chief.get(home + "/units", expect=200)
    chief.submit(f"/delegations/{unit['Kandal']}/take-in", expect=200)
    chief.get(home, expect=200)
    assert chief.page.xpath("string(//p[@class='collected-sum']/strong)") == "20"
    chief.get(home + "/units", expect=200)
    chief.post(home + "/units", {"units": "Kep; 011"}, expect=200)
    assert chief.page.xpath("//li[contains(@class, 'code-card')]//h2/text()") == ["Kep"]
    # of another institution there is nothing
    stranger = client_for(factories.person(session, factories.institution(session, "moi"), login="stranger"))
    stranger.get(home + "/units", expect=404)
    for act in ("correct", "leave-out", "take-in"):
        stranger.post(f"/delegations/{unit['Takeo']}/{act}", {"name": "X"}, expect=404)
    for act in ("units", "anew"):
        stranger.post(f"{home}/{act}", {"units": "X"}, expect=404)


def test_queries_do_not_grow_with_the_units(app, session, world, client_for, count_queries):
    chief = client_for(world.focal)
    asked = ask(chief, world.reply, codes=("beds", "share", "proof", "trainings"))
    for name in asked:
        send_file(answer(app, session, *asked[name], {"beds": "1", "base:beds": "0"}), name.encode())
    home = home_of(chief, world.reply)
    pages = ("", "/take", "/units")

    def count():
        found = []
        for page in pages:
            chief.get(home + page, expect=200)
            with count_queries() as seen:
                chief.get(home + page, expect=200)
            found.append(len(seen))
        return found

    few = count()
    chief.get(home + "/units", expect=200)
    chief.post(home + "/units", {"units": "\n".join(f"Unit {number}" for number in range(22))}, expect=200)
    rows = chief.page.xpath("string(//textarea[@id='all-links'])").strip().split("\n")
    for line in rows:
        name, _contact, url, code = line.split("\t")
        unit = answer(app, session, url.removeprefix("http://localhost"), code, {"beds": "1", "base:beds": "0"})
        send_file(unit, name.encode())
    assert len(rows) == 22
    assert count() == few
