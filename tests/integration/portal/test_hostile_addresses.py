"""An address that holds what no text of a database can: a clear answer on every page, on both engines."""

from __future__ import annotations

import re

import pytest

from portal.models import Role, StaffRole
from tests import factories

pytestmark = pytest.mark.engines
NUL = "a%00b"
WORDS = ("q", "search", "round", "status", "institution", "theme", "language", "page", "after", "kind", "state")


def addresses(app):
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods and not rule.endpoint.startswith("gallery."):
            yield re.sub(r"<[^>]+>", NUL, re.sub(r"<int:\w+>", "1", rule.rule))


def test_no_page_breaks_on_an_address_with_a_nul(app, session, client, client_for):
    institution = factories.institution(session)
    people = [factories.person(session, institution, Role.FOCAL_POINT), factories.staff(session, StaffRole.COORDINATOR)]
    session.commit()
    broken = []
    for browser in [*map(client_for, people), client]:
        for path in addresses(app):
            query = "&".join(f"{word}={NUL}" for word in WORDS)
            for asked in (path, f"{path}?{query}"):
                answer = browser.get(asked)
                if answer.status_code >= 500:
                    broken.append((asked, answer.status_code))
    assert broken == []
