"""Files in cells of tables: each hangs on its own row, by whoever fills it in, and comes over with the row of a unit."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from portal.models import Answer, AnswerRow, Evidence, ItemKind, Question, VersionItem, Visibility
from portal.queries.evidence import used_bytes
from tests import factories
from tests.integration.portal.sharing.scenes import ROW_A, ROW_B, table_world
from tests.integration.portal.sharing.test_collection import ask, kampot
from tests.integration.portal.sharing.test_taking_over import home_of, work_of

LIST, PHOTO = b"Who came to the training.", b"Another list."


@pytest.fixture
def world(session):
    made = table_world(session)
    table = session.scalars(
        select(VersionItem).where(VersionItem.version_id == made.version.id, VersionItem.kind == ItemKind.REPEAT)
    ).one()
    factories.question(session, made.version, "list", "file", parent=table)
    session.commit()
    return made


def send(client, base, row, content=LIST, name="list.txt", *, code="list", expect=303):
    return client.open(
        f"{base}/questions/{code}/files?row={row}", method="POST", content_type="multipart/form-data",
        data={"csrf_token": client.token(), f"{code}[{row}]": (io.BytesIO(content), name)}, expect=expect,
    )  # fmt: skip


def cells(session, reply):
    """What the cells of the column name, by row: the names of the files."""
    session.expire_all()
    names = dict(session.execute(select(Evidence.public_id, Evidence.filename)).all())
    asked = (
        select(Answer.row, Answer.value)
        .join(Question, Question.id == Answer.question_id)
        .where(Answer.submission_id == reply.id, Question.code == "list")
    )
    return {row: sorted(names[one] for one in value or []) for row, value in session.execute(asked)}


def standing(session, reply):
    return session.scalars(
        select(Evidence).where(Evidence.submission_id == reply.id, Evidence.removed_at.is_(None))
    ).all()


@pytest.mark.engines
def test_each_row_has_files_of_its_own(session, world, client_for):
    chief = client_for(world.focal)
    base = f"/replies/{world.reply.public_id}"
    chief.get(f"{base}/pages/page1", expect=200)
    # the address of a row that nobody has saved stands in the page: the row comes with its file
    blank = chief.page.xpath("//table//input[@type='file']/@name")[0]
    row = blank.removeprefix("list[").removesuffix("]")
    address = chief.page.xpath("//table//button[@form='cell-files']/@formaction")[0]
    assert address == f"{base}/questions/list/files?row={row}"
    assert chief.page.xpath("//form[@id='cell-files' and @data-pieces]")
    send(chief, base, row)
    send(chief, base, ROW_B, PHOTO, "photo.txt")
    send(chief, base, ROW_B, PHOTO, "photo.txt")
    assert cells(session, world.reply) == {row: ["list.txt"], ROW_B: ["photo.txt"]}, "each its own, and once"
    chief.get(f"{base}/pages/page1", expect=200)
    shown = {
        cell.get("data-item"): cell.xpath(".//ul[contains(@class, 'cell-files')]//a/text()")
        for cell in chief.page.xpath("//tbody//div[@data-item][.//input[@type='file']]")
    }
    assert shown == {f"list[{row}]": ["list.txt"], f"list[{ROW_B}]": ["photo.txt"]}
    one = next(found for found in standing(session, world.reply) if found.filename == "list.txt")
    chief.post(f"/evidence/{one.public_id}/remove", {}, expect=303)
    assert cells(session, world.reply)[ROW_B] == ["photo.txt"]
    assert cells(session, world.reply)[row] == []
    # what hangs nowhere is not attached
    for wrong in ("", "x" * 70):
        send(chief, base, wrong, expect=404 if not wrong else 422)
    send(chief, base, ROW_A, code="beds", expect=404)
    session.execute(update(AnswerRow).where(AnswerRow.key == ROW_B).values(removed=True))
    session.commit()
    send(chief, base, ROW_B, b"Too late.", "late.txt", expect=422)
    assert [found.filename for found in standing(session, world.reply)] == ["photo.txt"], "no file without a place"


@pytest.mark.engines
def test_a_units_file_comes_with_its_row_and_once(app, session, world, client_for):
    chief = client_for(world.focal)
    unit = kampot(app, session, ask(chief, world.reply))
    work = work_of(unit)
    unit.get(f"{work}/pages/page1", expect=200)
    send(unit, work, ROW_A)
    send(unit, work, ROW_B, PHOTO, "photo.txt")  # a row that holds nothing else
    scanned = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    session.execute(update(Evidence).values(scanned_at=scanned, visibility=Visibility.CONFIDENTIAL))
    session.commit()
    room = used_bytes(session, world.at.id)
    assert room == len(LIST) + len(PHOTO)
    home = home_of(chief, world.reply)
    chief.get(home, expect=200)
    assert "photo.txt" in chief.text
    chief.get(home + "/take", expect=200)
    assert len(chief.page.xpath("//input[@name='take' and starts-with(@value, 'file:') and @checked]")) == 2
    chief.submit(0, action="take", expect=200)
    over = cells(session, world.reply)
    assert sorted(over.values()) == [["list.txt"], ["photo.txt"]]
    assert not {ROW_A, ROW_B} & set(over), "rows have keys of their own in the reply"
    made = standing(session, world.reply)
    assert [(one.scanned_at, one.visibility) for one in made] == [(scanned, Visibility.CONFIDENTIAL)] * 2
    assert used_bytes(session, world.at.id) == room, "the same bytes take no second room"
    chief.get(home + "/take", expect=200)
    assert "Everything is in the reply already" in chief.text
    # a file that comes later, one that the unit takes off, one that the institution took off
    send(unit, work, ROW_A, b"A third.", "third.txt")
    number = session.scalars(
        select(Evidence.number).where(Evidence.filename == "photo.txt", Evidence.submission_id != world.reply.id)
    ).one()
    unit.get(f"{work}/pages/page1", expect=200)
    # with its institution the file has another number: a text that cited this one would cite nothing there
    assert f"E{number}" not in unit.words
    unit.post(f"{work}/files/{number}/remove", {}, expect=303)
    mine = next(one for one in made if one.filename == "list.txt")
    chief.post(f"/evidence/{mine.public_id}/remove", {}, expect=303)
    chief.get(home + "/take", expect=200)
    files = chief.page.xpath("//input[@name='take' and starts-with(@value, 'file:')]/@value")
    gone = chief.page.xpath("//input[@name='take' and starts-with(@value, 'gone:file:') and not(@checked)]/@value")
    assert (len(files), len(gone)) == (1, 1), "what the institution took off is not pressed upon it again"
    chief.submit(0, action="take", take=[*files, *gone], expect=200)
    assert sorted(cells(session, world.reply).values()) == [[], ["third.txt"]]
    assert [one.filename for one in standing(session, world.reply)] == ["third.txt"]


def test_a_file_whose_row_is_left_out_stays_with_its_unit(app, session, world, client_for):
    chief = client_for(world.focal)
    unit = kampot(app, session, ask(chief, world.reply))
    work = work_of(unit)
    unit.get(f"{work}/pages/page1", expect=200)
    send(unit, work, ROW_A)
    home = home_of(chief, world.reply)
    chief.get(home + "/take", expect=200)
    files = chief.page.xpath("//input[@name='take' and starts-with(@value, 'file:')]/@value")
    chief.submit(0, action="take", take=files, expect=200)
    assert standing(session, world.reply) == []
    chief.get(home + "/take", expect=200)
    assert chief.page.xpath("//input[@name='take' and starts-with(@value, 'file:')]/@value") == files
