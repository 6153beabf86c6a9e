"""Every setting is explained to the person who runs the portal, and nothing else is."""

from __future__ import annotations

import re

from config import ROOT, Settings

# Read by the bootstrap and by the tests, not settings of an installation.
OUTSIDE = {"PORTAL_BOOTSTRAP", "PORTAL_CHROMIUM", "PORTAL_TEST_PG_URL", "PORTAL_TEST_COMPLETE"}


def test_operations_names_every_setting_and_no_other():
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\bPORTAL_[A-Z_]+[A-Z]\b", page))
    settings = {f"PORTAL_{name.upper()}" for name in Settings.model_fields}
    assert settings - named == set()
    assert named - settings - OUTSIDE == set()


def test_every_setting_says_what_it_is():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
