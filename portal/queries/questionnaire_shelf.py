"""The library by whole parts: pages, groups and tables of all questionnaires, to be copied with what stands in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from portal.models import ItemKind, Questionnaire, QuestionnaireVersion, VersionItem
from portal.queries.recommendations import folded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

_PARTS = (ItemKind.SECTION, ItemKind.GROUP, ItemKind.REPEAT, ItemKind.MATRIX)


@dataclass(frozen=True)
class Part:
    """A page, group or table as the newest version that went out words it, with how many questions stand in it."""

    version_public_id: str
    questionnaire: str
    titles: Mapping[str, str]
    number: int
    code: str
    kind: ItemKind
    texts: Mapping[str, Any]
    questions: int


def parts(session: Session, words: str = "", *, limit: int = 100) -> tuple[list[Part], int]:
    """Return the parts that hold the words, in their title or in a question within, and how many there are; one query.

    Parts of a version with nothing in them are left out.
    """
    newest = (
        select(QuestionnaireVersion.questionnaire_id, func.max(QuestionnaireVersion.number).label("number"))
        .where(QuestionnaireVersion.published_at.is_not(None))
        .group_by(QuestionnaireVersion.questionnaire_id)
        .subquery()
    )
    rows = session.execute(
        select(
            QuestionnaireVersion.public_id, Questionnaire.code.label("questionnaire"), Questionnaire.titles,
            QuestionnaireVersion.number, VersionItem.id, VersionItem.parent_id, VersionItem.code, VersionItem.kind,
            VersionItem.texts,
        )
        .join(QuestionnaireVersion, QuestionnaireVersion.id == VersionItem.version_id)
        .join(Questionnaire, Questionnaire.id == QuestionnaireVersion.questionnaire_id)
        .join(
            newest,
            (newest.c.questionnaire_id == QuestionnaireVersion.questionnaire_id)
            & (newest.c.number == QuestionnaireVersion.number),
        )
        .order_by(Questionnaire.code, VersionItem.position, VersionItem.id)
    ).all()  # fmt: skip
    parents = {row.id: row.parent_id for row in rows}
    said: dict[int, list[str]] = {}
    questions: dict[int, int] = {}
    for row in rows:
        words_of = " ".join([row.code, *(text for texts in row.texts.values() for text in texts.values())])
        above: int | None = row.id
        while above is not None:
            said.setdefault(above, []).append(words_of)
            questions[above] = questions.get(above, 0) + (row.kind is ItemKind.QUESTION)
            above = parents.get(above)
    wanted = folded(words).split()
    found = []
    for row in rows:
        if row.kind not in _PARTS or not questions[row.id]:
            continue
        whole = folded(" ".join([row.questionnaire, *said[row.id]])) if wanted else ""
        if all(word in whole for word in wanted):
            found.append(
                Part(
                    row.public_id, row.questionnaire, row.titles, row.number, row.code, row.kind, row.texts,
                    questions[row.id],
                )
            )  # fmt: skip
    return found[:limit], len(found)
