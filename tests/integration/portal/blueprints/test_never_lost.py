"""Never lose a word: what a save tells, what a conflict shows, who else is on the page, what an ended session leaves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from portal.models import Institution, Role
from tests import factories

pytestmark = pytest.mark.engines

JSON = {"Accept": "application/json"}
NAME = "measures@km"


@pytest.fixture
def scene(session):
    moj: Institution = factories.institution(session, "MOJ")
    version = factories.questionnaire_version(session)
    reply = factories.submission(session, factories.assignment(session, to=moj, version=version))
    made = SimpleNamespace(
        reply=reply,
        moj=moj,
        path=f"/replies/{reply.public_id}/pages/page1",
        focal=factories.person(session, moj, Role.FOCAL_POINT),
        colleague=factories.person(session, moj, Role.CONTRIBUTOR),
        stranger=factories.person(session, factories.institution(session, "MOI"), Role.FOCAL_POINT),
    )
    session.commit()
    return made


def save(client, scene, text, base, key="", expect=200):
    fields = {NAME: text, f"base:{NAME}": str(base), "request_key": key}
    return client.post(scene.path, fields, headers=JSON, expect=expect).get_json()


def test_a_save_repeated_after_a_colleague_wrote_is_told_its_own_revision(client_for, scene):
    """The line broke before the answer came: with the colleague's revision as base, their text would be overwritten."""
    mine, theirs = client_for(scene.focal), client_for(scene.colleague)
    save(mine, scene, "ក", 0, "k1")
    save(theirs, scene, "ក ខ", 1, "k2")
    assert save(mine, scene, "ក", 0, "k1")["saved"] == [{"name": NAME, "revision": 1}]
    told = save(mine, scene, "ក គ", 1, "k3", expect=409)
    assert told["stale"][0]["theirs"] == "ក ខ"


def test_a_text_typed_and_taken_back_keeps_the_revision_its_writer_saw(client_for, scene):
    mine, theirs = client_for(scene.focal), client_for(scene.colleague)
    save(mine, scene, "ក", 0)
    save(theirs, scene, "ក ខ", 1)
    assert save(mine, scene, "ក", 1)["saved"] == [{"name": NAME, "revision": 1}]
    save(mine, scene, "ក គ", 1, expect=409)
