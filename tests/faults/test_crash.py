"""kill -9 in the midst of saving: what was acknowledged is there afterwards, once, and the portal comes up again."""

from __future__ import annotations

import os
import time
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select, text

from portal.models import Submission
from tests import factories
from tests.faults.writers import Person, Writer, doubled, kill_all, lost
from tests.journeys.served import Served

KILLS = int(os.environ.get("PORTAL_TEST_KILLS", "2"))
WRITERS = 4
pytestmark = pytest.mark.timeout(240)


def test_no_acknowledged_save_is_lost_or_doubled_by_a_kill(tmp_path, sqlite_template):
    server = Served(tmp_path, sqlite_template)
    with server.session() as session:
        institution = factories.institution(session)
        version = factories.questionnaire_version(session)
        people = [factories.person(session, institution) for _ in range(WRITERS)]
        replies = [factories.submission(session, factories.assignment(session, to=institution, version=version)) for _ in range(WRITERS)]
    writers = {}
    for one, reply in zip(people, replies, strict=True):
        person = Person(server.url, one.login, f"/replies/{reply.public_id}/pages/page1")
        person.sign_in()
        writers[reply.id] = Writer(person)
    try:
        for writer in writers.values():
            writer.start()
        for kill in range(1, KILLS + 1):
            until = time.monotonic() + 60
            while sum(len(one.acknowledged) for one in writers.values()) < kill * 5 * WRITERS and time.monotonic() < until:
                time.sleep(0.02)
            kill_all(server._process)
            server._process = server._start()
            for writer in writers.values():
                # what was under way is sent again under its key, to wherever the portal is now
                writer.person.host = urlsplit(server.url).netloc
        for writer in writers.values():
            writer.stop.set()
        for writer in writers.values():
            writer.join(30)
    finally:
        server.stop()
    acknowledged = {reply_id: one.acknowledged for reply_id, one in writers.items()}
    assert [fault for one in writers.values() for fault in one.faults] == []
    assert sum(len(one) for one in acknowledged.values()) >= KILLS * 5 * WRITERS
    assert sum(one.sent_again for one in writers.values()) > 0
    with server.session() as session:
        assert session.execute(text("PRAGMA integrity_check")).scalar() == "ok"
        assert lost(session, acknowledged) == []
        assert doubled(session) == []
        assert session.scalar(select(func.count()).select_from(Submission)) == WRITERS
