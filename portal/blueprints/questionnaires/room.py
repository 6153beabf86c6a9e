"""The blueprint of questionnaires, and how its views find what an address names."""

from __future__ import annotations

from flask import Blueprint

from portal.errors import NotFound
from portal.extensions import db
from portal.queries import questionnaires as look

blueprint = Blueprint("questionnaires", __name__)


def version_of(public_id: str) -> look.VersionHead:
    """Load the version an address names, or answer "not found"."""
    found = look.find_version(db.session, public_id)
    if found is None:
        raise NotFound
    return found
