"""People and institutions, for the secretariat: lists in protocol order, pages to edit, one workbook in and out."""

from __future__ import annotations

from portal.blueprints.people import institutions, persons, workbook
from portal.blueprints.people.room import blueprint

__all__ = ["blueprint", "institutions", "persons", "workbook"]
