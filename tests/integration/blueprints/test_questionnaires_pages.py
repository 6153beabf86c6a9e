"""Questionnaires through HTTP and the command line: looked through, stored, read aloud, given back."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from portal.cli.questionnaire import questionnaire
from portal.queries import questionnaires as look
from tests import factories

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask
    from sqlalchemy.orm import Session

    from tests.client import Client

FILE = Path(__file__).parents[3] / "portal/demo/countries/cambodia/questionnaires/short.xlsx"


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


def test_the_command_line_stores_once(app: Flask, session: Session, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for _ in range(2):
        questionnaire.main(["import", str(FILE), "--publish"], obj=_Context(app), standalone_mode=False)
    assert len(look.versions(session, published=True)) == 1
    out = tmp_path / "back.xlsx"
    questionnaire.main(["export", "short", "--source", "--out", str(out)], obj=_Context(app), standalone_mode=False)
    assert out.read_bytes() == FILE.read_bytes()
    assert "short, version 1" in capsys.readouterr().out
