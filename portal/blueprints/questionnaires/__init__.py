"""Questionnaires on pages: read, imported, drafted, tried out, translated, printed, published, handed on."""

from __future__ import annotations

from portal.blueprints.questionnaires import (
    designing,
    designing_adding,
    designing_item,
    importing,
    previewing,
    proofing,
    publishing,
    reading,
    translating,
    translating_files,
    versions,
)
from portal.blueprints.questionnaires.room import blueprint

__all__ = [
    "blueprint",
    "designing",
    "designing_adding",
    "designing_item",
    "importing",
    "previewing",
    "proofing",
    "publishing",
    "reading",
    "translating",
    "translating_files",
    "versions",
]
