"""What a secretariat prepares before a round: country, people, documents, questionnaires, assignments."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from forms.definition.check import check
from portal import clock
from portal.database import write
from portal.models import (
    AssignmentRole,
    Institution,
    Participation,
    QuestionnaireScope,
    Recommendation,
    SignOffPolicy,
    SourceDocument,
    StaffRole,
    UserAccount,
    Vocabulary,
)
from portal.queries.countries import country_facts
from portal.queries.sessions import system_principal
from portal.services import accounts, countries, people, people_import, questionnaires, recommendations, rounds
from portal.services.assignments import assign
from portal.services.people_import import honorific
from portal.workbooks import xlsform

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from pathlib import Path

    from sqlalchemy.orm import Session

    from portal.demo.files import CountryFiles
    from portal.permissions import Principal

# a portal is set up long before its first round, a round is prepared two weeks before it opens
SET_UP_BEFORE = timedelta(days=60)
PREPARED_DAY = -14
# which questionnaire a round offers in which length, unless the files name others; "" for none
OFFERED = {"short": "short", "full": "full"}


def set_up(files: CountryFiles, *, password_hash: str, sources: Path) -> dict[str, int]:
    """Make country, vocabularies, people, documents and questionnaires; return the versions by form name."""
    opened: datetime = min(files.moment(one, 0) for one in files.rounds)
    with clock.at(opened - SET_UP_BEFORE):
        with write() as session:
            people.ensure_system_actor(session)
            by = system_principal(session)
            set_up_country(session, files, by)
            _add_people(session, files, by)
            accounts.give_demo_password(session, password_hash=password_hash, by=by)
        with write() as session:
            for path, rows in files.documents():
                recommendations.import_recommendations(
                    session, rows, country_facts(session), by=by, filename=path.name
                )
        return {path.stem: add_questionnaire(path, by, sources) for path in files.questionnaires()}


def set_up_country(session: Session, files: CountryFiles, by: Principal) -> None:
    """Make the country row, the mechanisms and the vocabularies."""
    facts = files.country
    countries.set_up_country(
        session,
        code=facts["iso"]["alpha2"],
        aliases=facts["uhri_names"],
        names=facts["short_names"],
        languages=[
            {"code": one["code"], "name": one["autonym"], "digits": _digits(one["digits"])}
            for one in facts["languages"]
        ],
        time_zone=facts["time_zone"],
        secretariat=facts["secretariat"]["names"],
        portal_name=facts["portal_names"],
        honorifics=facts["honorifics"],
        demo=True,
        by=by,
    )
    countries.add_mechanisms(session, files.vocabularies["mechanisms"], by=by)
    for vocabulary in Vocabulary:
        rows = [(one["key"], one["labels"]) for one in files.vocabularies[vocabulary.value]]
        countries.add_labels(session, vocabulary, rows, by=by)


def _digits(written: str) -> str:
    return "khmr" if written.startswith("\N{KHMER DIGIT ZERO}") else "latn"


def _add_people(session: Session, files: CountryFiles, by: Principal) -> None:
    report = people_import.import_people(
        session,
        list(files.institution_rows()),
        list(files.person_rows()),
        by=by,
        languages=files.languages,
        honorifics=files.country["honorifics"],
        source="demo",
    )
    refused = [line for line in report.lines if line.outcome == "refused"]
    if refused:
        message = f"the demo people are refused: {refused[0]}"
        raise ValueError(message)
    for one in files.administrators():
        title = honorific(one["honorific"], files.country["honorifics"], files.languages) if one["honorific"] else {}
        names = ("login", "names", "post", "phone", "telegram", "email", "language")
        person = people.add_person(
            session, by=by, honorific=title, **{name: one[name] for name in names if one[name] is not None}
        )
        people.appoint_staff(session, person, StaffRole.ADMINISTRATOR, by=by)


def add_questionnaire(path: Path, by: Principal, sources: Path) -> int:
    """Check, store and publish one questionnaire workbook; return its version.

    Raises:
        ValueError: if the check finds a mistake.
    """
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    report = check(xlsform.read(content, filename=path.name))
    if report.definition is None:
        message = f"{path.name}: {report.problems[0].message}"
        raise ValueError(message)
    questionnaires.keep_source(sources, sha256, content)
    about = QuestionnaireScope.INSTITUTION if path.stem == "institution" else QuestionnaireScope.RECOMMENDATION
    with write() as session:
        version = questionnaires.store(
            session,
            report.definition,
            source_sha256=sha256,
            scope=about,
            length="full" if path.stem == "full" else "short",
            by=by,
        )
        questionnaires.publish(session, version, by=by)
        return version.id


def prepare_round(
    files: CountryFiles, of: Mapping[str, Any], versions: Mapping[str, int], *, by: Principal
) -> tuple[int, dict[str, int]]:
    """Create a round and assign what it asks; return its id and the assignments by key. Call it under the clock."""
    opens = files.opening(of)
    days = {name: opens + timedelta(days=of[f"{name}_day"]) for name in ("due", "closing", "freeze", "un_due")}
    asks_institutions = any(one["round"] == of["slug"] for one in files.answers["participations"])
    used = {**OFFERED, **of.get("questionnaires", {})}
    with write() as session:
        documents = {
            one.symbol: one.id for one in session.execute(select(SourceDocument.symbol, SourceDocument.id))
        }
        made = rounds.create_round(
            session,
            rounds.RoundFacts(
                titles=of["titles"],
                opens_on=opens,
                due_on=days["due"],
                closes_on=days["closing"],
                freezes_on=days["freeze"],
                un_due_on=days["un_due"],
                document_ids=[documents[symbol] for symbol in of["documents"]],
                kind=of["kind"],
                sign_off_policy=SignOffPolicy(of["sign_off_policy"]),
                short_version_id=versions.get(used["short"]),
                full_version_id=versions.get(used["full"]),
                institution_version_id=versions.get("institution") if asks_institutions else None,
                message=of.get("message", {}),
                slug=of["slug"],
            ),
            by=by,
        )
        institutions = {one.code: one for one in session.scalars(select(Institution))}
        places = {
            (one.document_id, one.paragraph, one.sub_item): one for one in session.scalars(select(Recommendation))
        }
        keys: dict[str, int] = {}
        for one in of["assignments"]:
            document = documents[one["document"]]
            wanted = [places[document, one["paragraph"], item] for item in one["sub_items"] or [""]]
            keys[one["key"]] = assign(
                session,
                made,
                institutions[one["institution"]],
                wanted,
                role=AssignmentRole(one["role"]),
                length=next(length for length, code in used.items() if code == one["questionnaire"]),
                # a date of its own would win over an extension
                due_on=_own_due(opens, one["due_day"], of["due_day"]),
                by=by,
            ).id
        return made.id, keys


def _own_due(opens: date, day: int, of_round: int) -> date | None:
    return None if day == of_round else opens + timedelta(days=day)


def person_ids(session: Session) -> dict[str, tuple[int, str]]:
    """Return id and language of everybody by log-in name."""
    rows = session.execute(select(UserAccount.login, UserAccount.id, UserAccount.language))
    return {row.login: (row.id, row.language or "en") for row in rows}


def participation_ids(session: Session, round_id: int) -> dict[str, int]:
    """Return a round's participations by institution code."""
    rows = session.execute(
        select(Institution.code, Participation.id)
        .join(Participation, Participation.institution_id == Institution.id)
        .where(Participation.round_id == round_id)
    )
    return {code: number for code, number in rows}  # noqa: C416 - rows are not pairs to the type checker
