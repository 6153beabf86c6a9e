"""The blueprint of wording, and what its pages share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app

from portal import catalogues
from portal.blueprints.page import facts
from portal.errors import NotFound
from portal.extensions import db
from portal.queries import wording as queries
from portal.queries.wording import Entry, Filters
from portal.reader import languages
from portal.services.wording_workbook import catalogue_name, form_words, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

blueprint = Blueprint("wording", __name__, url_prefix="/wording")

SHOWS = ("", "unchecked", "set", "outdated")


def spoken() -> tuple[str, ...]:
    """Return the languages whose words can be set."""
    return queries.spoken(facts().languages)


def language_names() -> dict[str, str]:
    """Return those languages, each named in itself."""
    chosen = spoken()
    return {one.code: one.name for one in languages() if one.code in chosen}


def load_entry(name: str) -> Entry:
    """Load an entry by the name its address uses (404)."""
    found = queries.entry(db.session, facts().languages, name)
    if found is None:
        raise NotFound
    return found


def filters_of(given: Mapping[str, Any]) -> Filters:
    """Read the filters of a list out of an address; what is not known counts as not chosen."""
    language, catalogue, show = (str(given.get(name, "")) for name in ("language", "catalogue", "show"))
    return Filters(
        search=str(given.get("q", ""))[:200],
        catalogue=catalogue if catalogue in catalogues.catalogue_names() else "",
        language=language if language in spoken() else "",
        show=show if show in SHOWS else "",
    )


def in_address(filters: Filters, page: int = 1) -> dict[str, Any]:
    """Return the filters as they stand in an address, blanks left out."""
    given = {
        "q": filters.search, "catalogue": filters.catalogue, "language": filters.language, "show": filters.show,
        "page": page if page > 1 else "",
    }  # fmt: skip
    return {name: value for name, value in given.items() if value}


def page_of(given: Mapping[str, Any]) -> int:
    """Read the number of a page of the list out of an address."""
    text = str(given.get("page", "1"))
    return min(max(int(text), 1), 10_000) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def files() -> Mapping[str, Sequence[str]]:
    """Return by English text which files use it."""
    return catalogues.places(current_app.config["SETTINGS"])


def where(entry: Entry) -> str:
    """Say where an entry is used: kind of place and catalogues."""
    named = ", ".join(catalogue_name(name) for name in entry.message.catalogues)
    return f"{kind_of(files().get(entry.message.source, ()), entry.message.catalogues)}: {named}"


def form_of(entry: Entry) -> str:
    """Say for which numbers an entry's plural form is."""
    return form_words(entry.language, entry.form, plural=bool(entry.message.plural))


