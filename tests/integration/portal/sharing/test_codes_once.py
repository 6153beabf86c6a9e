"""A page that shows codes is sent again (a reload): nothing is made anew, and what was given out goes on working."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from portal.models import Collection, Delegation, Unit
from tests.client import Client
from tests.integration.portal.sharing.scenes import table_world

pytestmark = pytest.mark.engines

TOLD = "Made already; codes are shown only once. Make new ones if you have lost them."


@pytest.fixture
def world(session):
    made = table_world(session)
    made.focal.language = "en"
    session.commit()
    return made


def counts(session):
    session.rollback()
    return [session.scalar(select(func.count()).select_from(one)) for one in (Delegation, Collection, Unit)]


def send_twice(chief, action, *, home, **given):
    """Send a form of the present page and the same again; return the first page, the second led to the list."""
    form = next(one for one in chief.page.xpath("//main//form") if one.get("action") == action)
    fields = {}
    for name, value in form.form_values():
        fields.setdefault(name, []).append(value)
    fields |= given
    path = action or chief.response.request.path
    first = chief._client.post(path, data=fields, buffered=True)
    assert first.status_code == 200
    chief.post(path, fields, expect=303)
    assert chief.response.headers["Location"] == home(first)
    chief.follow()
    assert TOLD in chief.text
    return first.get_data(as_text=True)


def link_and_code(text):
    inside = lambda name: text.partition(f'id="{name}">')[2].partition("<")[0]  # noqa: E731 - two uses, one line
    return inside("share-link").removeprefix("http://localhost"), inside("share-code")


def opens(app, session, link, code):
    Client(app, session).post(link, {"code": code}, expect=303)


def test_handing_out_a_question(app, session, world, client_for):
    chief, own = client_for(world.focal), f"/replies/{world.reply.public_id}/share"
    chief.get(own, expect=200)
    first = send_twice(chief, None, home=lambda _first: own, codes=["beds"], name="Kampot", until="2099-01-01")
    assert counts(session) == [1, 0, 0]
    opens(app, session, *link_and_code(first))


def test_asking_many_units(session, world, client_for):
    chief = client_for(world.focal)
    chief.get(f"/replies/{world.reply.public_id}/collect", expect=200)

    def home(_first):
        return f"/collections/{session.scalars(select(Collection.public_id)).one()}"

    send_twice(chief, None, home=home, codes=["beds"], units="Kampot\nTakeo", until="2099-01-01")
    assert counts(session) == [2, 1, 2]


def test_asking_more_units_and_all_anew(session, world, client_for):
    chief = client_for(world.focal)
    fields = {"codes": ["beds"], "units": "Kampot", "until": "2099-01-01"}
    chief.post(f"/replies/{world.reply.public_id}/collect", fields, expect=200)
    home = f"/collections/{session.scalars(select(Collection.public_id)).one()}"
    for action, more in ((None, {"units": "Takeo"}), (f"{home}/anew", {})):
        chief.get(f"{home}/units", expect=200)
        send_twice(chief, action, home=lambda _first: home, **more)
        assert counts(session) == [2, 1, 2]


def test_a_new_link_and_code(app, session, world, client_for):
    chief, own = client_for(world.focal), f"/replies/{world.reply.public_id}/share"
    chief.post(own, {"codes": ["beds"], "name": "Kampot", "until": "2099-01-01"}, expect=200)
    chief.get(own, expect=200)
    action = chief.page.xpath("string(//form[contains(@action, '/renew')]/@action)")
    first = send_twice(chief, action, home=lambda _first: own)
    assert counts(session) == [1, 0, 0]
    opens(app, session, *link_and_code(first))


def test_other_content_under_the_same_key_is_refused_and_makes_nothing(session, world, client_for):
    chief, own = client_for(world.focal), f"/replies/{world.reply.public_id}/share"
    chief.get(own, expect=200)
    key = chief.page.xpath("string(//main//form[not(@action)]//input[@name='idempotency_key']/@value)")
    fields = {"codes": ["beds"], "name": "Kampot", "until": "2099-01-01", "idempotency_key": key}
    chief.post(own, fields, expect=200)
    chief.post(own, fields | {"name": "Takeo"}, expect=422)
    assert counts(session) == [1, 0, 0]


def test_a_refused_form_is_sent_again_put_right(session, world, client_for):
    chief, own = client_for(world.focal), f"/replies/{world.reply.public_id}/share"
    chief.get(own, expect=200)
    chief.submit(codes=["beds"], name="", until="2099-01-01", expect=422)
    chief.submit(codes=["beds"], name="Kampot", until="2099-01-01", expect=200)
    assert counts(session) == [1, 0, 0]
