"""Two people, one answer, no script: nothing but the choice at an answer ever puts one text over the other."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import select

from portal.models import Answer, ItemKind, Question, Role, VersionItem
from tests import factories, tables

pytestmark = pytest.mark.engines

JSON = {"Accept": "application/json"}
CANNOT = {"not_available": True, "not_applicable": True}
ROW = "A" * 16


@pytest.fixture
def scene(session):
    moj = factories.institution(session, "MOJ")
    version = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    factories.question(session, version, "why", "text", parent=page, settings=CANNOT)
    factories.question(session, version, "cells", "integer", parent=page, settings=CANNOT)
    reply = factories.submission(session, factories.assignment(session, to=moj, version=version))
    made = SimpleNamespace(
        reply=reply,
        path=f"/replies/{reply.public_id}/pages/page1",
        focal=factories.person(session, moj, Role.FOCAL_POINT),
        colleague=factories.person(session, moj, Role.CONTRIBUTOR),
    )
    session.commit()
    return made


@pytest.fixture
def both(client_for, scene):
    """Return my page, opened before a colleague wrote something on it: ``both(**what they save)``."""

    def both(**theirs):
        mine = client_for(scene.focal)
        mine.get(scene.path, expect=200)
        fields = {name.replace("__", "@").replace("_state", "!state"): value for name, value in theirs.items()}
        client_for(scene.colleague).post(scene.path, fields, headers=JSON, expect=200)
        return mine

    return both


def stored(session, scene):
    """Return {name: value, or its state where that is none}."""
    session.expire_all()
    rows = session.execute(
        select(Question.code, Answer.lang, Answer.value, Answer.state, Answer.typed)
        .join(Question, Question.id == Answer.question_id)
        .where(Answer.submission_id == scene.reply.id)
    )
    return {
        code + (f"@{lang}" if lang else ""): value if str(state) == "answered" and typed is None else typed or str(state)
        for code, lang, value, state, typed in rows
    }


def post(client, expect, **fields):
    given = {name.replace("__", "@").replace("_state", "!state"): value for name, value in fields.items()}
    assert client.submit(**given, follow=False).status_code == expect


def boxes(client):
    return [one.get("aria-labelledby").rpartition("conflict-label-")[2] for one in client.page.xpath("//*[@data-told]")]


def test_each_of_several_conflicts_stays_until_it_was_chosen(both, scene, session):
    mine = both(measures__km="គេ ១", why__km="គេ ២", state="done")
    post(mine, 409, measures__km="ខ្ញុំ ១", why__km="ខ្ញុំ ២", state="not_started", action="next")
    assert sorted(boxes(mine)) == ["measures@km", "state", "why@km"]
    assert mine.page.xpath("//input[@name='base:why@km']/@value") == ["0"]
    # no button but that of the answer itself decides: neither "Save" nor the choice at another answer
    for pressed in ({"action": "save"}, {"resolve:measures@km": "theirs"}):
        post(mine, 409, **pressed)
        assert stored(session, scene) == {"measures@km": "គេ ១", "why@km": "គេ ២", "state": "done"}
    assert sorted(boxes(mine)) == ["state", "why@km"]
    # what is chosen by a button and not typed is shown again, and kept, as well
    post(mine, 409, **{"resolve:state": "mine"})
    assert stored(session, scene)["state"] == "not_started"
    post(mine, 303, **{"resolve:why@km": "mine"})
    assert stored(session, scene) == {"measures@km": "គេ ១", "why@km": "ខ្ញុំ ២", "state": "not_started"}


def test_what_is_typed_after_a_conflict_and_a_joined_text_mended_by_hand_stay(both, scene, session):
    mine = both(measures__km="គេ", why__km="គេ")
    post(mine, 409, measures__km="ខ្ញុំ", why__km="ខ្ញុំ")
    post(mine, 409, **{"measures@km": "ខ្ញុំ ថ្មី", "merged:measures@km": "រួម ដោយដៃ", "resolve:why@km": "theirs"})
    assert mine.page.xpath("//textarea[@name='measures@km']/text()") == ["ខ្ញុំ ថ្មី"]
    assert mine.page.xpath("//textarea[@name='merged:measures@km']/text()") == ["រួម ដោយដៃ"]
    assert stored(session, scene) == {"measures@km": "គេ", "why@km": "គេ"}
    post(mine, 303, **{"resolve:measures@km": "both"})
    assert stored(session, scene)["measures@km"] == "រួម ដោយដៃ"


def test_pressing_save_over_and_over_overwrites_nobody(client_for, scene, session):
    """Without a choice the first text stands, however often another one is sent."""
    clients = [client_for(one) for one in (scene.focal, scene.colleague)]
    for client in clients:
        client.get(scene.path, expect=200)
    post(clients[0], 303, measures__km="ដំបូង", action="save")
    for number in range(25):
        post(clients[1], 409, measures__km=f"ទី {number}", action="save")
    assert stored(session, scene) == {"measures@km": "ដំបូង"}


@pytest.mark.parametrize(
    ("theirs", "mine", "shown"),
    [
        ({"why__km": "គេ"}, {"why_state": "not_available"}, ("Not available", "គេ")),
        ({"why__km": "", "why__en": "", "why_state": "not_applicable"}, {"why__km": "ខ្ញុំ"}, ("ខ្ញុំ", "Not applicable")),
    ],
)
def test_a_state_is_named_in_its_half_and_chosen_like_a_text(both, scene, session, theirs, mine, shown):
    page = both(**theirs)
    before = stored(session, scene)
    post(page, 409, **mine, action="save")
    (box,) = page.page.xpath("//*[@data-told]")
    assert tuple("".join(box.xpath(f".//*[@data-{which}]//text()")) for which in ("mine", "theirs")) == shown
    state = page.page.xpath("//input[@name='why!state'][@checked]/@value")
    assert state == [mine.get("why_state", "answered")]
    post(page, 409, action="save")
    post(page, 303, **{"resolve:why@km": "theirs"})
    assert {name: value for name, value in stored(session, scene).items() if name == "why@km"} == {"why@km": before["why@km"]}
    page.get(scene.path, expect=200)
    kept = "not_applicable" if before["why@km"] == "not_applicable" else "answered"
    assert page.page.xpath("//input[@name='why!state'][@checked]/@value") == [kept]


def test_text_beside_not_available_is_kept_and_asked_about(client_for, scene, session):
    client = client_for(scene.focal)
    client.get(scene.path, expect=200)
    post(client, 422, **{"why@km": "អត្ថបទ", "cells": "3"}, why_state="not_available", cells_state="not_applicable")
    assert "An answer and “Not available” stand side by side." in client.words
    assert "An answer and “Not applicable” stand side by side." in client.words
    # both are still on the page, and the text outlives it
    assert client.page.xpath("//textarea[@name='why@km']/text()") == ["អត្ថបទ"]
    assert client.page.xpath("//input[@name='why!state'][@checked]/@value") == ["not_available"]
    assert stored(session, scene)["why@km"] == "អត្ថបទ"
    post(client, 303, **{"why@km": ""}, why_state="not_available", cells_state="answered")
    assert (stored(session, scene)["why@km"], stored(session, scene)["cells"]) == ("not_available", 3)


def test_what_was_written_in_a_removed_row_waits_for_a_choice(client_for, session):
    scene = tables.scene(session)
    mine, theirs = client_for(scene.focal), client_for(scene.colleague)
    name = f"activity[{ROW}]@en"
    theirs.post(scene.path, {f"row:b5[{ROW}]": "1", f"row-base:b5[{ROW}]": "0", name: "A", f"base:{name}": "0"}, headers=JSON, expect=200)
    mine.get(scene.path, expect=200)
    theirs.post(scene.path, {name: "B", f"base:{name}": "1"}, headers=JSON, expect=200)
    theirs.post(scene.path, {f"row:b5[{ROW}]": "1", f"row-removed:b5[{ROW}]": "1", f"base:{name}": "2"}, headers=JSON, expect=200)
    post(mine, 409, **{name: "Mine"})
    for _time in range(2):  # any other button leaves it as it is
        post(mine, 409, action="save")
        assert mine.page.xpath(f"//input[@name='mine:{name}']/@value") == ["Mine"]
    # the row is put back; the cell in which a colleague wrote too is a conflict of its own
    post(mine, 409, **{"row-act": f"restore:b5[{ROW}]"})
    assert boxes(mine) == [name]
    assert stored(session, scene)["activity@en"] == "B"
    post(mine, 303, **{f"resolve:{name}": "mine"})
    assert stored(session, scene)["activity@en"] == "Mine"


def test_a_removed_row_may_be_left_removed(client_for, session):
    scene = tables.scene(session)
    mine, theirs = client_for(scene.focal), client_for(scene.colleague)
    name = f"activity[{ROW}]@en"
    theirs.post(scene.path, {f"row:b5[{ROW}]": "1", f"row-base:b5[{ROW}]": "0", name: "A", f"base:{name}": "0"}, headers=JSON, expect=200)
    mine.get(scene.path, expect=200)
    theirs.post(scene.path, {f"row:b5[{ROW}]": "1", f"row-removed:b5[{ROW}]": "1", f"base:{name}": "1"}, headers=JSON, expect=200)
    post(mine, 409, **{name: "Mine"})
    post(mine, 303, **{"row-act": f"leave:b5[{ROW}]"})
    mine.get(scene.path, expect=200)
    assert "Mine" not in mine.words


@pytest.mark.parametrize(
    ("theirs", "mine", "status", "said"),
    [
        ({"why__km": "គេ"}, {"why__km": "ខ្ញុំ"}, 409, "A colleague changed the same answer."),
        ({}, {"cells": "about 12"}, 422, "Kept, but not taken yet."),
        ({}, {"cells": "12", "cells_state": "not_available"}, 422, "Kept, but not taken yet."),
    ],
)
def test_the_bar_does_not_say_saved_while_something_waits(both, scene, session, theirs, mine, status, said):
    scene.focal.language = "en"
    session.commit()
    page = both(measures__km="គេ", **theirs)
    page.get(scene.path)
    bar = lambda: page.page.xpath("string(//*[@class='save-status']/*[@data-words])")  # noqa: E731 - read twice
    assert bar().startswith("saved ")
    post(page, status, **mine, **{"base:why@km": "0"})  # as if it had been opened before the colleague wrote
    assert bar().startswith(said)
    # a script that takes over knows when the last save was
    assert page.page.xpath("string(//*[@class='save-status']/@data-saved)").startswith("saved ")
