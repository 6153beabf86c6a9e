"""A large synthetic portal for measuring: any number of institutions, recommendations and answers, by a seed number.

What is asked and answered is the same for the same numbers and seed; public ids and the days (counted from today) are
not. Country, people, recommendations, questionnaires and round come through the services; replies are bulk-loaded,
with the events, revisions and snapshots that the services would have left.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from forms.answers import AnswerKey, Given
from forms.context import Context
from forms.evaluation import evaluate
from forms.questionnaire import answer_keys, asked
from portal import clock
from portal.database import write
from portal.demo.bulk import Loader, Pattern
from portal.demo.files import CountryFiles
from portal.demo.hurry import hurried
from portal.demo.preparation import add_questionnaire, set_up_country
from portal.demo.seed import new_password
from portal.extensions import db
from portal.models import (
    Assignment,
    AssignmentRecommendation,
    AssignmentRole,
    Institution,
    Participation,
    Recommendation,
    ReportingRound,
    SignOffPolicy,
    SourceDocument,
    UserAccount,
    Vocabulary,
)
from portal.models.base import uuid7
from portal.queries.countries import country_facts
from portal.queries.questionnaires import definition
from portal.queries.sessions import principal_of, system_principal
from portal.queries.submissions import asked_recommendations
from portal.services import accounts, audit, issuing, people, people_import, recommendations, rounds
from portal.services.recommendation_rows import DocumentFacts, RecommendationRow
from portal.services.sessions import hash_password
from portal.workbooks.people import InstitutionRow, PersonRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Flask
    from sqlalchemy.orm import Session

    from forms.definition.model import Definition, Item
    from portal.permissions import Principal

ANSWERS_PER_REPLY = 20
PATTERNS = 200
TRIES = 2000
PARAGRAPHS_PER_DOCUMENT = 100
OPENED_DAYS_AGO = 42
_WORDS = (
    "training courts figures districts law draft budget review women children police health schools report year "
    "province service complaint inspection result measure office judges persons half quarter more fewer than before"
)
_KHMER = "ការបណ្តុះបណ្តាល តុលាការ តួលេខ ស្រុក ច្បាប់ សេចក្តីព្រាង ថវិកា ការពិនិត្យ ស្ត្រី កុមារ នគរបាល សុខភាព"


@dataclass(frozen=True)
class Size:
    """How large the portal shall be."""

    institutions: int = 60
    recommendations: int = 300
    answers: int = 200_000
    seed: int = 1


@dataclass
class _Made:
    """What the preparation leaves for the bulk load."""

    by: Principal
    round_ids: list[int] = field(default_factory=list)


def seed_big(app: Flask, size: Size, *, password: str | None = None, country: str = "cambodia") -> list[dict[str, str]]:
    """Fill an empty, migrated portal with a large synthetic set and return its log-ins.

    Raises:
        ValueError: if the numbers do not fit together (there must be at least one of each).
    """
    if min(size.institutions, size.recommendations, size.answers) < 1:
        message = "institutions, recommendations and answers must be at least 1"
        raise ValueError(message)
    chosen = password or new_password()
    hashed = hash_password(chosen)
    with app.app_context():
        settings = app.config["SETTINGS"]
        files = CountryFiles.open(country, clock.now())
        opened = clock.now() - timedelta(days=OPENED_DAYS_AGO)
        with hurried(settings.sqlite_path):
            with clock.at(opened - timedelta(days=30)):
                versions = _prepare(files, size, hashed, settings.data_dir / "questionnaires")
            patterns = _make_patterns(files, versions, size)
            with clock.at(opened):
                made = _issue(size, versions, -(-size.answers // len(patterns[0].given)))
            left = size.answers
            for number, round_id in enumerate(made.round_ids):
                left = _answer(round_id, made.by, size, number, left, patterns)
    return _logins(size, chosen)


def _prepare(files: CountryFiles, size: Size, hashed: str, sources: Any) -> dict[str, int]:
    with write() as session:
        people.ensure_system_actor(session)
        by = system_principal(session)
        set_up_country(session, files, by)
        report = people_import.import_people(
            session,
            [_institution(number) for number in range(1, size.institutions + 1)],
            [row for number in range(1, size.institutions + 1) for row in _persons(number)] + _staff(),
            by=by,
            languages=files.languages,
            source="synthetic",
        )
        if report.counts["refused"]:
            message = f"a synthetic row is refused: {next(one for one in report.lines if one.problems)}"
            raise ValueError(message)
        accounts.give_demo_password(session, password_hash=hashed, by=by)
    with write() as session:
        mechanism = files.vocabularies["mechanisms"][0]["code"]
        themes = [one["key"] for one in files.vocabularies["theme"]]
        rows = [_recommendation(number, mechanism, themes) for number in range(1, size.recommendations + 1)]
        recommendations.import_recommendations(session, rows, country_facts(session), by=by, filename="synthetic")
    return {
        path.stem: add_questionnaire(path, by, sources)
        for path in files.questionnaires()
        if path.stem in {"short", "full"}
    }


def _institution(number: int) -> InstitutionRow:
    names = {"en": f"Institution {number} (synthetic)"}
    return InstitutionRow("institutions", number + 1, f"i{number:04}", names, rank=str(number * 10), kind="ministry")


def _persons(number: int) -> list[PersonRow]:
    return [
        PersonRow(
            "persons",
            number * 2 + offset,
            institution=f"i{number:04}",
            role=role,
            login=f"{word}.i{number:04}",
            names={"en": f"{word.capitalize()}, institution {number}"},
            phone=f"+855 00 1{offset} {number:05}",
        )
        for offset, (role, word) in enumerate((("focal_point", "focal"), ("approver", "approver")))
    ]


def _staff() -> list[PersonRow]:
    return [
        PersonRow("persons", 1, role=role, login=login, names={"en": login.capitalize()})
        for role, login in (("coordinator", "coordinator"), ("report_writer", "writer"), ("observer", "observer"))
    ]


def _recommendation(number: int, mechanism: str, themes: list[str]) -> RecommendationRow:
    document, paragraph = divmod(number - 1, PARAGRAPHS_PER_DOCUMENT)
    return RecommendationRow(
        symbol=f"SYNTHETIC/{document + 1}",
        mechanism=mechanism,
        paragraph=str(paragraph + 1),
        heading={"en": f"Heading {number}"},
        texts={"en": f"Demo text: synthetic recommendation {number}."},
        summary={"en": f"You are asked about point {number}."},
        tags={Vocabulary.THEME: (themes[number % len(themes)],)},
        document=DocumentFacts(titles={"en": f"Synthetic document {document + 1} (demo)"}),
    )


def _issue(size: Size, versions: dict[str, int], replies: int) -> _Made:
    """Create as many rounds as it takes, assign each pair once, issue."""
    pairs = size.institutions * size.recommendations
    with write() as session:
        by = _coordinator(session)
        made = _Made(by)
        left = replies
        while left > 0:
            made.round_ids.append(_round(session, versions, min(left, pairs), len(made.round_ids), by))
            left -= pairs
    for round_id in made.round_ids:
        with write() as session:
            of = session.get_one(ReportingRound, round_id)
            issuing.issue_round(session, of, by=by, base_url="http://localhost", mails=False)
    return made


def _coordinator(session: Session) -> Principal:
    number = session.scalar(select(UserAccount.id).where(UserAccount.login == "coordinator"))
    found = principal_of(session, number or 0)
    if found is None:
        message = "the synthetic portal has no coordinator"
        raise LookupError(message)
    return found


def _round(session: Session, versions: dict[str, int], count: int, number: int, by: Principal) -> int:
    today = clock.today()
    made = rounds.create_round(
        session,
        rounds.RoundFacts(
            titles={"en": f"Synthetic round {number + 1} (demo)"},
            opens_on=today,
            due_on=today + timedelta(days=50),
            closes_on=today + timedelta(days=65),
            freezes_on=today + timedelta(days=80),
            document_ids=list(session.scalars(select(SourceDocument.id).order_by(SourceDocument.id))),
            sign_off_policy=SignOffPolicy.EITHER,
            short_version_id=versions.get("short"),
            full_version_id=versions.get("full"),
            slug=f"synthetic-{number + 1}",
        ),
        by=by,
    )
    institutions = list(session.scalars(select(Institution.id).order_by(Institution.id)))
    asked_about = session.execute(
        select(Recommendation.id, Recommendation.position).order_by(Recommendation.position, Recommendation.id)
    ).all()
    taking_part = {one: Participation(round_id=made.id, institution_id=one) for one in institutions}
    session.add_all(taking_part.values())
    session.flush()
    version = versions.get("full") or versions["short"]
    rows = []
    for index in range(count):
        # every recommendation goes to one institution before any goes to a second one
        turn, place = divmod(index, len(asked_about))
        institution = institutions[(place + turn) % len(institutions)]
        rows.append(
            {
                "public_id": uuid7(),
                "round_id": made.id,
                "participation_id": taking_part[institution].id,
                "institution_id": institution,
                "version_id": version,
                "role": AssignmentRole.LEAD if turn == 0 else AssignmentRole.CONTRIBUTING,
                "position": asked_about[place].position,
                "created_at": clock.now(),
                "created_by": by.actor_id,
            }
        )
    session.execute(insert(Assignment), rows)
    ids = list(session.scalars(select(Assignment.id).where(Assignment.round_id == made.id).order_by(Assignment.id)))
    links = [
        {
            "assignment_id": number,
            "recommendation_id": asked_about[index % len(asked_about)].id,
            "round_id": made.id,
            "institution_id": row["institution_id"],
        }
        for index, (number, row) in enumerate(zip(ids, rows, strict=True))
    ]
    session.execute(insert(AssignmentRecommendation), links)
    audit.record(session, "assign_synthetic", by=by, kind="round", thing=made.slug, assignments=count)
    return made.id


def _answer(
    round_id: int, by: Principal, size: Size, number: int, left: int, patterns: Sequence[Pattern]
) -> int:
    """Load the replies of a round in batches, each one transaction; return how many answers are still left."""
    chance = random.Random(f"{size.seed}:{number}")  # noqa: S311 - a reproducible load, no secret
    with write() as session:
        loader = Loader.open(session, round_id)
    while loader.waiting and left > 0:
        with write() as session:
            asks = asked_recommendations(session, loader.next_assignments())
            left -= loader.load(session, patterns, chance, left, asks, by)
    with write() as session:
        of = session.get_one(ReportingRound, round_id)
        audit.record(session, "load_synthetic", by=by, kind="round", thing=of.slug, seed=size.seed)
    return left


def _make_patterns(files: CountryFiles, versions: dict[str, int], size: Size) -> list[Pattern]:
    """Make sets of answers that break no rule, all of one length: what they would hide or refuse is left out."""
    compiled = definition(db.session, versions.get("full") or versions["short"])
    languages = tuple(code for code in files.languages if code in compiled.languages)
    context = Context(clock.today(str(files.zone)), languages)
    chance = random.Random(f"{size.seed}:patterns")  # noqa: S311 - a reproducible load, no secret
    by_length: dict[int, list[Pattern]] = defaultdict(list)
    for _turn in range(TRIES):
        given = _pattern(compiled, languages, context, chance)
        found = by_length[len(given)]
        found.append(Pattern.of(compiled, given, context))
        if len(found) >= PATTERNS:
            return found
    return max(by_length.values(), key=len)


def _pattern(
    compiled: Definition, languages: tuple[str, ...], context: Context, chance: random.Random
) -> dict[AnswerKey, Given]:
    given: dict[AnswerKey, Given] = {}
    for item in asked(compiled.pages):
        given |= _values(item, languages, chance)
    given = _settled(compiled, given, context)
    needed = evaluate(compiled, given, context).required
    spare = [key for key in given if key not in needed]
    for key in chance.sample(spare, max(0, min(len(spare), len(given) - ANSWERS_PER_REPLY))):
        del given[key]
    return _settled(compiled, given, context)


def _settled(compiled: Definition, given: dict[AnswerKey, Given], context: Context) -> dict[AnswerKey, Given]:
    """Leave out what the other answers hide or refuse, until nothing is."""
    while True:
        verdict = evaluate(compiled, given, context)
        wrong = {key for key in given if key.code in verdict.hidden or key in verdict.refused}
        if not wrong:
            return given
        given = {key: one for key, one in given.items() if key not in wrong}


def _values(  # noqa: PLR0911 - one line per kind of question
    item: Item, languages: tuple[str, ...], chance: random.Random
) -> dict[AnswerKey, Given]:
    keys = answer_keys(item, languages)
    choices = [one.key for one in item.choices if not one.retired]
    if keys[0].lang:
        lang = chance.choice(keys)
        words = _KHMER if lang.lang == "km" else _WORDS
        return {lang: Given(" ".join(chance.choices(words.split(), k=chance.randint(4, 60))))}
    if item.type in {"integer", "decimal"}:
        return {keys[0]: Given(chance.randint(0, 20_000))}
    if item.type == "year":
        return {keys[0]: Given(chance.randint(2015, 2026))}
    if item.type == "date":
        return {keys[0]: Given(f"{chance.randint(2020, 2026)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}")}
    if item.type == "select_one":
        return {keys[0]: Given(chance.choice(choices))}
    if item.type == "select_multiple":
        return {keys[0]: Given([*sorted(chance.sample(choices, min(len(choices), chance.randint(1, 3))))])}
    if item.type == "text":
        return {keys[0]: Given(f"Synthetic {chance.randint(1, 999)}")}
    return {}


def _logins(size: Size, password: str) -> list[dict[str, str]]:
    staff = [("coordinator", "coordinator"), ("report_writer", "writer"), ("observer", "observer")]
    found = [{"role": role, "institution": "", "login": login, "password": password} for role, login in staff]
    for number in range(1, size.institutions + 1):
        code = f"i{number:04}"
        for role, word in (("focal_point", "focal"), ("approver", "approver")):
            found.append({"role": role, "institution": code, "login": f"{word}.{code}", "password": password})
    return found
