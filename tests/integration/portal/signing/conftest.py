"""What every test of signing on paper begins with: an institution with three replies to one document, and its people."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from portal.models import Role, StaffRole
from tests import factories


@pytest.fixture
def scene(session):
    place = factories.institution(session, "MOJ")
    document = factories.document(session)
    about = [factories.recommendation(session, document, paragraph=number) for number in ("8", "9", "10")]
    of = factories.reporting_round(session, document, slug="r")
    version = factories.questionnaire_version(session)
    replies = [factories.submission(session, factories.assignment(session, place, of, [one], version)) for one in about]
    made = SimpleNamespace(
        place=place,
        replies=replies,
        focal=factories.person(session, place, Role.FOCAL_POINT),
        approver=factories.person(session, place, Role.APPROVER),
        reader=factories.person(session, place, Role.READER),
        stranger=factories.person(session, factories.institution(session, "MOI"), Role.FOCAL_POINT),
        coordinator=factories.staff(session, StaffRole.COORDINATOR),
    )
    session.commit()
    return made


@pytest.fixture
def client(client):
    """A stranger who reads English."""
    client.post("/language", {"language": "en"}, expect=303)
    return client
