"""``questionnaire texts``: out, judged, taken back into a draft."""

from __future__ import annotations

import io
import json

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook
from sqlalchemy import select

from portal.cli import portal
from portal.cli.context import Context
from portal.models import QuestionnaireVersion, VersionItem
from tests import factories
from tests.integration.portal.blueprints.test_questionnaire_translations import changed


@pytest.fixture
def run(app, session):
    """Run a command on the test's application."""

    def run(*arguments, expect=0):
        session.commit()
        context = Context(lambda _settings: app)
        context._settings, context._app = app.config["SETTINGS"], app
        result = CliRunner().invoke(portal, list(arguments), obj=context)
        session.rollback()
        session.expire_all()
        assert result.exit_code == expect, result.output
        return result

    return run


@pytest.fixture
def version(session):
    made = factories.questionnaire_version(session)
    session.commit()
    return made


def test_texts_go_out_and_come_back(run, session, version, tmp_path):
    code, out = "q" + version.titles["en"].split()[-1], tmp_path / "texts.xlsx"
    run("questionnaire", "texts", code, "--out", str(out))
    out.write_bytes(changed(load_workbook(io.BytesIO(out.read_bytes())), {("measures:label", "km", "Text"): "វិធានការ"}))
    told = json.loads(run("questionnaire", "texts", code, "--import", str(out), "--json").output)
    assert (told["counts"]["changed"], told["version"]) == (1, None)
    told = json.loads(run("questionnaire", "texts", code, "--import", str(out), "--confirm", "--json").output)
    assert told["version"] == 2
    draft = session.scalars(select(QuestionnaireVersion).where(QuestionnaireVersion.number == 2)).one()
    label = session.scalar(
        select(VersionItem.texts).where(VersionItem.version_id == draft.id, VersionItem.code == "measures")
    )
    assert label["label"]["km"] == "វិធានការ"
    run("questionnaire", "texts", "nothing", "--out", str(out), expect=1)
    run("questionnaire", "texts", code, expect=1)
    out.write_bytes(b"no workbook")
    run("questionnaire", "texts", code, "--import", str(out), expect=1)
