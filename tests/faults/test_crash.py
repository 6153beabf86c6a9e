"""kill -9 in the midst of saving: what was acknowledged is there afterwards, once, and the portal comes up again."""

from __future__ import annotations

import os
import time

import pytest
from sqlalchemy import func, select, text

from portal.models import Answer, Submission
from tests import factories
from tests.faults.writers import Writer, doubled, kill_all, lost
from tests.journeys.served import Served

KILLS = int(os.environ.get("PORTAL_TEST_KILLS", "3"))
WRITERS = 4
pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("faults")]


def test_no_acknowledged_save_is_lost_or_doubled_by_a_kill(tmp_path, sqlite_template):
    server = Served(tmp_path, sqlite_template)
    with server.session() as session:
        institution = factories.institution(session)
        version = factories.questionnaire_version(session)
        logins = [factories.person(session, institution).login for _ in range(WRITERS)]
        replies = [factories.submission(session, factories.assignment(session, to=institution, version=version)) for _ in range(WRITERS)]
        places = [(reply.id, f"/replies/{reply.public_id}/pages/page1") for reply in replies]
    acknowledged: dict[int, dict[int, str]] = {reply_id: {} for reply_id, _path in places}
    try:
        for _kill in range(KILLS):
            with server.session() as session:
                revisions = dict(session.execute(select(Answer.submission_id, Answer.revision)).all())
            writers = [
                Writer(server.url, login, path, revisions.get(reply_id, 0))
                for login, (reply_id, path) in zip(logins, places, strict=True)
            ]
            for writer in writers:
                writer.start()
            for writer in writers:
                assert writer.ready.wait(30)
            time.sleep(0.8)
            kill_all(server._process)
            for writer, (reply_id, _path) in zip(writers, places, strict=True):
                writer.stop.set()
                writer.join(30)
                acknowledged[reply_id] |= dict(writer.acknowledged)
            server._process = server._start()
            with server.session() as session:
                assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
                assert lost(session, acknowledged) == []
                assert doubled(session) == []
                assert session.scalar(select(func.count()).select_from(Submission)) == WRITERS
    finally:
        server.stop()
    assert sum(len(one) for one in acknowledged.values()) > 5 * KILLS
