"""Examples of recommendations carried out: an institution sends one, the secretariat judges it, observers read it."""

from __future__ import annotations

from portal.blueprints.examples import desk, sending
from portal.blueprints.examples.door import blueprint

__all__ = ["blueprint", "desk", "sending"]
