"""Ways in, one's own account, and text kept over an expired session."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal import clock
from portal.models import HeldPost, Invitation, OutgoingMail, Role, Session, StaffRole, UserAccount
from portal.services import sessions
from tests import factories
from tests.client import Client

NEW = "three boats under the bridge"


@pytest.fixture
def home(session):
    return factories.institution(session, "moj")


@pytest.fixture
def coordinator(session, client_for):
    return client_for(factories.staff(session))


def invited(by: Client, person: UserAccount) -> tuple[str, str]:
    """Ask for a link and a code on the page; return the link's path and the code."""
    by.get("/account")
    by.post(f"/colleagues/{person.public_id}/invite", expect=200)
    url = by.page.get_element_by_id("invitation-link").text_content().strip()
    assert url.startswith("http://localhost/enter/")
    return url.removeprefix("http://localhost"), by.page.get_element_by_id("invitation-code").text_content()


@pytest.mark.engines
def test_first_entry_by_link_and_code(session, client, coordinator, home):
    person = factories.person(session, home, password=None, phone="012345678")
    link, code = invited(coordinator, person)
    client.get(link, expect=200)
    assert "Person" not in client.words
    response = client.submit(code=f" {code.lower()} ", password=NEW, follow=False)
    assert response.status_code == 303
    assert client.get("/account").status_code == 200
    other = Client(client.app, session)
    assert other.sign_in("០១២ ៣៤៥ ៦៧៨", NEW).status_code == 303
    assert Client(client.app, session).sign_in(person.login.upper(), NEW).status_code == 303


def test_a_phone_number_signs_in_as_it_is_dialled(session, client, home):
    factories.person(session, home, phone="+85512345678")
    for typed in ("012 345 678", "+855 12-345-678", "៨៥៥១២៣៤៥៦៧៨", "០១២៣៤៥៦៧៨"):
        assert Client(client.app, session).sign_in(typed).status_code == 303
    factories.person(session, home, phone="+66812345678")
    factories.person(session, home, phone="+84912345678")
    assert client.sign_in("0812345678").status_code == 303
    factories.person(session, home, phone="+1812345678")
    assert Client(client.app, session).sign_in("0812345678").status_code == 401


def test_opening_a_link_spends_nothing(session, client, coordinator, home):
    person = factories.person(session, home, password=None)
    link, code = invited(coordinator, person)
    before = [(row.attempts, row.used_at) for row in session.scalars(select(Invitation))]
    for _time in range(8):
        client.get(link, expect=200)
        client.open(link, method="HEAD", expect=200)
    assert [(row.attempts, row.used_at) for row in session.scalars(select(Invitation))] == before
    client.get(link)
    assert client.submit(code=code, password=NEW, follow=False).status_code == 303


def test_a_link_works_once_and_all_dead_links_look_alike(session, client, coordinator, home):
    person = factories.person(session, home, password=None)
    replaced, _ = invited(coordinator, person)
    link, code = invited(coordinator, person)
    client.get(link)
    client.submit(code=code, password=NEW, follow=False)
    stranger = Client(client.app, session)
    bodies = set()
    for path in (link, replaced, "/enter/unknown", "/enter/" + "x" * 400):
        stranger.get(path, expect=404)
        bodies.add(re.sub(r'name="(csrf_token|next)" value="[^"]*"', "", stranger.text))
        stranger.post(path, {"code": code, "password": NEW}, expect=404)
    assert len(bodies) == 1


def test_five_wrong_codes_end_a_link(session, client, coordinator, home):
    person = factories.person(session, home, password=None)
    link, code = invited(coordinator, person)
    client.get(link)
    for _time in range(4):
        assert client.submit(code="AAAAAAAA", password=NEW, follow=False).status_code == 422
    assert client.submit(code="AAAAAAAA", password=NEW, follow=False).status_code == 404
    client.post(link, {"code": code, "password": NEW}, expect=404)
    session.refresh(person)
    assert person.password_hash is None


def test_a_weak_password_costs_no_attempt(session, client, coordinator, home):
    person = factories.person(session, home, password=None)
    link, code = invited(coordinator, person)
    client.get(link)
    assert client.submit(code=code, password="password", follow=False).status_code == 422
    assert "ងាយទាយ" in client.words
    assert client.submit(code=code, password=NEW, follow=False).status_code == 303


