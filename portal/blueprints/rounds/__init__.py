"""The coordinator prepares a round: facts and dates, the matrix, the preview, issuing, invitations, the outbox."""

from __future__ import annotations

from portal.blueprints.rounds import facts, issue, matrix, outbox, single
from portal.blueprints.rounds.door import blueprint

__all__ = ["blueprint", "facts", "issue", "matrix", "outbox", "single"]
