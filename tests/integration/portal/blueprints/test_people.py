"""The pages of people and institutions."""

from __future__ import annotations

from io import BytesIO

import pytest
from sqlalchemy import select

from portal.models import AuditEvent, ImportDraft, Institution, Membership, Role, StaffRole, UserAccount
from portal.workbooks import people as workbook
from tests import factories

LANGUAGES = ("km", "en")


@pytest.fixture
def coordinator(session, client_for):
    return client_for(factories.staff(session))


def book(institutions, persons):
    roles = {role.value: {"en": role.value} for role in [*Role, *StaffRole]}
    return BytesIO(workbook.template(LANGUAGES, roles, (), institutions, persons))


PLACES = [
    {"code": "moi", "names": {"en": "Interior", "km": "មហាផ្ទៃ"}, "rank": 10},
    {"code": "gdp", "names": {"en": "Prisons"}, "rank": 20, "parent": "moi"},
]
PERSONS = [{"names": {"en": "Focal point"}, "role": "focal_point", "institution": "moi", "phone": "012 345 678"}]


def upload(client, content, name="people.xlsx", **more):
    client.get("/people/import")
    return client.post(
        "/people/import", {"file": (content, name)}, content_type="multipart/form-data", follow=True, **more
    )


@pytest.mark.engines
def test_a_workbook_is_looked_through_then_taken_over(session, coordinator):
    upload(coordinator, book(PLACES, PERSONS))
    assert coordinator.response.status_code == 200
    assert "3 added" in coordinator.words
    assert session.query(Institution).count() == 0
    coordinator.submit(0)
    assert session.query(Institution).count() == 2
    person = session.scalar(select(UserAccount).where(UserAccount.phone == "012345678"))
    assert person.login == "focal.moi"
    assert "Interior" in coordinator.words
    upload(coordinator, book(PLACES, PERSONS))
    assert "3 unchanged" in coordinator.words
    draft = session.scalars(select(ImportDraft).order_by(ImportDraft.id)).first()
    coordinator.post(f"/people/import/{draft.public_id}/confirm", expect=409)


def test_the_export_is_the_same_workbook(session, coordinator):
    upload(coordinator, book(PLACES, PERSONS))
    coordinator.submit(0)
    exported = coordinator.post("/people/export", expect=200).get_data()
    upload(coordinator, BytesIO(exported))
    assert "0 added, 0 changed" in coordinator.words
    assert "0 refused" in coordinator.words


def test_the_template_can_be_downloaded_and_uploaded(coordinator):
    content = coordinator.get("/people/template", expect=200).get_data()
    upload(coordinator, BytesIO(content))
    assert coordinator.response.status_code in {200, 422}


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04 cut", b"just text", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512]
)
def test_files_that_are_no_workbook_are_refused_with_a_sentence(session, coordinator, content):
    upload(coordinator, BytesIO(content))
    assert coordinator.response.status_code == 422
    assert coordinator.page.xpath("//*[@class='error-summary']//li")
    assert session.query(ImportDraft).count() == 0


def test_refused_rows_are_shown_with_their_place(session, coordinator):
    upload(coordinator, book(PLACES, [{**PERSONS[0], "institution": "nowhere"}, {**PERSONS[0], "role": "king"}]))
    assert "Sheet “Persons”, row 2" in coordinator.words
    assert "nowhere" in coordinator.words
    coordinator.submit(0)
    assert session.query(Institution).count() == 2
    assert session.query(Membership).count() == 0


def test_lists_take_the_same_few_queries_for_many_rows(session, coordinator, count_queries):
    def measured():
        with count_queries() as seen:
            coordinator.get("/people/", expect=200)
        return len(seen)

    for _index in range(2):
        factories.person(session, factories.institution(session))
    few = measured()
    for _index in range(30):
        factories.person(session, factories.institution(session))
    assert measured() == few <= 12


def test_institutions_stand_in_protocol_order(session, coordinator):
    for rank, code in ((30, "third"), (10, "first"), (20, "second")):
        factories.institution(session, code, rank=rank)
    coordinator.get("/people/")
    assert coordinator.words.index("first") < coordinator.words.index("second") < coordinator.words.index("third")


