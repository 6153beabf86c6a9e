"""The words of the portal, for the secretariat: a list to search, one message to correct, one workbook in and out."""

from __future__ import annotations

from portal.blueprints.wording import editing, workbook
from portal.blueprints.wording.room import blueprint

__all__ = ["blueprint", "editing", "workbook"]
