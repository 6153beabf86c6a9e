"""Questionnaires through HTTP and the command line: looked through, stored, read aloud, given back."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from portal.cli.context import Refused
from portal.cli.questionnaire import questionnaire
from portal.queries import questionnaires as look
from tests import factories

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from sqlalchemy.orm import Session

    from tests.client import Client

FILE = Path(__file__).parents[4] / "portal/demo/countries/cambodia/questionnaires/short.xlsx"


class _Context:
    def __init__(self, app: Flask) -> None:
        self.app = app


def test_a_file_is_looked_through_then_stored(session: Session, client_for: Callable[..., Client]) -> None:
    client = client_for(factories.staff(session))
    content = FILE.read_bytes()
    bad = client.post("/questionnaires/import", {"file": (io.BytesIO(b"no"), "short.xlsx")})
    assert bad.status_code == 422
    page = client.post("/questionnaires/import", {"file": (io.BytesIO(content), "short.xlsx")})
    assert page.status_code == 200, client.text[:500]
    draft = re.search(r"/questionnaires/import/(\w+)/confirm", page.text)
    assert draft
    form = {"scope": "recommendation", "length": "short", "publish": "y"}
    assert client.post(f"/questionnaires/import/{draft[1]}/confirm", form).status_code == 303
    session.rollback()
    (head,) = look.versions(session, published=True)
    assert client.get(f"/questionnaires/{head.public_id}").status_code == 200
    assert client.get(f"/questionnaires/{head.public_id}/file").data == content
    assert client.get("/questionnaires").status_code == 200


def test_the_command_line_checks_and_evaluates(app: Flask, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    questionnaire.main(["check", str(FILE), "--json"], obj=_Context(app), standalone_mode=False)
    told = json.loads(capsys.readouterr().out)
    assert told["valid"]
    answers = tmp_path / "a.json"
    answers.write_text(json.dumps({"b1": "done", "c1": "many"}))
    questionnaire.main(
        ["evaluate", str(FILE), "--answers", str(answers), "--json"], obj=_Context(app), standalone_mode=False
    )
    verdict = json.loads(capsys.readouterr().out)
    by_code = {one["code"]: one for one in verdict["questions"]}
    assert by_code["b6"]["missing"]
    assert by_code["c1"]["refused"]
    assert not verdict["complete"]


def test_the_command_line_stores_once(
    app: Flask, session: Session, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for _ in range(2):
        questionnaire.main(["import", str(FILE), "--publish"], obj=_Context(app), standalone_mode=False)
    assert len(look.versions(session, published=True)) == 1
    out = tmp_path / "back.xlsx"
    questionnaire.main(["export", "short", "--source", "--out", str(out)], obj=_Context(app), standalone_mode=False)
    assert out.read_bytes() == FILE.read_bytes()
    assert "short, version 1" in capsys.readouterr().out


FORM = """| survey |
| | type | name | label::Khmer (km) | label::English (en) | required |
| | select_one_from_file ministries.csv | m | ក្រសួង | Ministry | |
| | geopoint | place | ទីកន្លែង | <script>alert(1)</script> | |
| | begin_repeat | laws | ច្បាប់ | Laws | |
| | text | law | ចំណងជើង | Title | {required} |
| | end_repeat | | | | |
| settings |
| | form_title | form_title_en | form_id | default_language |
| | ឧទាហរណ៍ | Example | example | Khmer (km) |
"""
TABLE = "name,label::Khmer (km),label::English (en)\nmoj,យុត្តិធម៌,Justice\n"


def brought(required: str = "", table: str = TABLE) -> dict[str, Any]:
    files = {"file": (io.BytesIO(FORM.format(required=required).encode()), "example.md")}
    return files | ({"tables": (io.BytesIO(table.encode()), "ministries.csv")} if table else {})


def confirmed(client: Client, form: dict[str, Any]) -> str:
    """Import a file in the place of the open draft, if there is one; return the page that asks."""
    page = client.post("/questionnaires/import", form)
    assert page.status_code == 200, client.text[:500]
    draft = re.search(r"/questionnaires/import/(\w+)/confirm", page.text)
    assert draft
    asked = {"scope": "recommendation"}
    if opened := re.search(r'name="instead_of" value="(\w+)"', page.text):
        refused = client.post(f"/questionnaires/import/{draft[1]}/confirm", asked)
        assert refused.status_code == 409
        assert "is an open draft already" in refused.text
        asked["instead_of"] = opened[1]
    done = client.post(f"/questionnaires/import/{draft[1]}/confirm", asked)
    assert done.status_code == 303
    return page.text


def test_a_file_comes_with_its_tables_and_says_what_it_brings(
    session: Session, client_for: Callable[..., Client]
) -> None:
    client = client_for(factories.staff(session))
    first = confirmed(client, brought())
    assert "geopoint" in first
    assert "B4" in first  # the place of the warning
    assert "&lt;script&gt;" in first
    assert "<script>alert" not in first
    session.rollback()
    (head,) = look.versions(session)
    loaded = look.definition(session, head.id)
    assert [choice.key for choice in loaded.question("m").choices] == ["moj"]
    assert loaded.tables["ministries"].rows[0]["label::English (en)"] == "Justice"
    second = confirmed(client, brought(required="yes"))
    assert "version 1" in second
    assert "<code>law</code>" in second
    session.rollback()
    assert [one.number for one in look.versions(session)] == [2, 1]


def test_without_its_table_a_choice_is_asked_as_text_and_the_page_says_so(
    session: Session, client_for: Callable[..., Client]
) -> None:
    client = client_for(factories.staff(session))
    page = client.post("/questionnaires/import", brought(table=""))
    assert page.status_code == 200
    assert "ministries" in page.text
    assert "is not attached" in page.text


def test_a_version_is_downloaded_and_uploaded_again_unchanged(
    session: Session, client_for: Callable[..., Client]
) -> None:
    client = client_for(factories.staff(session))
    confirmed(client, brought())
    session.rollback()
    (head,) = look.versions(session)
    content = client.get(f"/questionnaires/{head.public_id}/workbook").data
    page = client.post("/questionnaires/import", {"file": (io.BytesIO(content), "again.xlsx")})
    assert page.status_code == 200
    assert "Nothing that people see" in page.text


def test_the_command_line_takes_tables_and_exports_what_it_took(
    app: Flask, session: Session, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def call(*words: str) -> str:
        questionnaire.main(list(words), obj=_Context(app), standalone_mode=False)
        return capsys.readouterr().out

    file, table, out = tmp_path / "example.md", tmp_path / "ministries.csv", tmp_path / "out.xlsx"
    file.write_text(FORM.format(required=""), encoding="utf-8")
    table.write_text(TABLE, encoding="utf-8")
    told = json.loads(call("check", str(file), "--table", str(table), "--json"))
    assert [(one["severity"], one["row"], one["column"]) for one in told["problems"]] == [("warning", 4, "B")]
    call("import", str(file), "--table", str(table))
    of_file = call("export", str(file), "--table", str(table), "--json", "--out", str(out))
    assert call("export", "example", "--json") == of_file
    assert call("export", str(out), "--json") == of_file
    assert json.loads(of_file)["code"] == "example"
    assert list(json.loads(of_file)) == sorted(json.loads(of_file))


@pytest.mark.parametrize(
    "words", [["export", "nobody", "--json"], ["export", "nobody"], ["export", "nobody", "--source", "--out", "x"]]
)
def test_an_export_of_nothing_is_refused_in_a_sentence(app: Flask, session: Session, words: list[str]) -> None:
    with pytest.raises(Refused):
        questionnaire.main(words, obj=_Context(app), standalone_mode=False)
