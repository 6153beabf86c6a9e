"""What a report of the State said per recommendation: written by hand or imported, so that memory begins at once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update

from portal import clock
from portal.errors import Conflict, Invalid
from portal.models import Recommendation, RecommendationOrigin, ReportedText, SourceDocument
from portal.permissions import Permission, require
from portal.services import audit
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.workbooks.reported import ReportedRow, ReportedRows

LIMIT = 30_000
SOURCE_LIMIT, PARAGRAPH_LIMIT = 200, 40


@dataclass(frozen=True)
class Report:
    """Which report said it, where, and when."""

    source: str
    paragraph: str = ""
    reported_on: date | None = None


@dataclass
class ReportedPlan:
    """What a file comes to: new texts, changed ones (with what stands now), unchanged ones, refused rows."""

    new: list[tuple[ReportedRow, Recommendation]] = field(default_factory=list)
    changed: list[tuple[ReportedRow, Recommendation, ReportedText]] = field(default_factory=list)
    unchanged: int = 0
    refused: list[Problem] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Return the figures of the dry run."""
        return {"new": len(self.new), "changed": len(self.changed), "unchanged": self.unchanged,
                "refused": len(self.refused)}  # fmt: skip

    @property
    def fingerprint(self) -> str:
        """Return a sha256 of what would be written."""
        acts: list[Any] = [(row, one.id) for row, one in self.new]
        acts += [(row, one.id, stored.revision) for row, one, stored in self.changed]
        return hashlib.sha256(repr([self.counts, acts]).encode()).hexdigest()


def judge(report: Report, texts: Mapping[str, str]) -> list[Problem]:
    """Return what is wrong with a text before it is stored."""
    problems = []
    if not report.source.strip() or len(report.source) > SOURCE_LIMIT:
        problems.append(Problem(_l("Name the report: its symbol, or its title and year."), field="source"))
    if len(report.paragraph) > PARAGRAPH_LIMIT:
        problems.append(Problem(_l("The paragraph is longer than 40 characters."), field="paragraph"))
    if not any(text.strip() for text in texts.values()):
        problems.append(Problem(_l("Write what the report said, in one language at least."), field="texts"))
    if any(len(text) > LIMIT for text in texts.values()):
        problems.append(Problem(_l("A text is longer than 30,000 characters. Shorten it."), field="texts"))
    return problems


