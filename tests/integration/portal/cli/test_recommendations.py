"""``recommendations import``: a dry run first, exit codes, nothing lost by repeating."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from portal.cli.recommendations import recommendations
from portal.models import Recommendation


class _Context:
    def __init__(self, app) -> None:
        self.app = app


@pytest.fixture
def run(app):
    def call(*arguments: str):
        return CliRunner().invoke(recommendations, ["import", *arguments], obj=_Context(app), standalone_mode=False)

    return call


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "document.json"
    rows = [{"paragraph": str(number), "texts": {"en": f"Do {number}."}} for number in range(1, 4)]
    path.write_text(json.dumps({"symbol": "T/1", "mechanism": "CCPR", "recommendations": [*rows, {"paragraph": "9"}]}))
    return str(path)


def test_a_dry_run_writes_nothing_and_a_confirmed_run_can_be_repeated(run, document, session):
    def count() -> int:
        session.rollback()
        return session.scalar(select(func.count()).select_from(Recommendation))

    dry = run(document)
    assert (dry.return_value, count()) == (6, 0)
    assert "3 new" in dry.output
    assert "--confirm" in dry.output

    done = json.loads(run(document, "--confirm", "--json").stdout)
    assert (done["written"], done["counts"]["added"], done["refused"][0]["row"], count()) == (True, 3, 4, 3)

    again = json.loads(run(document, "--confirm", "--json").stdout)
    assert (again["written"], again["counts"]["unchanged"], count()) == (False, 3, 3)


def test_another_country_or_a_bad_file_is_refused_in_one_sentence(run, document, tmp_path):
    bad = tmp_path / "bad.xlsx"
    bad.write_bytes(b"nothing of the kind")

    for arguments in ((document, "--country", "Elsewhere"), (str(bad),)):
        result = run(*arguments)
        assert result.exception is not None
        assert result.exception.exit_code == 1
        assert "\n" not in result.exception.message
