"""docs/contract.md names every command and every operation, and none that is not there."""

from __future__ import annotations

import re

from config import ROOT
from portal.cli import COMMANDS

CONTRACT = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
COMMAND_PART, _, API_PART = CONTRACT.partition("## JSON API")


def test_every_command_is_described():
    assert set(re.findall(r"^\| `([a-z-]+)` \|", COMMAND_PART, re.MULTILINE)) == set(COMMANDS)


def test_every_operation_is_described(app):
    document = app.test_client().get("/api/v1/openapi.json").json
    operations = {one["operationId"] for methods in document["paths"].values() for one in methods.values()}
    assert set(re.findall(r"^\| `(\w+)` \|", API_PART, re.MULTILINE)) == operations
