"""Sharing out in the demo: a person who was handed questions, and many units that are asked about one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from forms.tables import made_key
from portal import clock
from portal.database import write
from portal.demo.tables import WrittenRow
from portal.models import Delegation
from portal.permissions import Principal
from portal.queries.questionnaires import definition
from portal.queries.sharing import actor_of, scope_of, shared_head
from portal.queries.submissions import head_by_id
from portal.services import collecting, sharing
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from portal.demo.replying import Replying


class SharingOut:
    """Does what ``sharing.json`` says; every act at its moment, through the services that a page would call."""

    def __init__(self, replying: Replying, institution_of: Mapping[str, str]) -> None:
        self.replying, self.files, self.cast = replying, replying.files, replying.cast
        self.institution_of = institution_of
        self.shares: dict[tuple[int, str], str] = {}

    def acts(self, of: Mapping[str, Any]) -> Iterator[tuple[datetime, Callable[[], object]]]:
        """Yield the acts of a round with their moments."""
        moment = self.files.moment
        for number, one in enumerate(self.files.sharing):
            if one["round"] != of["slug"]:
                continue
            until = sharing.end_of(moment(of, one["until_day"]).date(), str(self.files.zone))
            yield moment(of, one["day"], one["time"]), self._share(number, one, until)
            for place, answer in enumerate(one["answers"]):
                when = moment(of, answer["day"], answer["time"])
                yield when, self._answer(number, one, place, answer)

    def _share(self, number: int, one: Mapping[str, Any], until: datetime) -> Callable[[], object]:
        def do() -> None:
            by = self.cast.play(one["by"], self.institution_of[one["assignment"]])
            with write() as session:
                head = head_by_id(session, self.replying.submissions[one["assignment"]])
                known = definition(session, head.version_id)
                note = pick(one["note"], self.cast.language(one["by"]), self.files.languages)
                asked = sharing.Asked(one["questions"], until, note=note)
                if "units" not in one:
                    given = [sharing.delegate(
                        session, head, known, asked, name=one["name"], contact=one["contact"], by=by
                    )]  # fmt: skip
                else:
                    units = collecting.keep_units(session, head.institution_id, one["units"], by=by)
                    context = self.replying.context(known, head, by)
                    _made, given = collecting.collect(session, head, known, asked, units, context=context, by=by)
                for each in given:
                    self.shares[number, each.delegation.name] = each.delegation.public_id

        return do

    def _answer(
        self, number: int, one: Mapping[str, Any], place: int, answer: Mapping[str, Any]
    ) -> Callable[[], object]:
        def do() -> None:
            name = answer.get("unit", one.get("name", ""))
            public_id = self.shares[number, name]
            with write() as session:
                found = session.scalars(select(Delegation).where(Delegation.public_id == public_id)).one()
                head = shared_head(session, found)
                by = Principal(
                    actor_id=actor_of(session, found), names={"": found.name}, language=self.files.languages[0],
                    delegation=scope_of(found, head.institution_id),
                )  # fmt: skip
                found.opened_at = found.opened_at or clock.now()
                given = {code: _written(value, f"{number}-{place}") for code, value in answer["answers"].items()}
                self.replying.write_answers(session, head, given, by=by, told_as=name)
                if answer["finished"]:
                    sharing.finish(session, answer.get("message", ""), by=by)

        return do


def _written(value: Any, place: str) -> Any:
    """Return a value of the files as a save takes it; the rows of a table get keys that follow from their place."""
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return value
    return [WrittenRow(made_key("demo", place, str(row)), row, cells) for row, cells in enumerate(value, start=1)]

