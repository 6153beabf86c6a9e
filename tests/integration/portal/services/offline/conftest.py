"""A reply with tables, whose focal point fills in a file while a colleague saves on the page."""

from __future__ import annotations

import pytest

from tests import factories, tables


@pytest.fixture
def scene(session, context):
    made = tables.scene(session)
    made.by = factories.principal(session, made.focal)
    made.other = factories.principal(session, made.colleague)
    return made
