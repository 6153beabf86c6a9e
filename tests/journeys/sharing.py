"""Brings a scene into the state that its work is shared: with one person, and with many units."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from forms.answers import AnswerKey, Parsed
from forms.context import Context
from portal import clock
from portal.models import ItemKind, VersionItem
from portal.permissions import Principal
from portal.queries.questionnaires import definition, question_ids
from portal.queries.sharing import actor_of, scope_of, shared_head
from portal.queries.submissions import head_by_id
from portal.services import collecting, sharing
from portal.services.answer_rows import RowChange
from portal.services.submissions import Change, save_answers
from tests import factories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Page
    from sqlalchemy.orm import Session


def _asked() -> sharing.Asked:
    return sharing.Asked(["text", "places", "files"], clock.now() + timedelta(days=30), note="Figures of 2025, please.")


def shared(session: Session, scene: Any) -> None:
    """Hand two questions to a person; ``share`` and ``code`` of the scene open them."""
    head = head_by_id(session, scene.reply.id)
    by = factories.principal(session, scene.focal)
    known = definition(session, head.version_id)
    given = sharing.delegate(session, head, known, _asked(), name="Kampot department", contact="012 345 678", by=by)
    scene.share, scene.code = f"/shared/{given.token}", given.spoken_code


def collected(session: Session, scene: Any) -> None:
    """Ask three units, of which one has answered; ``collection`` of the scene is their page."""
    head = head_by_id(session, scene.reply.id)
    by = factories.principal(session, scene.focal)
    known = definition(session, head.version_id)
    units = collecting.keep_units(session, head.institution_id, [("Kampot", ""), ("Kandal", ""), ("Takeo", "")], by=by)
    context = Context(today=clock.today(), languages=("km", "en"))
    made, given = collecting.collect(session, head, known, _asked(), units, context=context, by=by)
    one = given[0].delegation
    unit = Principal(actor_id=actor_of(session, one), delegation=scope_of(one, head.institution_id))
    changes = {
        AnswerKey("text", "", "en"): Change(Parsed(value="Two courses."), 0),
        AnswerKey("places"): Change(Parsed(value=12), 0),
    }
    place, ids = shared_head(session, one), question_ids(session, head.version_id)
    save_answers(session, place, known, ids, changes, context=context, by=unit)
    scene.collection = f"/collections/{made.public_id}"


def come_in(page: Page, scene: Any) -> None:
    """Type the code that belongs to the link."""
    page.fill("[name=code]", scene.code)
    with page.expect_navigation(url="**/pages/**"):
        page.click("main button[type=submit]")


def with_rows(session: Session, scene: Any, figures: Sequence[Parsed]) -> None:
    """Ask as many units for one table as there are figures; each writes one row with its figure into it."""
    page = session.scalars(
        select(VersionItem).where(VersionItem.version_id == scene.version.id, VersionItem.code == "measures")
    ).one()
    table = factories.item(session, scene.version, "trainings", kind=ItemKind.REPEAT, parent=page, label="Trainings")
    factories.question(session, scene.version, "people", "integer", parent=table, label="People")
    head = head_by_id(session, scene.reply.id)
    by = factories.principal(session, scene.focal)
    known, ids = definition(session, head.version_id), question_ids(session, head.version_id)
    names = [(f"Department {number}", "") for number in range(len(figures))]
    units = collecting.keep_units(session, head.institution_id, names, by=by)
    context = Context(today=clock.today(), languages=("km", "en"))
    asked = sharing.Asked(["trainings"], clock.now() + timedelta(days=30))
    made, given = collecting.collect(session, head, known, asked, units, context=context, by=by)
    for number, (one, figure) in enumerate(zip(given, figures, strict=True)):
        unit = Principal(
            actor_id=actor_of(session, one.delegation), delegation=scope_of(one.delegation, head.institution_id)
        )
        row = f"{number:016d}"
        save_answers(
            session, shared_head(session, one.delegation), known, ids,
            {AnswerKey("people", row): Change(figure, 0)},
            row_changes=[RowChange("trainings", row, base=0)], context=context, by=unit,
        )  # fmt: skip
    scene.collection = f"/collections/{made.public_id}"
