"""A copy that comes again: what was taken from it before is known, and no conflict with itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from portal import clock
from portal.models import OfflineTaking

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping
    from typing import Any

    from sqlalchemy.orm import Session

    from forms.answers import AnswerKey
    from portal.queries.submissions import StoredAnswer
    from portal.services.offline.plan import Finding, Trace
    from portal.services.offline.reading import CopyOfReply
    from portal.workbooks.offline.found import FoundRow

_KEY = ("submission_id", "book", "copy", "code", "line", "lang")
_Cell = tuple[str, str, str]


def _upsert(dialect: Any) -> Any:
    made = dialect.insert(OfflineTaking)
    new = {name: made.excluded[name] for name in ("digest", "revision", "row", "kept", "taken_at")}
    return made.on_conflict_do_update(index_elements=_KEY, set_=new)


_UPSERTS = {"sqlite": _upsert(sqlite), "postgresql": _upsert(postgresql)}


@dataclass(frozen=True)
class Taken:
    """What was taken from a cell: the digest of what it said, the revision it became, the key of a line it added.

    ``kept``: nothing was taken, what stood at ``revision`` was to stay.
    """

    digest: str
    revision: int
    row: str
    kept: bool


class Earlier:
    """What was taken before from the downloads that some copies belong to, for one reply."""

    def __init__(self, taken: Mapping[tuple[str, str], Mapping[_Cell, Taken]]) -> None:
        self._taken = taken

    def took(self, trace: Trace) -> bool:
        """Tell whether just this was taken over before, from this copy or another one of the same download."""
        cell = (trace.code, trace.line, trace.lang)
        return any(
            book == trace.book and cell in cells and cells[cell].digest == trace.digest and not cells[cell].kept
            for (book, _copy), cells in self._taken.items()
        )

    def kept(self, trace: Trace, revision: int) -> bool:
        """Tell whether somebody saw just this in just this copy, and chose to keep the answer that stands still."""
        taken = self._taken.get((trace.book, trace.copy), {}).get((trace.code, trace.line, trace.lang))
        return taken is not None and taken.kept and (taken.digest, taken.revision) == (trace.digest, revision)

    def written_since(
        self, keys: Container[str], rows: Iterable[FoundRow], book: str, answers: Mapping[AnswerKey, StoredAnswer]
    ) -> list[AnswerKey]:
        """Return the cells of some lines in which somebody wrote after a download, but for what came from that itself.

        ``keys`` are the lines, ``rows`` are those of a copy of the download: a line that is not among them came since.
        """
        then = {
            (row.mark.key, cell.mark.code, cell.mark.lang): cell.mark.revision for row in rows for cell in row.cells
        }
        for (of, _copy), cells in self._taken.items():
            if of != book:
                continue
            added = {line: taken.row for (code, line, _lang), taken in cells.items() if not code}
            for (code, line, lang), taken in cells.items():
                place = (added.get(line, line), code, lang)
                then[place] = max(then.get(place, 0), taken.revision)
        return [
            key
            for key, one in answers.items()
            if key.row in keys and one.revision > then.get((key.row, key.code, key.lang), 0)
        ]

    def known(self, copy: CopyOfReply) -> CopyOfReply:
        """Return a copy that comes again with its lines under the keys they got, and with the revisions that it made.

        A copy without a name of its department is taken for the one of before only if it still says something of what
        was taken then, and leaves nothing of it unsaid: it may be another person's copy.
        """
        mine = self._taken.get((copy.book, copy.department), {})
        findings = [*copy.findings, *(one for row in copy.rows for one in row.findings)]
        if not mine or not (copy.department or _goes_on(mine, findings)):
            return copy
        added = {row.key: mine.get(("", row.trace.line, "")) for row in copy.rows}
        keys = {key: taken.row for key, taken in added.items() if taken}
        for row in copy.rows:
            row.key, row.parent = keys.get(row.key, row.key), keys.get(row.parent, row.parent)
            row.findings = [_based(one, mine, keys) for one in row.findings]
        copy.findings = [_based(one, mine, keys) for one in copy.findings]
        return copy


def _goes_on(mine: Mapping[_Cell, Taken], findings: Iterable[Finding]) -> bool:
    says = {(one.trace.code, one.trace.line, one.trace.lang): one.trace.digest for one in findings}
    cells = {cell: taken for cell, taken in mine.items() if cell[0]}
    return all(cell in says for cell in cells) and any(says[cell] == taken.digest for cell, taken in cells.items())


def _based(one: Finding, mine: Mapping[_Cell, Taken], keys: Mapping[str, str]) -> Finding:
    taken = mine.get((one.trace.code, one.trace.line, one.trace.lang))
    row = keys.get(one.key.row, one.key.row)
    base = max(one.base, taken.revision) if taken else one.base
    return replace(one, key=one.key._replace(row=row), base=base)


def earlier(session: Session, submission_id: int, books: Iterable[str]) -> Earlier:
    """Return what was taken before from any copy of some downloads; one query."""
    found: dict[tuple[str, str], dict[_Cell, Taken]] = {}
    rows = session.scalars(
        select(OfflineTaking)
        .where(OfflineTaking.submission_id == submission_id, OfflineTaking.book.in_(set(books)))
        .order_by(*(getattr(OfflineTaking, name) for name in _KEY))
    )
    for one in rows:
        cells = found.setdefault((one.book, one.copy), {})
        cells[one.code, one.line, one.lang] = Taken(one.digest, one.revision, one.row, one.kept)
    return Earlier(found)


def note_taken(
    session: Session, submission_id: int, taken: Iterable[tuple[Trace, int]], lines: Iterable[tuple[Trace, str]],
    kept: Iterable[tuple[Trace, int]] = (),
) -> None:  # fmt: skip
    """Remember which answers became which revisions, and under which keys lines were added; call inside ``write()``.

    ``kept`` are cells that were not taken, with the revision of the answer that somebody chose to keep.
    """
    now = clock.now()
    found = {}
    for trace, revision, row, stays in (
        *((one, at, "", True) for one, at in kept),
        *((one, at, "", False) for one, at in taken),
        *((one, 0, key, False) for one, key in lines),
    ):
        values = {
            "submission_id": submission_id, "book": trace.book, "copy": trace.copy, "code": trace.code,
            "line": trace.line, "lang": trace.lang, "digest": trace.digest, "revision": revision, "row": row,
            "kept": stays, "taken_at": now,
        }  # fmt: skip
        found[trace.book, trace.copy, trace.code, trace.line, trace.lang] = values
    if found:
        connection = session.connection()
        connection.execute(_UPSERTS[connection.dialect.name], list(found.values()))
