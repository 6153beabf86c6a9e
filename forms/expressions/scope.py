"""What an expression may ask for while it runs, and how the rows of a table are let through by brackets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol, TypeAlias, TypeVar

from forms.expressions.values import Value, truth

T = TypeVar("T")


class Scope(Protocol):
    """What an expression may ask for while it runs."""

    here: str

    @property
    def position(self) -> int:
        """Return the number of the row, from 1; inside brackets the number of the candidate."""

    @property
    def size(self) -> int:
        """Return how many candidates there are, inside brackets; else 1."""

    def value(self, name: str) -> str:
        """Return the answer to a question as text, "" for none."""

    def nodes(self, name: str) -> Sequence[str]:
        """Return all answers to a question: one outside tables, one per row inside; of a table one per row."""

    def cells(self, code: str, apex: str, sieves: Sequence[Sieve]) -> Sequence[str]:
        """Return the answers to a question in the rows below the row of `apex` that the sieves let through."""

    def row_number(self, table: str) -> int:
        """Return the number of the row of a table in which the expression stands."""

    def table(self, name: str) -> Sequence[Mapping[str, str]]:
        """Return the rows of an attached table or of a list of choices."""

    def column(self, name: str) -> str:
        """Return a column of the choice being filtered; inside brackets, of the candidate."""

    def today(self) -> str:
        """Return today as an ISO date."""

    def now(self) -> str:
        """Return now as an ISO moment with its offset."""

    def label(self, name: str, key: str) -> str:
        """Return the label of a choice of a question."""


Rule: TypeAlias = Callable[[Scope], Value]


class Sieve(NamedTuple):
    """A compiled condition on the rows of a table (or the cells of a question); see `tree.Filter`."""

    table: str
    rule: Rule
    outside: bool


class Inside:
    """The scope of a condition in brackets: the candidate's columns, all else as outside."""

    __slots__ = ("_column", "here", "outer", "position", "size")

    def __init__(self, outer: Scope, column: Callable[[str], str], position: int, size: int, here: str = "") -> None:
        self.outer, self._column, self.position, self.size, self.here = outer, column, position, size, here

    def column(self, name: str) -> str:
        """Return a column of the candidate."""
        return self._column(name)

    def value(self, name: str) -> str:
        """Return an answer as seen from outside the brackets."""
        return self.outer.value(name)

    def nodes(self, name: str) -> Sequence[str]:
        """Return answers as seen from outside the brackets."""
        return self.outer.nodes(name)

    def cells(self, code: str, apex: str, sieves: Sequence[Sieve]) -> Sequence[str]:
        """Return answers as seen from outside the brackets."""
        return self.outer.cells(code, apex, sieves)

    def row_number(self, table: str) -> int:
        """Return the row outside the brackets."""
        return self.outer.row_number(table)

    def table(self, name: str) -> Sequence[Mapping[str, str]]:
        """Return the rows of an attached table."""
        return self.outer.table(name)

    def today(self) -> str:
        """Return today."""
        return self.outer.today()

    def now(self) -> str:
        """Return now."""
        return self.outer.now()

    def label(self, name: str, key: str) -> str:
        """Return the label of a choice."""
        return self.outer.label(name, key)


def sifted(
    scope: Scope,
    found: Sequence[T],
    sieves: Sequence[Sieve],
    column: Callable[[T, str], str],
    here: Callable[[T], str] = lambda _one: "",
) -> Sequence[T]:
    """Return the candidates that all sieves let through, one sieve after the other (XPath 1.0, section 2.4).

    A condition that is a number lets through the candidate with that number.
    """
    for sieve in sieves:
        fixed = sieve.rule(scope) if sieve.outside else None
        left: list[T] = []
        for place, one in enumerate(found, 1):
            result = fixed
            if result is None:
                result = sieve.rule(Inside(scope, partial(column, one), place, len(found), here(one)))
            if result == place if isinstance(result, float) else truth(result):
                left.append(one)
        found = left
    return found
