"""The second factor: asked for after the password, each code once, set up before anything else where a role needs it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import select

from portal import clock
from portal.models import AuditEvent, Role, StaffAppointment, StaffRole, UserAccount
from portal.queries.dump import CanonicalDump
from portal.services import sessions
from tests import factories
from tests.client import Client

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
MORNING = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
STEP = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def _morning():
    with clock.at(MORNING):
        yield


@pytest.fixture
def strict(make_app, app):
    """The same portal, in which staff must have a second factor."""
    return make_app(totp_required=frozenset({"coordinator", "administrator"}))


def code(secret: str = SECRET) -> str:
    return pyotp.TOTP(secret).at(clock.now())


def other_code() -> str:
    return f"{(int(code()) + 1) % 1_000_000:06d}"


def given(session, **more) -> UserAccount:
    recovery = [sessions.hash_password("ACDEFGHJKMNP"), sessions.hash_password("NPQRTUVWXY34")]
    person = factories.staff(session, totp_secret=SECRET, totp_recovery=recovery, **more)
    session.commit()
    return person


def half(browser: Client, person: UserAccount) -> None:
    """Give the password; the page of the second factor comes."""
    browser.get("/login")
    response = browser.post("/login", {"email": person.login, "password": factories.PASSWORD, "next": "/people/"})
    assert response.headers["Location"] == "/login/second"
    browser.get("/login/second", expect=200)


def closed(browser: Client) -> bool:
    return all(
        browser.get(path).headers.get("Location", "").startswith("/login")
        for path in ("/account", "/people/", "/account/second-factor")
    )


def offered(browser: Client) -> str:
    return browser.page.get_element_by_id("totp-secret").text_content().replace(" ", "")


def shown_codes(browser: Client) -> list[str]:
    return [item.text_content().strip() for item in browser.page.xpath("//ol[@class='recovery-codes']/li")]


@pytest.mark.engines
def test_the_password_alone_opens_nothing(session, client):
    person = given(session)
    half(client, person)
    assert client.cookie().startswith("a.")
    assert closed(client)
    client.get("/login/second")
    assert client.submit(totp_code=other_code(), follow=False).status_code == 401
    assert closed(client)
    client.get("/login/second")
    response = client.submit(totp_code=f" {code()[:3]} {code()[3:]} ", follow=False)
    assert (response.status_code, response.headers["Location"]) == (303, "/people/")
    assert client.get("/account").status_code == 200


def test_khmer_digits_are_a_code_too(session, client):
    half(client, given(session))
    typed = "".join(chr(0x17E0 + int(digit)) for digit in code())
    assert client.submit(totp_code=typed, follow=False).status_code == 303


def test_a_code_is_taken_once(app, session, client):
    person = given(session)
    half(client, person)
    used = code()
    assert client.submit(totp_code=used, follow=False).status_code == 303
    second = Client(app, session)
    half(second, person)
    assert second.submit(totp_code=used, follow=False).status_code == 401
    with clock.at(MORNING + STEP):
        second.get("/login/second")
        # the phone's clock may lag, yet what was used stays used
        assert second.submit(totp_code=used, follow=False).status_code == 401
        second.get("/login/second")
        assert second.submit(totp_code=code(), follow=False).status_code == 303


def test_an_older_code_than_the_last_used_is_refused(app, session, client):
    person = given(session)
    half(client, person)
    earlier = code()
    with clock.at(MORNING + STEP):
        assert client.submit(totp_code=code(), follow=False).status_code == 303
        second = Client(app, session)
        half(second, person)
        assert second.submit(totp_code=earlier, follow=False).status_code == 401


def test_wrong_codes_are_throttled_per_account(app, session, client):
    person, neighbour = given(session), given(session)
    half(client, person)
    for _time in range(10):
        client.get("/login/second")
        assert client.submit(totp_code=other_code(), follow=False).status_code == 401
    client.get("/login/second")
    assert client.submit(totp_code=code(), follow=False).status_code == 429
    fresh = Client(app, session)
    half(fresh, person)
    assert fresh.submit(totp_code=code(), follow=False).status_code == 429
    half(fresh, neighbour)
    assert fresh.submit(totp_code=code(), follow=False).status_code == 303
    with clock.at(MORNING + timedelta(minutes=16)):
        half(client, person)
        assert client.submit(totp_code=code(), follow=False).status_code == 303


def test_half_signed_in_lasts_ten_minutes_and_not_beyond_a_new_password(session, client):
    person = given(session)
    half(client, person)
    with clock.at(MORNING + timedelta(minutes=11)):
        response = client.submit(totp_code=code(), follow=False)
        assert response.headers["Location"] == "/login"
    half(client, person)
    person.password_changed_at = clock.now() + STEP
    session.commit()
    assert client.submit(totp_code=code(), follow=False).headers["Location"] == "/login"


def test_a_recovery_code_works_once(app, session, client):
    person = given(session)
    half(client, person)
    assert client.submit(totp_code="acde-fghj-kmnp", follow=False).status_code == 303
    second = Client(app, session)
    half(second, person)
    assert second.submit(totp_code="ACDEFGHJKMNP", follow=False).status_code == 401
    second.get("/login/second")
    assert second.submit(totp_code="NPQR TUVW XY34", follow=False).status_code == 303
    session.refresh(person)
    assert person.totp_recovery == []
    used = session.scalars(select(AuditEvent).where(AuditEvent.action == "use_recovery_code")).all()
    assert [event.details["left"] for event in used] == [1, 0]


def test_a_required_role_gets_no_page_before_setting_it_up(strict, session):
    person = factories.staff(session)
    browser = Client(strict, session)
    half(browser, person)
    assert closed(browser)
    browser.get("/login/second", expect=200)
    secret = offered(browser)
    assert browser.page.xpath("//main//img/@src")[0].startswith("data:image/svg+xml")
    assert browser.submit(totp_code="000000", follow=False).status_code == 422
    assert offered(browser) == secret
    assert closed(browser)
    browser.get("/login/second")
    secret = offered(browser)
    browser.submit(totp_code=code(secret), follow=False, expect=200)
    assert len(set(shown_codes(browser))) == 10
    assert browser.page.xpath("//main//a[@href='/people/']")
    kept = shown_codes(browser)[3]
    # a form of this very page belongs to the new session
    assert browser.post("/language", {"language": "en"}).status_code == 303
    assert browser.get("/people/").status_code == 200
    other = Client(strict, session)
    half(other, person)
    assert other.submit(totp_code=code(secret), follow=False).status_code == 401
    other.get("/login/second")
    assert other.submit(totp_code=kept, follow=False).status_code == 303


def test_a_secret_of_somebody_elses_page_is_not_taken(strict, session):
    one, two = factories.staff(session), factories.staff(session)
    first, second = Client(strict, session), Client(strict, session)
    half(first, one)
    half(second, two)
    setup = second.page.xpath("//input[@name='totp_setup']/@value")[0]
    for made_up in (setup, "", SECRET):
        first.get("/login/second")
        assert first.submit(totp_setup=made_up, totp_code=code(offered(second)), follow=False).status_code == 422


def test_who_gets_such_a_role_while_signed_in_sets_it_up_first(strict, session):
    home = factories.institution(session)
    person = factories.person(session, home)
    browser = Client(strict, session)
    assert browser.sign_in(person.login).status_code == 303
    session.add(StaffAppointment(user_id=person.id, role=StaffRole.COORDINATOR))
    assert browser.get("/people/").headers["Location"] == "/account/second-factor"
    assert browser.get("/account", headers={"Accept": "application/json"}).status_code == 403
    browser.get("/account/second-factor", expect=200)
    browser.submit(totp_code=code(offered(browser)), current_password=factories.PASSWORD, follow=False, expect=200)
    assert browser.get("/people/").status_code == 200


def test_an_institutions_people_are_never_forced_and_the_demo_has_none(strict, make_app, session):
    signer = factories.person(session, factories.institution(session), Role.APPROVER)
    browser = Client(strict, session)
    browser.get("/login")
    response = browser.post("/login", {"email": signer.login, "password": factories.PASSWORD})
    assert response.headers["Location"] == "/sign"
    chief = factories.staff(session, StaffRole.ADMINISTRATOR)
    demo = Client(make_app(demo=True), session)
    demo.get("/login")
    response = demo.post("/login", {"email": chief.login, "password": factories.PASSWORD})
    assert response.headers["Location"] == "/rounds"


def test_everybody_may_set_one_up_renew_codes_and_turn_it_off(session, client_for):
    person = factories.person(session, factories.institution(session))
    browser, elsewhere = client_for(person), client_for(person)
    browser.get("/account/second-factor", expect=200)
    secret = offered(browser)
    assert browser.submit(totp_code=code(secret), current_password="wrong", follow=False).status_code == 422
    browser.get("/account/second-factor")
    secret = offered(browser)
    browser.submit(totp_code=code(secret), current_password=factories.PASSWORD, follow=False, expect=200)
    first = shown_codes(browser)
    assert elsewhere.get("/account").headers["Location"].startswith("/login")
    with clock.at(MORNING + STEP):
        browser.get("/account/second-factor", expect=200)
        proof = {"renew-totp_present": first[0], "renew-current_password": factories.PASSWORD}
        browser.submit("/account/second-factor/codes", follow=False, expect=200, **proof)
        renewed = shown_codes(browser)
        assert not set(first) & set(renewed)
        browser.get("/account/second-factor")
        for present in (first[1], other_code()):
            proof = {"off-totp_present": present, "off-current_password": factories.PASSWORD}
            assert browser.submit("/account/second-factor/off", follow=False, **proof).status_code == 422
        proof["off-totp_present"] = code(secret)
        assert browser.submit("/account/second-factor/off", follow=False, **proof).status_code == 303
    session.refresh(person)
    assert (person.totp_secret, person.totp_last_step, person.totp_recovery) == (None, None, [])


def test_another_phone_needs_a_code_of_the_present_one(session, client):
    person = given(session)
    half(client, person)
    client.submit(totp_code=code(), follow=False, expect=303)
    with clock.at(MORNING + STEP):
        client.get("/account/second-factor", expect=200)
        secret = offered(client)
        assert secret != SECRET
        proof = {"totp_code": code(secret), "current_password": factories.PASSWORD}
        assert client.submit(follow=False, totp_present=other_code(), **proof).status_code == 422
        client.get("/account/second-factor")
        proof["totp_code"] = code(secret := offered(client))
        client.submit(follow=False, totp_present=code(), **proof, expect=200)
    session.refresh(person)
    assert person.totp_secret == secret


def test_a_role_that_needs_it_cannot_turn_it_off(strict, session):
    person = given(session)
    browser = Client(strict, session)
    half(browser, person)
    browser.submit(totp_code=code(), follow=False, expect=303)
    with clock.at(MORNING + STEP):
        browser.get("/account/second-factor", expect=200)
        proof = {"off-totp_present": code(), "off-current_password": factories.PASSWORD}
        assert browser.post("/account/second-factor/off", proof).status_code == 403
    session.refresh(person)
    assert person.totp_secret == SECRET


def test_a_new_password_by_link_does_not_pass_it_by(session, client, client_for):
    person = given(session)
    chief = client_for(factories.staff(session, StaffRole.ADMINISTRATOR))
    chief.post(f"/colleagues/{person.public_id}/invite", expect=200)
    link = chief.page.get_element_by_id("invitation-link").text_content().strip().removeprefix("http://localhost")
    spoken = chief.page.get_element_by_id("invitation-code").text_content()
    client.get(link)
    response = client.submit(code=spoken, password="three boats under the bridge", follow=False)
    assert response.headers["Location"] == "/login/second"
    assert closed(client)


def test_the_secretariat_resets_it_for_others_and_administrators_for_administrators(session, client, client_for):
    person, chief = given(session), factories.staff(session, StaffRole.ADMINISTRATOR, totp_secret=SECRET)
    coordinator, own = factories.staff(session), given(session)
    browser = client_for(coordinator)
    browser.get(f"/people/persons/{person.public_id}", expect=200)
    path = "/people/persons/{}/second-factor/reset"
    assert browser.submit(path.format(person.public_id), follow=False).status_code == 303
    assert browser.post(path.format(chief.public_id)).status_code == 403
    assert client.sign_in(person.login).headers["Location"] == "/rounds"
    half(client, own)
    client.submit(totp_code=code(), follow=False, expect=303)
    client.get("/account")
    assert client.post(path.format(own.public_id)).status_code == 403
    for one in (person, chief, own):
        session.refresh(one)
    assert (person.totp_secret, chief.totp_secret, own.totp_secret) == (None, SECRET, SECRET)
    events = session.scalars(select(AuditEvent).where(AuditEvent.action == "reset_second_factor")).all()
    assert [event.object_id for event in events] == [person.public_id]


def test_secrets_stay_out_of_audit_dump_and_log(app, session, client, caplog):
    person = given(session)
    half(client, person)
    client.submit(totp_code="ACDE-FGHJ-KMNP", follow=False, expect=303)
    client.get("/account/second-factor")
    offered_secret = offered(client)
    recovery = person.totp_recovery[0]
    said = [json.dumps(event.details) for event in session.scalars(select(AuditEvent))]
    said += [*CanonicalDump(session).lines(), caplog.text]
    for secret in (SECRET, "ACDEFGHJKMNP", "ACDE-FGHJ-KMNP", offered_secret, recovery):
        assert not [line for line in said if secret in line]
