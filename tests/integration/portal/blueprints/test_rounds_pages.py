"""The rounds room through HTTP: prepare, assign, preview, issue twice, hand over invitations."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from portal import clock
from portal.models import (
    Invitation,
    OutgoingMail,
    QuestionnaireScope,
    ReportingRound,
    Role,
    RoundStatus,
    Submission,
)
from portal.queries import rounds as look
from tests import factories

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.orm import Session

    from tests.client import Client


@dataclass
class Room:
    client: Client
    round: ReportingRound
    ids: list[int]
    places: list[int]


def furnish(session: Session, client_for: Callable[..., Client], *, rows: int = 3, columns: int = 2) -> Room:
    document = factories.document(session)
    made = factories.reporting_round(
        session,
        document,
        status=RoundStatus.DRAFT,
        issued_at=None,
        short_version_id=factories.questionnaire_version(session).id,
        full_version_id=factories.questionnaire_version(session, length="full").id,
        institution_version_id=factories.questionnaire_version(session, scope=QuestionnaireScope.INSTITUTION).id,
    )
    ids = [factories.recommendation(session, document, paragraph=str(n), position=n).id for n in range(1, rows + 1)]
    places = [factories.institution(session, f"min{n}") for n in range(1, columns + 1)]
    for place in places:
        factories.person(session, place, email=f"{place.code}@example.org", password=None)
        factories.person(session, place, Role.APPROVER, password=None)
    session.commit()
    return Room(client_for(factories.staff(session)), made, ids, [place.id for place in places])


@pytest.fixture
def room(session: Session, client_for: Callable[..., Client]) -> Room:
    return furnish(session, client_for)


def test_a_round_is_made_with_proposed_dates(session: Session, room: Room) -> None:
    versions = {"short_version": room.round.short_version_id, "full_version": "", "institution_version": ""}
    document = look.documents(session)[0].id
    form = {"un_due_on": "2027-06-30", "titles_en": "Report", "kind": "periodic", "documents": document, **versions}
    page = room.client.post("/rounds/new", form | {"action": "propose"})
    assert page.status_code == 200
    assert 'value="2027-03-24"' in page.text
    dates = {"opens_on": "2027-02-10", "due_on": "2027-03-24", "closes_on": "2027-04-07", "freezes_on": "2027-04-21"}
    form |= dates | {"sign_off_policy": "either"}
    assert room.client.post("/rounds/new", form | {"due_on": "2027-01-01"}).status_code == 422
    assert room.client.post("/rounds/new", form).status_code == 303
    session.rollback()
    assert look.find_round(session, "2027-periodic") is not None


def test_the_matrix_saves_what_was_changed(session: Session, room: Room) -> None:
    slug, (one, two, _three), (first, second) = room.round.slug, room.ids, room.places
    assert room.client.get(f"/rounds/{slug}/matrix").status_code == 200
    cells = {f"p{one}-{first}": "lead", f"p{one}-{second}": "contributing/full", f"p{two}-{first}": ""}
    assert room.client.post(f"/rounds/{slug}/matrix", cells | {"was": "{}"}).status_code == 303
    page = room.client.get(f"/rounds/{slug}/matrix").text
    was = json.loads(re.search(r'name="was" value="([^"]+)"', page)[1].replace("&#34;", '"'))  # type: ignore[index] # it is there
    assert was == {f"p{one}-{first}": "lead", f"p{one}-{second}": "contributing/full"}
    assert room.client.get(f"/rounds/{slug}/matrix?institution={first}&only=leaderless").status_code == 200


def test_bad_lines_of_a_paste_are_told_by_number(session: Session, room: Room) -> None:
    slug = room.round.slug
    lines = "paragraph\tinstitution\trole\tlength\n1\tmin1\tlead\t\n9\tmin1\tlead\t\n2\tnobody\tboss\tlong\n"
    page = room.client.post(f"/rounds/{slug}/matrix/paste", {"lines": lines})
    assert page.status_code == 422
    assert "Line 3:" in page.text
    assert page.text.count("Line 4:") == 3
    assert "2\tnobody" in page.text
    session.rollback()
    assert look.asks(session, room.round.id) == []
    good = "១\tMIN1\tlead\tfull\n2\tmin2\tcontributing"
    assert room.client.post(f"/rounds/{slug}/matrix/paste", {"lines": good}).status_code == 303
    session.rollback()
    assert [ask.version_id == room.round.full_version_id for ask in look.asks(session, room.round.id)] == [True, False]


def test_many_cells_at_once_and_an_earlier_round(session: Session, room: Room) -> None:
    slug = room.round.slug
    form = {"rows": "all", "column": room.places, "wants": "contributing", "only_empty": "y"}
    assert room.client.post(f"/rounds/{slug}/matrix/fill", form).status_code == 303
    session.rollback()
    assert len(look.asks(session, room.round.id)) == 6
    document = look.documents(session, room.round.id)[0].id
    from portal.models import SourceDocument

    later = factories.reporting_round(
        session,
        session.get_one(SourceDocument, document),
        status=RoundStatus.DRAFT,
        short_version_id=room.round.short_version_id,
    )
    session.commit()
    assert room.client.post(f"/rounds/{later.slug}/matrix/copy", {"round": slug}).status_code == 303
    session.rollback()
    assert len(look.asks(session, later.id)) == 6


def test_issuing_and_handing_over(session: Session, room: Room) -> None:
    slug, (one, *_), (first, second) = room.round.slug, room.ids, room.places
    empty = room.client.post(f"/rounds/{slug}/issue")
    assert empty.status_code == 422
    room.client.post(
        f"/rounds/{slug}/matrix", {f"p{one}-{first}": "lead", f"p{one}-{second}": "contributing", "was": "{}"}
    )
    preview = room.client.get(f"/rounds/{slug}/preview")
    assert "Issue 2 questionnaires" in preview.text
    for _ in range(2):
        assert room.client.post(f"/rounds/{slug}/issue").status_code == 303
    session.rollback()
    assert session.scalar(select(func.count()).select_from(Submission)) == 4
    assert session.scalar(select(func.count()).select_from(OutgoingMail)) == 2
    page = room.client.get(f"/rounds/{slug}/invitations")
    assert page.status_code == 200
    assert "<svg" in page.text
    persons = re.findall(r'name="person" value="(\w+)"', page.text)
    assert len(persons) == 4
    fields = {"person": persons[:1], "idempotency_key": "a" * 32}
    made = room.client.post(f"/rounds/{slug}/invitations", fields)
    assert made.status_code == 200
    assert "/enter/" in made.text
    assert "These codes are shown this once" in made.text
    # a reload of the page that shows them ends none of the codes it showed
    assert room.client.post(f"/rounds/{slug}/invitations", fields).status_code == 303
    session.rollback()
    assert session.scalar(select(func.count()).select_from(Invitation).where(Invitation.revoked_at.is_(None))) == 2
    assert room.client.get("/outbox").status_code == 200
    asks = look.asks(session, room.round.id)
    shown = room.client.get(f"/rounds/{slug}/assignment/{asks[-1].public_id}")
    assert shown.status_code == 200
    bare = room.client.post(f"/rounds/{slug}/assignment/{asks[-1].public_id}/withdraw", {"reason": " "})
    assert bare.status_code == 422
    done = room.client.post(f"/rounds/{slug}/assignment/{asks[-1].public_id}/withdraw", {"reason": "Not theirs"})
    assert done.status_code == 303
    until = (clock.today() + timedelta(days=50)).isoformat()
    more = {"until": until, "reason": "Flood"}
    assert room.client.post(f"/rounds/{slug}/assignment/{asks[-1].public_id}/extend", more).status_code == 303
    recommendation = look.paragraphs(session, room.round.id)[0].first.public_id
    assert room.client.get(f"/rounds/{slug}/paragraph/{recommendation}").status_code == 200


def test_queries_do_not_grow_with_rows(session: Session, client_for: Callable[..., Client], count_queries: Any) -> None:
    seen: list[tuple[int, int]] = []
    for size in (2, 9):
        room = furnish(session, client_for, rows=size, columns=size)
        slug = room.round.slug
        cells = {f"p{one}-{place}": "lead" for one in room.ids for place in room.places}
        assert room.client.post(f"/rounds/{slug}/matrix", cells | {"was": "{}"}).status_code == 303
        room.client.get(f"/rounds/{slug}/preview")
        with count_queries() as matrix:
            room.client.get(f"/rounds/{slug}/matrix")
        with count_queries() as preview:
            room.client.get(f"/rounds/{slug}/preview")
        seen.append((len(matrix), len(preview)))
        session.rollback()
        for code in ("min",):
            from portal.models import Institution, UserAccount

            for one in session.scalars(select(Institution).where(Institution.code.like(f"{code}%"))):
                one.code = f"old{one.id}"
                one.active = False
            for person in session.scalars(select(UserAccount).where(UserAccount.email.is_not(None))):
                person.email = None
            session.commit()
    assert seen[0] == seen[1]
    assert max(seen[0]) <= 14
