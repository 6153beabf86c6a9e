"""A delegation opens its own answers and nothing else, whoever comes with it."""

from __future__ import annotations

import pytest

from portal.models import Role, StaffRole, Status
from portal.permissions import DELEGATED, Part, Permission, Principal, Scope, Target, can, may

SCOPE = Scope(1, "d", submission_id=7, institution_id=3, codes=frozenset({"beds"}))
OWN, OTHER = Target(3, Status.IN_PROGRESS, submission_id=7), Target(3, Status.IN_PROGRESS, submission_id=8)
PEOPLE = {
    "nobody": Principal(1, delegation=SCOPE),
    "focal point": Principal(1, user_id=2, part=Part(1, 3, "moj", {}, Role.FOCAL_POINT), delegation=SCOPE),
    "coordinator": Principal(1, user_id=2, staff=frozenset(StaffRole), delegation=SCOPE),
}


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("permission", Permission)
def test_only_what_is_delegated_and_only_there(who, permission):
    person = PEOPLE[who]
    assert not may(person, permission)
    assert not person.roles
    assert can(person, permission, OWN) is (permission in DELEGATED)
    assert not can(person, permission, OTHER)
    assert not can(person, permission)


def test_no_role_holds_what_only_a_delegation_opens():
    whole = Principal(1, staff=frozenset(StaffRole), part=Part(1, 3, "moj", {}, Role.FOCAL_POINT))
    assert not can(whole, Permission.ANSWER_DELEGATION, OWN)
