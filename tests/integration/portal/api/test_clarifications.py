"""Who asks, answers and closes by the API: each part of either side, and nobody from elsewhere."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from portal.models import ClarificationMessage
from tests.integration.portal.api import test_api

world = test_api.world
EVERYBODY = {"focal", "approver", "reader", "stranger", "coordinator", "writer", "admin", "observer"}


@pytest.mark.engines
def test_only_who_may_asks_answers_and_closes(session, world):
    asked = world.path + "/clarifications"
    thread = world.coordinator.post(asked, {"body": "Which year?"}).json["id"]
    told = session.scalar(select(func.count()).select_from(ClarificationMessage))

    def refused(path, body, allowed):
        seen = {name: getattr(world, name).post(path, body).status_code for name in EVERYBODY - allowed}
        assert seen == dict.fromkeys(seen, 403) | dict.fromkeys(("stranger", "admin", "observer"), 404), path
        session.expire_all()
        assert session.scalar(select(func.count()).select_from(ClarificationMessage)) == told, path

    refused(asked, {"body": "x"}, {"coordinator", "writer"})
    refused(f"/clarifications/{thread}/messages", {"body": "x"}, {"focal", "approver", "coordinator", "writer"})
    refused(f"/clarifications/{thread}/close", None, {"coordinator", "writer"})
    assert world.focal.get(asked).json["items"][0]["status"] == "open"
    for name in ("focal", "approver", "writer"):
        made = world.__dict__[name].post(f"/clarifications/{thread}/messages", {"body": f"Said by {name}"})
        assert (made.status_code, made.json["messages"][-1]["from_secretariat"]) == (201, name == "writer")
    assert world.writer.post(f"/clarifications/{thread}/close").json["status"] == "closed"
