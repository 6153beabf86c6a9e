"""The texts of a questionnaire as a workbook for translators: written, judged when it comes back, carried out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from portal.queries.questionnaire_texts import TextLine, TextPlace, lines_of, read_place
from portal.queries.questionnaire_versions import open_draft
from portal.queries.questionnaires import definition
from portal.services.questionnaire_texts import Judged, TextEdit, draft_for, plan, save_texts
from portal.table import Problem, pick
from portal.workbooks import questionnaire_texts as workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from forms.definition.model import Definition
    from portal.models import QuestionnaireVersion
    from portal.permissions import Principal
    from portal.services.questionnaire_texts import TextPlan
    from portal.workbooks.questionnaire_texts import TextRow, TextRows


@dataclass(frozen=True)
class Told:
    """A text of the file with its place there, and what came of it."""

    sheet: str
    row: int
    judged: Judged


@dataclass
class FilePlan:
    """What a returned workbook comes to; ``refused`` holds rows that could not be read, and texts with the reason."""

    added: list[Told] = field(default_factory=list)
    changed: list[Told] = field(default_factory=list)
    marked: list[Told] = field(default_factory=list)
    stale: list[Told] = field(default_factory=list)
    refused: list[Problem] = field(default_factory=list)
    unchanged: int = 0

    @property
    def edits(self) -> list[TextEdit]:
        """What carrying this out would write."""
        return [one.judged.edit for one in (*self.added, *self.changed, *self.marked)]

    @property
    def counts(self) -> dict[str, int]:
        """The figures of the dry run: texts, but rows for ``unchanged``."""
        return {
            "added": len(self.added),
            "changed": len(self.changed),
            "checked": len(self.marked),
            "unchanged": self.unchanged,
            "stale": len(self.stale),
            "refused": len(self.refused),
        }

    @property
    def fingerprint(self) -> str:
        """A sha256 of what would be written, to see whether a later judgement is the same."""
        return hashlib.sha256(repr([self.counts, self.edits]).encode()).hexdigest()


def write_file(of: Definition, reader: Sequence[str], name: Callable[[TextLine], str]) -> bytes:
    """Return the workbook; ``name`` says what a text is, in the first language of ``reader``."""
    pages = {page.code: page.text("label", reader[0], tuple(reader)) or page.code for page in of.pages}
    rows = (
        {
            "id": f"{of.code}/{line.place.spelled()}",
            "page": pages.get(line.page, ""),
            "place": name(line),
            "texts": line.texts,
            "checked": {language: line.checked_by(language) for language in of.languages},
        }
        for line in lines_of(of)
    )
    return workbook.write(pick(of.titles, reader[0], reader) or of.code, rows, of.languages, reader)


def read_file(path: Path, of: Definition, *, filename: str, limit: int) -> TextRows:
    """Read a returned workbook.

    Raises:
        Invalid: it is not ours, damaged, or too large.
    """
    return workbook.read(path, of.languages, filename=filename, limit_bytes=limit)


def plan_file(session: Session, version: QuestionnaireVersion, rows: TextRows) -> FilePlan:
    """Judge a returned workbook against the draft that would take it (else the version itself); nothing is written."""
    target = version
    if version.published_at is not None:
        target = open_draft(session, version.questionnaire_id) or version
    of = definition(session, target.id)
    made = FilePlan(unchanged=rows.unchanged, refused=list(rows.problems))
    lines = lines_of(of)
    edits: list[TextEdit] = []
    rows_of: dict[TextPlace, TextRow] = {}
    seen: set[str] = set()
    for row in rows.rows:
        code, _sign, spelled = row.id.partition("/")
        place = read_place(spelled)
        if place is None or code != of.code or row.id in seen:
            made.refused.append(_unusable(row, code, of.code, twice=row.id in seen))
            continue
        seen.add(row.id)
        for cell in row.cells:
            edit = TextEdit(place, cell.language, cell.base, cell.new, cell.checked)
            edits.append(edit)
            rows_of[place] = row
    _tell(plan(lines, of.languages, edits), rows_of, made)
    return made


def _tell(judged: TextPlan, rows: dict[TextPlace, TextRow], made: FilePlan) -> None:
    def told(found: Sequence[Judged]) -> list[Told]:
        return [Told(rows[one.edit.place].sheet, rows[one.edit.place].row, one) for one in found]

    made.added, made.changed, made.marked = told(judged.added), told(judged.changed), told(judged.marked)
    made.stale = told(judged.stale)
    made.unchanged += judged.unchanged
    made.refused += [
        Problem(one.judged.reason or "", one.sheet, one.row, field=one.judged.edit.place.spelled())
        for one in told(judged.refused)
    ]


def _unusable(row: TextRow, code: str, own: str, *, twice: bool) -> Problem:
    if twice:
        mend = _l("Remove one of the two rows.")
        return Problem(_l("This text stands in the file a second time."), row.sheet, row.row, mend=mend)
    if code != own:
        sentence = _l("This text belongs to another questionnaire (%(code)s).", code=code[:80])
        return Problem(sentence, row.sheet, row.row, mend=_l("Bring the file there."))
    mend = _l("Do not change the hidden first columns; download the workbook again.")
    return Problem(_l("The portal does not know the text of this row."), row.sheet, row.row, mend=mend)


def carry_out_file(
    session: Session, version: QuestionnaireVersion, made: FilePlan, *, by: Principal
) -> tuple[QuestionnaireVersion, TextPlan]:
    """Write what the plan says into the draft, begun if there is none; stale and refused texts are left."""
    draft = draft_for(session, version, by=by)
    return draft, save_texts(session, draft, made.edits, by=by)