@pytest.mark.parametrize(
    ("password", "lives"), [(None, timedelta(days=14)), (factories.PASSWORD, timedelta(minutes=60))]
)
def test_links_expire(session, client, coordinator, home, password, lives):
    person = factories.person(session, home, password=password)
    link, _code = invited(coordinator, person)
    at = clock.now()
    with clock.at(at + lives - timedelta(seconds=30)):
        client.get(link, expect=200)
    with clock.at(at + lives + timedelta(seconds=30)):
        client.get(link, expect=404)


def test_a_new_password_signs_out_everywhere(session, client, client_for, coordinator, home):
    person = factories.person(session, home)
    old = client_for(person)
    link, code = invited(coordinator, person)
    client.get(link)
    client.submit(code=code, password=NEW, follow=False)
    assert old.get("/account").headers["Location"].startswith("/login")


def test_links_never_name_a_host_of_the_request(session, client_for, home):
    person = factories.person(session, home, email="p@example.org")
    chief = client_for(factories.staff(session))
    for host in ("evil.example", "localhost:99@evil.example", "evil.example\\localhost"):
        headers = {"Host": host, "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
        chief.post(f"/colleagues/{person.public_id}/invite", headers=headers)
        assert "evil" not in chief.text
    mails = session.scalars(select(OutgoingMail)).all()
    assert mails
    assert not any("evil" in mail.body for mail in mails)


def test_forgotten_answers_the_same_for_every_name(session, client, client_for, coordinator, home):
    with_mail = factories.person(session, home, email="with@example.org")
    without = factories.person(session, home)
    gone = factories.person(session, home, active=False, email="gone@example.org")
    answers = set()
    for name in (with_mail.login, without.login, gone.login, "nobody", ""):
        client.get("/password/forgotten")
        client.submit(name=name, expect=200)
        answers.add(client.words)
    assert len(answers) == 1
    mails = session.scalars(select(OutgoingMail)).all()
    assert [mail.address for mail in mails] == ["with@example.org"]
    assert "http://localhost/enter/" in mails[0].body
    assert "%(" not in mails[0].body
    assert mails[0].subject


def test_forgotten_can_be_asked_three_times_in_a_quarter_of_an_hour(session, client, home):
    factories.person(session, home, email="with@example.org")
    for _time in range(5):
        client.post("/password/forgotten", {"name": "with@example.org"}, expect=200)
    assert session.query(OutgoingMail).count() == 3


@pytest.mark.parametrize("path", ["/login", "/password/forgotten"])
def test_the_time_tells_nothing_about_a_name(session, client, home, path, monkeypatch):
    """Hashing is all that takes long: a name that nobody has gets as much of it (its cost: test_password_cost.py)."""
    person = factories.person(session, home)
    done: list[str] = []
    hasher = sessions._hasher

    class Counting:
        def hash(self, password):
            done.append("hash")
            return hasher.hash(password)

        def verify(self, stored, password):
            done.append("verify")
            return hasher.verify(stored, password)

        def check_needs_rehash(self, stored):
            return hasher.check_needs_rehash(stored)

    monkeypatch.setattr(sessions, "_hasher", Counting())
    client.get(path)
    seen = []
    for name in (person.login, "nobody-at-all"):
        done.clear()
        client.post(path, {"email": name, "name": name, "password": "wrong"}, check=False)
        seen.append(list(done))
    assert seen[0] == seen[1] == (["verify"] if path == "/login" else [])


def test_a_wrong_name_and_a_wrong_password_look_alike(session, client, home):
    person = factories.person(session, home)
    bodies = set()
    for name in (person.login, "nobody-at-all"):
        client.get("/login")
        client.post("/login", {"email": name, "password": "wrong"}, expect=401)
        bodies.add(re.sub(r'value="[^"]*"', "", client.text))
    assert len(bodies) == 1


def test_the_eleventh_wrong_password_waits_and_others_do_not(session, client, home):
    person, other = factories.person(session, home), factories.person(session, home)
    for _time in range(10):
        client.post("/login", {"email": person.login, "password": "wrong"}, expect=401)
    client.post("/login", {"email": person.login, "password": factories.PASSWORD}, expect=429)
    assert Client(client.app, session).sign_in(other.login).status_code == 303
    with clock.at(clock.now() + timedelta(minutes=16)):
        assert Client(client.app, session).sign_in(person.login).status_code == 303


def test_another_spelling_of_the_name_is_counted_too(session, client, home):
    person = factories.person(session, home, phone="+85512345678", email="p@example.org")
    spellings = [
        "012345678",
        "012 345 678",
        "+855-12345678",
        "P@example.org",
        person.login,
        f" {person.login.upper()} ",
    ]
    for turn in range(10):
        client.post("/login", {"email": spellings[turn % 6], "password": "wrong"}, expect=401)
    for spelling in spellings:
        client.post("/login", {"email": spelling, "password": factories.PASSWORD}, expect=429)


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil",
        "javascript:alert(1)",
        "/\tevil",
        "evil",
        "/ok\r\nSet-Cookie: a=b",
    ],
)
def test_sign_in_leads_nowhere_else(session, client, home, target):
    person = factories.person(session, home)
    response = client.sign_in(person.login, next=target)
    assert response.headers["Location"] == "/owed"
    assert client.get("/login", query_string={"next": target}).headers["Location"] == "/owed"


