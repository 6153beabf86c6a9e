"""``people import``, ``user add`` and ``token add`` on the command line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from portal.cli import portal
from portal.cli.context import Context
from portal.models import ApiToken, Institution, StaffRole, UserAccount
from portal.services.sessions import token_digest
from portal.workbooks import people as workbook
from tests import factories


@pytest.fixture
def run(app, session):
    """Run a command on the test's application."""

    def run(*arguments):
        session.commit()
        context = Context(lambda _settings: app)
        context._settings, context._app = app.config["SETTINGS"], app
        result = CliRunner().invoke(portal, list(arguments), obj=context)
        session.rollback()
        session.expire_all()
        return result

    return run


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "people.xlsx"
    content = workbook.template(
        ("km", "en"),
        {"focal_point": {"en": "Focal point"}},
        (),
        [{"code": "moj", "names": {"en": "Justice"}, "rank": 10}],
        [{"names": {"en": "Focal point"}, "role": "focal_point", "institution": "moj"}],
    )
    path.write_bytes(content)
    return str(path)


def test_an_import_is_a_dry_run_first_then_taken_over_once(run, file, session):
    dry = run("people", "import", file)
    assert dry.exit_code == 0, dry.output
    assert "2 added" in dry.output
    assert "--confirm" in dry.output
    assert session.query(Institution).count() == 0
    done = json.loads(run("people", "import", file, "--confirm", "--json").output)
    assert done["counts"]["added"] == 2
    assert session.query(UserAccount).one().login == "focal.moj"
    again = json.loads(run("people", "import", file, "--confirm", "--json").output)
    assert again["counts"] == {"added": 0, "changed": 0, "unchanged": 2, "refused": 0}


def test_a_file_that_is_no_workbook_is_refused(run, tmp_path):
    path = tmp_path / "people.xlsx"
    path.write_bytes(b"no workbook")
    result = run("people", "import", str(path), "--confirm")
    assert result.exit_code == 1
    assert "Traceback" not in result.output


def test_a_user_is_added_and_enters_by_the_link(run, session, client):
    result = run("user", "add", "Administrator", "--json")
    assert result.exit_code == 0, result.output
    made = json.loads(result.output)
    assert made["login"] == "admin"
    client.get(made["link"].removeprefix("http://localhost"), expect=200)
    client.submit(code=made["code"], password="a long enough sentence", follow=False)
    assert client.response.status_code == 303
    assert run("user", "add", "Nobody", "--role", "focal_point").exit_code == 1


def test_a_token_is_shown_once_and_stored_as_a_hash(run, session):
    person = factories.staff(session, StaffRole.REPORT_WRITER)
    made = json.loads(run("token", "add", person.login, "--json").output)
    stored = session.query(ApiToken).one()
    assert stored.token_hash == token_digest(made["token"])
    assert run("token", "revoke", made["id"]).exit_code == 0
    session.refresh(stored)
    assert stored.revoked_at is not None
    assert run("token", "add", "nobody-at-all").exit_code != 0
