"""Known query counts: constant in rows and questions, and within the limits of the answering page and the save."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.models import ItemKind, Role, VersionItem
from tests import factories


def scene(session, questions, replies):
    institution = factories.institution(session)
    person = factories.person(session, institution, Role.FOCAL_POINT)
    version = factories.questionnaire_version(session)
    page = session.scalars(
        select(VersionItem).where(VersionItem.kind == ItemKind.SECTION, VersionItem.version_id == version.id)
    ).one()
    for number in range(questions):
        factories.question(session, version, f"x{number}", "text", parent=page)
    one_round = factories.reporting_round(session)
    made = [
        factories.submission(session, factories.assignment(session, to=institution, in_round=one_round, version=version))
        for _ in range(replies)
    ]
    session.commit()
    return person, f"/replies/{made[0].public_id}/pages/page1"


def counted(client, count_queries, method, path, **more):
    getattr(client, method)(path, **more)
    with count_queries() as statements:
        getattr(client, method)(path, **more)
    return len([one for one in statements if not one.startswith(("BEGIN", "PRAGMA", "COMMIT"))])


@pytest.mark.parametrize("questions", [3, 60])
def test_a_page_takes_at_most_eight_queries_whatever_it_asks(client_for, session, count_queries, questions):
    person, path = scene(session, questions, 1)
    assert counted(client_for(person), count_queries, "get", path, expect=200) <= 8


def test_a_save_takes_at_most_eight_statements(client_for, session, count_queries):
    person, path = scene(session, 30, 1)
    client = client_for(person)
    client.post(path, {"measures@en": "one", "base:measures@en": "0"}, headers={"Accept": "application/json"}, expect=200)
    with count_queries() as statements:
        client.post(path, {"measures@en": "two", "base:measures@en": "1"}, headers={"Accept": "application/json"}, expect=200)
    assert len([one for one in statements if not one.startswith(("BEGIN", "PRAGMA", "COMMIT"))]) <= 8


def test_what_is_owed_takes_the_same_queries_for_three_replies_and_for_thirty(client_for, session, count_queries):
    few, _path = scene(session, 0, 3)
    many, _path = scene(session, 0, 30)
    first = counted(client_for(few), count_queries, "get", "/owed", expect=200)
    assert first == counted(client_for(many), count_queries, "get", "/owed", expect=200)
    assert first <= 12  # one of them for a text that was held while a session had run out
