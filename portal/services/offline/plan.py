"""What a returned workbook would change: per question what stands, what came, and what may be done about it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from flask_babel import lazy_gettext as _l

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forms.answers import AnswerKey, Parsed, Rows
    from forms.context import Context
    from forms.definition.model import Definition
    from portal.queries.submissions import RowKey, StoredAnswer, StoredReply, SubmissionHead
    from portal.table import Problem, Speakable
    from portal.workbooks.offline.found import FoundSheet

Outcome = Literal[
    "new", "changed", "cleared", "conflict", "copies", "taken", "kept", "refused", "new_row", "emptied_row"
]
# what is taken over where nobody says otherwise
BY_DEFAULT: frozenset[Outcome] = frozenset({"new", "changed", "new_row"})
# nobody need decide anything; of what was taken before, what stands stays
CLEAR = BY_DEFAULT | {"taken", "kept"}


def in_part(sheet: str, *, word: bool) -> Speakable | None:
    """Say under which heading of a document something stands; None of a workbook, whose sheets are told as sheets."""
    said: Speakable | None = _l("Under the heading “%(heading)s”:", heading=sheet) if word and sheet else None
    return said


def in_file(filename: str, sheet: str | None = None, *, word: bool = False) -> Speakable:
    """Say in which file something stands, and in which of its sheets or under which heading."""
    said: Speakable = _l("File “%(file)s”:", file=filename)
    if sheet and word:
        said = _l("File “%(file)s”, heading “%(heading)s”:", file=filename, heading=sheet)
    elif sheet:
        said = _l("File “%(file)s”, sheet “%(sheet)s”:", file=filename, sheet=sheet)
    return said


@dataclass(frozen=True)
class Place:
    """Where something stands in a file: which copy (file name or department), sheet, cell.

    In a document (``word``) they are the heading of the reply, and the question with the line of its table.
    """

    copy: str
    sheet: str
    address: str
    word: bool = False

    @property
    def said(self) -> Speakable:
        """Where it stands, for a reader."""
        said: Speakable = (
            _l("“%(sheet)s”, %(place)s", sheet=self.sheet, place=self.address)
            if self.word
            else _l("sheet “%(sheet)s”, cell %(cell)s", sheet=self.sheet, cell=self.address)
        )
        return said

    @property
    def spot(self) -> Speakable:
        """Where it stands within its sheet."""
        return self.address if self.word else _l("cell %(cell)s", cell=self.address)


@dataclass(frozen=True)
class Trace:
    """A cell of a copy and the digest of what it says: by this a copy is known that comes again.

    ``book`` is the download, ``copy`` the name its fillers gave it; ``code``, ``line``, ``lang`` are those of its mark.
    """

    book: str
    copy: str
    code: str
    line: str
    lang: str
    digest: str


@dataclass(frozen=True)
class Finding:
    """One answer as one copy brings it; ``found`` is what its cell holds, ``base`` the revision that its filler saw.

    ``of_reason``: what is refused is not the answer but the reason why there is none, which has a cell of its own.
    ``doubt`` says why it may belong elsewhere.
    """

    trace: Trace
    key: AnswerKey
    parsed: Parsed
    base: int
    place: Place
    found: str
    cleared: bool = False
    full: bool = False
    sentence: Speakable | None = None
    of_reason: bool = False
    doubt: Speakable | None = None


@dataclass(frozen=True)
class Option:
    """One text that may become the answer; ``name`` is how a form says so."""

    name: str
    text: str
    parsed: Parsed
    place: Place | None = None
    traces: tuple[Trace, ...] = ()


@dataclass
class ChangedAnswer:
    """One answer that the files speak of; ``old`` is what stands, read aloud, ``revision`` its revision.

    ``taken`` is an outcome too: just this was taken over before from the file, and somebody changed it since. ``kept``:
    just this was seen before, and somebody chose to keep what stands still.
    ``warning`` is a rule that the answer breaks (it may be taken, and is said on the page); ``held``: it is not taken
    unless somebody says so, for what stands breaks none, or its place is in doubt. ``waits``: it would break one
    without what is to be seen first. Refused ones say why, what was expected and an example.
    """

    key: AnswerKey
    name: str
    label: str
    outcome: Outcome
    old: str
    revision: int
    options: list[Option]
    place: Place
    found: str = ""
    sentence: Speakable | None = None
    expected: str = ""
    example: str = ""
    warning: Speakable | None = None
    held: bool = False
    waits: bool = False
    may_join: bool = False

    def spot(self, option: Option) -> Speakable | None:
        """Say where an option stands in its file: within its sheet, with the sheet where several of one file differ."""
        if option.place is None:
            return None
        sheets = {one.place.sheet for one in self.options if one.place and one.place.copy == option.place.copy}
        return option.place.said if len(sheets) > 1 else option.place.spot

    @property
    def chosen(self) -> str:
        """Return the option that is taken where nobody says otherwise, "" for none."""
        return self.options[0].name if self.outcome in BY_DEFAULT and self.options and not self.held else ""

    @property
    def clear(self) -> bool:
        """Tell whether nobody need look at it before it is taken."""
        return self.outcome in CLEAR and self.warning is None and not (self.held or self.waits)


@dataclass
class ChangedRow:
    """A row of a table that the files add, or that came back emptied.

    ``sentence`` says why it is refused; of one that came back emptied, what somebody wrote in it since the download.
    ``twin`` says of a new one where the same line is already: it is not taken unless somebody says so.
    ``seen`` are the revisions of its cells and of those within it, against which it is removed; ``within`` says which
    lines stand in it and would go with it.
    """

    row: RowKey
    parent: str
    name: str
    label: str
    outcome: Outcome
    place: Place
    cells: list[ChangedAnswer] = field(default_factory=list)
    revision: int = 0
    seen: Mapping[AnswerKey, int] = field(default_factory=dict)
    sentence: Speakable | None = None
    within: tuple[Speakable, ...] = ()
    traces: tuple[Trace, ...] = ()
    twin: Speakable | None = None

    @property
    def chosen(self) -> str:
        """Return "take" where it is taken unless somebody says otherwise."""
        return "take" if self.outcome in BY_DEFAULT and self.twin is None else ""

    @property
    def held(self) -> bool:
        """Tell whether it is left although nothing of it is refused or in two versions."""
        return self.twin is not None

    @property
    def told(self) -> list[ChangedAnswer]:
        """Return the cells that count by themselves: of a line that is refused those only that are refused too."""
        return [one for one in self.cells if self.outcome != "refused" or one.outcome == "refused"]

    @property
    def clear(self) -> bool:
        """Tell whether nobody need look at it before it is taken; of a cell that is refused nothing is."""
        cells = all(one.clear or one.outcome == "refused" for one in self.cells)
        return self.outcome in CLEAR and not self.held and cells


@dataclass
class ReplyPlan:
    """One reply: what the files would change in it. ``closed`` says why nothing can be changed at all.

    ``title`` cites its recommendations, ``subject`` says in a few words what they are about.
    """

    head: SubmissionHead
    title: str
    subject: str
    definition: Definition
    question_ids: Mapping[str, int]
    context: Context
    stored: StoredReply
    standing: Rows
    answers: list[ChangedAnswer] = field(default_factory=list)
    rows: list[ChangedRow] = field(default_factory=list)
    unchanged: int = 0
    remarks: list[Problem] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    outdated: list[FoundSheet] = field(default_factory=list)  # downloaded before the questionnaire was renewed
    closed: str = ""

    def stored_answer(self, key: AnswerKey) -> StoredAnswer | None:
        """Return what stands."""
        return self.stored.answers.get(key)

    @property
    def chosen_from(self) -> tuple[ChangedAnswer | ChangedRow, ...]:
        """What may be taken over by itself: answers and lines of tables."""
        return (*self.answers, *self.rows)

    @property
    def every(self) -> Iterator[ChangedAnswer | ChangedRow]:
        """Yield everything that may be chosen or is refused, cells of new rows too."""
        yield from self.answers
        for row in self.rows:
            yield row
            yield from row.cells

    @property
    def speaks(self) -> bool:
        """Tell whether there is anything to say about it but that nothing changes."""
        return bool(self.closed or self.answers or self.rows or self.remarks or self.problems)

    @property
    def takes(self) -> bool:
        """Tell whether anything could be taken over."""
        return not self.closed and any(one.outcome != "refused" for one in self.chosen_from)


@dataclass(frozen=True)
class OtherRound:
    """A round to which a sheet belongs that was sent elsewhere."""

    slug: str
    title: str


@dataclass
class OfflinePlan:
    """What some returned workbooks come to."""

    replies: list[ReplyPlan] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    remarks: list[Problem] = field(default_factory=list)
    copies: Sequence[str] = ()
    other_rounds: Sequence[OtherRound] = ()  # of this institution, to which sheets belong that were not read

    @property
    def counts(self) -> dict[str, int]:
        """Return the figures of the dry run."""
        counts = dict.fromkeys(
            ("new", "changed", "unchanged", "taken", "conflict", "cleared", "refused", "closed"), 0
        )
        for reply in self.replies:
            if reply.closed:
                counts["closed"] += 1
                continue
            counts["unchanged"] += reply.unchanged
            for one in (*reply.answers, *(cell for row in reply.rows for cell in row.told)):
                counts[{"copies": "conflict", "kept": "taken"}.get(one.outcome, one.outcome)] += 1
            counts["cleared"] += sum(row.outcome == "emptied_row" for row in reply.rows)
            counts["refused"] += sum(row.outcome == "refused" and not row.told for row in reply.rows)
            counts["refused"] += len(reply.problems)
        counts["refused"] += len(self.problems)
        return counts

    @property
    def takes(self) -> bool:
        """Tell whether anything could be taken over."""
        return any(reply.takes for reply in self.replies)

    @property
    def doubtful(self) -> bool:
        """Tell whether anything is not taken over by itself: its sender should see it."""
        return bool(self.problems) or any(
            reply.closed or reply.problems or any(not one.clear for one in reply.every)
            for reply in self.replies
        )

    @property
    def fingerprint(self) -> str:
        """Return a sha256 of everything that may be chosen, to see whether a later judgement is the same."""
        acts = [
            (reply.head.public_id, one.name, one.outcome, one.revision,
             [(option.name, option.parsed.value, option.parsed.state) for option in getattr(one, "options", ())],
             # whoever removes a line has seen what stands in its cells
             sorted((key, revision) for key, revision in getattr(one, "seen", {}).items()))
            for reply in self.replies if not reply.closed for one in reply.every
        ]  # fmt: skip
        return hashlib.sha256(repr(acts).encode()).hexdigest()
