"""Whoever was handed some questions: in by link and code, answering exactly those, saying that they are done."""

from __future__ import annotations

from portal.blueprints.shared import entering, evidence, finishing, returning, section
from portal.blueprints.shared.door import blueprint

__all__ = ["blueprint", "entering", "evidence", "finishing", "returning", "section"]
