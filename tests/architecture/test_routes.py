"""Every address is public on purpose or names a permission."""

from __future__ import annotations

import pytest

from config import Settings
from portal.app import create_app
from portal.cli.routes import listing
from portal.permissions import Permission

# A new public address is added here on purpose, with its reason.
PUBLIC = {
    "accounts.login", "accounts.enter",  # the door
    "accounts.invitation", "accounts.spend",  # a link and a code stand for the log-in
    "accounts.forgotten", "accounts.ask_for_password",  # the same answer for every name
    "second_factor.ask", "second_factor.answer", "second_factor.enrol",  # a right password stands for the log-in
    "shared.link", "shared.enter", "shared.again",  # a link and a code stand for the log-in
    "verify.ask", "verify.code",  # whoever holds a paper may ask whether it stands; nothing of the answers is told
    "public.home", "public.language", "public.healthz", "public.readyz",
}  # fmt: skip
# outside the portal's own views: built assets, pages for developers
ELSEWHERE = ("static", "assets.", "gallery.", "api.")


@pytest.fixture(scope="module")
def routes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("routes")
    settings = Settings(
        data_dir=folder / "data",
        cache_dir=folder / "cache",
        database_url=f"sqlite:///{folder}/portal.db",
        base_url="http://localhost",
        secret_key="test-only-key-of-more-than-thirty-two-characters",
        testing=True,
    )
    return listing(create_app(settings))


def test_every_address_is_public_or_names_a_permission(routes):
    unmarked = [row["endpoint"] for row in routes if row["permission"] is None]
    assert not [name for name in unmarked if not name.startswith(ELSEWHERE)]


def test_public_addresses_are_public_on_purpose(routes):
    public = {row["endpoint"] for row in routes if row["permission"] == "public"}
    assert {name for name in public if not name.startswith(ELSEWHERE)} == PUBLIC


def test_permissions_exist(routes):
    known = {permission.value for permission in Permission} | {"public", None}
    assert {row["permission"] for row in routes} <= known


def test_no_address_takes_both_reading_and_writing(routes):
    assert not [row for row in routes if "GET" in row["methods"] and "POST" in row["methods"]]