def test_an_institution_and_a_person_are_added_by_hand(session, coordinator):
    coordinator.get("/people/institutions/new", expect=200)
    coordinator.submit(code="moj", names_en="Justice", names_km="", rank="", expect=200)
    home = session.scalar(select(Institution))
    coordinator.get(f"/people/persons/new?institution={home.id}", expect=200)
    coordinator.submit(names_en="Focal point", role="focal_point", phone="+855 12 000 000", expect=200)
    person = session.scalar(select(UserAccount).where(UserAccount.login == "focal.moj"))
    assert person.phone == "+85512000000"
    assert "Justice" in coordinator.words
    coordinator.submit(f"/people/persons/{person.public_id}", post_en="Director", expect=200)
    coordinator.submit(f"/people/persons/{person.public_id}/parts", role="approver", expect=422)
    assert "Choose the institution." in coordinator.words


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/people/institutions/new", {"code": "bad code!", "names_en": "X"}),
        ("/people/institutions/new", {"code": "ok", "names_en": ""}),
        ("/people/institutions/new", {"code": "ok", "names_en": "X", "rank": "first"}),
        ("/people/persons/new", {"names_en": ""}),
        ("/people/persons/new", {"names_en": "X", "institution_id": "0"}),
        ("/people/persons/new", {"names_en": "X", "role": "coordinator", "phone": "1"}),
        ("/people/persons/new", {"names_en": "X", "role": "coordinator", "email": "x"}),
        ("/people/persons/new", {"names_en": "X", "role": "coordinator", "login": "12345678"}),
    ],
)
def test_what_cannot_be_taken_is_said_beside_the_field(session, coordinator, path, fields):
    before = session.query(UserAccount).count(), session.query(Institution).count()
    coordinator.get(path)
    coordinator.submit(follow=False, expect=422, **fields)
    assert coordinator.page.xpath("//*[contains(@class, 'field-error')]")
    assert (session.query(UserAccount).count(), session.query(Institution).count()) == before


def test_two_coordinators_see_the_conflict(session, coordinator, client_for):
    home = factories.institution(session)
    other = client_for(factories.staff(session))
    path = f"/people/institutions/{home.public_id}"
    coordinator.get(path)
    other.get(path)
    other.submit(0, names_en="Theirs", expect=200)
    coordinator.submit(0, names_en="Mine", follow=False, expect=409)
    assert "Theirs" in coordinator.words
    assert coordinator.page.xpath("//input[@name='names_en']/@value") == ["Mine"]


def test_switching_off_ends_sessions_and_is_audited(session, coordinator, client_for):
    person = factories.person(session, factories.institution(session))
    browser = client_for(person)
    coordinator.get(f"/people/persons/{person.public_id}")
    coordinator.submit(f"/people/persons/{person.public_id}/switch-off")
    assert browser.get("/account").status_code == 303
    assert "switch_off" in session.scalars(select(AuditEvent.action)).all()
    coordinator.submit(f"/people/persons/{person.public_id}/switch-on")
    assert browser.sign_in(person.login).status_code == 303


def test_names_are_shown_escaped_everywhere(session, coordinator):
    nasty = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    home = factories.institution(session, names={"en": nasty, "km": nasty})
    person = factories.person(session, home, names={"en": nasty}, post={"en": nasty}, honorific={"en": nasty})
    for path in (
        "/people/",
        f"/people/institutions/{home.public_id}",
        f"/people/persons/{person.public_id}",
        "/people/persons/new",
    ):
        coordinator.get(path, expect=200)
        assert "<script>alert" not in coordinator.text
        assert "<img src=x" not in coordinator.text
    coordinator.post(f"/colleagues/{person.public_id}/invite", expect=200)
    assert "<script>alert" not in coordinator.text


def test_a_report_writer_looks_and_changes_nothing(session, client_for):
    home = factories.institution(session)
    person = factories.person(session, home)
    writer = client_for(factories.staff(session, StaffRole.REPORT_WRITER))
    for path in ("/people/", f"/people/institutions/{home.public_id}", f"/people/persons/{person.public_id}"):
        writer.get(path, expect=200)
        assert not writer.page.xpath("//main//form")


def test_whoever_forgot_and_has_no_mail_is_listed_until_a_code_is_made(session, coordinator, client):
    person = factories.person(session, factories.institution(session))
    client.post("/password/forgotten", {"name": person.login})
    coordinator.get("/people/")
    assert "Waiting for a new password" in coordinator.words
    coordinator.post(f"/colleagues/{person.public_id}/invite", expect=200)
    coordinator.get("/people/")
    assert "Waiting for a new password" not in coordinator.words


def test_staff_read_every_page_in_their_own_language(session, client_for):
    chief = client_for(factories.staff(session, language="km"))
    chief.get("/people/", expect=200)
    assert chief.page.get("lang") == "km"
    assert "បុគ្គល និងស្ថាប័ន" in chief.words
    assert "People" not in chief.text.partition("<body")[2]


def test_the_language_is_switched_on_a_page_that_answered_a_post(session, client_for):
    chief = client_for(factories.staff(session, language="en"))
    chief.post("/people/import", expect=422)
    assert chief.page.xpath("//form[@action='/language']/input[@name='next']/@value") == [""]
    before = {"Referer": "http://localhost/people/import"}
    chief.post("/language", {"language": "km", "next": ""}, expect=303, headers=before)
    assert chief.response.headers["Location"] == "/people/import"
    for gone in ("http://localhost/held/x/forget", "http://elsewhere.example/people/import", "http://localhost//elsewhere.example"):
        chief.post("/language", {"language": "en", "next": ""}, expect=303, headers={"Referer": gone})
        assert chief.response.headers["Location"] == "/"
