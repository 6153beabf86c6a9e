"""The facts a questionnaire may need about the moment, the person and the institution, gathered by the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Context:
    """Facts for parsing and evaluating; frozen, so that a form can be built and thrown away per request.

    `today` and `now` are in the time zone named by `time_zone`; `languages` are the questionnaire's, the first one
    preferred; `earlier` maps question codes to the value of the last round; `tables` maps an attached table's name to
    its rows; `choices` maps a list name to choices that come from the database.
    """

    today: date
    languages: tuple[str, ...] = ("en",)
    language: str = "en"
    time_zone: str = "UTC"
    now: datetime | None = None
    person: Mapping[str, Any] = field(default_factory=dict)
    institution: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    earlier: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def moment(self) -> str:
        """Return now in the time zone, an ISO moment; the start of today when the caller knows no time of day."""
        if self.now is None:
            return f"{self.today.isoformat()}T00:00:00"
        return self.now.astimezone(ZoneInfo(self.time_zone)).isoformat(timespec="seconds")
