"""Taking over from an earlier reply what no single answer holds: the rows of a table, and files cited as evidence.

Rows get keys made of the old ones, so that taking over twice adds nothing twice; a file is not copied but attached
again under its hash, with a number of this round. The files of cells come with their rows.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.answers import AnswerKey
from forms.fields import judged
from forms.question_types import question_type
from forms.tables import table_of, tables
from portal.errors import Invalid
from portal.permissions import Permission, require
from portal.queries.evidence import evidence_of
from portal.queries.submissions import RowKey, standing_rows
from portal.services import evidence
from portal.services.answer_rows import RowChange
from portal.services.attaching import named_by, names
from portal.services.evidence import ReceivedFile
from portal.services.submissions import Change

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from forms.answers import Given
    from forms.context import Context
    from forms.definition.model import Definition, Item
    from forms.tables import Table
    from portal.models import Evidence
    from portal.permissions import Principal
    from portal.queries.memory import Source
    from portal.queries.submissions import StoredReply, SubmissionHead
    from portal.services.submissions import Saved


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


def file_questions(definition: Definition, page: Item) -> list[str]:
    """Return the codes of the questions of a page that ask for files outside of tables."""
    return [
        item.code
        for item in page.items()
        if item.kind == "question"
        and question_type(item.type).control == "file"
        and table_of(definition, item.code) is None
    ]


def whole_codes(definition: Definition, page: Item) -> list[str]:
    """Return the codes of the columns and file questions of a page: what an earlier reply may hold as a whole."""
    families = family(definition, page).values()
    columns = [item.code for many in families for table in many for item in table.asked]
    return [*columns, *file_questions(definition, page)]


def says_anything(tables_of: Collection[Table], reply: StoredReply) -> bool:
    """Tell whether somebody answered in these tables: the lines of a fixed one always stand there."""
    standing = standing_rows(reply.rows)
    if any(not table.fixed and table.rows(standing) for table in tables_of):
        return True
    asked = {item.code for table in tables_of for item in table.asked}
    return any(key.code in asked and not given.blank for key, given in reply.answers.items())


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
        return  # attached again, see files_of_cells
    for key in question_type(item.type).keys(item, context.languages):
        cell = key._replace(row=row)
        given = old.answers.get(cell)
        if given is not None and given.typed is None and not given.blank:
            yield cell, given


def files_of_cells(
    head: SubmissionHead, source: Source, tables_of: Collection[Table], old: StoredReply, now: StoredReply,
    attached: Iterable[Evidence],
) -> dict[AnswerKey, list[Evidence]]:  # fmt: skip
    """Return the files of an earlier reply by the cell of this one where they belong.

    They come with rows that are not here yet; into a row that stands here, only where nothing stands: a file that
    somebody took off a row does not come back. ``attached`` are the files of the earlier reply.
    """
    known = {one.public_id: one for one in attached if one.sha256}
    standing = standing_rows(old.rows)
    found: dict[AnswerKey, list[Evidence]] = {}
    for table in tables_of:
        asked = [item for item in table.asked if question_type(item.type).control == "file"]
        for row in table.rows(standing) if asked else ():
            key = row.key if table.fixed else new_key(head, source, row.key)
            here = now.rows.get(RowKey(table.code, key))
            if here is not None and here.removed:
                continue
            for item in asked:
                given = old.answers.get(AnswerKey(item.code, row.key))
                files = [known[one] for one in named_by(given) if one in known]
                place = AnswerKey(item.code, key)
                there = now.answers.get(place)
                if files and (there is None or (table.fixed and there.blank)):
                    found[place] = list({one.sha256: one for one in files}.values())
    return found


def cite_in_cells(
    session: Session, head: SubmissionHead, found: Mapping[AnswerKey, Sequence[Evidence]],
    question_ids: Mapping[str, int], *, round_title: str, by: Principal, quota: int | None,
) -> dict[AnswerKey, Change]:  # fmt: skip
    """Attach files of an earlier reply again, each to its cell, and return the answers that name them.

    Whoever calls saves these together with the rows, and then :func:`check_cited`. Call inside ``write()``, the reply
    locked.

    Raises:
        Invalid: there is no room (``quota``, bytes).
    """
    require(by, Permission.ANSWER_SUBMISSION, head)
    changes = {
        place: names(
            [
                _again(session, head, one, question_ids[place.code], round_title=round_title, by=by, quota=quota)
                for one in files
            ]
        )
        for place, files in found.items()
    }
    session.flush()
    return changes


def check_cited(cited: Collection[AnswerKey], saved: Saved) -> None:
    """Refuse the whole act where a cell did not take its files, so that none hangs nowhere.

    Raises:
        Invalid: the row or the column cannot be changed now.
    """
    if not set(cited) <= set(saved.saved):
        told = [*(one.message for one in saved.refused_rows), *(one.message for one in saved.refused)]
        sentence = _l("The files of these rows could not be attached, so nothing was taken over. Please try again.")
        raise Invalid(str(told[0] if told else sentence))


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
        _again(session, head, one, question_id, round_title=round_title, by=by)
        here.add(one.sha256)
        done += 1
    return done


def _again(
    session: Session, head: SubmissionHead, one: Evidence, question_id: int, *, round_title: str, by: Principal,
    quota: int | None = None,
) -> Evidence:  # fmt: skip
    """Give a file of an earlier reply a number of this round; the day of its scan and who may see it go with it."""
    note = str(_l("from “%(round)s”, E%(number)s", round=round_title, number=one.number))
    file = ReceivedFile(one.filename or "", one.media_type or "", one.size or 0, one.sha256 or "", one.scanned_at)
    caption = f"{one.caption} ({note})" if one.caption else note
    return evidence.add_file(
        session, head, file, question_id=question_id, by=by, caption=caption[: evidence.CAPTION],
        visibility=one.visibility, quota=quota,
    )  # fmt: skip
