"""What the judging of a questionnaire says: every mistake at once, each with its place and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from forms.answers import Text

if TYPE_CHECKING:
    from forms.definition.model import Definition
    from forms.definition.rows import RawRow

Severity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong, or that the person should know (a warning); `column` is Excel's letter."""

    message: Text
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    field: str | None = None
    mend: Text | None = None
    severity: Severity = "error"


@dataclass(frozen=True)
class Report:
    """All that was found; `definition` is None when there is an error. `places` is the row of each item by code."""

    problems: tuple[Mistake, ...]
    definition: Definition | None
    places: Mapping[str, RawRow] = field(default_factory=dict, compare=False, repr=False)

    @property
    def errors(self) -> tuple[Mistake, ...]:
        """What keeps the questionnaire from being used."""
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Mistake, ...]:
        """What the person should know."""
        return tuple(problem for problem in self.problems if problem.severity == "warning")

    def and_also(self, found: tuple[Mistake, ...]) -> Report:
        """Return the report with further mistakes."""
        return replace(self, problems=_in_order([*self.problems, *found])) if found else self


class Findings:
    """Collects mistakes while rows are judged."""

    def __init__(self) -> None:
        self.found: list[Mistake] = []

    def error(self, message: Text, row: RawRow | None = None, header: str = "", mend: Text | None = None) -> None:
        """Note what keeps the questionnaire from being used."""
        self._note("error", message, row, header, mend)

    def warn(self, message: Text, row: RawRow | None = None, header: str = "", mend: Text | None = None) -> None:
        """Note what the person should know."""
        self._note("warning", message, row, header, mend)

    def _note(self, severity: Severity, message: Text, row: RawRow | None, header: str, mend: Text | None) -> None:
        self.found.append(
            Mistake(
                message=message,
                sheet=row.sheet if row else None,
                row=row.row if row else None,
                column=row.columns.get(header) if row and header else None,
                field=header or None,
                mend=mend,
                severity=severity,
            )
        )

    @property
    def fatal(self) -> bool:
        """True when an error was noted."""
        return any(mistake.severity == "error" for mistake in self.found)

    def sorted(self) -> tuple[Mistake, ...]:
        """Return the mistakes in the order of the file: settings, choices and survey by row."""
        return _in_order(self.found)


def _in_order(found: list[Mistake]) -> tuple[Mistake, ...]:
    return tuple(sorted(found, key=lambda one: (one.sheet or "", one.row or 0, one.column or "")))
