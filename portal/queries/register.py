"""The register of evidence: numbered per round, one line per file however often attached, and where it is cited."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import String, cast, select

from portal.models import (
    Answer,
    Assignment,
    Evidence,
    EvidenceKind,
    Question,
    RecommendationTag,
    ReportingRound,
    Submission,
    Tag,
    VersionItem,
    Vocabulary,
)
from portal.queries.submissions import asked_recommendations, citation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import Visibility
    from portal.queries.submissions import AskedRecommendation

# [E12], with Latin or Khmer digits
CITED = re.compile("\\[[Ee]([0-9\u17e0-\u17e9]{1,7})\\]")


def cited_in(text: object) -> list[int]:
    """Return the numbers that a text cites as [E12], each once, in their order."""
    return list(dict.fromkeys(int(number) for number in CITED.findall(text))) if isinstance(text, str) else []


@dataclass
class RegisterLine:
    """One file or link of an institution in a round; ``numbers`` are those it was given, the first names it."""

    numbers: list[int]
    public_id: str
    is_file: bool
    name: str
    caption: str
    media_type: str
    size: int | None
    sha256: str
    added_at: datetime
    round_slug: str
    round_titles: Mapping[str, str]
    # a file attached twice may be shown to different readers; a link is no file to scan
    visibilities: set[Visibility] = field(default_factory=set)
    scanned_at: datetime | None = None
    # what it was attached to: id -> (public id, how it is cited with its mechanism)
    about: dict[int, tuple[str, str]] = field(default_factory=dict)
    # whose it is, in the register of a round
    institution_code: str = ""
    # (public id of the reply, citation of its recommendations, question code or "")
    attached: list[tuple[str, str, str]] = field(default_factory=list)
    # the same, for the answers whose text cites one of the numbers
    cited: list[tuple[str, str, str]] = field(default_factory=list)

    def attach(self, row: Any, asked: Iterable[AskedRecommendation]) -> None:
        """Note one more attachment of the same file: a row of evidence, and what its reply is about."""
        self.numbers.append(row.number)
        if row.caption and row.caption not in self.caption:
            self.caption = f"{self.caption}; {row.caption}" if self.caption else row.caption
        self.visibilities.add(row.visibility)
        self.scanned_at = self.scanned_at or row.scanned_at
        self.about |= {one.id: (one.public_id, f"{one.mechanism} {one.citation}") for one in asked}


def register(session: Session, institution_id: int, *, round_slug: str = "") -> list[RegisterLine]:
    """Return an institution's own register, drafts included; four queries."""
    found = (
        select(
            Evidence.number, Evidence.public_id, Evidence.kind, Evidence.filename, Evidence.url, Evidence.caption,
            Evidence.media_type, Evidence.size, Evidence.sha256, Evidence.added_at, Evidence.submission_id,
            Evidence.visibility, Evidence.scanned_at,
            Question.code, Submission.public_id.label("reply"), Assignment.id.label("assignment_id"),
            ReportingRound.id.label("round_id"), ReportingRound.slug, ReportingRound.titles,
        )
        .join(Submission, Submission.id == Evidence.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(ReportingRound, ReportingRound.id == Evidence.round_id)
        .outerjoin(Question, Question.id == Evidence.question_id)
        .where(Assignment.institution_id == institution_id, Evidence.removed_at.is_(None))
        .order_by(ReportingRound.opens_on.desc(), ReportingRound.id.desc(), Evidence.number)
    )  # fmt: skip
    if round_slug:
        found = found.where(ReportingRound.slug == round_slug)
    rows = session.execute(found).all()
    cites = _citing(session, institution_id) if rows else []
    asked = asked_recommendations(session, {row.assignment_id for row in rows} | {row.assignment_id for row in cites})
    places = {number: citation(many) for number, many in asked.items()}
    lines: dict[tuple[int, str], RegisterLine] = {}
    by_number: dict[tuple[str, int], RegisterLine] = {}
    for row in rows:
        line = lines.setdefault((row.round_id, row.sha256 or row.url or row.public_id), _line(row))
        line.attach(row, asked.get(row.assignment_id, ()))
        line.attached.append((row.reply, places.get(row.assignment_id, ""), row.code or ""))
        by_number[row.slug, row.number] = line
    for row in cites:
        for number in cited_in(row.value):
            place = (row.reply, places.get(row.assignment_id, ""), row.code)
            known = by_number.get((row.slug, number))
            if known is not None and place not in known.cited:
                known.cited.append(place)
    return list(lines.values())


def question_labels(
    session: Session, places: Iterable[tuple[str, str, str]]
) -> Mapping[tuple[str, str], Mapping[str, str]]:
    """Return (public id of the reply, question code) -> the question's label as that reply asks it; one query."""
    wanted = {(reply, code) for reply, _cited, code in places if code}
    if not wanted:
        return {}
    found = session.execute(
        select(Submission.public_id, Question.code, VersionItem.texts)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(VersionItem, VersionItem.version_id == Assignment.version_id)
        .join(Question, Question.id == VersionItem.question_id)
        .where(
            Submission.public_id.in_({reply for reply, _code in wanted}),
            Question.code.in_({code for _reply, code in wanted}),
        )
        .order_by(Submission.id, VersionItem.id)
    )
    return {(reply, code): texts.get("label", {}) for reply, code, texts in found}


def _line(row: Any) -> RegisterLine:
    is_file = row.kind is EvidenceKind.FILE
    return RegisterLine(
        [], row.public_id, is_file, (row.filename if is_file else row.url) or "", row.caption, row.media_type or "",
        row.size, row.sha256 or "", row.added_at, row.slug, row.titles,
    )  # fmt: skip


def _citing(session: Session, institution_id: int) -> list[Any]:
    """Return the answers of an institution whose text may cite evidence."""
    return list(
        session.execute(
            select(
                Answer.value, Question.code, Submission.public_id.label("reply"),
                Assignment.id.label("assignment_id"), ReportingRound.slug,
            )
            .join(Submission, Submission.id == Answer.submission_id)
            .join(Assignment, Assignment.id == Submission.assignment_id)
            .join(ReportingRound, ReportingRound.id == Assignment.round_id)
            .join(Question, Question.id == Answer.question_id)
            .where(Assignment.institution_id == institution_id, cast(Answer.value, String).ilike("%[E%"))
            .order_by(Answer.submission_id, Answer.question_id, Answer.row, Answer.lang)
        )
    )  # fmt: skip


def unknown_numbers(session: Session, institution_id: int, round_id: int, texts: Iterable[object]) -> list[int]:
    """Return the numbers that texts cite and that are no evidence of this institution in this round."""
    cited = sorted({number for text in texts for number in cited_in(text)})
    if not cited:
        return []
    known = set(
        session.scalars(
            select(Evidence.number)
            .join(Submission, Submission.id == Evidence.submission_id)
            .join(Assignment, Assignment.id == Submission.assignment_id)
            .where(
                Assignment.institution_id == institution_id,
                Evidence.round_id == round_id,
                Evidence.removed_at.is_(None),
                Evidence.number.in_(cited),
            )
        )
    )
    return [number for number in cited if number not in known]


def themes_of(session: Session, recommendation_ids: Iterable[int]) -> dict[int, list[tuple[str, Mapping[str, str]]]]:
    """Return the themes of some recommendations: (key, labels) by recommendation; one query."""
    found: dict[int, list[tuple[str, Mapping[str, str]]]] = {}
    for recommendation_id, key, labels in session.execute(
        select(RecommendationTag.recommendation_id, Tag.key, Tag.labels)
        .join(Tag, Tag.id == RecommendationTag.tag_id)
        .where(
            Tag.vocabulary == Vocabulary.THEME,
            RecommendationTag.recommendation_id.in_(sorted(set(recommendation_ids))),
        )
        .order_by(Tag.rank, Tag.id)
    ):
        found.setdefault(recommendation_id, []).append((key, labels))
    return found
