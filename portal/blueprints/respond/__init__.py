"""The institution: what it owes, answering page by page, sharing, completing, claiming, evidence."""

from __future__ import annotations

from portal.blueprints.respond import (
    acts,
    collecting,
    evidence,
    handing_over,
    offline,
    owed,
    presence,
    section,
    sharing,
)
from portal.blueprints.respond.door import blueprint, own_reply, reply_of

__all__ = [
    "acts", "blueprint", "collecting", "evidence", "handing_over", "offline", "owed", "own_reply", "presence",
    "reply_of", "section", "sharing",
]  # fmt: skip
