"""Whether what somebody chose to take over is still what they were shown: units go on answering meanwhile.

A form carries a sign of each line that it showed (``Put.sign`` and its likes). A line that says something else now is
taken over by nobody unseen: neither the figure that was shown, which no unit gives any more, nor the new one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from forms.answers import AnswerKey
    from portal.services.taking_lines import Pick, Plan, Put, RowPut, Way


@dataclass(frozen=True)
class Note:
    """Who said what, in words, to be written into a text of the reply; ``old`` is what stands there."""

    target: AnswerKey
    old: str
    base: int
    text: str


@dataclass(frozen=True)
class Chosen:
    """What of a plan is wanted: names of lines, ways and notes by the name of their line, and what was shown of it.

    ``bases`` are the revisions of the reply that were shown, ``shown`` the signs of what the units said: by line, of a
    way by the name of its answer, a colon and its own name, of who said what by the name of the answer.
    """

    lines: frozenset[str]
    ways: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, Note] = field(default_factory=dict)
    bases: Mapping[str, int] = field(default_factory=dict)
    shown: Mapping[str, str] = field(default_factory=dict)

    def way(self, pick: Pick) -> Way | None:
        """Return the way that was chosen for an answer, None to leave it as it is."""
        return next((way for way in pick.ways if way.name == self.ways.get(pick.name)), None)


@dataclass(frozen=True)
class Moved:
    """A line that was chosen and is not what was shown any more; ``now`` is what it would be, None if it is gone.

    ``way`` names what was chosen of several answers; a line whose note alone changed has neither.
    """

    name: str
    now: Put | RowPut | Way | None = None
    way: str = ""


def moved(made: Plan, chosen: Chosen) -> list[Moved]:
    """Return what was chosen and is not what was shown any more, each line once."""
    found: dict[str, Moved] = {}
    for one in (*_lines(made, chosen), *_ways(made, chosen), *_notes(made, chosen)):
        found.setdefault(one.name, one)
    return list(found.values())


def still_shown(made: Plan, chosen: Chosen) -> Chosen:
    """Return what was chosen without the lines that say something else now: nothing of those is taken over."""
    left = {one.name for one in moved(made, chosen)}
    return replace(
        chosen,
        lines=chosen.lines - left,
        ways={name: way for name, way in chosen.ways.items() if name not in left},
        notes={name: note for name, note in chosen.notes.items() if name not in left},
    )


def _lines(made: Plan, chosen: Chosen) -> Iterator[Moved]:
    signed: dict[str, Put | RowPut] = {one.name: one for one in made.puts}
    signed.update({one.name: one for one in made.rows})
    # what is a file, or goes, says all by its name
    named = {one.name for one in made.rows_gone}
    named |= {one.name for one in made.files} | {one.name for one in made.files_gone}
    for name in sorted(chosen.lines - named):
        now = signed.get(name)
        if now is None or chosen.shown.get(name) != now.sign:
            yield Moved(name, now)


def _ways(made: Plan, chosen: Chosen) -> Iterator[Moved]:
    picks = {pick.name: pick for pick in made.picks}
    for name, wanted in chosen.ways.items():
        if not wanted:
            continue
        way = chosen.way(picks[name]) if name in picks else None
        # an answer that a unit gave is named by what it says; one that is made of several is not
        if way is None:
            yield Moved(name, way=wanted)
        elif way.kind != "said" and chosen.shown.get(f"{name}:{way.name}") != way.sign:
            yield Moved(name, way, wanted)


def _notes(made: Plan, chosen: Chosen) -> Iterator[Moved]:
    for pick in made.picks:
        if pick.name in chosen.notes and chosen.shown.get(pick.name) != pick.seen:
            yield Moved(pick.name)
