"""Documents of an assignment: received, to be entered; and the secretariat entering a return on paper."""

from __future__ import annotations

from portal.blueprints.documents import entering, inbox, presence, reading
from portal.blueprints.documents.door import blueprint

__all__ = ["blueprint", "entering", "inbox", "presence", "reading"]
