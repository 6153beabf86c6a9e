"""The life of the demo rounds: every act of the files, done in order through the services at its own moment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from portal import clock
from portal.database import write
from portal.demo.memories import Memories
from portal.demo.preparation import PREPARED_DAY, participation_ids, person_ids, prepare_round
from portal.demo.replying import Replying
from portal.demo.sharing import SharingOut
from portal.extensions import db
from portal.jobs.outbox import send_due
from portal.models import (
    Assignment,
    Implementation,
    ImplementationState,
    Institution,
    Participation,
    Recommendation,
    ReportingRound,
    SourceDocument,
    Submission,
)
from portal.queries.sessions import principal_of
from portal.services import implementation, issuing, rounds
from portal.services.publishing import publish_states
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from flask import Flask

    from portal.demo.files import CountryFiles
    from portal.permissions import Principal

ISSUED_AT = "09:00"
# so many replies that nobody began came as a stamped letter instead, and wait to be entered
DOCUMENTS = 2
DOCUMENT_DAY = 12
# clearing what the institution said of itself is no part of the files: it follows the save by this much
COMPLETED_AFTER = timedelta(minutes=25)
SIGNED_AFTER = timedelta(days=1, minutes=12)
PRINTED_AFTER = timedelta(minutes=40)
CLEARED_AFTER = timedelta(days=2, hours=3)


@dataclass
class Cast:
    """Everybody who acts, as the services take them; one principal per person and institution."""

    persons: Mapping[str, tuple[int, str]]
    institutions: Mapping[str, int]
    names: Mapping[str, Mapping[str, str]]
    found: dict[tuple[str, int | None], Principal] = field(default_factory=dict)

    @classmethod
    def read(cls) -> Cast:
        """Read persons and institutions once."""
        session = db.session
        rows = session.execute(select(Institution.code, Institution.id, Institution.names)).all()
        return cls(
            person_ids(session), {row.code: row.id for row in rows}, {row.code: row.names for row in rows}
        )

    def play(self, login: str, institution: str = "") -> Principal:
        """Return a person as a principal, working for an institution."""
        key = (login, self.institutions.get(institution))
        if key not in self.found:
            made = principal_of(db.session, self.persons[login][0], institution_id=key[1])
            if made is None:
                message = f"the demo has no person {login!r}"
                raise LookupError(message)
            self.found[key] = made
        return self.found[key]

    def language(self, login: str) -> str:
        """Return the language in which a person writes."""
        return self.persons[login][1]

    def staff(self, role: str) -> str:
        """Return the first log-in name that begins with a role."""
        return next(login for login in self.persons if login.startswith(role))


@dataclass(order=True)
class Act:
    """Something that happens at a moment; acts of one moment keep the order of the files."""

    moment: datetime
    number: int
    do: Callable[[], object] = field(compare=False)


class Life:
    """Collects all acts of a country's rounds and lets them happen in order."""

    def __init__(self, app: Flask, files: CountryFiles, versions: Mapping[str, int]) -> None:
        self.app, self.files, self.versions = app, files, versions
        self.settings = app.config["SETTINGS"]
        self.cast = Cast.read()
        self.memories = Memories(files, self.cast)
        self.replying = Replying(files, self.cast, self.settings)
        self.agenda: list[Act] = []
        self.rounds: dict[str, int] = {}
        self.assignments: dict[str, int] = {}

    def happen(self) -> None:
        """Do everything, oldest first."""
        for of in self.files.rounds:
            self._plan_round(of)
        for act in sorted(self.agenda):
            with clock.at(act.moment):
                act.do()
        running = [of["slug"] for of in self.files.rounds if of["state"] == "running"]
        if running and self.agenda:
            with clock.at(max(self.agenda).moment + PRINTED_AFTER):
                self.replying.print_waiting(running[-1])

    def _at(self, moment: datetime, do: Callable[[], object]) -> None:
        self.agenda.append(Act(moment, len(self.agenda), do))

    def _plan_round(self, of: Mapping[str, Any]) -> None:
        files, slug = self.files, of["slug"]
        moment = files.moment
        self._at(moment(of, PREPARED_DAY, "14:30"), lambda: self._prepare(of))
        if of["state"] == "draft":
            return
        self._at(moment(of, 0, ISSUED_AT), lambda: self._issue(of))
        lapses = self._plan_replies(of)
        places = {one["key"]: one["institution"] for one in of["assignments"]}
        for when, act in SharingOut(self.replying, places).acts(of):
            self._at(when, act)
        self.memories.plan(of, self._at)
        for number, one in enumerate(files.answers["participations"]):
            if one["round"] == slug:
                self._plan_participation(of, one, number)
        for one in files.answers["implementation_states"]:
            if one["round"] == slug:
                self._at(moment(of, one["day"], "16:10"), self._state(slug, one))
                if one["published"]:
                    self._at(moment(of, one["day"], "17:00"), self._publication(one))
        if of["state"] in {"closed", "frozen"}:
            closing = min(lapses, default=moment(of, of["closing_day"], "17:30"))
            self._at(closing, lambda: self._close(slug))
        if of["state"] == "frozen":
            self._at(moment(of, of["freeze_day"], "10:00"), lambda: self._freeze(slug))

    def _plan_replies(self, of: Mapping[str, Any]) -> list[datetime]:
        """Plan the acts on every reply of a round; return when replies lapse, which closing the round does."""
        lapses: list[datetime] = []
        asked = {one["key"]: one for one in of["assignments"]}
        untouched = [one["assignment"] for one in self.files.answers["replies"] if one["status"] == "issued"]
        for key in untouched[:DOCUMENTS]:
            if key in asked:
                when = self.files.moment(of, DOCUMENT_DAY, "15:40")
                self._at(when, lambda key=key: self.replying.doors.receive(key, self._coordinator()))  # type: ignore[misc] # bound now
        for reply in self.files.answers["replies"]:
            place = asked.get(reply["assignment"])
            for act in reply["acts"] if place else ():
                when = self.files.moment(of, act["day"], act["time"])
                if act["act"] == "lapse":
                    lapses.append(when)
                elif place and act["act"] != "issue":
                    self._at(when, self._reply_act(reply, place, act))
        return lapses

    def _prepare(self, of: Mapping[str, Any]) -> None:
        number, keys = prepare_round(self.files, of, self.versions, by=self._coordinator())
        self.rounds[of["slug"]] = number
        self.assignments |= keys

    def _coordinator(self) -> Principal:
        return self.cast.play(self.cast.staff("coordinator"))

    def _issue(self, of: Mapping[str, Any]) -> None:
        slug = of["slug"]
        # nothing may leave this machine: mails of the demo go into the spool folder or are not written at all
        spooled = self.settings.spool_dir is not None
        with write() as session:
            issuing.issue_round(
                session,
                session.get_one(ReportingRound, self.rounds[slug]),
                by=self._coordinator(),
                base_url=self.settings.base_url,
                mails=spooled,
            )
        rows = db.session.execute(
            select(Submission.id, Submission.assignment_id, Assignment.about_institution, Institution.code)
            .join(Assignment, Assignment.id == Submission.assignment_id)
            .join(Institution, Institution.id == Assignment.institution_id)
            .where(Assignment.round_id == self.rounds[slug])
        ).all()
        by_assignment = {row.assignment_id: row.id for row in rows}
        for key, assignment in self.assignments.items():
            if assignment in by_assignment:
                self.replying.submissions[key] = by_assignment[assignment]
        for row in rows:
            if row.about_institution:
                self.replying.submissions[f"{slug}:{row.code}"] = row.id
        if spooled:
            with clock.at(self.files.moment(of, 0, "09:02")):
                while send_due(self.app):
                    pass

    def _reply_act(
        self, reply: Mapping[str, Any], place: Mapping[str, Any], act: Mapping[str, Any]
    ) -> Callable[[], object]:
        return lambda: self.replying.act(reply, place, act)

    def _plan_participation(self, of: Mapping[str, Any], one: Mapping[str, Any], number: int) -> None:
        if one["answers"]:
            key = f"{of['slug']}:{one['institution']}"
            saved = self.files.moment(of, one["day"], "10:15") + timedelta(minutes=number)
            self._at(saved, lambda: self.replying.save(key, one["by"], one["institution"], one["answers"]))
            # two of three are handed in; the others are at work
            if number % 3:
                self._at(saved + COMPLETED_AFTER, lambda: self.replying.complete_if_possible(key, one))
                self._at(saved + SIGNED_AFTER, lambda: self.replying.sign_if_waiting(key, one))
                # and the secretariat has read all but a few
                if number % 8:
                    by = self.cast.staff("coordinator")
                    self._at(saved + CLEARED_AFTER, lambda: self.replying.clear_if_handed_in(key, by))
        if extension := one["extension"]:
            self._at(
                self.files.moment(of, extension["day"], "11:20"),
                lambda: self._extend(of, one["institution"], extension),
            )

    def _extend(self, of: Mapping[str, Any], institution: str, extension: Mapping[str, Any]) -> None:
        by = self._coordinator()
        with write() as session:
            number = participation_ids(session, self.rounds[of["slug"]])[institution]
            rounds.extend(
                session,
                session.get_one(Participation, number),
                self.files.opening(of) + timedelta(days=extension["new_due_day"]),
                reason=pick(extension["reason"], self.cast.language(by.login), self.files.languages),
                by=by,
            )

    def _state(self, slug: str, one: Mapping[str, Any]) -> Callable[[], object]:
        def do() -> None:
            by = self.cast.play(one["by"])
            today = clock.today(str(self.files.zone))
            with write() as session:
                recommendation = session.scalars(
                    select(Recommendation)
                    .join(SourceDocument, SourceDocument.id == Recommendation.document_id)
                    .where(
                        SourceDocument.symbol == one["document"],
                        Recommendation.paragraph == one["paragraph"],
                        Recommendation.sub_item == one["sub_item"],
                    )
                ).one()
                implementation.set_state(
                    session,
                    recommendation,
                    Implementation(one["state"]),
                    as_of=today,
                    today=today,
                    reason=pick(one["reason"], self.cast.language(one["by"]), self.files.languages),
                    by=by,
                    round_id=self.rounds[slug],
                )

        return do

    def _publication(self, one: Mapping[str, Any]) -> Callable[[], object]:
        """Publish the state of a recommendation, its reason too where the file says so."""

        def do() -> None:
            with write() as session:
                state = session.scalars(
                    select(ImplementationState.public_id)
                    .join(Recommendation, Recommendation.id == ImplementationState.recommendation_id)
                    .join(SourceDocument, SourceDocument.id == Recommendation.document_id)
                    .where(
                        SourceDocument.symbol == one["document"],
                        Recommendation.paragraph == one["paragraph"],
                        Recommendation.sub_item == one["sub_item"],
                    )
                    .order_by(ImplementationState.id.desc())
                    .limit(1)
                ).one()
                reasons = {state} if one.get("reason_published") else set()
                publish_states(session, [state], with_reason=reasons, by=self._coordinator())

        return do

    def _close(self, slug: str) -> None:
        with write() as session:
            rounds.close_round(session, session.get_one(ReportingRound, self.rounds[slug]), by=self._coordinator())

    def _freeze(self, slug: str) -> None:
        with write() as session:
            rounds.freeze_round(session, session.get_one(ReportingRound, self.rounds[slug]), by=self._coordinator())
