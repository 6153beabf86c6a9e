"""A reply with a table, for tests of sharing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.models import ItemKind, ReportingRound, Status, VersionItem
from tests import factories

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

ROW_A, ROW_B = "A" * 16, "B" * 16


def table_world(session: Session) -> SimpleNamespace:
    """A ministry with a reply of three questions and a table of trainings (place, people)."""
    at = factories.institution(session, "moj")
    focal = factories.person(session, at, login="focal")
    version = factories.questionnaire_version(session)
    page = session.scalars(
        select(VersionItem).where(VersionItem.version_id == version.id, VersionItem.kind == ItemKind.SECTION)
    ).one()
    table = factories.item(session, version, "trainings", kind=ItemKind.REPEAT, parent=page)
    factories.question(session, version, "place", "text", parent=table)
    factories.question(session, version, "people", "integer", parent=table)
    asked = factories.assignment(session, at, None, [factories.recommendation(session)], version)
    reply = factories.submission(session, asked, status=Status.IN_PROGRESS)
    session.commit()
    round_ = session.get_one(ReportingRound, asked.round_id)
    return SimpleNamespace(at=at, focal=focal, version=version, reply=reply, round=round_)
