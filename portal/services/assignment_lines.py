"""Assignments given as lines: pasted from a spreadsheet, or copied from an earlier round."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from portal.errors import Invalid
from portal.models import AssignmentRole
from portal.queries import rounds as look
from portal.services.assignments import FULL, SHORT, CellChange, Changed, Wish, change_cells, length_of
from portal.table import Problem

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from portal.models import ReportingRound
    from portal.permissions import Principal
    from portal.table import Speakable

_KHMER_DIGITS = str.maketrans("០១២៣៤៥៦៧៨៩", "0123456789")
_CITED = re.compile(r"(?:(?P<symbol>[^\s]*/[^\s]*)\s+)?(?P<paragraph>[\w.]+?)\s*(?P<marks>\(.*)?\Z")
_RANGE = re.compile(r"\((\w)\)\s*[-–—]\s*\((\w)\)")
_ROLES = {
    "lead": AssignmentRole.LEAD,
    "l": AssignmentRole.LEAD,
    "ដឹកនាំ": AssignmentRole.LEAD,
    "ស្ថាប័នដឹកនាំ": AssignmentRole.LEAD,
    "contributing": AssignmentRole.CONTRIBUTING,
    "c": AssignmentRole.CONTRIBUTING,
    "ចូលរួម": AssignmentRole.CONTRIBUTING,
    "ស្ថាប័នចូលរួម": AssignmentRole.CONTRIBUTING,
}
_LENGTHS = {"": SHORT, "short": SHORT, "s": SHORT, "ខ្លី": SHORT, "full": FULL, "f": FULL, "ពេញលេញ": FULL}


@dataclass
class _Places:
    """What a line may name."""

    items: dict[str, list[look.AskedItem]]
    institutions: dict[str, int]


def paste(session: Session, of: ReportingRound, text: str, *, by: Principal) -> Changed:
    """Assign what was pasted: paragraph, institution code, role, short or full, separated by tabs.

    All or nothing: a line that cannot be read keeps the others out, so that the mended text can be pasted again.

    Raises:
        Invalid: with a problem for each bad line, ``row`` its number.
    """
    places = _places(session, of)
    cells: list[CellChange] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or (number == 1 and _is_heading(line, places)):
            continue
        read = _read_line(line, places)
        if isinstance(read, CellChange):
            cells.append(read)
        else:
            problems += [Problem(sentence, row=number, field="lines") for sentence in read]
    if not cells and not problems:
        problems = [Problem(_l("Paste at least one line."), field="lines")]
    if problems:
        raise Invalid(problems=problems)
    done = change_cells(session, of, cells, by=by)
    if done.refused:
        raise Invalid(problems=done.refused)
    return done


def _places(session: Session, of: ReportingRound) -> _Places:
    items: dict[str, list[look.AskedItem]] = defaultdict(list)
    for row in look.paragraphs(session, of.id):
        items[row.first.paragraph] += row.items
    return _Places(dict(items), {one.code.casefold(): one.id for one in look.institutions(session, of.id)})


def _is_heading(line: str, places: _Places) -> bool:
    fields = [field.strip().casefold() for field in line.split("\t")]
    return len(fields) > 1 and fields[1] not in places.institutions and not any(c.isdigit() for c in fields[0])


def _read_line(line: str, places: _Places) -> CellChange | list[Speakable]:
    fields = [field.strip() for field in (line.split("\t") if "\t" in line else re.split(r"\s{2,}|;", line))]
    cited, code, role, length = (*fields, "", "", "", "")[:4]
    sentences: list[Speakable] = []
    ids = _find(cited, places)
    if isinstance(ids, tuple):
        sentences.append(ids[0])
    institution_id = places.institutions.get(code.casefold())
    if institution_id is None:
        sentences.append(_l("There is no institution with the code “%(code)s”.", code=code))
    if role.casefold() not in _ROLES:
        sentences.append(_l("“%(role)s” is no role: write lead or contributing.", role=role))
    if length.casefold() not in _LENGTHS:
        sentences.append(_l("“%(length)s” is no questionnaire: write short or full.", length=length))
    if sentences or isinstance(ids, tuple) or institution_id is None:
        return sentences
    return CellChange(tuple(ids), institution_id, Wish(_ROLES[role.casefold()], _LENGTHS[length.casefold()]))


def _find(cited: str, places: _Places) -> list[int] | tuple[Speakable]:
    """Return the recommendations a citation such as ``8 (a)-(c)`` names, or the sentence why not."""
    found = _CITED.match(cited.translate(_KHMER_DIGITS).strip())
    items = places.items.get(found["paragraph"], []) if found else []
    if found and found["symbol"]:
        items = [item for item in items if item.symbol.casefold() == found["symbol"].casefold()]
    if not found or not items:
        return (_l("Paragraph “%(cited)s” is not among the recommendations of this round.", cited=cited),)
    if len({item.document_id for item in items}) > 1:
        return (
            _l(
                "Paragraph “%(cited)s” stands in several documents: write the symbol before it, as in %(example)s.",
                cited=cited,
                example=f"{items[0].symbol} {cited}",
            ),
        )
    marks = _marks(found["marks"] or "")
    chosen = [item.id for item in items if not marks or item.sub_item.strip("()") in marks]
    if not chosen or (marks and len(chosen) != len(marks)):
        return (_l("“%(cited)s” names a sub-item that is not there.", cited=cited),)
    return chosen


def _marks(text: str) -> set[str]:
    marks = set(re.findall(r"\((\w+)\)", text))
    for first, last in _RANGE.findall(text):
        marks |= {chr(one) for one in range(ord(first), ord(last) + 1)}
    return marks


def copy_round(session: Session, source: ReportingRound, of: ReportingRound, *, by: Principal) -> Changed:
    """Assign as in an earlier round, as far as both ask about the same recommendations; what is there is kept."""
    have = {(ask.institution_id, one) for ask in look.asks(session, of.id) for one in ask.recommendation_ids}
    known = {item.id for row in look.paragraphs(session, of.id) for item in row.items}
    active = {one.id for one in look.institutions(session) if one.active}
    total = Changed()
    cells = []
    for ask in look.asks(session, source.id):
        ids = tuple(one for one in ask.recommendation_ids if one in known and (ask.institution_id, one) not in have)
        if not ids or ask.institution_id not in active or not ask.standing:
            total.unchanged += bool(ask.recommendation_ids)
            continue
        cells.append(CellChange(ids, ask.institution_id, Wish(ask.role, length_of(source, ask.version_id)), ""))
    done = change_cells(session, of, cells, by=by, separately=True)
    done.unchanged += total.unchanged
    return done
