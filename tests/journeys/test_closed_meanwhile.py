"""What was written while it was closed to its writer, by a return or by the whole reply, stays to be copied."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from portal.models import Status, Submission
from tests.journeys import sharing
from tests.journeys.test_answering import TEXT, saved, stored
from tests.journeys.test_conflicts import says
from tests.journeys.test_recovery import kept, kill

pytestmark = pytest.mark.browser


def close(served, scene, status, unlocked=None):
    with served.session() as session:
        session.execute(
            update(Submission).where(Submission.id == scene.reply.id).values(status=status, unlocked=unlocked)
        )


def test_a_text_in_a_question_that_was_closed_is_kept_until_its_writer_lets_it_go(served, visit, scene):
    visitor = visit()
    page = visitor.let_in(served.session_of(scene.focal))
    visitor.allow("422")
    page.goto(scene.first)
    page.fill(TEXT, "ក")
    saved(page)
    close(served, scene, Status.RETURNED, ["places"])
    page.fill(TEXT, "ក ខ")
    says(page, "error")
    expect(page.locator(TEXT)).to_have_value("ក ខ")
    kept(page)
    page = kill(visitor)
    page.goto(scene.first)
    recovered = page.locator("[data-recovered]")
    expect(recovered).to_contain_text("ក ខ")
    expect(recovered.get_by_role("button", name="Put it back")).to_be_hidden()
    assert stored(served, scene) == {"text@km": "ក"}
    recovered.get_by_role("button", name="I do not need it").click()
    expect(recovered).to_be_hidden()
    page.reload()
    expect(recovered).to_be_hidden()


def test_whoever_came_by_link_reads_what_was_kept_once_the_reply_is_closed(served, visit, scene):
    with served.session() as session:
        sharing.shared(session, scene)
    visitor = visit()
    page = visitor.page
    page.goto(scene.share)
    sharing.come_in(page, scene)
    address = page.url
    visitor.allow("ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED")
    visitor.context.set_offline(True)
    page.fill("[name=places]", "31")
    says(page, "offline")
    kept(page)
    page = kill(visitor)
    visitor.context.set_offline(False)
    close(served, scene, Status.AWAITING_SIGN_OFF)
    page.goto(address)
    expect(page.locator("[data-recovered]")).to_contain_text("31")
    expect(page.locator("[data-take]")).to_be_hidden()
