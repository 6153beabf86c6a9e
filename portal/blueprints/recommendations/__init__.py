"""Recommendations on pages: reading, editing, importing, texts out and in, state of implementation."""

from __future__ import annotations

from portal.blueprints.recommendations import editing, implementation, importing, publishing, reading, texts
from portal.blueprints.recommendations.room import blueprint

__all__ = ["blueprint", "editing", "implementation", "importing", "publishing", "reading", "texts"]
