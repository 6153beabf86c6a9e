"""Questionnaires on pages: list, read aloud, import from XLSForm after a dry run, publish, give the file back."""

from __future__ import annotations

from portal.blueprints.questionnaires import importing, reading
from portal.blueprints.questionnaires.room import blueprint

__all__ = ["blueprint", "importing", "reading"]
