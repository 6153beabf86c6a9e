"""What an import of recommendations would change: the dry run, which reads and judges and writes nothing."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.models import Mechanism, Recommendation, RecommendationTag, SourceDocument, Tag, Vocabulary
from portal.services.recommendation_pairs import Node, find_pairs
from portal.services.recommendation_rows import ORIGINAL, Place, RecommendationRow, folded, sort_position
from portal.table import Problem
from portal.workbooks.uhri import sdg_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from portal.queries.countries import CountryFacts

AT_ONCE = 1_000  # rows that a server-side cursor hands over at once
LIMITS = {"symbol": 120, "paragraph": 24, "sub_item": 8, "uhri_id": 64}
_PLAIN = ("kind", "follow_up", "state_position", "recommending_state")


@dataclass(frozen=True)
class Change:
    """One thing that an import changes: which field, in which language, from what to what."""

    field: str
    lang: str
    old: str
    new: str


@dataclass(slots=True)
class Planned:
    """One row of an import and what it comes to; ``id`` is None for a new recommendation, which brings all it says."""

    row: RecommendationRow
    place: Place
    id: int | None = None
    values: dict[str, Any] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    add_tags: list[tuple[Vocabulary, str]] = field(default_factory=list)
    drop_tags: list[int] = field(default_factory=list)
    # national texts and summaries of the file that are not taken, because somebody wrote others here
    kept: int = 0

    @property
    def new_tags(self) -> list[tuple[Vocabulary, str]]:
        """Return the labels that are added; those of a new recommendation are held by its row alone."""
        if self.id is not None:
            return self.add_tags
        return [(vocabulary, label) for vocabulary, labels in self.row.tags.items() for label in labels]

    def source(self, language: str) -> str | None:
        """Return what is to be kept of the source; None where it is kept already."""
        return dump(source_of(self.row, language)) if self.id is None else self.values.get("raw")


@dataclass
class ImportPlan:
    """What an import comes to: rows added, changed, unchanged, refused; new labels, pairs, rows of other countries."""

    language: str = ORIGINAL
    added: list[Planned] = field(default_factory=list)
    changed: list[Planned] = field(default_factory=list)
    unchanged: list[Planned] = field(default_factory=list)
    refused: list[Problem] = field(default_factory=list)
    unmapped: list[tuple[Vocabulary, str]] = field(default_factory=list)
    other_countries: int = 0
    pairs: list[tuple[Place, Place]] = field(default_factory=list)
    documents: dict[str, RecommendationRow] = field(default_factory=dict)
    mechanisms: list[str] = field(default_factory=list)
    kept: int = 0
    found: Stored | None = None

    @property
    def does_something(self) -> bool:
        """Tell whether carrying this out would write anything."""
        return bool(self.added or self.changed)

    @property
    def counts(self) -> dict[str, int]:
        """Return the figures of the dry run."""
        return {
            "added": len(self.added),
            "changed": len(self.changed),
            "unchanged": len(self.unchanged),
            "refused": len(self.refused),
            "other_countries": self.other_countries,
            "unmapped": len(self.unmapped),
            "pairs": len(self.pairs),
            "documents": len(self.documents),
            "kept": self.kept,
        }

    @property
    def fingerprint(self) -> str:
        """Return a sha256 of everything this plan would write, to see whether a later judgement is the same."""
        acts = [
            [
                str(one.place),
                one.id,
                [[c.field, c.lang, c.old, c.new] for c in one.changes],
                one.new_tags,
                one.drop_tags,
                one.source(self.language),
            ]
            for one in (*self.added, *self.changed)
        ]
        body = json.dumps([acts, self.pairs, self.counts], ensure_ascii=False, sort_keys=True, default=str)
        return hashlib.sha256(body.encode()).hexdigest()


@dataclass
class Stored:
    """What the database holds of the documents that an import is about."""

    documents: dict[str, Any]
    mechanisms: dict[str, int]
    tags: dict[tuple[Vocabulary, str], int]
    by_uhri: dict[tuple[str, str], Row[Any]] = field(default_factory=dict)
    by_place: dict[Place, Row[Any]] = field(default_factory=dict)
    paragraph_owner: dict[tuple[str, str], tuple[str | None, str]] = field(default_factory=dict)
    tagged: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    tag_keys: dict[int, tuple[Vocabulary, str]] = field(default_factory=dict)
    # number of a goal or target -> its label
    goals: dict[str, str] = field(default_factory=dict)


def plan(
    session: Session, rows: Iterable[RecommendationRow], country: CountryFacts, *, language: str = ORIGINAL
) -> ImportPlan:
    """Judge all rows of a file against the database; nothing is written.

    ``rows`` is consumed once and only rows of the portal's own country are kept, so that a full dump can be streamed.
    A key is (uhri_id, sub-item), else (document, paragraph, sub-item).
    """
    made = ImportPlan(language=language)
    own = list(_own(rows, country, made))
    stored = look_up(session, {row.symbol for row in own}, {row.uhri_id for row in own if row.uhri_id})
    made.found = stored
    known_labels = set(stored.tags)
    for row, place, found in _placed([_known_goals(row, stored) for row in own], stored, made):
        planned = _judge(row, place, found, stored, made)
        made.kept += planned.kept
        target = (
            made.added if found is None else made.changed if planned.values or _tags_move(planned) else made.unchanged
        )
        target.append(planned)
        if row.symbol not in stored.documents and row.symbol not in made.documents:
            made.documents[row.symbol] = row
        for label in planned.new_tags:
            if (label[0], folded(label[1])) not in known_labels:
                known_labels.add((label[0], folded(label[1])))
                made.unmapped.append(label)
    mechanisms = {folded(row.mechanism): row.mechanism for row in made.documents.values()}
    made.mechanisms = [name for key, name in sorted(mechanisms.items()) if key not in stored.mechanisms]
    made.pairs = _pairs(made, stored)
    return made


def _pairs(made: ImportPlan, stored: Stored) -> list[tuple[Place, Place]]:
    nodes = [
        Node(
            place,
            row.kind,
            folded(row.heading.get(made.language) or ""),
            row.position,
            new=False,
            paired=row.pair_id is not None,
        )
        for place, row in stored.by_place.items()
    ]
    for one in made.added:
        heading = folded(one.row.heading.get(made.language) or next(iter(one.row.heading.values()), ""))
        position = sort_position(one.place.paragraph, one.place.sub_item)
        nodes.append(Node(one.place, one.row.kind, heading, position, new=True, paired=False, pair=one.row.pair))
    return find_pairs(nodes)


def _known_goals(row: RecommendationRow, stored: Stored) -> RecommendationRow:
    """Let "16.3" mean the goal or target of that number in the vocabulary, as our template allows."""
    labels = row.tags.get(Vocabulary.SDG, ())
    known = tuple(
        label if (Vocabulary.SDG, folded(label)) in stored.tags else stored.goals.get(sdg_code(label), label)
        for label in labels
    )
    return row if known == labels else replace(row, tags={**row.tags, Vocabulary.SDG: known})


def _tags_move(planned: Planned) -> bool:
    return bool(planned.add_tags or planned.drop_tags)


def _own(rows: Iterable[RecommendationRow], country: CountryFacts, made: ImportPlan) -> Iterable[RecommendationRow]:
    aliases = {folded(name) for name in (country.code, *country.aliases, *country.names.values()) if name}
    seen: dict[tuple[str, str] | Place, int | None] = {}
    for row in rows:
        if row.countries and not any(folded(name) in aliases for name in row.countries):
            made.other_countries += 1
            continue
        problem = row.refusal or _wrong(row)
        key = (row.uhri_id, row.sub_item) if row.uhri_id else row.place
        if problem is None and key in seen:
            sentence = _l("This recommendation stands in the file twice; the first is row %(row)s.", row=seen[key])
            problem = Problem(sentence, row.sheet, row.row, mend=_l("Remove one of the two rows."))
        if problem is not None:
            made.refused.append(problem)
            continue
        seen[key] = row.row
        yield row


def _wrong(row: RecommendationRow) -> Problem | None:
    """Return what makes a row unusable, as one sentence with its place."""
    if not row.symbol.strip():
        return Problem(_l("The row names no document symbol."), row.sheet, row.row, mend=_l("Fill in the UN symbol."))
    if not any(text.strip() for text in row.texts.values()):
        return Problem(_l("The row has no text."), row.sheet, row.row, mend=_l("Fill in the text, or remove the row."))
    if not row.paragraph.strip() and not row.uhri_id:
        mend = _l("Fill in the paragraph number, so that the row can be found again.")
        return Problem(_l("The row has no paragraph number."), row.sheet, row.row, mend=mend)
    for name, limit in LIMITS.items():
        value = getattr(row, name) or ""
        if len(value) > limit:
            sentence = _l(
                "“%(value)s…” is longer than the %(limit)s characters there can be.", value=value[:24], limit=limit
            )
            return Problem(sentence, row.sheet, row.row, field=name, mend=_l("Look whether two columns are mixed up."))
    return None


def look_up(session: Session, symbols: set[str], uhri_ids: set[str]) -> Stored:
    """Read what is stored of these documents and annotations, in a number of queries that no file changes."""
    documents: dict[str, Any] = {
        row.symbol: row
        for row in session.execute(
            select(
                SourceDocument.id,
                SourceDocument.symbol,
                SourceDocument.cycle,
                SourceDocument.adopted_on,
                SourceDocument.published_on,
                SourceDocument.titles,
            )
        )
    }
    mechanisms: dict[str, int] = {}
    for mechanism in session.execute(select(Mechanism.id, Mechanism.code, Mechanism.names)):
        for name in (mechanism.code, *mechanism.names.values()):
            mechanisms.setdefault(folded(name), mechanism.id)
    tags: dict[tuple[Vocabulary, str], int] = {}
    stored = Stored(documents, mechanisms, tags)
    for tag in session.execute(select(Tag.id, Tag.vocabulary, Tag.key)):
        tags[tag.vocabulary, folded(tag.key)] = tag.id
        stored.tag_keys[tag.id] = (tag.vocabulary, tag.key)
        if tag.vocabulary is Vocabulary.SDG and (code := sdg_code(tag.key)):
            stored.goals.setdefault(code, tag.key)
    symbol_of = {row.id: row.symbol for row in documents.values()}
    wanted = {documents[symbol].id for symbol in symbols if symbol in documents}
    stored_rows = select(Recommendation.__table__).order_by(Recommendation.id)
    for row in session.execute(stored_rows, execution_options={"yield_per": AT_ONCE}):
        if row.document_id not in wanted and row.uhri_id not in uhri_ids:
            continue
        place = Place(symbol_of[row.document_id], row.paragraph, row.sub_item)
        stored.by_place[place] = row
        stored.paragraph_owner.setdefault((place.symbol, place.paragraph), (row.uhri_id, row.kind))
        if row.uhri_id:
            stored.by_uhri[row.uhri_id, row.sub_item] = row
    links = select(RecommendationTag.recommendation_id, RecommendationTag.tag_id)
    for link in session.execute(links, execution_options={"yield_per": AT_ONCE}):
        stored.tagged[link.recommendation_id].add(link.tag_id)
    return stored


def stored_places(session: Session, symbols: set[str]) -> dict[Place, int]:
    """Return the ids of all recommendations of these documents by place."""
    rows = session.execute(
        select(SourceDocument.symbol, Recommendation.paragraph, Recommendation.sub_item, Recommendation.id)
        .join(SourceDocument, SourceDocument.id == Recommendation.document_id)
        .order_by(Recommendation.id),
        execution_options={"yield_per": AT_ONCE},
    )
    return {Place(symbol, paragraph, item): id_ for symbol, paragraph, item, id_ in rows if symbol in symbols}


def _placed(
    rows: Sequence[RecommendationRow], stored: Stored, made: ImportPlan
) -> Iterable[tuple[RecommendationRow, Place, Row[Any] | None]]:
    """Find for each row its place in the document and what is stored of it.

    UHRI may hold several annotations of one paragraph, and texts without a number: the second gets "7 [2]", the
    unnumbered ones "[1]", "[2]"... in the order of the file; a coordinator may correct them, the annotation id keeps
    them recognisable. An annotation whose stored namesake is gone from the file is taken for the same one, renumbered.
    """
    in_file = {row.uhri_id for row in rows if row.uhri_id}
    symbol_of = {row.id: row.symbol for row in stored.documents.values()}
    homes: dict[str, tuple[str, str]] = {}
    for (uhri_id, _sub), found in stored.by_uhri.items():
        homes.setdefault(uhri_id, (symbol_of[found.document_id], found.paragraph))
    owner: dict[tuple[str, str], str | None] = {homes[uhri_id]: uhri_id for uhri_id in in_file if uhri_id in homes}
    taken: set[Place] = set()
    for row in rows:
        if row.uhri_id is None:
            place = row.place
        else:
            home = homes.get(row.uhri_id) or _free_home(row, row.uhri_id, owner, stored, in_file)
            homes[row.uhri_id] = home
            owner[home] = row.uhri_id
            place = Place(*home, row.sub_item)
        if place in taken:
            sentence = _l("Another row of this file has the same place, %(place)s.", place=str(place))
            made.refused.append(
                Problem(sentence, row.sheet, row.row, mend=_l("Correct the paragraph number or the letter."))
            )
            continue
        taken.add(place)
        known = stored.by_uhri.get((row.uhri_id, row.sub_item)) if row.uhri_id else None
        yield row, place, stored.by_place.get(place) if known is None else known


def _free_home(
    row: RecommendationRow,
    uhri_id: str,
    owner: Mapping[tuple[str, str], str | None],
    stored: Stored,
    in_file: set[str],
) -> tuple[str, str]:
    number = 1
    while True:
        suffix = f"[{number}]"
        paragraph = row.paragraph if number == 1 and row.paragraph else f"{row.paragraph} {suffix}".strip()
        home = (row.symbol, paragraph)
        number += 1
        if home in owner:
            if owner[home] == uhri_id:
                return home
            continue
        if home not in stored.paragraph_owner:
            return home
        old_id, old_kind = stored.paragraph_owner[home]
        if old_id is None or (old_id not in in_file and old_kind == row.kind):
            return home


def source_of(row: RecommendationRow, language: str) -> dict[str, Any]:
    """Return what the source said, as it is kept in ``Recommendation.raw`` for the next import to compare with."""
    return {
        "language": language,
        "text": row.texts.get(language, ""),
        "heading": row.heading.get(language, ""),
        "kind": row.kind.value,
        "follow_up": row.follow_up,
        "state_position": row.state_position.value if row.state_position else None,
        "recommending_state": row.recommending_state,
        "tags": {vocabulary.value: sorted(labels) for vocabulary, labels in row.tags.items() if labels},
        "cell": row.cell,
    }


def _judge(row: RecommendationRow, place: Place, found: Row[Any] | None, stored: Stored, made: ImportPlan) -> Planned:
    if found is None:
        return Planned(row, place)
    source = source_of(row, made.language)
    planned = Planned(row, place, found.id)
    before = _load(found.raw)
    _compare_texts(row, found, before, planned, made.language)
    for name in _PLAIN:
        new, old = getattr(row, name), getattr(found, name)
        if new is None or new == old or (before and before.get(name) == source[name]):
            continue
        planned.values[name] = new
        planned.changes.append(Change(name, "", "" if old is None else str(old), str(new)))
    if row.uhri_id and found.uhri_id != row.uhri_id:
        planned.values["uhri_id"] = row.uhri_id
        planned.changes.append(Change("uhri_id", "", found.uhri_id or "", row.uhri_id))
    _compare_tags(row, found.id, before, planned, stored)
    if (planned.values or _tags_move(planned)) or (before != source and not _same_saying(before, source)):
        planned.values["raw"] = dump(source)
    return planned


def _same_saying(before: dict[str, Any], source: dict[str, Any]) -> bool:
    """Tell whether the new source adds nothing to compare with; a re-import from another sheet is then no change."""
    return bool(before) and all(
        before.get(name) == source[name] for name in ("language", "text", "heading", "kind", "tags")
    )


def _compare_texts(
    row: RecommendationRow, found: Row[Any], before: dict[str, Any], planned: Planned, original: str
) -> None:
    """Take a changed original text; fill in what is blank; never write over a national text or a summary."""
    for name, source_key in (("texts", "text"), ("heading", "heading"), ("summary", "")):
        new = {lang: text for lang, text in getattr(row, name).items() if text.strip()}
        merged = dict(getattr(found, name))
        for lang, text in new.items():
            old = merged.get(lang, "")
            if text == old:
                continue
            if old and (lang != original or not source_key):
                planned.kept += 1
                continue
            if old and before.get("language") == lang and before.get(source_key) == text:
                continue  # the source is as it was: what differs was mended here by hand
            merged[lang] = text
            planned.changes.append(Change(name, lang, old, text))
        if merged != getattr(found, name):
            planned.values[name] = merged
    filled = any(change.field == "texts" and change.lang != original for change in planned.changes)
    if filled and row.text_status is not None:
        planned.values["text_status"] = row.text_status
        planned.values["checked_by"] = row.checked_by


def _compare_tags(
    row: RecommendationRow, recommendation_id: int, before: dict[str, Any], planned: Planned, stored: Stored
) -> None:
    """Merge three ways: labels the source gained are added, labels it lost are dropped, what was set by hand stays."""
    current = stored.tagged.get(recommendation_id, set())
    for vocabulary, labels in row.tags.items():
        was = {folded(label) for label in before.get("tags", {}).get(vocabulary.value, ())}
        now = {folded(label): label for label in labels}
        for key, label in now.items():
            if key not in was and stored.tags.get((vocabulary, key)) not in current:
                planned.add_tags.append((vocabulary, label))
                planned.changes.append(Change(vocabulary.value, "", "", label))
        for key in sorted(was - set(now)) if now else ():
            tag_id = stored.tags.get((vocabulary, key))
            if tag_id in current and tag_id is not None:
                planned.drop_tags.append(tag_id)
                planned.changes.append(Change(vocabulary.value, "", stored.tag_keys[tag_id][1], ""))


def dump(source: dict[str, Any]) -> str:
    """Write what the source said, always in the same way."""
    return json.dumps(source, ensure_ascii=False, sort_keys=True)


def _load(raw: str | None) -> dict[str, Any]:
    try:
        loaded = json.loads(raw) if raw else {}
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}
