"""The lines of a plan of taking over (services/taking_plan.py): what could change in a reply, each named for a form."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forms.answers import field_name
from portal.queries.collected import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forms.answers import AnswerKey, Given, Parsed
    from portal.models import Evidence
    from portal.queries.collected import UnitFile, UnitReply
    from portal.queries.submissions import RowKey, StoredAnswer


class _OfAnswer:
    """What would become of one answer of the reply."""

    key: AnswerKey
    old: StoredAnswer | None

    @property
    def name(self) -> str:
        """Return how a form names it."""
        return field_name(self.key)

    @property
    def base(self) -> int:
        """Return the revision that the plan saw."""
        return self.old.revision if self.old else 0


@dataclass(frozen=True)
class Put(_OfAnswer):
    """A sum or joined text: what stands in the reply, what would, and out of how many units' answers.

    ``meant`` tells that nobody is overruled: the reply is silent, or holds what was taken over last. ``kept`` is what
    is remembered when it is taken; ``aside`` counts the units whose answer cannot be read or breaks a rule.
    """

    key: AnswerKey
    parsed: Parsed
    old: StoredAnswer | None
    units: int
    kept: str
    meant: bool
    aside: int = 0

    @property
    def sign(self) -> str:
        """Return by what a form tells that it showed this, and nothing else, of the units."""
        return _digest(self.kept)


@dataclass(frozen=True)
class Way:
    """One answer that could be taken over: given by ``units``, or made of theirs (``kind``); ``by`` weights a mean."""

    name: str
    kind: str  # said | union | average | weighted
    parsed: Parsed
    units: tuple[str, ...]
    by: AnswerKey | None = None

    @property
    def sign(self) -> str:
        """Return by what a form tells that it showed this answer."""
        return mark(self.parsed)


@dataclass(frozen=True)
class Pick(_OfAnswer):
    """An answer of which one of several is chosen; ``wanted`` is the way that suggests itself, "" for none.

    ``before``: it was chosen before; ``settled``: neither the units nor the institution changed anything since;
    ``aside`` as in :class:`Put`.
    """

    key: AnswerKey
    ways: tuple[Way, ...]
    old: StoredAnswer | None
    wanted: str
    seen: str
    before: bool
    settled: bool
    aside: int = 0


@dataclass(frozen=True)
class RowPut:
    """One row of a unit that would be added to the reply, or changed there; ``cells`` are those that would change.

    ``meant`` as in :class:`Put`; ``kept`` are the marks of all its cells, by field without row; ``troubled`` are those
    of ``cells`` that cannot be read or break a rule.
    """

    place: RowKey
    parent: str
    unit: str
    delegation_id: int
    new: bool
    cells: Mapping[AnswerKey, Parsed]
    old: Mapping[AnswerKey, StoredAnswer]
    meant: bool
    kept: Mapping[str, str]
    troubled: frozenset[AnswerKey] = frozenset()

    @property
    def name(self) -> str:
        """Return how a form names it."""
        return f"row:{self.place.repeat}[{self.place.key}]"

    @property
    def sign(self) -> str:
        """Return by what a form tells that it showed this row of the unit, and no other state of it."""
        return _digest(canonical(sorted(self.kept.items())))


@dataclass(frozen=True)
class RowGone:
    """A row that was taken over and that its unit removed since, or whose unit was left out; it stands in the reply."""

    place: RowKey
    unit: str
    revision: int
    cells: Mapping[AnswerKey, StoredAnswer]
    left_out: bool

    @property
    def name(self) -> str:
        """Return how a form names it."""
        return f"gone:{self.place.repeat}[{self.place.key}]"


@dataclass(frozen=True)
class FilePut:
    """A file of units that would become evidence of the reply; the same file of several units comes once.

    ``key`` is where it would hang: on a question, or on a cell of a row that stands or comes with it (``at`` is the
    number of that row at its unit, 0 elsewhere).
    """

    key: AnswerKey
    file: UnitFile
    units: tuple[str, ...]
    at: int = 0

    @property
    def name(self) -> str:
        """Return how a form names it, and how it is remembered."""
        return file_mark(self.key, self.file.sha256)


@dataclass(frozen=True)
class FileGone:
    """A file that was taken over and that no unit attaches any more; it is evidence of the reply."""

    key: AnswerKey
    evidence: Evidence
    mark: str

    @property
    def name(self) -> str:
        """Return how a form names it."""
        return f"gone:{self.mark}"


@dataclass(frozen=True)
class Plan:
    """What taking over would change; ``removed`` counts rows and files that the institution took off again."""

    puts: tuple[Put, ...]
    picks: tuple[Pick, ...]
    rows: tuple[RowPut, ...]
    rows_gone: tuple[RowGone, ...]
    files: tuple[FilePut, ...]
    files_gone: tuple[FileGone, ...]
    removed: int
    replies: tuple[UnitReply, ...]

    @property
    def unfinished(self) -> int:
        """Return how many units were asked and have not finished; those left out, or taken back, are not waited for."""
        asked = [one.line.delegation for one in self.replies]
        return sum(1 for one in asked if one.finished_at is None and one.revoked_at is None)

    @property
    def empty(self) -> bool:
        """Return whether nothing is left to take over or to decide."""
        waiting = [one for one in self.picks if not one.settled]
        return not (self.puts or waiting or self.rows or self.rows_gone or self.files or self.files_gone)


def file_mark(key: AnswerKey, sha256: str) -> str:
    """Return under which name a file that was taken over is remembered."""
    return f"file:{field_name(key)}:{sha256[:32]}"


def mark(given: Given | Parsed) -> str:
    """Return a short sign of an answer, by which a change of it is seen."""
    return _digest(canonical([given.value, given.state, given.typed]))


def _digest(said: str) -> str:
    return hashlib.sha256(said.encode()).hexdigest()[:12]
