"""The secretariat follows a round: its board, who has answered, the grid, who is late, and each reply's review."""

from __future__ import annotations

from portal.blueprints.follow import review, rounds, verdicts, views
from portal.blueprints.follow.door import blueprint

__all__ = ["blueprint", "review", "rounds", "verdicts", "views"]
