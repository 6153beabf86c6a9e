"""The demo countries hold together as files: counts, codes, languages, questionnaires, and every reply's life."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import load_workbook
from pyxform.xls2xform import convert

from forms.answers import AnswerKey, Given, TableRow
from forms.context import Context
from forms.definition.check import Report, check
from forms.definition.rows import RawRow
from forms.evaluation import evaluate
from forms.tables import ROW_KEY, tables
from portal.demo.make_questionnaires import COUNTRIES, read_rows, sheets
from portal.demo.tables import is_table, written
from portal.models.lifecycle import EDITABLE, Action, Signature, State, Status, follow, transition

if TYPE_CHECKING:
    from collections.abc import Iterator

CAMBODIA = COUNTRIES / "cambodia"
ALL = sorted(path for path in COUNTRIES.iterdir() if path.is_dir())
each_country = pytest.mark.parametrize("country", ALL, ids=lambda path: path.name)
NOT_IN_THE_LIFECYCLE = {
    "save", "attach_evidence", "ask_clarification", "answer_clarification", "close_clarification",
    "download_workbook", "send_workbook", "receive_paper", "enter_from_paper",
}  # fmt: skip
WRITES = {"save", "send_workbook", "enter_from_paper"}
# what the secretariat hands in from paper is completed and signed on paper at once (portal/services/documents.py)
SEVERAL = {"finish_paper": ("complete", "sign_on_paper")}


def load(country: Path, name: str) -> Any:
    """Read one JSON file of a country."""
    return json.loads((country / name).read_text(encoding="utf-8"))


def documents(country: Path) -> list[Any]:
    """Read the source documents of a country."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted((country / "documents").glob("*.json"))]


def languages(country: Path) -> set[str]:
    """Name the languages of a country."""
    return {language["code"] for language in load(country, "country.json")["languages"]}


def institutions(country: Path) -> dict[str, Any]:
    """Map the institutions of a country by code."""
    return {row["code"]: row for row in load(country, "institutions.json")["institutions"]}


def questions(country: Path, form: str) -> dict[str, dict[str, str]]:
    """Map the rows of a questionnaire that take an answer by code; those of columns name their table."""
    found: dict[str, dict[str, str]] = {}
    table = ""
    for row in sheets(country / "questionnaires", form)["survey"]:
        if row["type"] in {"begin_repeat", "end_repeat"}:
            table = row["name"] if row["type"] == "begin_repeat" else ""
        elif row["type"] not in {"note", "calculate"} and "group" not in row["type"]:
            found[row["name"]] = {**row, "table": table}
    return found


