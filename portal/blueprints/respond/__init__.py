"""The institution: what it owes, answering page by page, sharing, completing, signing, claiming, evidence."""

from __future__ import annotations

from portal.blueprints.respond import (
    acts,
    collecting,
    evidence,
    findings,
    handing_over,
    handing_over_book,
    letters,
    offline,
    owed,
    packs,
    presence,
    receipts,
    section,
    sharing,
    taking,
    units,
)
from portal.blueprints.respond.door import blueprint, own_reply, reply_of

__all__ = [
    "acts", "blueprint", "collecting", "evidence", "findings", "handing_over", "handing_over_book", "letters",
    "offline", "owed", "own_reply", "packs", "presence", "receipts", "reply_of", "section", "sharing", "taking",
    "units",
]  # fmt: skip
