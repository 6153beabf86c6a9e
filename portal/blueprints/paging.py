"""One page of a list that is at hand already: which rows, and the way to the page before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import request, url_for

if TYPE_CHECKING:
    from collections.abc import Sequence

# rows that a person pages through on a telephone without losing the place
PER_PAGE = 25


@dataclass(frozen=True)
class Paged:
    """The rows of one page; ``total`` counts all of them."""

    rows: Sequence[Any]
    number: int
    pages: int
    total: int
    previous_url: str
    next_url: str


def paged(rows: Sequence[Any], *, keep: Sequence[str] = (), per_page: int = PER_PAGE, anchor: str = "") -> Paged:
    """Return the page that the address asks for (`?page=`); a number past the end is the last page.

    ``keep`` names what else of the address stays (filters); ``anchor`` is where the list begins on its page.
    """
    pages = max(1, -(-len(rows) // per_page))
    number = min(max(request.args.get("page", 1, type=int) or 1, 1), pages)
    given: dict[str, Any] = {name: request.args[name] for name in keep if request.args.get(name)}
    given.update(request.view_args or {})

    def url(wanted: int) -> str:
        return url_for(request.endpoint or "", **given, page=wanted, _anchor=anchor or None)

    return Paged(
        rows[(number - 1) * per_page : number * per_page],
        number,
        pages,
        len(rows),
        url(number - 1) if number > 1 else "",
        url(number + 1) if number < pages else "",
    )
