"""Texts of recommendations are edited by several people: each change says what it replaces, per field and language."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, insert, select

from portal.errors import Conflict, Invalid
from portal.models import (
    Recommendation,
    RecommendationKind,
    RecommendationRevision,
    RecommendationTag,
    StatePosition,
    Tag,
    TextStatus,
)
from portal.services import audit
from portal.services.recommendation_rows import sort_position
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

    from portal.permissions import Principal

TEXT_LIMIT = 100_000
FIELDS = ("texts", "summary", "heading")


@dataclass(frozen=True)
class TextEdit:
    """What somebody wants one text to become; ``base`` is the text they saw ('' = there was none)."""

    field: str
    lang: str
    base: str
    new: str


@dataclass(frozen=True)
class StaleText:
    """A text that somebody else changed in the meantime: what stands here now, and what was to be written."""

    field: str
    lang: str
    stored: str
    new: str


@dataclass
class SavedTexts:
    """What came of a save: changed texts, stale ones, neither costs the other."""

    saved: list[TextEdit] = field(default_factory=list)
    stale: list[StaleText] = field(default_factory=list)


@dataclass(frozen=True)
class Facts:
    """What is said about a recommendation beside its texts; ``tags`` are ids of all tags it shall carry."""

    paragraph: str
    sub_item: str
    kind: RecommendationKind
    follow_up: bool
    state_position: StatePosition | None
    recommending_state: str
    tags: frozenset[int]
    pair: str | None = None


def same_text(one: str, other: str) -> bool:
    """Tell whether two texts are the same but for line ends and blanks around, which Excel and browsers change."""
    return _plain(one) == _plain(other)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("_x000D_", "").strip()


def lock(session: Session, recommendation_id: int) -> Recommendation:
    """Read a recommendation again for writing."""
    return session.execute(
        select(Recommendation)
        .where(Recommendation.id == recommendation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one()


def save_texts(
    session: Session,
    recommendation: Recommendation,
    edits: Iterable[TextEdit],
    *,
    by: Principal,
    text_status: TextStatus | None = None,
    checked_by: str | None = None,
) -> SavedTexts:
    """Write texts whose base still stands here; the others come back as stale, with both texts.

    ``text_status`` and ``checked_by`` are None where they are not said.
    """
    done = SavedTexts()
    maps = {name: dict(getattr(recommendation, name)) for name in FIELDS}
    for edit in edits:
        stored = maps[edit.field].get(edit.lang, "")
        if same_text(stored, edit.new):
            continue
        if not same_text(stored, edit.base):
            done.stale.append(StaleText(edit.field, edit.lang, stored, edit.new))
            continue
        if stored:
            session.add(
                RecommendationRevision(
                    recommendation_id=recommendation.id,
                    revision=recommendation.revision,
                    field=edit.field,
                    lang=edit.lang,
                    old_text=stored,
                    changed_by=by.actor_id,
                )
            )
        new = _plain(edit.new)
        maps[edit.field] = {code: text for code, text in (maps[edit.field] | {edit.lang: new}).items() if text}
        done.saved.append(edit)
    status_moves = _set_status(recommendation, text_status, checked_by)
    if not done.saved and not status_moves:
        return done
    for name, texts in maps.items():
        if texts != getattr(recommendation, name):
            setattr(recommendation, name, texts)
    recommendation.revision += 1
    session.flush()
    audit.record(
        session,
        "edit_recommendation",
        by=by,
        kind="recommendation",
        thing=recommendation.public_id,
        texts=sorted(f"{edit.field}.{edit.lang}" for edit in done.saved),
        status=recommendation.text_status.value,
    )
    return done


def _set_status(recommendation: Recommendation, status: TextStatus | None, checked_by: str | None) -> bool:
    moved = False
    if status is not None and status != recommendation.text_status:
        recommendation.text_status = status
        moved = True
    if checked_by is not None and (checked_by.strip()[:200] or None) != recommendation.checked_by:
        recommendation.checked_by = checked_by.strip()[:200] or None
        moved = True
    return moved


def save_facts(
    session: Session, recommendation: Recommendation, facts: Facts, *, revision: int, by: Principal
) -> Recommendation:
    """Change what is said beside the texts; ``revision`` is the one the person saw.

    Raises:
        Conflict: somebody else saved in the meantime.
        Invalid: the place is taken by another recommendation, or the pair is not in the document.
    """
    if recommendation.revision != revision:
        raise Conflict
    place = (facts.paragraph.strip(), facts.sub_item.strip().strip("()").lower())
    if not place[0]:
        raise Invalid(problems=[Problem(_l("Give the paragraph number."), field="paragraph")])
    if place != (recommendation.paragraph, recommendation.sub_item):
        _move(session, recommendation, place)
    recommendation.kind = facts.kind
    recommendation.follow_up = facts.follow_up
    recommendation.state_position = facts.state_position
    recommendation.recommending_state = facts.recommending_state.strip()[:200] or None
    if facts.pair is not None:
        recommendation.pair_id = _find_pair(session, recommendation, facts.pair)
    _set_tags(session, recommendation, facts.tags)
    recommendation.revision += 1
    audit.record(
        session,
        "edit_recommendation",
        by=by,
        kind="recommendation",
        thing=recommendation.public_id,
        facts=_spoken(facts),
    )
    return recommendation


def _move(session: Session, recommendation: Recommendation, place: tuple[str, str]) -> None:
    taken = session.scalar(
        select(Recommendation.id).where(
            Recommendation.document_id == recommendation.document_id,
            Recommendation.paragraph == place[0],
            Recommendation.sub_item == place[1],
            Recommendation.id != recommendation.id,
        )
    )
    if taken is not None:
        sentence = _l("Another recommendation of this document already has this paragraph and letter.")
        raise Invalid(problems=[Problem(sentence, field="paragraph")])
    recommendation.paragraph, recommendation.sub_item = place
    recommendation.position = sort_position(*place)


def _find_pair(session: Session, recommendation: Recommendation, paragraph: str) -> int | None:
    if not paragraph.strip():
        return None
    found = session.scalar(
        select(Recommendation.id)
        .where(
            Recommendation.document_id == recommendation.document_id,
            Recommendation.paragraph == paragraph.strip(),
            Recommendation.id != recommendation.id,
        )
        .order_by(Recommendation.sub_item)
        .limit(1)
    )
    if found is None:
        sentence = _l("This document has no paragraph %(paragraph)s.", paragraph=paragraph.strip()[:24])
        raise Invalid(problems=[Problem(sentence, field="pair")])
    return found


def _set_tags(session: Session, recommendation: Recommendation, wanted: frozenset[int]) -> None:
    known = set(session.scalars(select(Tag.id).where(Tag.id.in_(wanted)))) if wanted else set()
    present = set(
        session.scalars(
            select(RecommendationTag.tag_id).where(RecommendationTag.recommendation_id == recommendation.id)
        )
    )
    if gone := present - known:
        session.execute(
            delete(RecommendationTag).where(
                RecommendationTag.recommendation_id == recommendation.id, RecommendationTag.tag_id.in_(gone)
            )
        )
    if new := known - present:
        rows = [{"recommendation_id": recommendation.id, "tag_id": tag} for tag in sorted(new)]
        session.execute(insert(RecommendationTag), rows)


def _spoken(facts: Facts) -> dict[str, Any]:
    return {
        "paragraph": facts.paragraph,
        "sub_item": facts.sub_item,
        "kind": facts.kind.value,
        "follow_up": facts.follow_up,
        "state_position": facts.state_position.value if facts.state_position else None,
        "tags": sorted(facts.tags),
    }
