"""The blueprint of questionnaires, and how its views find what an address names."""

from __future__ import annotations

from flask import Blueprint, g

from portal.errors import NotFound
from portal.extensions import db
from portal.models import QuestionnaireVersion
from portal.queries import questionnaires as look

blueprint = Blueprint("questionnaires", __name__)


def version_of(public_id: str) -> look.VersionHead:
    """Load the version an address names, or answer "not found"."""
    found = look.find_version(db.session, public_id)
    if found is None:
        raise NotFound
    return found


def row_of(head: look.VersionHead) -> QuestionnaireVersion:
    """Return the stored version behind a head, freshly read."""
    return db.session.get_one(QuestionnaireVersion, head.id, populate_existing=True)


def reading_order() -> tuple[str, ...]:
    """Return the portal's languages, the reader's own first."""
    return tuple(dict.fromkeys([g.view.language, *g.country.languages]))
