"""What a password costs in force; every other test runs with a cheap one (tests/conftest.py)."""

from __future__ import annotations

from argon2 import PasswordHasher, Type, extract_parameters

from portal.services import sessions

# as the module comes: tests are collected before the session's fixture puts a cheap one in its place
IN_FORCE, DUMMY = sessions._hasher, sessions._DUMMY


def test_a_password_costs_what_asvs_asks_at_least():
    assert isinstance(IN_FORCE, PasswordHasher)
    made = extract_parameters(IN_FORCE.hash("a password"))
    assert made.type is Type.ID
    assert made.memory_cost >= 19_456
    assert made.time_cost >= 2
    assert made.salt_len >= 16


def test_a_name_nobody_has_costs_as_much_as_a_wrong_password():
    assert extract_parameters(DUMMY) == extract_parameters(IN_FORCE.hash("a password"))
