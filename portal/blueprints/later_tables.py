"""Tables that are not asked at present, and in which nothing stands, come beside their page: a browser keeps them.

A page of twelve tables is three quarters tables, and most of them are asked of nobody until a question before says so.
Where a page has many of these it holds their places only; portal/static/js/later.js fetches them once, at an address
that names what they are made of, and puts them in, hidden as before. Without script nothing is missing: what is not
asked is not seen, and a page that is saved shows what is asked by then.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from flask import current_app, g

from forms.answers import AnswerKey, is_hidden
from forms.tables import table_of, tables
from portal import wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forms.definition.model import Item
    from forms.tables import Table
    from portal.blueprints.answering import AnsweringPage

MANY = 4  # fewer are not worth a request of their own


def later_tables(answering: AnsweringPage, page: Item) -> frozenset[str]:
    """Return the tables of a page that are hidden, empty, open to be written, and many; none where they are few."""
    if answering.readonly or answering.head.unlocked is not None:
        return frozenset()
    known = tables(answering.definition)
    here = {item.code for item in page.items() if item.code in known and not known[item.code].inside}
    if len(here) < MANY:
        return frozenset()
    hidden = answering.evaluation.hidden
    found = frozenset(code for code in here if is_hidden(hidden, AnswerKey(code))) - _touched(answering)
    return found if len(found) >= MANY else frozenset()


def _touched(answering: AnsweringPage) -> set[str]:
    """Return the outermost tables in which a row or an answer was ever saved."""
    known = tables(answering.definition)
    said = {row.repeat for row in answering.stored_rows}
    around = (table_of(answering.definition, key.code) for key in answering.stored)
    said.update(table.code for table in around if table is not None)
    return {_outermost(known, code) for code in said if code in known}


def _outermost(known: Mapping[str, Table], code: str) -> str:
    while known[code].inside:
        code = known[code].inside
    return code


def digest_of(answering: AnsweringPage, page: Item, codes: frozenset[str]) -> str:
    """Return a name for how some tables look: another wording, another build of the pages, another name."""
    manifest = current_app.extensions.get("assets")
    made_of = (
        answering.head.version_id, page.code, sorted(codes), str(g.view.language), str(g.view.digits),
        answering.context.languages, wording.present().words.version, manifest.root.name if manifest else "",
    )  # fmt: skip
    return hashlib.sha256(repr(made_of).encode()).hexdigest()[:16]
