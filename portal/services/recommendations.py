"""Recommendations come in: documents, mechanisms and labels are made as needed, what people wrote here is kept."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from portal import clock
from portal.models import (
    Mechanism,
    Recommendation,
    RecommendationKind,
    RecommendationRevision,
    RecommendationTag,
    SourceDocument,
    Tag,
    TextStatus,
    Vocabulary,
)
from portal.models.base import uuid7
from portal.services import audit
from portal.services.recommendation_plan import ImportPlan, Planned, look_up, plan, stored_places
from portal.services.recommendation_rows import ORIGINAL, Place, RecommendationRow, folded, sort_position

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.queries.countries import CountryFacts

BATCH = 500
_KEPT_WORDINGS = {"texts", "heading", "summary"}


def import_recommendations(
    session: Session,
    rows: Iterable[RecommendationRow],
    country: CountryFacts,
    *,
    by: Principal,
    language: str = ORIGINAL,
    filename: str = "",
) -> ImportPlan:
    """Judge and carry out in one go, for the command line and the demo; returns what was done."""
    return carry_out(session, plan(session, rows, country, language=language), by=by, filename=filename)


def carry_out(session: Session, made: ImportPlan, *, by: Principal, filename: str = "", sha256: str = "") -> ImportPlan:
    """Write what a plan says; call it in the transaction in which the plan was made.

    Assignments, national texts, summaries and tags set by hand are never touched; a changed original text keeps the
    old one as a revision.
    """
    if not made.does_something:
        return made
    documents = _make_documents(session, made)
    tags = _make_tags(session, made)
    _insert(session, made, documents)
    for one in made.changed:
        _keep_wordings(session, one, by)
    _update(session, made.changed)
    ids = stored_places(session, {one.place.symbol for one in (*made.added, *made.changed)})
    for one in made.changed:
        if one.drop_tags:
            session.execute(
                delete(RecommendationTag).where(
                    RecommendationTag.recommendation_id == one.id, RecommendationTag.tag_id.in_(one.drop_tags)
                )
            )
    _many(session, insert(RecommendationTag), _links(made, ids, tags))
    _many(session, update(Recommendation), ({"id": ids[a], "pair_id": ids[b]} for a, b in made.pairs))
    session.expire_all()
    audit.record(
        session,
        "import_recommendations",
        by=by,
        kind="recommendation",
        file={"name": filename, "sha256": sha256},
        counts=made.counts,
    )
    return made


def _many(session: Session, statement: Any, rows: Iterable[dict[str, Any]]) -> None:
    """Execute a statement for many rows, of which no more than a batch is held."""
    passing = iter(rows)
    while batch := list(islice(passing, BATCH)):
        session.execute(statement, batch)


def _links(
    made: ImportPlan, ids: Mapping[Place, int], tags: Mapping[tuple[Vocabulary, str], int]
) -> Iterator[dict[str, int]]:
    for one in (*made.added, *made.changed):
        for tag in sorted({tags[vocabulary, folded(label)] for vocabulary, label in one.new_tags}):
            yield {"recommendation_id": one.id or ids[one.place], "tag_id": tag}


def _make_documents(session: Session, made: ImportPlan) -> dict[str, int]:
    """Return the id of every document by symbol, after making those that are new and their mechanisms."""
    stored = made.found or look_up(session, set(made.documents), set())
    mechanisms = dict(stored.mechanisms)
    for name in made.mechanisms:
        code = name[:60] or "-"
        one = Mechanism(code=code, names={ORIGINAL: name or code}, kind=_mechanism_kind(name), rank=900)
        session.add(one)
        session.flush()
        mechanisms[folded(name)] = one.id
    names = {row.id: row for row in session.execute(select(Mechanism.id, Mechanism.names, Mechanism.kind))}
    documents = {symbol: row.id for symbol, row in stored.documents.items()}
    for symbol, row in made.documents.items():
        mechanism = names[mechanisms[folded(row.mechanism)]]
        titles = dict(row.document.titles) or {lang: f"{name} ({symbol})" for lang, name in mechanism.names.items()}
        document = SourceDocument(
            symbol=symbol,
            mechanism_id=mechanism.id,
            titles=titles,
            kind=row.document.kind or _document_kind(mechanism.kind),
            cycle=row.document.cycle,
            adopted_on=row.document.adopted_on,
            published_on=row.document.published_on,
        )
        session.add(document)
        session.flush()
        documents[symbol] = document.id
    return documents


def _mechanism_kind(name: str) -> str:
    first = name.upper().split(" ")[0].split("-")[0]
    if first in {"SR", "WG", "IE", "SE", "SPECIAL", "WORKING", "INDEPENDENT"}:
        return "special_procedure"
    return "upr" if first == "UPR" or "PERIODIC REVIEW" in name.upper() else "treaty_body"


def _document_kind(mechanism_kind: str) -> str:
    return {"upr": "upr_report", "special_procedure": "country_visit"}.get(mechanism_kind, "concluding_observations")


def _make_tags(session: Session, made: ImportPlan) -> dict[tuple[Vocabulary, str], int]:
    """Keep labels that no vocabulary knows as unmapped tags, and return all tags by folded label."""
    new = [
        {"vocabulary": vocabulary, "key": label[:200], "labels": {made.language: label}, "mapped": False, "rank": 9000}
        for vocabulary, label in made.unmapped
    ]
    _many(session, insert(Tag), new)
    rows = session.execute(select(Tag.id, Tag.vocabulary, Tag.key))
    found = {(row.vocabulary, folded(row.key)): row.id for row in rows}
    for vocabulary, label in made.unmapped:
        found.setdefault((vocabulary, folded(label)), found[vocabulary, folded(label[:200])])
    return found


def _insert(session: Session, made: ImportPlan, documents: Mapping[str, int]) -> None:
    now = clock.now()
    _many(session, insert(Recommendation), (_new(one, documents, now, made.language) for one in made.added))


def _new(one: Planned, documents: Mapping[str, int], now: Any, language: str) -> dict[str, Any]:
    row, place = one.row, one.place
    national = any(text.strip() for lang, text in row.texts.items() if lang != ORIGINAL)
    return {
        "public_id": uuid7(),
        "document_id": documents[place.symbol],
        "paragraph": place.paragraph,
        "sub_item": place.sub_item,
        "position": sort_position(place.paragraph, place.sub_item),
        "heading": dict(row.heading),
        "texts": {lang: text for lang, text in row.texts.items() if text.strip()},
        "summary": {lang: text for lang, text in row.summary.items() if text.strip()},
        "text_status": row.text_status or (TextStatus.WORKING if national else TextStatus.NONE),
        "checked_by": row.checked_by,
        "kind": row.kind,
        "follow_up": bool(row.follow_up),
        "state_position": row.state_position,
        "recommending_state": (row.recommending_state or "")[:200] or None,
        "uhri_id": row.uhri_id,
        "raw": one.source(language),
        "archived": False,
        "revision": 1,
        "created_at": now,
    }


def _update(session: Session, changed: Iterable[Planned]) -> None:
    """Write changed rows, those with the same columns together."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for one in changed:
        if one.values:
            groups[tuple(sorted(one.values))].append({"id": one.id, **one.values})
    for rows in groups.values():
        _many(session, update(Recommendation), rows)
    ids = [one.id for one in changed]
    for start in range(0, len(ids), BATCH):
        part = Recommendation.id.in_(ids[start : start + BATCH])
        session.execute(
            update(Recommendation).where(part).values(revision=Recommendation.revision + 1),
            execution_options={"synchronize_session": False},
        )


def _keep_wordings(session: Session, one: Planned, by: Principal) -> None:
    replaced = [change for change in one.changes if change.field in _KEPT_WORDINGS and change.old]
    if not replaced:
        return
    revision = session.scalar(select(Recommendation.revision).where(Recommendation.id == one.id)) or 1
    for change in replaced:
        session.add(
            RecommendationRevision(
                recommendation_id=one.id,
                revision=revision,
                field=change.field,
                lang=change.lang,
                old_text=change.old,
                changed_by=by.actor_id,
            )
        )


__all__ = [
    "ORIGINAL",
    "ImportPlan",
    "Place",
    "RecommendationKind",
    "RecommendationRow",
    "carry_out",
    "import_recommendations",
    "plan",
]
