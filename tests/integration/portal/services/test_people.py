"""People and institutions: verbs and the import."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from portal.errors import Conflict, DuplicateCode, Invalid, NotAllowed
from portal.models import Actor, AuditEvent, Institution, Membership, Role, StaffRole, UserAccount
from portal.services import audit, people
from portal.services.people_import import import_people, judge_people
from portal.workbooks import people as workbook
from tests import factories

pytestmark = pytest.mark.usefixtures("context")
LANGUAGES = ("km", "en")


def institution_row(row, code, names=None, **more):
    return workbook.InstitutionRow("institutions", row, code=code, names=names or {}, **more)


def person_row(row, names=None, role="focal_point", institution="", **more):
    return workbook.PersonRow("persons", row, names=names or {}, role=role, institution=institution, **more)


INSTITUTIONS = [
    institution_row(2, "gdp", {"en": "Prisons", "km": "ពន្ធនាគារ"}, parent="moi", rank="110"),
    institution_row(3, "moi", {"en": "Interior"}, rank="១០០"),
    institution_row(4, "moj", {"en": "Justice"}, rank="200.0"),
]
PERSONS = [
    person_row(2, {"en": "Focal point, Interior"}, institution="moi", phone="012 345 678"),
    person_row(3, {"en": "Approver, Interior"}, "approver", "MoI", honorific="mr"),
    person_row(4, {"en": "Focal point, Interior"}, "reader", "gdp", phone="០១២ ៣៤៥ ៦៧៨"),
    person_row(5, {"en": "Report writer"}, "Report writer", email="Writer@example.org"),
]


@pytest.fixture
def coordinator(session):
    return factories.principal(session, factories.staff(session))


def take(session, coordinator, institutions=INSTITUTIONS, persons=PERSONS, how=import_people):
    report = how(session, institutions, persons, by=coordinator, languages=LANGUAGES)
    session.commit()
    return report


@pytest.mark.engines
def test_an_import_in_any_order_is_idempotent(session, coordinator):
    first = take(session, coordinator)
    assert first.counts == {"added": 6, "changed": 1, "unchanged": 0, "refused": 0}
    again = take(session, coordinator)
    assert again.counts == {"added": 0, "changed": 0, "unchanged": 7, "refused": 0}
    prisons, interior = (session.scalar(select(Institution).where(Institution.code == c)) for c in ("gdp", "moi"))
    assert prisons.parent_id == interior.id
    assert interior.rank == 100
    person = session.scalar(select(UserAccount).where(UserAccount.phone == "012345678"))
    assert person.login == "focal.moi"
    assert session.query(Membership).filter_by(user_id=person.id).count() == 2
    users = session.scalar(select(func.count()).select_from(UserAccount))
    assert session.scalar(select(func.count()).select_from(Actor)) == users + 1
    assert audit.verify(session) == []


def test_the_dry_run_writes_nothing_and_tells_the_same(session, coordinator):
    judged = take(session, coordinator, how=judge_people)
    assert session.query(Institution).count() == 0
    done = take(session, coordinator)
    assert [(a.row, a.outcome) for a in judged.lines] == [(b.row, b.outcome) for b in done.lines]


def test_refused_rows_name_sheet_row_and_reason_and_spare_the_others(session, coordinator):
    take(session, coordinator)
    report = take(
        session,
        coordinator,
        [
            institution_row(2, "", {"en": "Nameless"}),
            institution_row(3, "x1", {"en": "X"}, parent="nowhere"),
            institution_row(4, "x2", {"en": "X"}, rank="first"),
            institution_row(5, "x3", {"en": "X"}, parent="x4"),
            institution_row(6, "x4", {"en": "X"}, parent="x3"),
            institution_row(7, "moi", {"en": "Interior"}),
            institution_row(8, "MOI", {"en": "Interior"}),
        ],
        [
            person_row(2, {"en": "A"}, "king", "moi"),
            person_row(3, {"en": "A"}, institution="nowhere"),
            person_row(4, {"en": "A"}, institution="moi", email="no address"),
            person_row(5, {"en": "A"}, institution="moi", phone="12"),
            person_row(6, {"en": "A"}, institution="moi", login="other", phone="012345678"),
            person_row(7, {"en": "A"}, "administrator"),
            person_row(8, {}, institution="moi", login="blank"),
            person_row(9, {"en": "A"}, institution="x1"),
            person_row(10, {"en": "A good one"}, institution="moi"),
        ],
    )
    refused = [(line.sheet, line.row) for line in report.lines if line.outcome == "refused"]
    assert refused == [("institutions", n) for n in (2, 3, 4, 6, 8)] + [("persons", n) for n in range(2, 10)]
    assert all(str(line.problems[0].message) for line in report.lines if line.outcome == "refused")
    assert session.scalar(select(UserAccount).where(UserAccount.login == "focal.moi2")) is not None


def test_blank_cells_leave_what_is_stored(session, coordinator):
    take(session, coordinator)
    take(session, coordinator, [institution_row(2, "gdp", {"en": "Prisons Department"})], [])
    stored = session.scalar(select(Institution).where(Institution.code == "gdp"))
    assert stored.names == {"en": "Prisons Department", "km": "ពន្ធនាគារ"}
    assert stored.parent_id is not None
    assert stored.rank == 110


def test_a_stale_change_is_a_conflict(session, coordinator):
    made = people.add_institution(session, code="moe", names={"en": "Environment"}, by=coordinator)
    people.change_institution(session, made, revision=1, names={"en": "Ministry of Environment"}, by=coordinator)
    with pytest.raises(Conflict):
        people.change_institution(session, made, revision=1, names={"en": "Old"}, by=coordinator)
    assert made.names == {"en": "Ministry of Environment"}


def test_codes_logins_and_phones_are_unique(session, coordinator):
    people.add_institution(session, code="moe", names={"en": "Environment"}, by=coordinator)
    with pytest.raises(DuplicateCode) as caught:
        people.add_institution(session, code="MoE", names={"en": "Again"}, by=coordinator)
    assert caught.value.field == "code"
    people.add_person(session, names={"en": "One"}, phone="+855 12 345 678", by=coordinator)
    with pytest.raises(DuplicateCode) as caught:
        people.add_person(session, names={"en": "Two"}, phone="+85512345678", by=coordinator)
    assert caught.value.field == "phone"


def test_nobody_takes_a_phone_number_for_a_login_name(session, coordinator):
    with pytest.raises(Invalid):
        people.add_person(session, names={"en": "One"}, login="012345678", by=coordinator)


def test_only_an_administrator_makes_and_touches_administrators(session, coordinator):
    admin = factories.staff(session, StaffRole.ADMINISTRATOR)
    person = factories.person(session)
    with pytest.raises(NotAllowed):
        people.appoint_staff(session, person, StaffRole.ADMINISTRATOR, by=coordinator)
    with pytest.raises(NotAllowed):
        people.change_person(session, admin, revision=1, login="mine", by=coordinator)
    with pytest.raises(NotAllowed):
        people.switch_off(session, admin, by=coordinator)
    people.appoint_staff(session, person, StaffRole.ADMINISTRATOR, by=factories.principal(session, admin))


def test_the_last_administrator_stays(session):
    admin = factories.staff(session, StaffRole.ADMINISTRATOR)
    me = factories.principal(session, admin)
    with pytest.raises(Invalid):
        people.end_staff_role(session, admin, StaffRole.ADMINISTRATOR, by=me)


def test_each_act_is_audited_once(session, coordinator):
    home = people.add_institution(session, code="moe", names={"en": "Environment"}, by=coordinator)
    person = people.add_person(session, names={"en": "One"}, hint="focal.moe", by=coordinator)
    member = people.appoint(session, person, home, Role.FOCAL_POINT, by=coordinator)
    people.end_membership(session, member, by=coordinator)
    people.switch_off(session, person, by=coordinator)
    actions = session.scalars(select(AuditEvent.action).order_by(AuditEvent.number)).all()
    assert actions == ["add_institution", "add_person", "appoint", "end_membership", "switch_off"]


def test_somebody_of_an_institution_edits_nobody(session):
    home = factories.institution(session)
    focal = factories.principal(session, factories.person(session, home))
    with pytest.raises(NotAllowed):
        people.add_person(session, names={"en": "One"}, by=focal)
