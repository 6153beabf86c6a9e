"""Taking over from an earlier reply what no single answer holds: the rows of a table, and files cited as evidence.

Rows get keys made of the old ones, so that taking over twice adds nothing twice; a file is not copied but attached
again under its hash, with a number of this round.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.fields import judged
from forms.question_types import question_type
from forms.tables import tables
from portal.permissions import Permission, require
from portal.queries.evidence import evidence_of
from portal.queries.submissions import standing_rows
from portal.services import evidence
from portal.services.answer_rows import RowChange
from portal.services.evidence import ReceivedFile
from portal.services.submissions import Change

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sqlalchemy.orm import Session

    from forms.answers import AnswerKey, Given
    from forms.context import Context
    from forms.definition.model import Definition, Item
    from forms.tables import Table
    from portal.models import Evidence
    from portal.permissions import Principal
    from portal.queries.memory import Source
    from portal.queries.submissions import StoredReply, SubmissionHead


def family(definition: Definition, page: Item) -> dict[str, list[Table]]:
    """Return the tables of a page by the code of the outermost one, that one first, then those within its rows."""
    on_page = {item.code for item in page.items()}
    found: dict[str, list[Table]] = {}
    roots: dict[str, str] = {}
    for code, table in tables(definition).items():
        if code in on_page:
            roots[code] = roots.get(table.inside, code)
            found.setdefault(roots[code], []).append(table)
    return found


def new_key(head: SubmissionHead, source: Source, key: str) -> str:
    """Return the key that a row of an earlier reply has in this one: always the same, 16 letters or digits."""
    return hashlib.sha256(f"{head.public_id} {source.public_id} {key}".encode()).hexdigest()[:16]


def copied(
    head: SubmissionHead, source: Source, tables_of: Collection[Table], old: StoredReply, now: StoredReply,
    context: Context,
) -> tuple[list[RowChange], dict[AnswerKey, Change]]:  # fmt: skip
    """Return what takes over the rows of a table: rows that are not here yet, cells that nobody has filled in."""
    rows: list[RowChange] = []
    changes: dict[AnswerKey, Change] = {}
    standing = standing_rows(old.rows)
    have = {name.key for name in now.rows}
    for table in tables_of:
        for row in table.rows(standing):
            key = row.key if table.fixed else new_key(head, source, row.key)
            if not table.fixed:
                if key in have:
                    continue  # taken over before, perhaps removed since
                parent = new_key(head, source, row.parent) if row.parent else ""
                rows.append(RowChange(table.code, key, parent_key=parent, base=0))
            for item in table.asked:
                for cell, given in _cells(item, row.key, old, context):
                    place = cell._replace(row=key)
                    if place not in now.answers or now.answers[place].blank:
                        base = now.answers[place].revision if place in now.answers else 0
                        raw = question_type(item.type).raw(given.value, item) if given.state == "answered" else []
                        changes[place] = Change(judged(item, place, raw, given.state, context), base)
    return rows, changes


def _cells(item: Item, row: str, old: StoredReply, context: Context) -> Iterator[tuple[AnswerKey, Given]]:
    if question_type(item.type).control == "file":
        return  # attached again with the evidence
    for key in question_type(item.type).keys(item, context.languages):
        cell = key._replace(row=row)
        given = old.answers.get(cell)
        if given is not None and given.typed is None and not given.blank:
            yield cell, given


def cite_again(
    session: Session, head: SubmissionHead, chosen: Sequence[Evidence], *, question_id: int, round_title: str,
    by: Principal,
) -> int:  # fmt: skip
    """Attach files of an earlier reply to a question of this one, each with a number of this round; return how many.

    What hangs on the question already is left alone. The answer of the question is saved by whoever calls, in the same
    transaction. Call inside ``write()``.
    """
    require(by, Permission.ANSWER_SUBMISSION, head)
    here = {one.sha256 for one in evidence_of(session, head.id) if one.question_id == question_id}
    done = 0
    for one in chosen:
        if one.sha256 is None or one.sha256 in here:
            continue
        note = str(_l("from “%(round)s”, E%(number)s", round=round_title, number=one.number))
        file = ReceivedFile(one.filename or "", one.media_type or "", one.size or 0, one.sha256, one.scanned_at)
        evidence.add_file(
            session, head, file, question_id=question_id, by=by,
            caption=f"{one.caption} ({note})" if one.caption else note, visibility=one.visibility,
        )  # fmt: skip
        here.add(one.sha256)
        done += 1
    return done
