"""Whom one question can be put to at once: replies of a round by answer, by recommendation, by institution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from forms.question_types import question_type
from forms.tables import table_of
from portal.models import Assignment, Institution, Status
from portal.queries import handed_in
from portal.queries.questionnaires import definition
from portal.queries.submissions import HEAD, asked_recommendations, head_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.orm import Session

    from forms.definition.model import Definition, Item
    from portal.queries.handed_in import Content
    from portal.queries.submissions import AskedRecommendation, SubmissionHead

# what no longer stands is asked nothing
GONE = frozenset({Status.WITHDRAWN, Status.NOT_OURS})
ANSWERED, NOT_ANSWERED = ":answered", ":not_answered"
NOT_AVAILABLE, NOT_APPLICABLE = ":not_available", ":not_applicable"
STATES = (ANSWERED, NOT_ANSWERED, NOT_AVAILABLE, NOT_APPLICABLE)


@dataclass(frozen=True)
class Candidate:
    """A reply that a question can be put to, with what it says to the question chosen ("" where none is)."""

    head: SubmissionHead
    asked: Sequence[AskedRecommendation]
    said: str = ""


@dataclass(frozen=True)
class Wanted:
    """Which replies are looked for; "" leaves a thing open. ``answer`` is the key of a choice, or one of ``STATES``."""

    question: str = ""
    answer: str = ""
    recommendation: str = ""
    institution: str = ""


def questions_of(session: Session, round_id: int) -> dict[str, Item]:
    """Return the questions outside tables that a round asks, by code, as its newest version words them."""
    version_ids = session.scalars(
        select(Assignment.version_id).where(Assignment.round_id == round_id).distinct().order_by(Assignment.version_id)
    )
    found: dict[str, Item] = {}
    for version_id in version_ids:
        found |= {item.code: item for item in _plain(definition(session, version_id))}
    return found


def _plain(of: Definition) -> Iterator[Item]:
    for item in of.questions():
        if question_type(item.type).asks and table_of(of, item.code) is None:
            yield item


def candidates(session: Session, round_id: int, wanted: Wanted, *, language: str) -> list[Candidate]:
    """List the replies that fit, in protocol order. What is said is what was handed in, never a draft."""
    found = _by_answer(session, round_id, wanted, language) if wanted.question else _all(session, round_id)
    return [
        one
        for one in found
        if one.head.status not in GONE
        and wanted.institution in {"", one.head.institution_code}
        and (not wanted.recommendation or wanted.recommendation in {asked.public_id for asked in one.asked})
    ]


def _all(session: Session, round_id: int) -> list[Candidate]:
    heads = [
        head_of(row)
        for row in session.execute(
            HEAD.where(Assignment.round_id == round_id).order_by(
                Institution.rank, Institution.id, Assignment.position, Assignment.id
            )
        )
    ]
    asked = asked_recommendations(session, [head.assignment_id for head in heads])
    return [Candidate(head, asked.get(head.assignment_id, ())) for head in heads]


def _by_answer(session: Session, round_id: int, wanted: Wanted, language: str) -> Iterator[Candidate]:
    for reply in handed_in.replies(session, round_id):
        if reply.content is None:
            continue
        of = definition(session, reply.content.version_id)
        item = of.compiled.by_code.get(wanted.question)
        if item is None or wanted.question in reply.content.hidden:
            continue
        states, values = _said(reply.content, wanted.question)
        if wanted.answer and wanted.answer not in states and not any(_holds(one, wanted.answer) for one in values):
            continue
        said = " ".join(question_type(item.type).text(one, item, language) for one in values)
        yield Candidate(reply.head, reply.asked, said)


def _said(content: Content, code: str) -> tuple[set[str], list[Any]]:
    entries = [one for key, one in content.answers.items() if key.code == code and one.says]
    values = [one.value for one in entries if one.state == "answered"]
    states = {f":{one.state}" for one in entries} or {NOT_ANSWERED}
    return states, values


def _holds(value: Any, key: str) -> bool:
    return value == key or (isinstance(value, list) and key in value)
