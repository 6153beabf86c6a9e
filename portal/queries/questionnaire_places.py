"""Where an item stood in the version that held it last: what is put back stands there again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from portal.models import QuestionnaireVersion
from portal.queries.questionnaire_versions import published_codes
from portal.queries.questionnaires import definition

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from forms.definition.model import Item


def former_neighbours(session: Session, questionnaire_id: int, code: str) -> tuple[str, list[str], list[str]]:
    """Return the kind of an item that went out, what it stood in (the innermost first), and what stood behind it.

    All are empty if it never went out.
    """
    number = published_codes(session, questionnaire_id).get(code)
    if number is None:
        return "", [], []
    version_id = session.scalars(
        select(QuestionnaireVersion.id).where(
            QuestionnaireVersion.questionnaire_id == questionnaire_id, QuestionnaireVersion.number == number
        )
    ).one()
    return _search(definition(session, version_id).pages, code, []) or ("", [], [])


def _search(items: tuple[Item, ...], code: str, above: list[str]) -> tuple[str, list[str], list[str]] | None:
    for at, item in enumerate(items):
        if item.code == code:
            return item.kind, above, [one.code for one in items[at + 1 :]]
        if (found := _search(item.children, code, [item.code, *above])) is not None:
            return found
    return None
