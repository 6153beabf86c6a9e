"""A page that shows the link and code of an invitation is sent again (a reload): what was handed over goes on working."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from portal.models import Invitation
from tests import factories
from tests.client import Client

pytestmark = pytest.mark.engines

TOLD = "Made already; codes are shown only once. Make new ones if you have lost them."


def test_an_invitation_stays_what_it_was(session, app, client_for):
    person = factories.person(session, factories.institution(session, "MOJ"), password=None)
    chief = client_for(factories.staff(session, language="en"))
    chief.get("/account")
    path, fields = f"/colleagues/{person.public_id}/invite", {"idempotency_key": "a" * 32}
    chief.post(path, fields, expect=200)
    link = chief.page.get_element_by_id("invitation-link").text_content().strip().removeprefix("http://localhost")
    code = chief.page.get_element_by_id("invitation-code").text_content()
    chief.post(path, fields, expect=303)
    chief.follow()
    assert TOLD in chief.text
    assert session.scalar(select(func.count()).select_from(Invitation)) == 1
    person = Client(app, session)
    person.get(link, expect=200)
    person.submit(code=code, password="kept and long enough", follow=False, expect=303)
    # asked for anew by a fresh form, it is made anew
    chief.post(path, {"idempotency_key": "b" * 32}, expect=200)
    assert session.scalar(select(func.count()).select_from(Invitation)) == 2
