"""Lines that came back empty: those with lines within them, and those of tables that are closed."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from portal.models import AnswerRow, Status, Submission
from tests import tables
from tests.integration.portal.blueprints.test_offline import downloaded, send
from tests.integration.portal.blueprints.test_offline_meanwhile import fields_of, values
from tests.integration.portal.blueprints.test_tables import JSON, cell, row

pytestmark = pytest.mark.engines
OUTER, OTHER, FIRST, SECOND, LATER = (tables.key(number) for number in range(1, 6))


@pytest.fixture
def scene(session):
    return tables.scene(session)


@pytest.fixture
def client(client_for, scene):
    return client_for(scene.focal)


@pytest.fixture
def colleague(client_for, scene):
    """A colleague who saves on the page: ``colleague(fields)``."""
    other = client_for(scene.colleague)
    return lambda fields, path=scene.inner: other.post(path, fields, headers=JSON, expect=200, check=False)


@pytest.fixture
def programmes(colleague):
    """Two programmes, the first with two years."""
    colleague(row(OUTER, repeat="b3") | cell(f"programme[{OUTER}]", "Legal aid"))
    colleague(row(OTHER, 2, repeat="b3") | cell(f"programme[{OTHER}]", "Shelters"))
    for number, (key, year) in enumerate(((FIRST, "2024"), (SECOND, "2025")), start=1):
        colleague(
            row(key, number, repeat="b3y", parent=OUTER) | cell(f"year[{key}]", year) | cell(f"spent[{key}]", "5")
        )


def emptied(filled, *years):
    """Empty the first programme in the file, and some of its years."""
    filled.put("programme", None, line=1)
    for line in years:
        filled.put("year", None, line=line)
        filled.put("spent", None, line=line)
    return filled.content()


def removed(session):
    session.expire_all()
    return set(session.scalars(select(AnswerRow.key).where(AnswerRow.removed)))


def line(client, name):
    """Return the words of one line of the dry run."""
    (found,) = client.page.xpath(f"//div[contains(@class, 'change')][.//input[contains(@name, '{name}')]]")
    return " ".join(found.text_content().split())


def test_a_line_goes_with_the_lines_within_it_and_the_dry_run_names_them(
    client, colleague, programmes, scene, session
):
    send(client, scene, emptied(downloaded(client, scene), 1, 2), follow=True)
    here = client.response.request.path
    said = line(client, f"row:b3[{OUTER}]")
    assert "With it go the lines that stand in it: Years, line 1 (Year: 2024; Spent: 5); Years, line 2 (Year: 2025; Spent: 5)." in said
    assert "still filled in" not in said
    assert "after the file was downloaded" not in said
    client.post(here, fields_of(client), expect=303)
    assert removed(session) == set(), "it goes only where somebody says so"
    client.get(here, expect=200)
    client.post(here, fields_of(client, **{f"row:b3[{OUTER}]": "take"}), expect=303)
    assert removed(session) == {OUTER}
    client.get(scene.inner, expect=200)
    assert "Legal aid" not in [one.get("value") for one in client.page.xpath("//input[@type='text']")]
    # put back, it is whole again
    colleague(row(OUTER, repeat="b3", base=2))
    filled = downloaded(client, scene)
    assert [filled.place("year", line=number).value for number in (1, 2)] == [2024, 2025]


def test_whoever_ticks_the_lines_within_it_too_finds_them_when_it_is_put_back(
    client, colleague, programmes, scene, session
):
    send(client, scene, emptied(downloaded(client, scene), 1, 2), follow=True)
    chosen = {f"row:b3[{OUTER}]": "take"} | {f"row:b3y[{key}]": "take" for key in (FIRST, SECOND)}
    client.post(client.response.request.path, fields_of(client, **chosen), expect=303)
    client.get("/owed", expect=200)
    assert "3 answers were taken over" in client.words
    colleague(row(OUTER, repeat="b3", base=2))
    assert removed(session) == set()


def test_a_line_within_goes_alone_where_it_alone_is_chosen(client, programmes, scene, session):
    send(client, scene, emptied(downloaded(client, scene), 1, 2), follow=True)
    client.post(client.response.request.path, fields_of(client, **{f"row:b3y[{FIRST}]": "take"}), expect=303)
    assert removed(session) == {FIRST}


def test_what_colleagues_wrote_within_a_line_since_is_told_and_goes_only_when_it_was_seen(
    client, colleague, programmes, scene, session
):
    content = emptied(downloaded(client, scene), 1, 2)
    colleague(cell(f"spent[{SECOND}]", "70", base=1))
    send(client, scene, content, follow=True)
    here, pressed = client.response.request.path, fields_of(client, **{f"row:b3[{OUTER}]": "take"})
    assert "after the file was downloaded (Years, line 2: Spent: 70)" in line(client, f"row:b3[{OUTER}]")
    colleague(row(LATER, 3, repeat="b3y", parent=OUTER) | cell(f"year[{LATER}]", "2026"))
    client.post(here, pressed, expect=409)
    assert removed(session) == set(), "a colleague wrote in it since it was shown"
    said = line(client, f"row:b3[{OUTER}]")
    assert "(Years, line 2: Spent: 70; Years, line 3: Year: 2026)" in said
    client.post(here, fields_of(client, **{f"row:b3[{OUTER}]": "take"}), expect=303)
    assert removed(session) == {OUTER}, "whoever has read that may remove it all the same"


def test_what_came_from_the_file_itself_is_no_word_of_a_colleague(client, programmes, scene, session):
    filled = downloaded(client, scene)
    filled.put("spent", 8, line=1)
    filled.put("year", 2027, line=3)
    filled.put_parent("b3", 1, line=3)
    send(client, scene, filled.content(), follow=True)
    client.submit(0, expect=200)
    assert len(session.scalars(select(AnswerRow.key).where(AnswerRow.parent_key == OUTER)).all()) == 3
    filled.put("year", None, line=3)
    filled.put_parent("b3", None, line=3)
    send(client, scene, emptied(filled, 1, 2), follow=True)
    said = line(client, f"row:b3[{OUTER}]")
    assert "after the file was downloaded" not in said
    assert "Years, line 3 (Year: 2027)" in said


def test_lines_within_that_are_still_filled_in_are_told(client, programmes, scene, session):
    filled = downloaded(client, scene)
    filled.put("spent", 9, line=2)
    filled.put("year", 2030, line=4)
    filled.put_parent("b3", 1, line=4)
    send(client, scene, emptied(filled, 1), follow=True)
    here, said = client.response.request.path, line(client, f"row:b3[{OUTER}]")
    assert "Years, line 1 (Year: 2024; Spent: 5); Years, line 2 (Year: 2025; Spent: 5)" in said
    assert "In the file these of them are still filled in: Years, line 2; Years: new line." in said
    client.post(here, fields_of(client), expect=303)
    assert removed(session) == set()
    assert values(session, scene)["year"] in {2024, 2025, 2030}


def closed(session, *unlocked):
    session.execute(update(Submission).values(status=Status.RETURNED, unlocked=list(unlocked)))
    session.commit()


def test_an_emptied_line_of_a_closed_table_is_refused_before_the_press(client, colleague, programmes, scene, session):
    filled = downloaded(client, scene)
    filled.put("people", 12)
    content = emptied(filled, 1, 2)
    closed(session, "people")
    send(client, scene, content, follow=True)
    assert not client.page.xpath("//div[contains(@class, 'offline-emptied_row')]")
    refused = client.page.xpath("//div[contains(@class, 'offline-refused')]")
    assert [one.text_content().split("sheet")[0].split() for one in refused] == [
        ["Programmes,", "line", "1"], ["Years,", "line", "1"], ["Years,", "line", "2"],
    ]  # fmt: skip
    assert client.words.count("The rows of this table were handed in") == 3
    client.submit(0, expect=200)
    assert removed(session) == set()
    assert values(session, scene)["people"] == 12


def test_a_line_of_which_one_column_alone_was_returned_keeps_its_line_and_asks_about_the_cell(
    client, programmes, scene, session
):
    closed(session, "spent")
    filled = downloaded(client, scene)
    filled.put("spent", None, line=2)
    send(client, scene, filled.content(), follow=True)
    here = client.response.request.path
    assert not client.page.xpath("//div[contains(@class, 'offline-emptied_row') or contains(@class, 'offline-refused')]")
    assert "its place in the file is empty now" in line(client, f"spent[{SECOND}]")
    client.post(here, fields_of(client, **{f"spent[{SECOND}]": "copy1"}), expect=303)
    assert removed(session) == set()
    assert values(session, scene)["spent"] == "5"
    send(client, scene, filled.content(), follow=True)
    assert not client.page.xpath("//div[contains(@class, 'change')]"), "it says nothing new"
