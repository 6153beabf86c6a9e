"""What the pages of recommendations share: the blueprint, loading one, words for kinds and states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, g
from flask_babel import gettext as _

from portal.errors import NotFound
from portal.extensions import db
from portal.models import Implementation, Recommendation, RecommendationKind, StatePosition, TextStatus
from portal.queries import recommendations as queries

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.queries.countries import CountryFacts

blueprint = Blueprint("recommendations", __name__)


def country() -> CountryFacts:
    """Return the country of this portal."""
    found: CountryFacts = g.country
    return found


def load(public_id: str) -> Recommendation:
    """Return the recommendation of an address.

    Raises:
        NotFound: there is none, or it is archived.
    """
    found = queries.find(db.session, public_id)
    if found is None or found.archived:
        raise NotFound
    return found


def kind_names() -> Mapping[str, str]:
    """Return the names of what a paragraph is."""
    return {
        RecommendationKind.RECOMMENDATION: _("Recommendation"),
        RecommendationKind.CONCERN: _("Concern"),
        RecommendationKind.POSITIVE: _("Positive aspect"),
        RecommendationKind.PROCEDURAL: _("Procedure"),
        RecommendationKind.OTHER: _("Other"),
    }


def position_names() -> Mapping[str, str]:
    """Return the names of the State's positions (UPR)."""
    return {
        StatePosition.SUPPORTED: _("Supported"),
        StatePosition.NOTED: _("Noted"),
        StatePosition.PARTLY: _("Supported in part"),
        StatePosition.UNDER_CONSIDERATION: _("Under consideration"),
    }


def status_names() -> Mapping[str, str]:
    """Return the names of the standing of a national text."""
    return {
        TextStatus.NONE: _("No national text"),
        TextStatus.WORKING: _("Working translation"),
        TextStatus.OFFICIAL: _("Official text"),
    }


def state_names() -> Mapping[str, str]:
    """Return the names of the states of implementation."""
    return {
        Implementation.NOT_STARTED: _("Not started"),
        Implementation.PLANNED: _("Planned"),
        Implementation.IN_PROGRESS: _("In progress"),
        Implementation.LARGELY_DONE: _("Largely done"),
        Implementation.DONE: _("Done and ongoing"),
        Implementation.NOT_ACCEPTED: _("Not accepted or not possible"),
    }


# colour of a state in badges and bars; the word always stands beside it
STATE_KINDS: Mapping[Implementation, str] = {
    Implementation.NOT_STARTED: "bad",
    Implementation.PLANNED: "warn",
    Implementation.IN_PROGRESS: "info",
    Implementation.LARGELY_DONE: "strong",
    Implementation.DONE: "good",
    Implementation.NOT_ACCEPTED: "violet",
}


@dataclass(frozen=True)
class Words:
    """The fixed words that templates of this room need, in the reader's language."""

    kinds: Mapping[str, str]
    positions: Mapping[str, str]
    statuses: Mapping[str, str]
    states: Mapping[str, str]
    fields: Mapping[str, str]


def words() -> Words:
    """Collect the words of this request."""
    fields = {
        "texts": _("Text"),
        "heading": _("Heading"),
        "summary": _("Plain summary"),
        "kind": _("Kind"),
        "follow_up": _("Follow-up"),
        "state_position": _("Position of the State"),
        "recommending_state": _("Recommending State"),
        "uhri_id": _("Annotation in the Universal Human Rights Index"),
        "theme": _("Theme"),
        "affected": _("Persons affected"),
        "sdg": _("Sustainable Development Goal"),
    }
    return Words(kind_names(), position_names(), status_names(), state_names(), fields)
