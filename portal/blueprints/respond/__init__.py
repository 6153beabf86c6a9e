"""The institution: what it owes, answering page by page, completing, claiming, evidence."""

from __future__ import annotations

from portal.blueprints.respond import acts, evidence, findings, owed, packs, receipts, section
from portal.blueprints.respond.door import blueprint, own_reply, reply_of

__all__ = ["acts", "blueprint", "evidence", "findings", "owed", "own_reply", "packs", "receipts", "reply_of", "section"]
