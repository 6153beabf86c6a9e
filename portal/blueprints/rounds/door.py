"""The blueprint of rounds, and how its views find what an address names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, current_app, g, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.blueprints.page import notice
from portal.errors import NotFound
from portal.extensions import db
from portal.queries import rounds as look

if TYPE_CHECKING:
    from portal.models import ReportingRound
    from portal.services.assignments import Changed

blueprint = Blueprint("rounds", __name__)


def round_of(slug: str) -> ReportingRound:
    """Load the round an address names, or answer "not found"."""
    found = look.find_round(db.session, slug)
    if found is None:
        raise NotFound
    return found


def after(of: ReportingRound) -> str:
    """Return where to go once a round is on its way: its board, as soon as there is one."""
    if "follow.board" in current_app.view_functions:
        return url_for("follow.board", slug=of.slug)
    return url_for("rounds.preview", slug=of.slug)


def list_url() -> str:
    """Return the address of the list of rounds."""
    return url_for("follow.rounds") if "follow.rounds" in current_app.view_functions else url_for("rounds.new")


def languages() -> dict[str, str]:
    """Return the portal's languages by code, each named in itself."""
    return {one["code"]: _own_name(one) for one in g.country.language_facts} or {"en": "English"}


def _own_name(language: dict[str, object]) -> str:
    name = language.get("autonym") or language.get("name") or language["code"]
    return str(name if isinstance(name, str) else language["code"])


def tell(done: Changed) -> None:
    """Say on the next page what became of a set of changes."""
    parts = [
        ngettext("%(num)s assignment added.", "%(num)s assignments added.", done.created) if done.created else "",
        ngettext("%(num)s changed.", "%(num)s changed.", done.changed) if done.changed else "",
        ngettext("%(num)s taken out.", "%(num)s taken out.", done.removed) if done.removed else "",
    ]
    refused = [f"{problem.field}: {problem.message}" for problem in done.refused[:5]]
    words = " ".join(part for part in [*parts, *refused] if part)
    notice(words or _("Nothing had changed."), "warn" if done.refused else "good")
