"""What is remembered: earlier answers beside the questions, the register of evidence, what the last report said."""

from __future__ import annotations

from portal.blueprints.remember import earlier, evidence, history, reported, whole
from portal.blueprints.remember.door import blueprint

__all__ = ["blueprint", "earlier", "evidence", "history", "reported", "whole"]