@pytest.mark.parametrize("role", [*Role, *StaffRole])
def test_sign_in_leads_straight_to_the_page_one_comes_for(session, client, home, role):
    staff = isinstance(role, StaffRole)
    person = factories.staff(session, role) if staff else factories.person(session, home, role)
    place = client.sign_in(person.login).headers["Location"]
    assert client.get(place, expect=200)
    assert client.get("/", expect=303).headers["Location"] == place
    # what was asked for before comes first; the front door is no page
    for target, leads in (("/account?x=1", "/account?x=1"), ("/", place)):
        other = Client(client.app, session)
        assert other.sign_in(person.login, next=target).headers["Location"] == leads


def test_signing_in_makes_a_new_session_and_signing_out_kills_it(session, client, home):
    person = factories.person(session, home)
    client.get("/login")
    client.set_cookie("s.fixed-by-somebody-else")
    client.sign_in(person.login)
    mine = client.cookie()
    assert mine != "s.fixed-by-somebody-else"
    client.sign_out()
    replay = Client(client.app, session)
    replay.set_cookie(mine)
    assert replay.get("/account").headers["Location"].startswith("/login")


def test_a_person_who_is_switched_off_is_out_at_once(session, client_for, home):
    person = factories.person(session, home)
    browser = client_for(person)
    person.active = False
    assert browser.get("/account").headers["Location"].startswith("/login")
    assert browser.sign_in(person.login).status_code == 401


def test_own_account_is_changed_and_shown_escaped(session, client_for, home):
    browser = client_for(factories.person(session, home))
    browser.get("/account", expect=200)
    nasty = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    browser.submit("/account", names_en=nasty, digits="khmr", expect=200)
    assert "<script>alert" not in browser.text
    assert browser.page.xpath("//input[@name='names_en']/@value") == [nasty]


def test_the_password_is_changed_with_the_present_one(session, client_for, home):
    person = factories.person(session, home)
    here, there = client_for(person), client_for(person)
    here.get("/account")
    assert here.submit("/account/password", current_password="wrong one", password=NEW, follow=False).status_code == 422
    assert "The password is not right." in here.words
    assert (
        here.submit("/account/password", current_password=factories.PASSWORD, password=NEW, follow=False).status_code
        == 303
    )
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303
    assert Client(here.app, session).sign_in(person.login, NEW).status_code == 303


def test_all_other_browsers_can_be_signed_out(session, client_for, home):
    person = factories.person(session, home)
    here, there = client_for(person), client_for(person)
    here.get("/account")
    here.submit("/account/sessions/end")
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303


def test_a_person_of_two_institutions_works_for_one_at_a_time(session, client_for, home):
    person = factories.person(session, home)
    second = factories.institution(session)
    factories.membership(session, person, second, Role.READER)
    browser = client_for(person)
    browser.get("/account")
    chosen = browser.page.xpath("//input[@name='membership'][not(@checked)]/@value")[0]
    browser.submit("/part", membership=chosen, follow=False)
    browser.get("/account")
    assert second.names["en"] in browser.words
    stranger = factories.membership(session, factories.person(session), home)
    browser.post("/part", {"membership": stranger.id})
    browser.get("/account")
    assert browser.page.xpath("//input[@name='membership'][@checked]/@value") == [chosen]


def expire(session, person):
    session.execute(update(Session).where(Session.user_id == person.id).values(expires_at=clock.now() - timedelta(1)))
    session.commit()


