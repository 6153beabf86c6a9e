"""Many people write in one answer at once, and one save arrives many times: nothing is written over unseen, nothing twice."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest
from sqlalchemy import select
from werkzeug.serving import make_server

from portal.models import AnswerRevision
from tests import factories
from tests.faults.writers import Person, at_once, edit_together, history

EDITORS, SAVES, COPIES = 5, 10, 10
pytestmark = [pytest.mark.engines, pytest.mark.timeout(120)]


@contextmanager
def served(app):
    """Serve the application over HTTP from threads of this process."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def place(session):
    institution = factories.institution(session)
    version = factories.questionnaire_version(session)
    reply = factories.submission(session, factories.assignment(session, to=institution, version=version))
    logins = [factories.person(session, institution).login for _ in range(EDITORS)]
    session.commit()
    return reply.id, f"/replies/{reply.public_id}/pages/page1", logins


def test_nobody_writes_over_a_text_they_were_not_shown(app, session):
    reply_id, path, logins = place(session)
    with served(app) as url:
        editors = edit_together([Person(url, login, path) for login in logins], SAVES)
    assert [fault for one in editors for fault in one.faults] == []
    session.rollback()
    told = {revision: text for one in editors for revision, text in one.acknowledged.items()}
    assert len(told) == EDITORS * SAVES
    assert history(session, reply_id) == told
    assert sum(one.refused for one in editors) > 0


def test_one_save_that_arrives_ten_times_at_once_is_one_revision(app, session):
    reply_id, path, logins = place(session)
    with served(app) as url:
        person = Person(url, logins[0], path)
        person.sign_in()
        told = at_once(COPIES, lambda _at: person.post("once", 0, "the-same-key"))
    # not the minute that each was answered in
    assert {(status, str(answer["saved"])) for status, answer in told} == {(200, str(told[0][1]["saved"]))}
    session.rollback()
    keys = session.scalars(select(AnswerRevision.request_key).where(AnswerRevision.submission_id == reply_id)).all()
    assert keys == ["the-same-key"]
