"""Questionnaires on pages: list, read aloud, import from XLSForm, draft, compare, publish, hand on."""

from __future__ import annotations

from portal.blueprints.questionnaires import (
    designing,
    designing_adding,
    designing_item,
    importing,
    publishing,
    reading,
    versions,
)
from portal.blueprints.questionnaires.room import blueprint

__all__ = [
    "blueprint", "designing", "designing_adding", "designing_item", "importing", "publishing", "reading", "versions",
]  # fmt: skip
