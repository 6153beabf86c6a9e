"""Tables in the consolidated workbook: a row per line with typed cells, counted twice; the same rows back by the API."""

from __future__ import annotations

from datetime import date

import openpyxl
import pytest
from sqlalchemy import update

from portal.models import ApiToken, Status, Submission
from portal.queries import table_sheets
from portal.queries.sessions import system_principal
from portal.services import round_workbook
from portal.services.round_workbook import Addresses, NotProved
from portal.services.sessions import token_digest
from tests import tables
from tests.integration.portal.blueprints.test_tables import JSON, cell, removal, row

ADDRESSES = Addresses("https://p.example", lambda one: f"https://p.example/r/{one}", lambda one: f"https://p.example/e/{one}")
ROWS = 30


@pytest.fixture
def scene(session):
    return tables.scene(session)


def fill(client, path, numbers):
    fields = {}
    for number in numbers:
        key = tables.key(number)
        fields |= row(key, number) | cell(f"activity[{key}]@en", f"Training {number}") | cell(f"women[{key}]", str(number))
        fields |= cell(f"held[{key}]", f"{number % 28 + 1}/3/2026") | cell(f"place[{key}]", "kandal")
        fields |= cell(f"cost[{key}]", "1,200.50") | {f"partners[{key}]": ["un", "ngo"], f"base:partners[{key}]": "0"}
    return client.post(path, fields, headers=JSON, expect=200, check=False).json


@pytest.fixture
def filled(client_for, session, scene):
    """Two people fill a table of 30 rows, one row is removed, the matrix gets a cell and a state."""
    fill(client_for(scene.focal), scene.path, range(1, 16))
    fill(client_for(scene.colleague), scene.path, range(16, ROWS + 2))
    client = client_for(scene.focal)
    gone = tables.key(ROWS + 1)
    bases = [f"{name}[{gone}]" for name in ("women", "held", "place", "cost", "partners")]
    client.post(scene.path, removal(gone, f"activity[{gone}]@en", *bases), headers=JSON, expect=200, check=False)
    fields = cell("received[f]", "7") | {"received[m]!state": "not_applicable", "received[m]": "", "base:received[m]": "0"}
    client.post(scene.path, fields, headers=JSON, expect=200, check=False)
    session.execute(update(Submission).where(Submission.id == scene.reply.id).values(status=Status.SUBMITTED))
    session.commit()
    return scene


@pytest.fixture
def make(app, session, tmp_path, filled):
    def make(language="en"):
        path = tmp_path / f"{language}.xlsx"
        with app.test_request_context("/"):
            made = round_workbook.write_workbook(
                session, filled.round.id, path, language=language, addresses=ADDRESSES, by=system_principal(session)
            )
        return made, openpyxl.load_workbook(path)

    return make


def rows_of(book, sheet):
    lines = list(book[sheet].iter_rows(values_only=True))
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def test_a_year_stands_without_a_separator(client_for, scene, session, app, tmp_path):
    outer, inner = tables.key(1), tables.key(2)
    fields = row(outer, repeat="b3") | cell(f"programme[{outer}]", "Legal aid") | row(inner, repeat="b3y", parent=outer)
    fields |= cell(f"year[{inner}]", "2024") | cell(f"spent[{inner}]", "1200")
    client_for(scene.focal).post(scene.inner, fields, headers=JSON, expect=200, check=False)
    session.execute(update(Submission).where(Submission.id == scene.reply.id).values(status=Status.SUBMITTED))
    session.commit()
    path = tmp_path / "years.xlsx"
    with app.test_request_context("/"):
        round_workbook.write_workbook(
            session, scene.round.id, path, language="en", addresses=ADDRESSES, by=system_principal(session)
        )
    book = openpyxl.load_workbook(path)
    found = [one for sheet in ("b3y", "Answers") for line in book[sheet].iter_rows() for one in line if one.value == 2024]
    assert len(found) == 2
    assert {one.number_format for one in found} == {"0"}


def test_a_table_is_a_sheet_of_typed_rows_without_sums(make):
    _made, book = make()
    found = rows_of(book, "b5")
    assert len(found) == ROWS
    first = found[0]
    assert (first["Row"], first["Activity (en)"], first["Women reached"]) == (1, "Training 1", 1)
    assert first["Date"].date() == date(2026, 3, 2)
    assert (first["Place"], first["Cost"], first["All"]) == ("Kandal", 1200.5, 1)
    assert first["Partners"] == "United Nations; Civil society"
    assert first["Men reached"] == "(not answered)"
    assert [one["Row"] for one in found] == list(range(1, ROWS + 1))
    assert {type(one["Women reached"]) for one in found} == {int}
    assert sum(one["Women reached"] for one in found) == ROWS * (ROWS + 1) // 2
    matrix = rows_of(book, "c2")
    assert [(one["Row label"], one["Received"]) for one in matrix] == [("Women", 7), ("Men", "(not applicable)")]


def test_the_long_sheet_names_row_number_and_label_and_nothing_removed(make):
    _made, book = make()
    found = rows_of(book, "Answers")
    women = [one for one in found if one["Question code"] == "women"]
    assert [(one["Table row, number"], one["Answer: number"]) for one in women] == [(n, n) for n in range(1, ROWS + 1)]
    assert women[0]["Table row"] == tables.key(1)
    received = {one["Table row, label"]: one["State"] for one in found if one["Question code"] == "received"}
    assert received == {"Women": "answered", "Men": "not applicable"}
    assert tables.key(ROWS + 1) not in {one["Table row"] for one in found}


