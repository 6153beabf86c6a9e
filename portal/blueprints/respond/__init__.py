"""The institution: what it owes, answering page by page, completing, claiming, evidence."""

from __future__ import annotations

from portal.blueprints.respond import acts, evidence, offline, owed, section
from portal.blueprints.respond.door import blueprint, own_reply, reply_of

__all__ = ["acts", "blueprint", "evidence", "offline", "owed", "own_reply", "reply_of", "section"]
