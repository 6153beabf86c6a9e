"""The files of a demo country, read as the rows that the services take."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from portal.models import RecommendationKind, StatePosition, TextStatus, Vocabulary
from portal.services.recommendation_rows import DocumentFacts, RecommendationRow
from portal.workbooks.people import InstitutionRow, PersonRow

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

COUNTRIES = Path(__file__).parent / "countries"
EVIDENCE = Path(__file__).parent / "evidence"


@dataclass(frozen=True)
class CountryFiles:
    """A demo country as files; ``today`` is the day of seeding, from which the running round counts back."""

    folder: Path
    today: date
    zone: ZoneInfo = field(default=ZoneInfo("UTC"))

    @classmethod
    def open(cls, code: str, now: datetime) -> CountryFiles:
        """Open a country by the name of its folder.

        Raises:
            ValueError: if there is no such country.
        """
        folder = COUNTRIES / code
        known = sorted(path.name for path in COUNTRIES.iterdir() if (path / "country.json").exists())
        if code not in known:
            message = f"there is no demo country {code!r}; there are {', '.join(known)}"
            raise ValueError(message)
        zone = ZoneInfo(_load(folder / "country.json")["time_zone"])
        return cls(folder, now.astimezone(zone).date(), zone)

    @cached_property
    def country(self) -> Mapping[str, Any]:
        """Whose portal this is."""
        return _mapping(self.folder / "country.json")

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages of the portal, the national one first."""
        return tuple(one["code"] for one in self.country["languages"])

    @cached_property
    def vocabularies(self) -> Mapping[str, Any]:
        """Mechanisms and labels."""
        return _mapping(self.folder / "vocabularies.json")

    @cached_property
    def rounds(self) -> Sequence[Mapping[str, Any]]:
        """The rounds with their assignments."""
        found: Sequence[Mapping[str, Any]] = _load(self.folder / "assignments.json")["rounds"]
        return found

    @cached_property
    def answers(self) -> Mapping[str, Any]:
        """Replies with their acts, answers about institutions, states of implementation."""
        return _mapping(self.folder / "answers.json")

    @cached_property
    def sharing(self) -> Sequence[Mapping[str, Any]]:
        """What is handed to persons and asked of units; a country may have none."""
        path = self.folder / "sharing.json"
        found: Sequence[Mapping[str, Any]] = _load(path)["shares"] if path.is_file() else []
        return found

    @cached_property
    def evidence(self) -> Mapping[str, Mapping[str, Any]]:
        """The evidence files by their name in the folder."""
        return {one["file"]: one for one in _load(EVIDENCE / "evidence.json")["files"]}

    @cached_property
    def persons(self) -> Sequence[Mapping[str, Any]]:
        """The persons as they stand in the file."""
        found: Sequence[Mapping[str, Any]] = _load(self.folder / "persons.json")["persons"]
        return found

    @cached_property
    def memory(self) -> Mapping[str, Any]:
        """What the country remembers (see ``portal/demo/memories.py``); a small country may have nothing."""
        path = self.folder / "memory.json"
        return _mapping(path) if path.exists() else {}

    def institution_rows(self) -> Iterator[InstitutionRow]:
        """Yield the institutions in protocol order."""
        for number, one in enumerate(_load(self.folder / "institutions.json")["institutions"], start=2):
            yield InstitutionRow(
                sheet="institutions",
                row=number,
                code=one["code"],
                names=one["names"],
                parent=one["parent"] or "",
                rank=str(one["rank"]),
                kind=one["kind"] or "",
            )

    def person_rows(self) -> Iterator[PersonRow]:
        """Yield one row per part of a person; administrators are no rows, they are appointed."""
        number = 1
        for one in self.persons:
            parts = [(part["role"], part["institution"]) for part in one["memberships"]]
            if one["staff_role"] and one["staff_role"] != "administrator":
                parts.append((one["staff_role"], ""))
            for role, institution in parts:
                number += 1
                yield PersonRow(
                    sheet="persons",
                    row=number,
                    login=one["login"],
                    names=one["names"],
                    honorific=one["honorific"] or "",
                    post=one["post"],
                    phone=one["phone"] or "",
                    telegram=one["telegram"] or "",
                    email=one["email"] or "",
                    role=role,
                    institution=institution,
                    language=one["language"] or "",
                )

    def administrators(self) -> list[Mapping[str, Any]]:
        """Return the persons who operate the portal."""
        return [one for one in self.persons if one["staff_role"] == "administrator"]

    def documents(self) -> Iterator[tuple[Path, list[RecommendationRow]]]:
        """Yield each source document's file and its rows."""
        for path in sorted((self.folder / "documents").glob("*.json")):
            document = _load(path)
            yield path, [_recommendation(document, one) for one in document["recommendations"]]

    def questionnaires(self) -> Iterator[Path]:
        """Yield the questionnaire workbooks."""
        yield from sorted((self.folder / "questionnaires").glob("*.xlsx"))

    def opening(self, of: Mapping[str, Any]) -> date:
        """Return the day on which a round opens (day 0)."""
        opens = of["opens"]
        if "date" in opens:
            return date.fromisoformat(opens["date"])
        return self.today - timedelta(days=opens["days_before_today"])

    def moment(self, of: Mapping[str, Any], day: int, clock_time: str = "09:00") -> datetime:
        """Return a local time on a day of a round, counted from its opening."""
        return datetime.combine(
            self.opening(of) + timedelta(days=day), time.fromisoformat(clock_time), tzinfo=self.zone
        )


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _mapping(path: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _load(path)
    return found


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _recommendation(document: Mapping[str, Any], one: Mapping[str, Any]) -> RecommendationRow:
    return RecommendationRow(
        symbol=document["symbol"],
        mechanism=document["mechanism"],
        paragraph=one["paragraph"],
        sub_item=one["sub_item"],
        uhri_id=one["uhri_id"],
        kind=RecommendationKind(one["kind"]),
        heading=one["heading"],
        texts=one["texts"],
        summary=one["summary"],
        text_status=TextStatus(one["text_status"]) if one["text_status"] else None,
        follow_up=one["follow_up"],
        state_position=StatePosition(one["state_position"]) if one["state_position"] else None,
        recommending_state=one["recommending_state"],
        pair=one["pair"],
        tags={Vocabulary(name): tuple(labels) for name, labels in one["tags"].items()},
        document=DocumentFacts(
            titles=document["titles"],
            kind=document["kind"],
            cycle=document["cycle"],
            adopted_on=_day(document["adopted_on"]),
            published_on=_day(document["published_on"]),
        ),
        cell=one["texts"].get("en", ""),
    )
