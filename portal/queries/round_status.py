"""A round told in plain JSON, for the command line and the JSON API: dates, both counts of every rate, who is late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from portal import clock
from portal.errors import NotFound
from portal.models import ReportingRound
from portal.queries.documents import document_counts, waiting_documents
from portal.queries.evidence import evidence_counts
from portal.queries.rates import Count, rates, round_lines

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from portal.queries.rates import RoundLine


def round_list(session: Session) -> list[dict[str, Any]]:
    """Return all rounds, the newest first, as plain JSON."""
    return [_line(one) for one in round_lines(session)]


def _line(one: RoundLine) -> dict[str, Any]:
    return {
        "round": one.slug,
        "titles": dict(one.titles),
        "status": one.status,
        "opens_on": _day(one.opens_on),
        "due_on": _day(one.due_on),
        "closes_on": _day(one.closes_on),
        "freezes_on": _day(one.freezes_on),
        "un_due_on": _day(one.un_due_on),
        "issued": one.issued,
        "received": one.received,
    }


def round_status(session: Session, slug: str, *, time_zone: str) -> dict[str, Any]:
    """Return what a round's board says, as plain JSON: the response rate overall, by institution, by recommendation.

    Raises:
        NotFound: there is no such round.
    """
    row = session.execute(
        select(ReportingRound.id, ReportingRound.due_on).where(ReportingRound.slug == slug)
    ).first()  # fmt: skip
    if row is None:
        raise NotFound
    line = next(one for one in round_lines(session) if one.id == row.id)
    counted = rates(session, row.id, today=clock.today(time_zone), time_zone=time_zone)
    waiting: dict[int, int] = {}
    for of in waiting_documents(session, row.id):
        waiting[of.institution_id] = waiting.get(of.institution_id, 0) + of.count
    return _line(line) | {
        "at": clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "overall": _count(counted.overall),
        "documents": document_counts(session, row.id),
        "evidence": evidence_counts(session, row.id),
        "institutions": [
            {
                "institution": one.code,
                "names": dict(one.names),
                "due_on": _day(one.extended_to or row.due_on),
                "days_late": one.days_late,
                "documents_waiting": waiting.get(one.id, 0),
                **_count(one.count),
            }
            for one in counted.institutions
        ],
        "recommendations": [
            {"recommendation": one.public_id, "symbol": one.symbol, "citation": one.citation, **_count(one.count)}
            for one in counted.recommendations
        ],
    }


def _count(one: Count) -> dict[str, Any]:
    return {
        "issued": one.issued,
        "received": one.received,
        "on_time": one.on_time,
        "unsigned": one.unsigned,
        "late": one.late,
        "statuses": {status.value: number for status, number in sorted(one.statuses.items())},
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
