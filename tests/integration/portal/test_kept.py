"""What a process keeps from one request to the next is the same for everybody it fits, and for nobody else."""

from __future__ import annotations

import pytest
from flask import url_for
from sqlalchemy import text

from portal.database import write
from portal.models import Institution, Role
from tests import factories
from tests.client import Client

JSON = {"Accept": "application/json"}


def signed_in(app, session, institution):
    person = factories.person(session, institution, Role.FOCAL_POINT)
    session.commit()
    client = Client(app, session)
    client.sign_in(person.login)
    return client


@pytest.fixture
def two(app, session):
    institution = factories.institution(session, "MOJ")
    return signed_in(app, session, institution), signed_in(app, session, institution)


def said(client, token):
    """Post by script, as a page that is open does, with some token."""
    return client.post("/account", {}, headers=JSON | {"X-CSRFToken": token}, csrf=False).status_code


def test_a_token_that_was_proven_for_its_owner_fits_nobody_else(two):
    mine, theirs = two
    token = theirs.token()
    for _time in range(2):
        assert said(theirs, token) != 400
    assert said(mine, token) == 400
    assert said(mine, mine.token()) != 400
    assert said(mine, token) == 400


def test_pages_of_one_session_carry_its_token_and_those_of_another_session_another(two):
    mine, theirs = two
    tokens = []
    for client in (mine, theirs, mine):
        client.get("/account", expect=200)
        tokens.append(client.token())
    assert tokens[0] == tokens[2] != tokens[1]
    refused = [client.post("/account", {"csrf_token": tokens[0]}).status_code == 400 for client in two]
    assert refused == [False, True]


def test_an_address_is_kept_for_its_very_values(app):
    app.test_client().get("/healthz")  # nothing is kept before the first request
    for _time in range(2):
        with app.test_request_context():
            app.preprocess_request()
            assert [url_for("recommendations.index", page=one) for one in (1, True, "1", None)] == [
                "/recommendations?page=1", "/recommendations?page=True", "/recommendations?page=1", "/recommendations",
            ]  # fmt: skip
        with app.test_request_context(environ_overrides={"SCRIPT_NAME": "/portal"}):
            assert url_for("recommendations.index", page=1) == "/portal/recommendations?page=1"


@pytest.mark.parametrize(
    ("written", "read"),
    [(' {"en": "Ministry"}\n', {"en": "Ministry"}), ('{"en":"Ministry"}', {"en": "Ministry"}), ('"ក"', "ក")],
)
def test_what_a_hand_wrote_into_a_column_of_json_is_read_with_its_blanks(app, session, written, read):
    institution = factories.institution(session, "MOJ")
    session.execute(text("update institution set names = :names"), {"names": written})
    session.commit()
    with app.app_context(), write() as own:
        assert own.get_one(Institution, institution.id).names == read
