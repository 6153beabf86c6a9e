"""Clarifications: all threads in one place for either side, and one question to many institutions at once."""

from __future__ import annotations

from portal.blueprints.talk import asking, news, reminding, threads
from portal.blueprints.talk.door import blueprint

__all__ = ["asking", "blueprint", "news", "reminding", "threads"]
