"""Questionnaires on pages: read, imported, drafted, tried out, translated, printed, published, handed on."""

from __future__ import annotations

from portal.blueprints.questionnaires import (
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
    "importing",
    "previewing",
    "proofing",
    "publishing",
    "reading",
    "translating",
    "translating_files",
    "versions",
]
