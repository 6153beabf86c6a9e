"""Texts that come back from translators in one workbook: judged first, then written over exactly what they saw."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.models import Recommendation, TextStatus
from portal.services.recommendation_texts import (
    FIELDS,
    TEXT_LIMIT,
    SavedTexts,
    StaleText,
    TextEdit,
    same_text,
    save_texts,
)
from portal.table import Problem
from portal.workbooks import texts as workbook

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.queries.countries import CountryFacts
    from portal.workbooks.texts import TextsRow


@dataclass
class TextChange:
    """What one row of the workbook brings to one recommendation."""

    row: TextsRow
    recommendation: Recommendation
    edits: list[TextEdit] = field(default_factory=list)
    text_status: TextStatus | None = None
    checked_by: str | None = None

    @property
    def does_something(self) -> bool:
        """Tell whether anything is left to write."""
        return bool(self.edits) or self.text_status is not None or self.checked_by is not None


@dataclass
class TextPlan:
    """What a returned workbook comes to; ``stale`` holds texts that somebody else changed since the download."""

    changed: list[TextChange] = field(default_factory=list)
    unchanged: int = 0
    stale: list[tuple[TextsRow, Recommendation, StaleText]] = field(default_factory=list)
    refused: list[Problem] = field(default_factory=list)

    @property
    def does_something(self) -> bool:
        """Tell whether carrying this out would write anything."""
        return bool(self.changed)

    @property
    def counts(self) -> dict[str, int]:
        """Return the figures of the dry run: rows, but single texts for ``stale``."""
        return {
            "changed": len(self.changed),
            "unchanged": self.unchanged,
            "stale": len(self.stale),
            "refused": len(self.refused),
        }

    @property
    def fingerprint(self) -> str:
        """Return a sha256 of what would be written, to see whether a later judgement is the same."""
        acts = [(one.row.id, one.edits, one.text_status, one.checked_by) for one in self.changed]
        return hashlib.sha256(repr([self.counts, acts]).encode()).hexdigest()


def write_texts(rows: Iterable[Recommendation], symbols: dict[int, str], country: CountryFacts) -> bytes:
    """Return the workbook for translators; ``symbols`` names the documents by id."""
    return workbook.write(
        (
            {
                "id": one.public_id,
                "symbol": symbols[one.document_id],
                "paragraph": one.paragraph,
                "sub_item": one.sub_item,
                "heading": one.heading,
                "texts": one.texts,
                "summary": one.summary,
                "text_status": one.text_status.value,
                "checked_by": one.checked_by or "",
            }
            for one in rows
        ),
        country.languages,
    )


def read_texts(path: Path, country: CountryFacts, *, filename: str, limit: int) -> workbook.TextsRows:
    """Read a returned workbook.

    Raises:
        Invalid: it is not ours, damaged, or too large.
    """
    return workbook.read(path, country.languages, filename=filename, limit_bytes=limit)


def plan_texts(session: Session, found: workbook.TextsRows) -> TextPlan:
    """Judge a returned workbook against the database; nothing is written."""
    made = TextPlan(unchanged=found.unchanged, refused=list(found.problems))
    stored = _load(session, [row.id for row in found.rows])
    seen: set[str] = set()
    for row in found.rows:
        problem = _unusable(row, stored, seen)
        if problem is not None:
            made.refused.append(problem)
            continue
        seen.add(row.id)
        _judge(row, stored[row.id], made)
    return made


def _load(session: Session, keys: Sequence[str]) -> dict[str, Recommendation]:
    found: dict[str, Recommendation] = {}
    for start in range(0, len(keys), 500):
        query = select(Recommendation).where(Recommendation.public_id.in_(keys[start : start + 500]))
        found |= {one.public_id: one for one in session.scalars(query.execution_options(populate_existing=True))}
    return found


def _unusable(row: TextsRow, stored: dict[str, Recommendation], seen: set[str]) -> Problem | None:
    if row.id not in stored:
        mend = _l("Do not change the hidden first columns; download the workbook again.")
        return Problem(_l("The portal does not know the recommendation of this row."), row.sheet, row.row, mend=mend)
    if row.id in seen:
        mend = _l("Remove one of the two rows.")
        return Problem(_l("This recommendation stands in the file a second time."), row.sheet, row.row, mend=mend)
    if any(len(text) > TEXT_LIMIT for text in row.changed.values()):
        sentence = _l("A text is longer than 100,000 characters.")
        return Problem(sentence, row.sheet, row.row, mend=_l("Shorten it."))
    status = row.changed.get(("text_status", ""))
    if status is not None and status not in set(TextStatus):
        mend = _l("Choose one of the list.")
        sentence = _l("“%(value)s” is no standing of a national text.", value=status[:40])
        return Problem(sentence, row.sheet, row.row, mend=mend)
    return None


def _judge(row: TextsRow, one: Recommendation, made: TextPlan) -> None:
    change = TextChange(row, one)
    stale: list[StaleText] = []
    for (part, lang), new in row.changed.items():
        if part in FIELDS:
            now = getattr(one, part).get(lang, "")
        else:
            now = one.text_status.value if part == "text_status" else one.checked_by or ""
        if same_text(now, new):
            continue
        if row.stale(part, lang, now):
            stale.append(StaleText(part, lang, now, new))
        elif part in FIELDS:
            change.edits.append(TextEdit(part, lang, now, new))
        elif part == "text_status":
            change.text_status = TextStatus(new)
        else:
            change.checked_by = new
    made.stale += [(row, one, text) for text in stale]
    if change.does_something:
        made.changed.append(change)
    elif not stale:
        made.unchanged += 1


def carry_out_texts(session: Session, made: TextPlan, *, by: Principal) -> SavedTexts:
    """Write what the plan says, in the transaction in which it was made; stale and refused rows are left."""
    done = SavedTexts()
    for one in made.changed:
        saved = save_texts(
            session, one.recommendation, one.edits, by=by, text_status=one.text_status, checked_by=one.checked_by
        )
        done.saved += saved.saved
        done.stale += saved.stale
    return done
