"""What the demo remembers: texts of an earlier report, recommendations that repeat earlier ones, three examples."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from portal.database import write
from portal.demo.preparation import PREPARED_DAY
from portal.models import Example, ExampleAct, Recommendation, SourceDocument
from portal.services import examples, reported
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.demo.files import CountryFiles
    from portal.demo.life import Cast

WRITTEN_AT = "16:00"


class Memories:
    """Plans what a country remembers around one of its rounds."""

    def __init__(self, files: CountryFiles, cast: Cast) -> None:
        self.files, self.cast = files, cast
        self.examples: dict[int, int] = {}

    def plan(self, of: Mapping[str, Any], at: Callable[[datetime, Callable[[], object]], None]) -> None:
        """Put the acts on the agenda of the round that the file names."""
        found = self.files.memory
        if found.get("round") != of["slug"]:
            return
        at(self.files.moment(of, PREPARED_DAY, WRITTEN_AT), self._write)
        for number, one in enumerate(found["examples"]):
            for act in one["acts"]:
                at(self.files.moment(of, act["day"], act["time"]), self._example(number, one, act))

    def _write(self) -> None:
        by = self.cast.play(self.cast.staff("coordinator"))
        with write() as session:
            for one in self.files.memory["last_report"]:
                on = date.fromisoformat(one["reported_on"])
                report = reported.Report(one["source"], one["report_paragraph"], on)
                reported.set_reported(session, _cited(session, one), report, one["texts"], base=0, by=by)
            for one in self.files.memory["origins"]:
                reported.set_origins(session, _cited(session, one), [_cited(session, one["earlier"])], by=by)

    def _example(self, number: int, one: Mapping[str, Any], act: Mapping[str, Any]) -> Callable[[], object]:
        def do() -> None:
            with write() as session:
                if act["act"] == "send":
                    told = examples.Told(one["titles"], one["texts"], consent=one["consent"])
                    by = self.cast.play(one["by"], one["institution"])
                    self.examples[number] = examples.send(session, _cited(session, one), told, by=by).id
                    return
                by = self.cast.play(self.cast.staff("coordinator"))
                reason = pick(act.get("reason"), self.cast.language(by.login), self.files.languages)
                made = session.get_one(Example, self.examples[number])
                examples.act(session, made, ExampleAct(act["act"]), reason=reason, by=by)

        return do


def _cited(session: Session, one: Mapping[str, Any]) -> Recommendation:
    return session.scalars(
        select(Recommendation)
        .join(SourceDocument, SourceDocument.id == Recommendation.document_id)
        .where(
            SourceDocument.symbol == one["document"],
            Recommendation.paragraph == one["paragraph"],
            Recommendation.sub_item == one["sub_item"],
        )
    ).one()