def set_reported(
    session: Session, of: Recommendation, report: Report, texts: Mapping[str, str], *, base: int | None, by: Principal
) -> ReportedText:
    """Write what one report said on a recommendation; ``base`` is the revision its writer saw (None: whatever it is).

    Raises:
        Invalid: nothing is said, no report is named, or something is too long.
        Conflict: somebody else changed it meanwhile.
    """
    require(by, Permission.EDIT_RECOMMENDATIONS)
    if problems := judge(report, texts):
        raise Invalid(problems[0].message, problems=problems)
    found = session.scalars(
        select(ReportedText)
        .where(ReportedText.recommendation_id == of.id, ReportedText.source == report.source.strip())
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if base is not None and base != (found.revision if found else 0):
        raise Conflict(_l("Somebody else changed this text meanwhile. Look at it again; nothing was written."))
    if found is None:
        found = ReportedText(recommendation_id=of.id, source=report.source.strip(), revision=0, newest=False)
        session.add(found)
    found.paragraph, found.reported_on = report.paragraph.strip(), report.reported_on
    found.texts = {language: text.strip() for language, text in texts.items() if text.strip()}
    found.revision += 1
    found.set_by, found.set_at = by.actor_id, clock.now()
    session.flush()
    _choose_newest(session, of.id)
    audit.record(
        session, "set_reported_text", by=by, kind="recommendation", thing=of.public_id, source=found.source,
        revision=found.revision,
    )  # fmt: skip
    return found


def _choose_newest(session: Session, recommendation_id: int) -> None:
    """Let institutions see the text of the newest report; one without a day is older than all."""
    newest = session.scalars(
        select(ReportedText.id)
        .where(ReportedText.recommendation_id == recommendation_id)
        .order_by(ReportedText.reported_on.desc().nulls_last(), ReportedText.id.desc())
        .limit(1)
    ).first()
    session.execute(
        update(ReportedText)
        .where(ReportedText.recommendation_id == recommendation_id)
        .values(newest=ReportedText.id == newest)
        .execution_options(synchronize_session="fetch")
    )


def plan_reported(session: Session, found: ReportedRows) -> ReportedPlan:
    """Judge a file against the database; nothing is written."""
    made = ReportedPlan(refused=list(found.problems))
    known = {
        (symbol, one.paragraph, one.sub_item): one
        for one, symbol in session.execute(
            select(Recommendation, SourceDocument.symbol)
            .join(SourceDocument, SourceDocument.id == Recommendation.document_id)
            .where(Recommendation.archived.is_(False), SourceDocument.symbol.in_({row.symbol for row in found.rows}))
        )
    }
    stored = {(one.recommendation_id, one.source): one for one in session.scalars(select(ReportedText))}
    seen: set[tuple[int, str]] = set()
    for row in found.rows:
        one = known.get((row.symbol, row.paragraph, row.sub_item))
        if one is None:
            sentence = _l("The portal has no recommendation %(paragraph)s in “%(symbol)s”.",
                          paragraph=f"{row.paragraph} {row.sub_item}".strip(), symbol=row.symbol[:60])  # fmt: skip
            made.refused.append(Problem(sentence, row.sheet, row.row))
        elif problems := judge(_report(row), row.texts):
            made.refused.append(Problem(problems[0].message, row.sheet, row.row))
        elif (one.id, row.source) in seen:
            twice = _l("This recommendation stands in the file a second time.")
            made.refused.append(Problem(twice, row.sheet, row.row))
        else:
            seen.add((one.id, row.source))
            _sort(made, row, one, stored.get((one.id, row.source)))
    return made


def _report(row: ReportedRow) -> Report:
    return Report(row.source, row.report_paragraph, row.reported_on)


def _sort(made: ReportedPlan, row: ReportedRow, one: Recommendation, now: ReportedText | None) -> None:
    if now is None:
        made.new.append((row, one))
    elif (
        all(now.texts.get(language, "") == text.strip() for language, text in row.texts.items())
        and now.paragraph == row.report_paragraph
        and now.reported_on == row.reported_on
    ):
        made.unchanged += 1
    else:
        made.changed.append((row, one, now))


def carry_out(session: Session, made: ReportedPlan, *, by: Principal) -> int:
    """Write what the plan says; return how many texts. A language that a row leaves blank stays as it is."""
    for row, one in made.new:
        set_reported(session, one, _report(row), row.texts, base=0, by=by)
    for row, one, now in made.changed:
        set_reported(session, one, _report(row), now.texts | dict(row.texts), base=now.revision, by=by)
    return len(made.new) + len(made.changed)


def set_origins(session: Session, of: Recommendation, earlier: list[Recommendation], *, by: Principal) -> None:
    """Say which earlier recommendations this one repeats, under another number or in a later document.

    Raises:
        Invalid: a recommendation would repeat itself.
    """
    require(by, Permission.EDIT_RECOMMENDATIONS)
    wanted = {one.id for one in earlier}
    if of.id in wanted:
        sentence = _l("A recommendation cannot repeat itself.")
        raise Invalid(sentence, problems=[Problem(sentence, field="repeats")])
    have = {
        one.earlier_id: one
        for one in session.scalars(select(RecommendationOrigin).where(RecommendationOrigin.recommendation_id == of.id))
    }
    for number, one in have.items():
        if number not in wanted:
            session.delete(one)
    for number in sorted(wanted - have.keys()):
        session.add(
            RecommendationOrigin(
                recommendation_id=of.id, earlier_id=number, set_by=by.actor_id, set_at=clock.now()
            )
        )
    session.flush()
    if wanted != have.keys():
        names = sorted(one.public_id for one in earlier)
        audit.record(session, "set_origins", by=by, kind="recommendation", thing=of.public_id, earlier=names)
