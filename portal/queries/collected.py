"""What the units of a collection answered, side by side: rows joined, numbers added up, texts listed."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from forms.answers import AnswerKey, is_hidden
from forms.question_types import question_type
from forms.tables import may_change, table_of, tables
from portal.queries.sharing import unit_lines
from portal.queries.submissions import standing_rows, stored_reply

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.orm import Session

    from forms.answers import Given, Rows
    from forms.definition.model import Definition
    from portal.models import Collection
    from portal.queries.sharing import SharedLine
    from portal.queries.submissions import RowKey, StoredAnswer, StoredRow


@dataclass(frozen=True)
class UnitReply:
    """What one unit answered; ``hidden`` is what it was not asked."""

    line: SharedLine
    answers: Mapping[AnswerKey, StoredAnswer] = field(default_factory=dict)
    stored_rows: Mapping[RowKey, StoredRow] = field(default_factory=dict)
    rows: Rows = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """Return what the unit is called."""
        return self.line.delegation.name

    def given(self, key: AnswerKey) -> Given | None:
        """Return an answer that was asked, given and could be read; None else."""
        one = self.answers.get(key)
        if one is None or one.typed is not None or one.message is not None or is_hidden(self.hidden, key):
            return None
        return one if one.value is not None and one.state == "answered" else None


def unit_replies(session: Session, collection: Collection, definition: Definition) -> list[UnitReply]:
    """Return what every unit of a collection answered, in their order; nothing of those that have not begun."""
    found = []
    for line, own in unit_lines(session, collection, definition):
        if own.saved_at is None:
            found.append(UnitReply(line))
            continue
        answers, rows = stored_reply(session, own.id, definition)
        found.append(UnitReply(line, answers, rows, standing_rows(rows), frozenset(own.hidden)))
    return found


def asked_keys(definition: Definition, codes: Sequence[str], languages: Sequence[str]) -> Iterator[AnswerKey]:
    """Yield the answers outside repeats that a collection can bring: plain ones, and the cells of fixed tables."""
    for item in definition.questions():
        if not may_change(definition, item.code, codes) or item.calculation or not question_type(item.type).asks:
            continue
        table = table_of(definition, item.code)
        if table is not None and not table.fixed:
            continue
        rows = [row.key for row in table.rows({})] if table is not None else [""]
        for row in rows:
            for key in question_type(item.type).keys(item, languages):
                yield key._replace(row=row)


def repeats(definition: Definition, codes: Sequence[str]) -> list[str]:
    """Return the tables with rows of their own that a collection asks, outer ones first."""
    asked = (one for one in tables(definition).values() if may_change(definition, one.code, codes))
    return [one.code for one in asked if not one.fixed]


def added_up(key: AnswerKey, replies: Sequence[UnitReply]) -> tuple[Decimal, int] | None:
    """Return the sum of an answer over the units, and how many of them gave one; None if nobody did."""
    found: list[Decimal] = []
    for one in replies:
        given = one.given(key)
        if given is None:
            continue
        try:
            found.append(Decimal(str(given.value)))
        except InvalidOperation:
            continue
    return (sum(found, Decimal(0)), len(found)) if found else None


def put_below_one_another(key: AnswerKey, replies: Sequence[UnitReply]) -> tuple[str, int]:
    """Return the texts of the units, each under its unit's name, and how many there are."""
    texts = [(one.name, str(given.value).strip()) for one in replies if (given := one.given(key)) is not None]
    return "\n\n".join(f"{name}\n{text}" for name, text in texts if text), len(texts)