def test_the_codebook_explains_tables_and_the_reading_sheet_is_legible(make):
    _made, book = make()
    codes = {(one["Sheet or questionnaire"], one["Code"]) for one in rows_of(book, "Codebook")}
    assert {("b5", "women"), ("b5", "row_label"), ("c2", "received")} <= codes
    assert any("Column of the table b5" in str(one["Explanation"]) for one in rows_of(book, "Codebook"))
    text = "\n".join(
        str(value) for sheet in book.worksheets for line in sheet.iter_rows(values_only=True) for value in line if value
    )
    assert "1. Activity [en]: Training 1; Date: " in text
    assert "Women Received: 7" in text


def test_the_figures_on_the_first_sheet_count_rows_by_sql(make):
    made, _book = make()
    lines = {(sheet, what): number for sheet, what, number in made.lines}
    assert lines["b5", "Rows: Practical measures"] == ROWS
    assert lines["c2", "Rows: Complaints"] == 2


def test_a_dropped_row_fails_the_job(make, monkeypatch):
    whole = table_sheets.annexes

    def dropping(lines):
        found = whole(lines)
        found[0].rows.popitem()
        return found

    monkeypatch.setattr(table_sheets, "annexes", dropping)
    with pytest.raises(NotProved, match=f"“b5” holds {ROWS - 1} rows"):
        make()


def test_a_reply_that_came_back_is_read_from_what_was_handed_in(make, session, filled, client_for):
    from portal.models import SubmissionEvent
    from portal.queries.questionnaires import definition
    from portal.queries.submissions import head_by_id, stored_reply
    from portal.services.snapshots import take_snapshot

    head = head_by_id(session, filled.reply.id)
    of = definition(session, head.version_id)
    event = session.query(SubmissionEvent).filter_by(submission_id=head.id).first()
    reply = stored_reply(session, head.id, of)
    snapshot = take_snapshot(session, head, event, of, reply, hidden=sorted(head.hidden), signed_by=None)
    assert snapshot.canonical.index(tables.key(1)) < snapshot.canonical.index(tables.key(2))
    assert tables.key(ROWS + 1) not in snapshot.canonical
    session.execute(update(Submission).where(Submission.id == filled.reply.id).values(status=Status.RETURNED))
    session.commit()
    key = tables.key(1)
    client = client_for(filled.focal)
    fields = row(key, base=None, removed=1)
    client.post(filled.path, fields | {f"base:activity[{key}]@en": "1"}, headers=JSON, check=False)
    _made, book = make("km")
    assert len(list(book["b5"].iter_rows())) == ROWS + 1


def test_rows_go_out_and_come_back_by_the_api(app, session, filled):
    other = tables.scene(session)
    clients = {}
    for one in (filled, other):
        secret = f"tamdan_{len(clients)}_{'x' * 30}"
        session.add(ApiToken(user_id=one.focal.id, name="sync", token_hash=token_digest(secret)))
        clients[one.path] = {"Authorization": f"Bearer {secret}"}
    session.commit()
    http = app.test_client()
    told = http.get(f"/api/v1/submissions/{filled.reply.public_id}", headers=clients[filled.path]).get_json()
    assert [table["code"] for table in told["tables"]] == ["b5", "c2", "b3", "b3y"]
    assert sum(one["removed"] for one in told["rows"]) == 1
    standing = [one for one in told["rows"] if not one["removed"]]
    kept = {one["key"] for one in standing} | {"f", "m"}
    body = {
        "rows": [{"table": one["table"], "key": one["key"], "position": one["position"], "base": 0} for one in standing],
        "answers": [
            {"name": one["name"], "value": one["value"], "state": one["state"], "base": 0}
            for one in told["answers"]
            if one["name"].split("[")[0] != "reached" and one["name"].split("[")[1].split("]")[0] in kept
        ],
    }
    headers = clients[other.path] | {"Idempotency-Key": "again-1"}
    path = f"/api/v1/submissions/{other.reply.public_id}/answers"
    saved = http.post(path, json=body, headers=headers)
    assert saved.status_code == 200, saved.get_json()
    assert len(saved.get_json()["rows"]) == ROWS
    assert http.post(path, json=body, headers=headers).get_json()["rows"] == saved.get_json()["rows"]
    back = http.get(f"/api/v1/submissions/{other.reply.public_id}", headers=clients[other.path]).get_json()

    def values(reply):
        return {one["name"]: (one["value"], one["state"]) for one in reply["answers"] if tables.key(ROWS + 1) not in one["name"]}

    assert values(back) == values(told)
    seen = {one["name"]: one["revision"] for one in back["answers"]}
    gone = {"table": "b5", "key": tables.key(1), "removed": True, "base": None}
    stale = http.post(path, json={"answers": [], "rows": [gone | {"seen": {}}]}, headers=clients[other.path] | {"Idempotency-Key": "b"})
    assert stale.status_code == 409
    assert f"women[{tables.key(1)}]" in {one["name"] for one in stale.get_json()["stale_rows"][0]["theirs"]}
    told = stale.get_json()["stale_rows"][0]
    assert (told["by"]["en"], bool(told["at"])) == (other.focal.names["en"], True)
    done = http.post(path, json={"answers": [], "rows": [gone | {"seen": seen}]}, headers=clients[other.path] | {"Idempotency-Key": "c"})
    assert done.get_json()["rows"][0]["removed"] is True