def test_a_text_sent_after_the_session_expired_is_kept_and_sent_by_one_button(session, client_for, home):
    person = factories.person(session, home)
    browser = client_for(person)
    browser.get("/account")
    expire(session, person)
    browser.submit("/account", names_en="A name I typed", follow=False)
    assert browser.response.headers["Location"].startswith("/login")
    browser.get(browser.response.headers["Location"], expect=200)
    # in the language of the session that ran out, also where the password is wrong
    assert "Your text was kept" in browser.words
    browser.sign_in(person.login, "wrong")
    assert browser.response.status_code == 401
    assert "The log-in name or the password is not right." in browser.words
    other = client_for(factories.person(session, home))
    assert other.get("/held").status_code == 303
    assert browser.sign_in(person.login).headers["Location"] == "/held"
    browser.get("/held", expect=200)
    assert "A name I typed" in browser.words
    other.post(f"/held/{session.scalar(select(HeldPost.public_id))}/forget")
    assert session.query(HeldPost).count() == 1
    browser.get("/held")
    browser.submit(0, follow=False)
    assert browser.response.status_code == 303
    session.refresh(person)
    assert person.names["en"] == "A name I typed"
    assert session.query(HeldPost).count() == 0


def test_a_revoked_session_holds_nothing(session, client_for, home):
    person = factories.person(session, home)
    browser = client_for(person)
    browser.get("/account")
    session.execute(update(Session).values(revoked_at=clock.now()))
    browser.submit("/account", names_en="A name I typed", follow=False)
    assert session.query(HeldPost).count() == 0


def test_passwords_are_never_kept(session, client_for, home):
    person = factories.person(session, home)
    browser = client_for(person)
    browser.get("/account")
    expire(session, person)
    browser.submit("/account/password", current_password="secret one", password="secret two", follow=False)
    kept = session.scalars(select(HeldPost)).all()
    assert not any("secret" in str(post.fields) for post in kept)


class TestWhoMayInvite:
    """A key to an account is a key to everything its person may do."""

    def test_a_main_focal_point_invites_colleagues_of_that_institution_alone(self, session, client_for, home):
        focal = client_for(factories.person(session, home))
        colleague = factories.person(session, home, Role.CONTRIBUTOR)
        invited(focal, colleague)
        focal.get("/colleagues", expect=200)

    def test_nobody_else_of_the_institution_does(self, session, client_for, home):
        colleague = factories.person(session, home, Role.CONTRIBUTOR)
        for role in (Role.ALTERNATE, Role.CONTRIBUTOR, Role.APPROVER, Role.READER):
            other = client_for(factories.person(session, home, role))
            other.post(f"/colleagues/{colleague.public_id}/invite", expect=403)

    def test_not_strangers_approvers_staff_or_people_of_two_institutions(self, session, client_for, home):
        focal = client_for(factories.person(session, home))
        stranger = factories.person(session, factories.institution(session))
        focal.post(f"/colleagues/{stranger.public_id}/invite", expect=404)
        focal.post("/colleagues/0123/invite", expect=404)
        approver = factories.person(session, home, Role.APPROVER)
        double = factories.person(session, home, Role.READER)
        factories.membership(session, double, factories.institution(session))
        staff = factories.person(session, home, Role.READER, staff=[StaffRole.REPORT_WRITER])
        for person in (approver, double, staff):
            focal.post(f"/colleagues/{person.public_id}/invite", expect=403)
        assert session.query(Invitation).count() == 0

    def test_a_code_is_offered_where_it_would_be_given(self, session, client_for, home):
        focal = client_for(factories.person(session, home))
        colleague = factories.person(session, home, Role.CONTRIBUTOR)
        refused = [factories.person(session, home, Role.APPROVER), factories.person(session, home, Role.READER)]
        refused.append(factories.person(session, home, Role.READER, staff=[StaffRole.REPORT_WRITER]))
        factories.membership(session, refused[1], factories.institution(session))
        focal.get("/colleagues", expect=200)
        offered = focal.page.xpath("//main//form/@action")
        assert f"/colleagues/{colleague.public_id}/invite" in offered
        assert not [one for one in refused if f"/colleagues/{one.public_id}/invite" in offered]
        assert focal.words.count("Only the coordinator gives this person a new code.") == len(refused)

    def test_a_coordinator_does_not_become_administrator(self, session, coordinator):
        admin = factories.staff(session, StaffRole.ADMINISTRATOR)
        coordinator.post(f"/colleagues/{admin.public_id}/invite", expect=403)
