"""Whoever was handed questions is named to others on the page, sees who is there, and comes in again beside it."""

from __future__ import annotations

from sqlalchemy import select

from portal.models import Delegation, UserAccount
from tests.client import Client
from tests.integration.portal.sharing.scenes import table_world
from tests.integration.portal.sharing.test_scope import come_in, hand_out

SCRIPT = {"Accept": "application/json"}


def test_people_on_one_page_are_named_and_come_in_again(app, session, client_for):
    world = table_world(session)
    name = session.scalars(select(UserAccount.names).where(UserAccount.id == world.focal.id)).one()["km"]
    chief, link, code = hand_out(client_for, world)
    guest = come_in(app, session, link, code)
    work = guest.response.request.path
    mine = f"/replies/{world.reply.public_id}/pages/page1"
    assert guest.page.xpath(f"//*[@data-here='{work}/here']")
    assert guest.post(f"{work}/here", headers=SCRIPT, expect=200).get_json() == {"here": []}
    assert chief.post(f"{mine}/here", headers=SCRIPT, expect=200).get_json() == {"here": ["Kampot department"]}
    assert guest.post(f"{work}/here", headers=SCRIPT, expect=200).get_json() == {"here": [name]}
    guest.get(f"{work}/here", expect=200)
    assert name in guest.text
    # taken back: gone at once
    one = session.scalars(select(Delegation)).one()
    chief.get(f"/replies/{world.reply.public_id}/share", expect=200)
    chief.post(f"/delegations/{one.public_id}/revoke", expect=303)
    assert chief.post(f"{mine}/here", headers=SCRIPT, expect=200).get_json() == {"here": []}
    chief.get(f"/replies/{world.reply.public_id}/share", expect=200)
    chief.post(f"/delegations/{one.public_id}/renew", {"until": "2099-01-01"}, expect=200)
    fresh = chief.page.xpath("string(//p[@id='share-link'])")
    # the browser is not known any more: a script is told so, of what there is and of what there is not alike
    save = {"beds": "5", "base:beds": "0"}
    told = guest.post(work, save, headers=SCRIPT, expect=401).get_json()
    assert told["code"] == "signed_out"
    elsewhere = work.replace(one.public_id, "0" * 32)
    assert guest.post(elsewhere, save, headers=SCRIPT, expect=401).get_json().keys() == told.keys()
    assert guest.get(work.partition("/pages/")[0] + "/keys", headers=SCRIPT).status_code == 401
    # the page of coming in again takes the link from the message, and nothing else
    guest.get(f"{told['login']}?link=https://elsewhere.example/x", expect=422)
    guest.get(told["login"], expect=200)
    guest.get(f"{told['login']}?link={fresh}", expect=303)
    assert guest.response.headers["Location"] == fresh.removeprefix("http://localhost")
    new_code = chief.page.xpath("string(//p[@id='share-code'])")
    guest.get(guest.response.headers["Location"], expect=200)
    guest.post(guest.response.request.path, {"code": new_code}, expect=303)
    keys = guest.get(work.partition("/pages/")[0] + "/keys", headers=SCRIPT).get_json()
    assert keys.keys() == {"csrf", "keeps"}
    guest.post(work, save | {"csrf_token": keys["csrf"]}, headers=SCRIPT, expect=200)
    assert Client(app, session).get(work.partition("/pages/")[0] + "/keys", headers=SCRIPT).status_code == 401
