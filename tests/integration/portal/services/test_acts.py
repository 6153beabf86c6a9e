"""Each act on a reply asks by itself who does it: a door that forgot to ask opens nothing."""

from __future__ import annotations

import pytest

from portal.errors import NotAllowed
from portal.models import Role, StaffRole
from portal.models.lifecycle import Action
from portal.permissions import Part, Principal
from portal.services.events import append_event
from tests import factories

ACTS = [
    (Action.FIRST_SAVE, {Role.FOCAL_POINT, Role.ALTERNATE, Role.CONTRIBUTOR}),
    (Action.CLAIM_NOT_OURS, {Role.FOCAL_POINT, Role.ALTERNATE}),
    (Action.WITHDRAW, {StaffRole.COORDINATOR}),
]


@pytest.fixture
def home(session):
    made = factories.institution(session, "moj")
    session.commit()
    return made


@pytest.mark.parametrize(("action", "allowed"), ACTS)
def test_an_act_is_refused_to_everybody_but_those_whose_it_is(session, home, action, allowed):
    reply = factories.submission(session, factories.assignment(session, to=home))
    elsewhere = factories.institution(session, "moi")
    session.commit()
    callers = [
        *((role, Principal(actor_id=1, part=Part(1, at.id, at.code, {}, role)), at) for role in Role for at in (home, elsewhere)),
        *((role, Principal(actor_id=1, staff=frozenset({role})), home) for role in StaffRole),
    ]  # fmt: skip
    for role, by, at in callers:
        if role in allowed and at is home:
            continue
        with pytest.raises(NotAllowed):
            append_event(session, reply, action, reason="Not ours", by=by, institution_id=home.id)
