"""Which kind of file an import of recommendations is, and its rows: UHRI Excel or JSON, our template, a document."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from portal.errors import Invalid
from portal.models import RecommendationKind, StatePosition, TextStatus, Vocabulary
from portal.services.recommendation_rows import ORIGINAL, DocumentFacts, RecommendationRow
from portal.table import Problem
from portal.workbooks import recommendations as template
from portal.workbooks import uhri_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from portal.queries.countries import CountryFacts
    from portal.workbooks.uhri import UhriRow

# a document of our own shape is read whole; the index's dumps are streamed
DOCUMENT_LIMIT = 50 * 1024 * 1024


@dataclass
class Incoming:
    """What a file brings: rows of this country, how many of others, and what is wrong with the file."""

    rows: list[RecommendationRow] = field(default_factory=list)
    other_countries: int = 0
    refused: list[Problem] = field(default_factory=list)


def read_file(
    path: Path, country: CountryFacts, *, filename: str = "", language: str = ORIGINAL, limit: int | None = None
) -> Incoming:
    """Read a file of any of the four kinds, told apart by content.

    ``limit`` is the largest size in bytes; None takes any (command line).

    Raises:
        Invalid: none of the four kinds, damaged, too large; one sentence says what and how to mend it.
    """
    name = filename or path.name
    limit = limit or max(path.stat().st_size + 1, 1)
    if _is_json(path):
        document = _document(path)
        return document if document is not None else _index(path, country, name, language, limit)
    try:
        return _index(path, country, name, language, limit)
    except Invalid as error:
        if error.code != "not_uhri":
            raise
        return _own_template(path, country, name, limit)


def _is_json(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"[", b"{"}


def _index(path: Path, country: CountryFacts, filename: str, language: str, limit: int) -> Incoming:
    names = [name for name in (country.code, *country.aliases, *country.names.values()) if name]
    found, made = uhri_files.UhriFile(), Incoming()
    for row in uhri_files.scan(path, names, found, filename=filename, limit_bytes=limit):
        if row.problems:
            made.refused.append(row.problems[0])
            continue
        made.rows += _annotation(row, language)
    made.other_countries = found.other_countries
    made.refused = [*found.problems, *made.refused]
    return made


def _annotation(row: UhriRow, language: str) -> Iterator[RecommendationRow]:
    """Yield one row for a paragraph in one piece, else one for its opening words and one for each (a), (b)...

    Only demands are taken apart: a concern is read as a whole, nobody answers its sub-items.
    """
    pieces = [("", row.text)]
    if row.sub_items and row.kind == RecommendationKind.RECOMMENDATION:
        pieces = ([("", row.lead)] if row.lead else []) + list(row.sub_items)
    document = DocumentFacts(cycle=row.session[:120] or None, published_on=row.published)
    tags = {Vocabulary.THEME: row.themes, Vocabulary.AFFECTED: row.affected, Vocabulary.SDG: row.sdgs}
    for letter, text in pieces:
        yield RecommendationRow(
            symbol=row.symbol,
            mechanism=row.body,
            paragraph=row.paragraph,
            sub_item=letter,
            uhri_id=row.annotation_id,
            kind=RecommendationKind(row.kind),
            heading={language: row.heading} if row.heading else {},
            texts={language: text},
            state_position=StatePosition(row.state_position) if row.state_position else None,
            recommending_state=", ".join(row.recommending_states) or None,
            tags=tags,
            document=document,
            cell=row.raw,
            sheet=row.sheet or None,
            row=row.row or None,
        )


def _document(path: Path) -> Incoming | None:
    """Read a document of our own shape (as the demo country's): facts, and a list under "recommendations"."""
    with path.open("rb") as file:
        if file.read(1024).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] != b"{":
            return None
    if path.stat().st_size > DOCUMENT_LIMIT:
        return None
    try:
        loaded = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        sentence = _l("The file is not whole: it stops in the middle, or is not JSON.")
        raise Invalid(problems=[Problem(sentence, mend=_l("Save or download it again."))]) from error
    if not isinstance(loaded, dict) or not isinstance(loaded.get("recommendations"), list):
        return None
    return Incoming(list(document_rows(loaded)))


def document_rows(document: Mapping[str, Any]) -> Iterator[RecommendationRow]:
    """Yield the rows of a document of our own shape; a row that lacks something comes as refused."""
    facts = DocumentFacts(
        titles=document.get("titles") or {},
        kind=document.get("kind") or "",
        cycle=document.get("cycle"),
        adopted_on=_day(document.get("adopted_on")),
        published_on=_day(document.get("published_on")),
    )
    symbol, mechanism = str(document.get("symbol") or ""), str(document.get("mechanism") or "")
    for number, one in enumerate(document["recommendations"], start=1):
        try:
            yield RecommendationRow(
                symbol=symbol,
                mechanism=mechanism,
                paragraph=str(one.get("paragraph") or ""),
                sub_item=str(one.get("sub_item") or ""),
                uhri_id=one.get("uhri_id"),
                kind=RecommendationKind(one.get("kind") or "recommendation"),
                heading=dict(one.get("heading") or {}),
                texts=dict(one.get("texts") or {}),
                summary=dict(one.get("summary") or {}),
                text_status=TextStatus(one["text_status"]) if one.get("text_status") else None,
                checked_by=one.get("checked_by"),
                follow_up=one.get("follow_up"),
                state_position=StatePosition(one["state_position"]) if one.get("state_position") else None,
                recommending_state=one.get("recommending_state"),
                pair=str(one.get("pair") or ""),
                tags={
                    vocabulary: tuple((one.get("tags") or {}).get(vocabulary.value) or ()) for vocabulary in Vocabulary
                },
                countries=(document["country"],) if document.get("country") else (),
                document=facts,
                cell=str((one.get("texts") or {}).get(ORIGINAL) or ""),
                row=number,
            )
        except (ValueError, TypeError, AttributeError) as error:
            sentence = _l("This entry cannot be read: %(reason)s", reason=str(error)[:120])
            refusal = Problem(sentence, row=number, mend=_l("Correct the entry."))
            yield RecommendationRow(symbol, mechanism, "", row=number, refusal=refusal)


def _day(text: Any) -> date | None:
    return date.fromisoformat(str(text)) if text else None


def _own_template(path: Path, country: CountryFacts, filename: str, limit: int) -> Incoming:
    found = template.read(path, country.languages, filename=filename, limit_bytes=limit)
    made = Incoming(refused=list(found.problems))
    for row in found.rows:
        if row.problems:
            made.refused += row.problems
            continue
        made.rows.append(_template_row(row))
    return made


def _template_row(row: template.TemplateRow) -> RecommendationRow:
    return RecommendationRow(
        symbol=row.symbol,
        mechanism=row.mechanism,
        paragraph=row.paragraph,
        sub_item=row.sub_item,
        uhri_id=row.uhri_id or None,
        kind=RecommendationKind(row.kind),
        heading=row.heading,
        texts=row.texts,
        summary=row.summary,
        text_status=TextStatus(row.text_status) if row.text_status else None,
        follow_up=row.follow_up,
        state_position=StatePosition(row.state_position) if row.state_position else None,
        recommending_state=row.recommending_state or None,
        pair=row.pair,
        tags={Vocabulary.THEME: row.themes, Vocabulary.AFFECTED: row.affected, Vocabulary.SDG: row.sdgs},
        document=DocumentFacts(titles=row.title, adopted_on=row.adopted, published_on=row.published),
        cell=row.texts.get(ORIGINAL, ""),
        sheet=row.sheet,
        row=row.row,
    )
