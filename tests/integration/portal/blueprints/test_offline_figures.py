"""Figures of a dry run and of what was taken over: each answer counts once, and no empty line is made."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.models import Answer, AnswerRow
from tests import tables
from tests.integration.portal.blueprints.test_offline import downloaded, files, send


@pytest.fixture
def scene(session):
    return tables.scene(session)


@pytest.fixture
def client(client_for, scene):
    return client_for(scene.focal)


def send_back(client, scene, *contents):
    form = {"take": "clear", "round": scene.round.slug, "file": files(*contents)}
    client.post("/owed/offline", form, expect=303)
    client.follow()


def figure(client, name):
    """Return the figure of a tile by the word below it."""
    (found,) = client.page.xpath(f"//*[contains(@class, 'tiles')]/li[span='{name}']")
    return int("".join(sign for sign in found.text_content() if sign.isdigit()))


def test_a_line_of_which_no_cell_can_be_taken_is_not_made(client, scene, session):
    filled = downloaded(client, scene)
    filled.put("held", "12/31/2025", line=1)
    filled.put("received", 5, line=1)
    send_back(client, scene, filled.content())
    assert session.scalars(select(AnswerRow)).all() == []
    assert session.scalars(select(Answer.value)).all() == [5]
    assert "1 answer was taken over" in client.words
    assert "so no empty line is added" in client.words
    assert "12/31/2025" in client.words
    assert figure(client, "refused") == 1
    # beside a cell that is good, the line is made with what is good
    filled.put("activity", "Training", "en", line=1)
    send_back(client, scene, filled.content())
    assert len(session.scalars(select(AnswerRow)).all()) == 1
    assert "1 answer was taken over" in client.words
    assert figure(client, "refused") == 1


def test_a_line_within_one_that_is_not_made_is_refused_with_it(client, scene, session):
    filled = downloaded(client, scene)
    filled.put("programme", "#DIV/0!", line=1)
    filled.put("year", 2024, line=1)
    filled.put_parent("b3", 1, line=1)
    send_back(client, scene, filled.content())
    assert session.scalars(select(AnswerRow)).all() == []
    assert "The line in which it stands cannot be added" in client.words


def test_an_answer_that_stays_in_all_copies_counts_once(client, scene):
    filled = downloaded(client, scene)
    filled.put("received", 5, line=1)
    filled.put("activity", "Training", "en", line=1)
    send_back(client, scene, filled.content())
    untouched = downloaded(client, scene).content()
    send(client, scene, untouched, follow=True)
    once = figure(client, "unchanged")
    assert once > 2
    send(client, scene, untouched, untouched, untouched, follow=True)
    assert figure(client, "unchanged") == once
    # what one copy changes stays in none
    filled = downloaded(client, scene)
    filled.put("received", 6, line=1)
    send(client, scene, untouched, filled.content(), untouched, follow=True)
    assert (figure(client, "changed"), figure(client, "unchanged")) == (1, once - 1)


def test_what_was_taken_over_is_told_as_the_dry_run_counted_it(client, scene):
    filled = downloaded(client, scene)
    filled.put("received", 5, line=1)
    filled.put("activity", "Training", "en", line=1)
    filled.put("women", 3, line=1)
    filled.put("programme", "Legal aid", line=1)
    send(client, scene, filled.content(), follow=True)
    assert figure(client, "new") == 4
    client.submit(0, expect=200)
    assert "4 answers were taken over" in client.words


def test_where_a_sheet_was_copied_each_candidate_is_named_with_its_sheet(client, scene):
    filled = downloaded(client, scene)
    place = filled.put("received", 5, line=1)
    copied = filled.book.copy_worksheet(filled.ws)
    copied.title = "Second thoughts"
    copied[place].value = 6
    send(client, scene, filled.content(), follow=True)
    for sheet in (filled.ws.title, "Second thoughts"):
        assert f"from copy1.xlsx, sheet “{sheet}”, cell {place}" in client.words
    # of two files the name of each is enough
    first, second = downloaded(client, scene), downloaded(client, scene)
    first.put("received", 5, line=1)
    second.put("received", 6, line=1)
    send(client, scene, first.content(), second.content(), follow=True)
    assert f"from copy2.xlsx, cell {place}" in client.words


def test_a_line_that_two_departments_wrote_is_taken_once_and_its_twin_only_when_it_is_ticked(client, scene, session):
    def copy_of(department):
        filled = downloaded(client, scene)
        front = filled.book["Instructions"]
        row = next(row for row in range(1, 20) if front.cell(row, 1).value == "copy")
        front.cell(row, 3).value = department
        filled.put("activity", "Training", "en", line=1)
        filled.put("programme", "Legal aid", line=1)
        filled.put("year", 2024, line=1)
        filled.put_parent("b3", 1, line=1)
        return filled

    legal, prisons = copy_of("Legal"), copy_of("Prisons")
    prisons.put("activity", "Another one", "en", line=2)
    send(client, scene, legal.content(), prisons.content(), follow=True)
    boxes = client.page.xpath("//input[@type='checkbox' and contains(@name, ':row:')]")
    assert [box.checked for box in boxes].count(False) == 3
    assert client.words.count("The same line came from Legal too") == 2
    assert client.words.count("The line in which it stands is not ticked") == 1
    client.submit(0, expect=200)

    def lines():
        session.expire_all()
        return sorted(str(value) for value in session.scalars(select(Answer.value)) if value != 0)

    once = ["2024", "Another one", "Legal aid", "Training"]
    assert lines() == once
    # sent back again, at once: what stands is known as well, and nothing is doubled
    send_back(client, scene, prisons.content())
    assert client.response.request.path.startswith("/owed/offline/")
    assert "The same line stands already: Practical measures, line 1." in client.words
    assert lines() == once
    (box, *_others) = client.page.xpath("//input[@type='checkbox' and contains(@name, ':row:b5')]")
    client.submit(0, expect=200, **{box.name: "take"})
    assert lines() == sorted([*once, "Training"])


def test_two_lines_of_one_file_that_say_the_same_are_left_to_its_writer(client, scene, session):
    filled = downloaded(client, scene)
    for line in (1, 2):
        filled.put("activity", "Training", "en", line=line)
    send_back(client, scene, filled.content())
    assert session.scalars(select(Answer.value)).all().count("Training") == 2