def answers_of(reply: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield each answer of a reply as (code, row, value): those outside tables, and every cell."""
    for code, value in reply["answers"].items():
        if is_table(value):
            yield from (
                (column, row["key"], cell) for row in value["rows"] for column, cell in row.items() if column != "key"
            )
        else:
            yield code, "", value


def assignments(country: Path) -> dict[str, Any]:
    """Map the assignments of all rounds by key."""
    return {
        assignment["key"]: {**assignment, "round": round_}
        for round_ in load(country, "assignments.json")["rounds"]
        for assignment in round_["assignments"]
    }


def test_cambodia_is_as_large_as_promised() -> None:
    (ccpr,) = [document for document in documents(CAMBODIA) if document["mechanism"] == "CCPR"]
    paragraphs = [row["paragraph"] for row in ccpr["recommendations"]]
    assert list(dict.fromkeys(paragraphs)) == [str(number) for number in range(1, 47)]
    assert len(institutions(CAMBODIA)) >= 35
    assert {"source", "to proof-read", "name not known"} == {
        row["proofread"] for row in institutions(CAMBODIA).values()
    }
    assert len(questions(CAMBODIA, "short")) <= 7
    forms = {row["form"] for row in read_rows(CAMBODIA / "questionnaires" / "settings.tsv")}
    assert forms == {"short", "full", "institution", "loi", "follow_up", "civil_society"}
    upr = next(document for document in documents(CAMBODIA) if document["mechanism"] == "UPR")
    assert {row["state_position"] for row in upr["recommendations"]} == {"supported", "noted"}
    texts = [
        json.dumps(reply["answers"]["b6"])
        for reply in load(CAMBODIA, "answers.json")["replies"]
        if "b6" in reply["answers"]
    ]
    assert len(set(texts)) >= 120


def test_the_second_country_shares_nothing_but_english() -> None:
    (other,) = [country for country in ALL if country != CAMBODIA]
    assert len(institutions(other)) == 5
    assert languages(other) & languages(CAMBODIA) == {"en"}
    text = "".join(path.read_text(encoding="utf-8") for path in other.rglob("*.*") if path.suffix in {".json", ".tsv"})
    assert not re.search("[\u1780-\u17ff]", text)


@each_country
def test_institutions_and_persons_resolve(country: Path) -> None:
    known = institutions(country)
    tongues = languages(country)
    assert load(country, "country.json")["owner"] in known
    ranks = [row["rank"] for row in known.values()]
    assert ranks == sorted(set(ranks))
    for row in known.values():
        assert row["parent"] is None or row["parent"] in known
        assert set(row["names"]) == tongues or row["proofread"] == "name not known"
    persons = load(country, "persons.json")["persons"]
    logins = [person["login"] for person in persons]
    assert len(logins) == len(set(logins)) == len({person["phone"] for person in persons})
    honorifics = {row["code"] for row in load(country, "country.json")["honorifics"]} | {None}
    for person in persons:
        assert {membership["institution"] for membership in person["memberships"]} <= set(known)
        assert person["honorific"] in honorifics
        assert person["language"] in tongues
        assert set(person["names"]) == tongues
        assert person["email"] is None or person["email"].endswith("@example.org")
    assert sum(len(person["memberships"]) > 1 for person in persons) >= 1
    assert {person["staff_role"] for person in persons} >= {"coordinator", "report_writer", "administrator", "observer"}
    for code in known:
        roles = {m["role"] for person in persons for m in person["memberships"] if m["institution"] == code}
        assert {"focal_point", "approver"} <= roles


@each_country
def test_documents_are_demo_in_every_language_and_use_known_labels(country: Path) -> None:
    vocabularies = load(country, "vocabularies.json")
    mechanisms = {row["code"] for row in vocabularies["mechanisms"]}
    labels = {name: {row["key"] for row in vocabularies[name]} for name in ("theme", "affected", "sdg")}
    tongues = languages(country)
    for name in labels:
        assert all(set(row["labels"]) == tongues for row in vocabularies[name])
    for document in documents(country):
        assert document["mechanism"] in mechanisms
        assert document["demo"] is True
        rows = document["recommendations"]
        assert len({(row["paragraph"], row["sub_item"]) for row in rows}) == len(rows)
        concerns = {row["paragraph"] for row in rows if row["kind"] == "concern"}
        for row in rows:
            assert row["demo"] is True
            assert set(row["texts"]) == tongues
            assert row["texts"]["en"].startswith("Demo text: ")
            assert row["pair"] == "" or row["pair"] in concerns
            if row["kind"] == "recommendation":
                assert set(row["summary"]) == tongues
            for field, known in labels.items():
                assert set(row["tags"][field]) <= known


@each_country
def test_questionnaires_are_valid_xlsform_and_as_their_rows_say(country: Path) -> None:
    folder = country / "questionnaires"
    for setting in read_rows(folder / "settings.tsv"):
        path = folder / f"{setting['form']}.xlsx"
        assert convert(xlsform=str(path), file_type=".xlsx", validate=False).warnings == []
        workbook = load_workbook(path)
        for title, rows in sheets(folder, setting["form"]).items():
            head, *lines = workbook[title].iter_rows(values_only=True)
            found = [{str(key): value or "" for key, value in zip(head, line, strict=True)} for line in lines]
            assert found == [{key: row[key] for key in found[0]} for row in rows]
            assert all(not row[key] for row in rows for key in row if key not in found[0])


@functools.cache
def judged(country: Path, form: str) -> Report:
    """Judge the rows of one questionnaire."""
    contents = sheets(country / "questionnaires", form)
    return check(
        {title: [RawRow(title, n, row) for n, row in enumerate(rows, start=2)] for title, rows in contents.items()}
    )


@each_country
def test_the_check_finds_nothing_to_mend(country: Path) -> None:
    for setting in read_rows(country / "questionnaires" / "settings.tsv"):
        report = judged(country, setting["form"])
        assert list(report.problems) == []
        assert report.definition is not None
        assert set(report.definition.titles) == set(report.definition.languages) == languages(country)


@each_country
def test_every_answer_fits_its_question(country: Path) -> None:
    asked = assignments(country)
    replies = load(country, "answers.json")["replies"]
    issued = [key for key, one in asked.items() if one["round"]["state"] != "draft"]
    assert [reply["assignment"] for reply in replies] == issued
    choices: dict[str, set[str]] = {}
    for row in read_rows(country / "questionnaires" / "choices.tsv"):
        choices.setdefault(row["list_name"], set()).add(row["name"])
    for reply in replies:
        form = questions(country, asked[reply["assignment"]]["questionnaire"])
        for code, row, value in answers_of(reply):
            assert (form[code]["table"] != "") == (row != "")
            kind, _, name = form[code]["type"].partition(" ")
            if isinstance(value, dict) and "state" in value:
                assert form[code][value["state"]] == "yes", (reply["assignment"], code)
            elif kind == "text":
                one_language = form[code].get("one_language") == "yes"
                assert value
                assert isinstance(value, str) == one_language, (reply["assignment"], code)
                texts = {"": value} if one_language else value
                assert one_language or set(texts) <= languages(country)
                assert all(re.search(r"\((demo|démo|គំរូ)\)|^[^.]+$|example\.org", text) for text in texts.values())
            elif kind.startswith("select") or kind == "rank":
                assert set([value] if isinstance(value, str) else value) <= choices[name]
            elif kind in {"integer", "decimal"}:
                assert isinstance(value, int | float)
            else:
                assert kind == "date"
                assert re.fullmatch(r"\d{4}-\d\d-\d\d", value)


@each_country
def test_assignments_resolve(country: Path) -> None:
    known = institutions(country)
    rows = {
        (document["symbol"], row["paragraph"], row["sub_item"])
        for document in documents(country)
        for row in document["recommendations"]
        if row["kind"] == "recommendation"
    }
    leads: dict[tuple[str, ...], set[str]] = {}
    for assignment in assignments(country).values():
        assert assignment["institution"] in known
        assert assignment["document"] in assignment["round"]["documents"]
        for sub_item in assignment["sub_items"] or [""]:
            assert (assignment["document"], assignment["paragraph"], sub_item) in rows
        place = (assignment["round"]["slug"], assignment["document"], assignment["paragraph"])
        leads.setdefault(place, set())
        if assignment["role"] == "lead":
            leads[place].add(assignment["institution"])
    assert all(len(names) == 1 for names in leads.values()), leads


@dataclass(frozen=True)
class Happened:
    """A demo act as the lifecycle reads an event."""

    action: Action
    done_at: datetime
    details: dict[str, Any]


def lived(reply: dict[str, Any]) -> State:
    """Fold a reply's acts and return where it stands; saves must fall into a state in which one may answer."""
    state = State()
    before = datetime.min.replace(tzinfo=UTC)
    for act in reply["acts"]:
        hour, minute = map(int, act["time"].split(":"))
        at = datetime(2026, 1, 1, hour, minute, tzinfo=UTC) + timedelta(days=act["day"])
        assert at > before, reply["assignment"]
        before = at
        name = act["act"]
        names = SEVERAL.get(name, (name,))
        if name in WRITES and state.status is Status.ISSUED:
            names = ("first_save",)
        elif name in WRITES:
            assert state.status in EDITABLE, reply["assignment"]
            assert state.unlocked is None or set(act["answers"]) <= set(state.unlocked), reply["assignment"]
        for one in names:
            if one in NOT_IN_THE_LIFECYCLE:
                continue
            assert act.get("reason") or not transition(state.status, Action(one)).reason, (reply["assignment"], one)
            state = follow(state, Happened(Action(one), at, {"unlocked": act.get("questions")}))
    return state


@each_country
def test_every_reply_lives_by_the_lifecycle(country: Path) -> None:
    asked = assignments(country)
    logins = {person["login"] for person in load(country, "persons.json")["persons"]}
    shown = {row["file"] for row in json.loads((COUNTRIES.parent / "evidence" / "evidence.json").read_text())["files"]}
    for reply in load(country, "answers.json")["replies"]:
        state = lived(reply)
        assert state.status == Status(reply["status"]), reply["assignment"]
        assert state.signature == (reply["signature"] and Signature(reply["signature"])), reply["assignment"]
        form = questions(country, asked[reply["assignment"]]["questionnaire"])
        saved = {code for act in reply["acts"] if act["act"] in WRITES for code in act["answers"]}
        assert saved == set(reply["answers"]), reply["assignment"]
        attached = {act["file"] for act in reply["acts"] if act["act"] == "attach_evidence"}
        assert {act["by"] for act in reply["acts"]} <= logins
        assert attached <= shown
        if any(act["act"] == "complete" for act in reply["acts"]):
            always = {
                code
                for code, row in form.items()
                if row["required"] == "yes" and not row["relevant"] and not row["table"]
            }
            assert always <= saved, reply["assignment"]
            assert reply["answers"].get("b1") != "done" or attached


def given(reply: dict[str, Any]) -> dict[AnswerKey, Given]:
    """Turn a reply's answers into what would be stored of them."""
    stored = {}
    for code, row, value in answers_of(reply):
        if isinstance(value, dict) and "state" not in value:
            stored.update({AnswerKey(code, row, language): Given(text) for language, text in value.items()})
        else:
            stored[AnswerKey(code, row)] = Given(state=value["state"]) if isinstance(value, dict) else Given(value)
    if any(act["act"] == "attach_evidence" for act in reply["acts"]):
        stored[AnswerKey("d1")] = Given(["file"])
    return stored


@each_country
def test_what_was_completed_is_complete_and_nothing_hidden_was_answered(country: Path) -> None:
    asked = assignments(country)
    definitions = {form: judged(country, form).definition for form in {a["questionnaire"] for a in asked.values()}}
    for reply in load(country, "answers.json")["replies"]:
        definition = definitions[asked[reply["assignment"]]["questionnaire"]]
        assert definition is not None
        stored = given(reply)
        rows = {
            code: [TableRow(row["key"]) for row in value["rows"]]
            for code, value in reply["answers"].items()
            if is_table(value) and not tables(definition)[code].fixed
        }
        found = evaluate(definition, stored, Context(date(2026, 11, 23), definition.languages), rows)
        assert not found.refused, (reply["assignment"], found.refused)
        assert not [key for key in stored if found.is_hidden(key)], reply["assignment"]
        if any(act["act"] == "complete" for act in reply["acts"]):
            assert found.complete, (reply["assignment"], found.missing)


@each_country
def test_rows_of_tables_have_keys_of_their_own_and_every_row_is_saved(country: Path) -> None:
    asked = assignments(country)
    definitions = {form: judged(country, form).definition for form in {a["questionnaire"] for a in asked.values()}}
    for reply in load(country, "answers.json")["replies"]:
        definition = definitions[asked[reply["assignment"]]["questionnaire"]]
        assert definition is not None
        saves = [written(reply, act) for act in reply["acts"] if act["act"] == "save"]
        editable: list[str] = []
        for code, value in reply["answers"].items():
            if not is_table(value):
                continue
            table = tables(definition)[code]
            keys = [row["key"] for row in value["rows"]]
            fixed = [choice.key for choice in table.item.choices]
            assert (keys == fixed) if table.fixed else all(ROW_KEY.match(key) for key in keys), (
                reply["assignment"],
                code,
            )
            editable += () if table.fixed else keys
            last = {row.key: dict(row.cells) for save in saves for row in save.get(code, ())}
            assert last == {
                row["key"]: {column: cell for column, cell in row.items() if column != "key"} for row in value["rows"]
            }, (reply["assignment"], code)
        assert len(editable) == len(set(editable)), reply["assignment"]


def test_cambodia_shows_what_happens_to_tables() -> None:
    replies = load(CAMBODIA, "answers.json")["replies"]
    assert max(len(value["rows"]) for one in replies for value in one["answers"].values() if is_table(value)) >= 12
    by_two = [
        code
        for reply in replies
        for code, value in reply["answers"].items()
        if is_table(value)
        and len({(act["by"], act["day"]) for act in reply["acts"] if code in act.get("rows", {})}) > 1
    ]
    assert set(by_two) >= {"b5", "c3"}
    mended = [act for reply in replies for act in reply["acts"] if act.get("refused")]
    assert [act["refused"] for act in mended] == [["c2_age_total[age_18_29]"]]
    states = {
        cell["state"]
        for reply in replies
        for _code, row, cell in answers_of(reply)
        if row and isinstance(cell, dict) and "state" in cell
    }
    assert states == {"not_available", "not_applicable"}


def test_cambodia_shows_every_state() -> None:
    replies = load(CAMBODIA, "answers.json")["replies"]
    assert {reply["status"] for reply in replies} == {str(status) for status in Status}
    assert {reply["signature"] for reply in replies} >= {"signed", "paper", "pending", "void"}
    acts = {act["act"] for reply in replies for act in reply["acts"]}
    assert acts >= {
        "decline",
        "reopen",
        "recall",
        "restore",
        "refuse_not_ours",
        "retract_claim",
        "answer_clarification",
    }
    assert any(reply["late"] for reply in replies)
