"""Tables through HTTP: rows and cells saved by two people, removed and put back, without script and by autosave."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from portal.models import Actor, Answer, AnswerRevision, AnswerRow, AnswerRowRevision, Question, Submission
from tests import factories, tables

JSON = {"Accept": "application/json"}
A, B, C = tables.key(1), tables.key(2), tables.key(3)


def row(key, position=1, repeat="b5", base=0, **more):
    """Return the fields by which a page speaks of a row."""
    fields = {f"row:{repeat}[{key}]": str(position)} | ({f"row-base:{repeat}[{key}]": str(base)} if base is not None else {})
    return fields | {f"row-{name}:{repeat}[{key}]": str(value) for name, value in more.items()}


def cell(name, value, base=0):
    return {name: value, f"base:{name}": str(base)}


def removal(key, *names, **bases):
    """Return what a script posts to remove a row: the revisions of the cells it showed; ``names`` at revision 1."""
    seen = {f"base:{name}": "1" for name in names} | {f"base:{code}[{key}]": str(base) for code, base in bases.items()}
    return row(key, base=None, removed=1) | seen


@pytest.fixture
def scene(session):
    return tables.scene(session)


@pytest.fixture
def save(client_for, scene):
    """Autosave as the focal point, or as another person."""
    clients = {}

    def save(fields, expect=200, who=None, path=None):
        person = who or scene.focal
        if person.id not in clients:
            clients[person.id] = client_for(person)
        client = clients[person.id]
        return client.post(path or scene.path, fields, headers=JSON, expect=expect, check=False).json

    return save


def stored(session, scene):
    """Return the cells as stored: {field name: value}, and the rows: {key: (position, removed, revision)}."""
    cells = {
        f"{code}[{one.row}]" + (f"@{one.lang}" if one.lang else ""): one.value
        for one, code in session.execute(
            select(Answer, Question.code).join(Question, Question.id == Answer.question_id)
            .where(Answer.submission_id == scene.reply.id)
        )
    }  # fmt: skip
    rows = {
        one.key: (one.position, one.removed, one.revision)
        for one in session.scalars(select(AnswerRow).where(AnswerRow.submission_id == scene.reply.id))
    }
    return cells, rows


def test_a_row_comes_with_its_first_cell_and_its_sums_with_the_answer(save, session, scene):
    told = save(row(A) | cell(f"women[{A}]", "១២"))
    assert told["rows"] == [{"name": f"b5[{A}]", "revision": 1, "position": 1, "removed": False}]
    assert told["computed"] == {f"reached[{A}]": "12"}
    assert told["totals"]["women[]"] == "12"
    assert told["totals"]["men[]"] == ""
    told = save(cell(f"men[{A}]", "30"))
    assert (told["computed"], told["totals"]["reached[]"]) == ({f"reached[{A}]": "42"}, "42")
    cells, rows = stored(session, scene)
    assert cells[f"women[{A}]"] == 12
    assert rows == {A: (1, False, 1)}


def test_adding_twice_is_adding_once(save, session, scene):
    fields = row(A) | cell(f"women[{A}]", "5") | {"request_key": "same"}
    assert save(fields)["saved"] == save(fields)["saved"]
    assert stored(session, scene)[1] == {A: (1, False, 1)}


def test_two_who_add_at_once_never_collide(save, session, scene):
    save(row(A) | cell(f"women[{A}]", "1"))
    told = save(row(B) | cell(f"women[{B}]", "2"), who=scene.colleague)
    assert told["stale"] == told["stale_rows"] == []
    assert told["totals"]["women[]"] == "3"
    assert set(stored(session, scene)[1]) == {A, B}


def test_two_cells_of_one_row_and_two_languages_of_one_cell_are_no_conflict(save, session, scene):
    save(row(A) | cell(f"activity[{A}]@km", "ការបណ្តុះបណ្តាល"))
    save(cell(f"activity[{A}]@en", "Training"), who=scene.colleague)
    save(cell(f"women[{A}]", "3"))
    save(cell(f"men[{A}]", "4"), who=scene.colleague)
    cells, _rows = stored(session, scene)
    assert cells[f"activity[{A}]@km"] == "ការបណ្តុះបណ្តាល"
    assert cells[f"activity[{A}]@en"] == "Training"
    assert cells[f"reached[{A}]"] == 7


def test_one_cell_by_two_is_a_conflict_with_both_texts(save, scene):
    save(row(A) | cell(f"women[{A}]", "3"))
    save(cell(f"women[{A}]", "5", base=1), who=scene.colleague)
    told = save(cell(f"women[{A}]", "9", base=1), expect=409)
    assert [(one["name"], one["mine"], one["theirs_raw"]) for one in told["stale"]] == [(f"women[{A}]", "9", ["5"])]


def test_a_removed_row_keeps_its_answers_and_history_and_can_be_put_back(save, session, scene):
    save(row(A) | cell(f"women[{A}]", "3"))
    told = save(removal(A, women=1))
    assert told["rows"][0]["removed"] is True
    assert told["totals"]["women[]"] == ""
    cells, rows = stored(session, scene)
    assert (cells[f"women[{A}]"], rows[A]) == (3, (1, True, 2))
    assert session.scalars(select(AnswerRevision).where(AnswerRevision.row == A)).all()
    told = save(row(A, base=None))
    assert told["rows"][0]["removed"] is False
    assert told["totals"]["women[]"] == "3"


def test_who_added_moved_removed_and_put_back_a_row_is_kept(save, session, scene):
    save(row(A) | cell(f"women[{A}]", "12"))
    save(row(A, 5, base=1), who=scene.colleague)
    save(removal(A, women=1))
    save(row(A, base=None), who=scene.colleague)
    kept = session.execute(
        select(AnswerRowRevision.revision, AnswerRowRevision.position, AnswerRowRevision.removed, Actor.user_id)
        .join(Actor, Actor.id == AnswerRowRevision.saved_by)
        .order_by(AnswerRowRevision.revision)
    ).all()
    focal, colleague = scene.focal.id, scene.colleague.id
    assert [tuple(one) for one in kept] == [
        (1, 1, False, focal), (2, 5, False, colleague), (3, 5, True, focal), (4, 1, False, colleague)
    ]  # fmt: skip


def test_removing_a_row_in_which_a_colleague_wrote_meanwhile_shows_both(save, session, scene):
    save(row(A) | cell(f"women[{A}]", "3"))
    save(cell(f"men[{A}]", "8"), who=scene.colleague)
    told = save(removal(A, women=1, men=0), expect=409)
    [stale] = told["stale_rows"]
    assert (stale["removed"], stale["by"]) == (False, scene.colleague.names["en"])
    assert stale["at"]
    assert [(one["name"], one["text"], one["revision"]) for one in stale["theirs"]] == [(f"men[{A}]", "8", 1)]
    assert stored(session, scene)[1][A] == (1, False, 1)
    # whoever has seen it may remove it all the same
    assert save(removal(A, women=1, men=1))["rows"][0]["removed"] is True


def test_writing_in_a_row_that_a_colleague_removed_shows_both_and_loses_nothing(save, session, scene):
    save(row(A) | cell(f"women[{A}]", "3"))
    save(removal(A, women=1), who=scene.colleague)
    told = save(cell(f"women[{A}]", "7", base=1), expect=409)
    [stale] = told["stale_rows"]
    assert (stale["removed"], stale["by"]) == (True, scene.colleague.names["en"])
    assert stale["at"]
    assert [(one["name"], one["text"]) for one in stale["mine"]] == [(f"women[{A}]", "7")]
    assert stored(session, scene)[0][f"women[{A}]"] == 3
    told = save(row(A, base=None) | cell(f"women[{A}]", "7", base=1))
    assert told["rows"][0]["removed"] is False
    assert stored(session, scene)[0][f"women[{A}]"] == 7


def test_back_after_a_colleague_removed_a_row_is_no_conflict(save, session, scene):
    save(row(A) | cell(f"women[{A}]", "3") | row(B, 2) | cell(f"women[{B}]", "4"))
    save(removal(A, women=1), who=scene.colleague)
    # the whole page as it was before: the row as it stood, one cell of another row changed
    old = row(A, 1, base=1) | cell(f"women[{A}]", "3", base=1) | cell(f"men[{A}]", "")
    told = save(old | row(B, 2, base=1) | cell(f"women[{B}]", "6", base=1))
    assert told["stale"] == told["stale_rows"] == told["refused"] == []
    cells, rows = stored(session, scene)
    assert cells[f"women[{B}]"] == 6
    assert rows[A][1] is True


def test_an_empty_cell_of_a_row_that_was_never_added_is_nothing(save, session, scene):
    told = save(row(A) | cell(f"women[{A}]", ""))
    assert told["refused"] == []
    assert stored(session, scene) == ({}, {})


def test_cells_outside_every_row_are_refused(save, session, scene):
    for name in (f"women[{A}]", "women", f"received[{A}]", "received[nobody]"):
        told = save(cell(name, "3"), expect=200 if name == "women" else 422)
        assert told["saved"] == []
    assert stored(session, scene) == ({}, {})


@pytest.mark.parametrize("key", ["short", "x" * 17, "with spaces 1234", "a/b=c?d&e+f<g>h"])
def test_a_hostile_row_key_adds_nothing(save, session, scene, key):
    save({f"row:b5[{key}]": "1", f"row-base:b5[{key}]": "0"} | cell(f"women[{key}]", "3"), expect=422)
    assert stored(session, scene) == ({}, {})


def test_the_limit_of_rows_is_said_in_a_sentence(client_for, session):
    scene = tables.scene(session, max_rows=2)
    client = client_for(scene.focal)
    fields = row(A) | cell(f"women[{A}]", "1") | row(B, 2) | cell(f"women[{B}]", "2") | row(C, 3) | cell(f"women[{C}]", "3")
    told = client.post(scene.path, fields, headers=JSON, expect=422).json
    [refused] = told["refused_rows"]
    assert (refused["name"], "at most 2 rows" in refused["message"]) == (f"b5[{C}]", True)
    assert set(stored(session, scene)[1]) == {A, B}
    client.get(scene.path, expect=200)
    assert "This table is full" in client.text


def test_unreadable_cells_stay_as_typed_with_their_sentence(save, client_for, session, scene):
    told = save(row(A) | cell(f"held[{A}]", "soon") | cell(f"place[{A}]", "Nowhere") | cell(f"women[{A}]", "many"), 422)
    assert {one["name"] for one in told["refused"]} == {f"held[{A}]", f"place[{A}]", f"women[{A}]"}
    client = client_for(scene.focal)
    client.get(scene.path, expect=200)
    page = client.page
    assert page.xpath(f"//input[@name='held[{A}]']/@value") == ["soon"]
    assert page.xpath(f"//select[@name='place[{A}]']/option[@selected]/text()") == ["Nowhere"]
    assert page.xpath(f"//p[@id='q-b5-{A}-women-error']//text()")


def test_a_cell_can_be_not_available_where_its_column_allows_it(save, session, scene):
    save(row(A) | {f"women[{A}]": "", f"women[{A}]!state": "not_available", f"base:women[{A}]": "0"})
    states = session.scalars(select(Answer.state).join(Question, Question.id == Answer.question_id).where(Question.code == "women")).all()
    assert [str(one) for one in states] == ["not_available"]


def test_rules_hold_in_each_row(save, scene):
    told = save(row(A) | cell(f"place[{A}]", "takeo") | row(B, 2) | cell(f"place[{B}]", "kandal"))
    assert f"sites[{A}]" in told["hidden"]
    assert f"sites[{B}]" not in told["hidden"]
    told = save(cell("received[f]", "5") | cell("convicted[f]", "6"), expect=422)
    assert [one["name"] for one in told["refused"]] == ["convicted[f]"]
    told = save(cell("people", "3") | cell(f"women[{A}]", "3"))
    assert told["refused"] == []
    told = save(cell("people", "4", base=1), expect=422)
    assert [one["name"] for one in told["refused"]] == ["people"]


def test_rows_within_rows(save, session, scene):
    inner, year = tables.key(1, "P"), tables.key(1, "Y")
    fields = row(inner, repeat="b3") | cell(f"programme[{inner}]", "Legal aid")
    fields |= row(year, repeat="b3y", parent=inner) | cell(f"year[{year}]", "2026") | cell(f"spent[{year}]", "12.50")
    told = save(fields, path=scene.inner)
    assert told["totals"][f"spent[{inner}]"] == "12.5"
    orphan = tables.key(2, "Y")
    told = save(row(orphan, repeat="b3y", parent=tables.key(9)) | cell(f"year[{orphan}]", "2026"), 422, path=scene.inner)
    assert told["refused_rows"][0]["name"] == f"b3y[{orphan}]"
    bases = {f"base:{name}": "1" for name in (f"programme[{inner}]", f"year[{year}]", f"spent[{year}]")}
    told = save(row(inner, repeat="b3", base=None, removed=1) | bases, path=scene.inner)
    assert told["totals"].get(f"spent[{inner}]", "") == ""
    told = save(cell(f"year[{year}]", "2025", base=1), 409, path=scene.inner)
    assert told["stale_rows"][0]["name"] == f"b3[{inner}]"
    assert stored(session, scene)[0][f"spent[{year}]"] == "12.5"


def test_a_returned_reply_opens_only_what_was_named(save, session, scene):
    save(row(A) | cell(f"women[{A}]", "3"))
    reply = session.get_one(Submission, scene.reply.id)
    reply.unlocked = ["women"]
    session.commit()
    assert save(cell(f"women[{A}]", "4", base=1))["refused"] == []
    assert save(cell(f"men[{A}]", "4"), 422)["refused"][0]["name"] == f"men[{A}]"
    assert save(row(B, 2) | cell(f"women[{B}]", "1"), 422)["refused_rows"][0]["name"] == f"b5[{B}]"
    assert save(removal(A), 422)["refused_rows"][0]["name"] == f"b5[{A}]"
    assert save(row(A, 1, base=1) | cell(f"women[{A}]", "5", base=2))["refused_rows"] == []
    reply = session.get_one(Submission, scene.reply.id)
    reply.unlocked = ["b5"]
    session.commit()
    assert save(cell(f"men[{A}]", "4") | row(B, 2) | cell(f"men[{B}]", "1"))["refused_rows"] == []


# --- without script --------------------------------------------------------------------------------------------------


def press(client, value, **fields):
    return client.submit(0, **{"row-act": value, **fields}, follow=False)


def shown(client, repeat="b5"):
    """Return the keys of the rows on the page, in order."""
    names = client.page.xpath(f"//table[@data-table='{repeat}']/tbody/tr[@data-row]/@data-row")
    return [re.search(r"\[(\w+)\]", name)[1] for name in names]


def test_without_script_rows_are_added_filled_moved_removed_and_put_back(client_for, session, scene):
    client = client_for(scene.focal)
    client.get(scene.path, expect=200)
    [first] = shown(client)
    response = press(client, "add:b5[]", **{f"women[{first}]": "3"})
    assert response.status_code == 303
    assert re.search(r"/pages/tables#q-b5-row-\w{16}$", response.headers["Location"])
    client.get(scene.path)
    assert shown(client)[0] == first
    second = shown(client)[1]
    press(client, f"down:b5[{first}]", **{f"women[{second}]": "4"})
    client.get(scene.path)
    assert shown(client) == [second, first]
    press(client, f"remove:b5[{second}]")
    client.get(scene.path)
    assert shown(client) == [first]
    assert client.page.xpath("//ul[@class='removed-rows']/li/span/text()") == ["4 · 4"] or "4" in client.text
    press(client, f"restore:b5[{second}]")
    client.get(scene.path)
    assert shown(client) == [second, first]
    cells, _rows = stored(session, scene)
    assert (cells[f"women[{first}]"], cells[f"women[{second}]"]) == (3, 4)


@pytest.mark.parametrize(("language", "told"), [("en", ["ខ្មែរ"]), ("km", [])])
def test_a_cell_says_which_language_it_is_for_to_whoever_reads_another(client_for, session, scene, save, language, told):
    save(row(A) | cell(f"activity[{A}]@km", "ក"))
    reader = factories.person(session, scene.institution, language=language)
    session.commit()
    client = client_for(reader)
    client.get(scene.path, expect=200)
    assert client.page.xpath(f"//textarea[@name='activity[{A}]@km']/@placeholder") == told


def test_without_script_a_row_of_no_table_is_refused_in_a_sentence(client_for, session, scene):
    client = client_for(scene.focal)
    client.post(scene.path, {"row-act": "add:nowhere[]"}, expect=422)
    (line,) = client.page.xpath("//*[contains(@class, 'error-summary')]//li")
    assert line.text_content().strip() == "This questionnaire has no table of this name to which rows can be added."
    assert stored(session, scene)[1] == {}


def test_an_untouched_page_adds_no_row(client_for, session, scene):
    client = client_for(scene.focal)
    client.get(scene.path)
    client.submit(0, action="save", expect=200)
    assert stored(session, scene)[1] == {}


def test_without_script_a_row_that_a_colleague_removed_can_be_put_back_with_my_text(client_for, save, session, scene):
    save(row(A) | cell(f"activity[{A}]@en", "Training"))
    client = client_for(scene.focal)
    client.get(scene.path)
    save(removal(A, f"activity[{A}]@en"), who=scene.colleague)
    response = client.submit(0, **{f"activity[{A}]@en": "Training of judges", "action": "save"}, follow=False)
    assert response.status_code == 409
    assert f"{scene.colleague.names['en']} removed this row while you wrote in it." in client.text
    name = scene.colleague.names["en"]
    assert f"Practical measures: {name} removed a row in which you wrote; your text is shown." in client.words
    assert "Training of judges" in client.text
    assert press(client, f"restore:b5[{A}]").status_code == 303
    assert stored(session, scene)[0][f"activity[{A}]@en"] == "Training of judges"
    assert stored(session, scene)[1][A][1] is False


def test_without_script_removing_what_a_colleague_changed_asks_again(client_for, save, session, scene):
    save(row(A) | cell(f"women[{A}]", "3"))
    client = client_for(scene.focal)
    client.get(scene.path)
    save(cell(f"women[{A}]", "5", base=1), who=scene.colleague)
    assert press(client, f"remove:b5[{A}]").status_code == 409
    assert f"{scene.colleague.names['en']} wrote in this row while you removed it." in client.text
    assert f"Practical measures: {scene.colleague.names['en']} wrote in the row that you wanted to remove" in client.words
    assert press(client, f"remove:b5[{A}]").status_code == 303
    assert stored(session, scene)[1][A][1] is True


# --- read by others --------------------------------------------------------------------------------------------------


def test_a_complete_reply_is_read_as_a_table_and_frozen_in_order(client_for, save, session, scene):
    save(row(B, 2) | cell(f"activity[{B}]@en", "Second") | row(A, 1) | cell(f"activity[{A}]@en", "First"))
    save(row(C, 3) | cell(f"activity[{C}]@en", "Gone"))
    save(removal(C, f"activity[{C}]@en"))
    client = client_for(scene.focal)
    client.get(f"/replies/{scene.reply.public_id}/check", expect=200)
    heads = client.page.xpath("//table[@class='read-table']/thead/tr/th[2]/text()")
    assert heads[0] == "Activity"
    assert client.page.xpath("(//table[@class='read-table'])[1]/tbody/tr/td[1]/span/text()") == ["First", "Second"]
    assert "Gone" not in client.text


def test_what_is_missing_in_a_row_keeps_the_reply_from_being_complete(client_for, save, scene):
    save(row(A) | cell(f"women[{A}]", "3"))
    client = client_for(scene.focal)
    client.get(scene.path)
    assert f'#q-b5-{A}-activity"' in client.text
    client.get(f"/replies/{scene.reply.public_id}/check")
    assert client.page.xpath("//td[contains(@class, 'is-missing')]//text()")


def test_pages_and_saves_with_tables_keep_to_the_known_number_of_statements(client_for, session, scene, count_queries):
    client = client_for(scene.focal)
    client.post(scene.path, row(A) | cell(f"women[{A}]", "1"), headers=JSON, expect=200)
    client.get(scene.path)

    def many(seen):
        return len([one for one in seen if not one.startswith(("BEGIN", "PRAGMA", "COMMIT"))])

    with count_queries() as seen:
        client.get(scene.path, expect=200)
    # the fifth asks why a reply in progress came back, the sixth who holds it, with tables or without
    assert many(seen) <= 6, seen
    with count_queries() as seen:
        client.post(scene.path, row(B, 2) | cell(f"women[{B}]", "1"), headers=JSON, expect=200)
    assert many(seen) <= 9, seen  # the ninth says who added the row
    with count_queries() as seen:
        client.post(scene.path, cell(f"women[{B}]", "2", base=1), headers=JSON, expect=200)
    assert many(seen) <= 8, seen


def test_a_first_row_begins_a_reply(save, session, scene):
    save(row(A, base=0) | cell(f"women[{A}]", "1"))
    assert session.get_one(Submission, scene.reply.id).status.value == "in_progress"
    assert factories.PASSWORD
