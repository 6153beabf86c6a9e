"""The demo is seeded through the services: whole, in every state, true to its events, and quick the second time."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from forms.context import Context
from forms.evaluation import evaluate
from forms.tables import ROW_KEY
from portal import clock
from portal.database import writing
from portal.demo import seed as seeding
from portal.demo.files import CountryFiles
from portal.demo.tables import is_table
from portal.models import (
    Answer,
    AnswerRevision,
    AnswerRow,
    Assignment,
    AssignmentDocument,
    AssignmentRecommendation,
    AuditEvent,
    Clarification,
    ClarificationStatus,
    Country,
    DocumentState,
    Evidence,
    ImplementationState,
    Institution,
    MailStatus,
    OutgoingMail,
    Question,
    Recommendation,
    ReportingRound,
    RoundStatus,
    Signature,
    Snapshot,
    SourceDocument,
    Status,
    Submission,
    SubmissionEvent,
    Tag,
    UserAccount,
)
from portal.models.lifecycle import RECEIVED, fold
from portal.queries.published import published
from portal.queries.questionnaires import definition
from portal.queries.submissions import head_by_id, standing_rows, stored_reply
from portal.services import audit
from tests.client import Client
from tests.conftest import make_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask

KHMER = re.compile("[\u1780-\u17ff]")
PASSWORD = "a demo for everybody"


@dataclass
class Seeded:
    """A seeded country with its application and log-ins."""

    app: Flask
    folder: Path
    logins: list[dict[str, str]]
    files: CountryFiles


def _scanned_outside_of_writing(_path: Path, _name: str) -> None:
    from portal.extensions import db

    assert not writing(db.session)


def _seed(folder: Path, template: Path, cache: Path, country: str) -> Seeded:
    from portal.app import create_app

    data = folder / "data"
    data.mkdir(parents=True)
    shutil.copyfile(template, data / "portal.db")
    settings = make_settings(f"sqlite:///{data / 'portal.db'}", folder, demo=True)
    settings.__dict__["cache_dir"] = cache
    app = create_app(settings)
    with pytest.MonkeyPatch.context() as patch:
        # a demo may be seeded where a virus scanner is configured, and that one works outside transactions only
        patch.setattr("portal.services.evidence.scan", _scanned_outside_of_writing)
        logins = seeding.seed(app, password=PASSWORD, country=country)
    return Seeded(app, data, logins, CountryFiles.open(country, clock.now()))


@pytest.fixture(scope="session", params=["cambodia", "orvania"])
def seeded(
    request: pytest.FixtureRequest, sqlite_template: Path, demo_cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Seeded]:
    """Each demo country, seeded once; tests only look."""
    made = _seed(tmp_path_factory.mktemp(request.param), sqlite_template, demo_cache, request.param)
    yield made
    _dispose(made.app)


def _dispose(app: Flask) -> None:
    from portal.extensions import db

    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def stored(seeded: Seeded) -> Iterator[Session]:
    """A session on the seeded database."""
    from portal.extensions import db

    with seeded.app.app_context():
        engine = db.engine
        with Session(engine) as session:
            yield session


def _count(session: Session, model: Any, *where: Any) -> int:
    return session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def test_everything_of_the_files_is_there(seeded: Seeded, stored: Session) -> None:
    files = seeded.files
    assert _count(stored, Institution) == len(list(files.institution_rows()))
    assert _count(stored, UserAccount) == len(files.persons)
    assert _count(stored, Recommendation) == sum(len(rows) for _path, rows in files.documents())
    asked = [one for of in files.rounds for one in of["assignments"]]
    assert _count(stored, Assignment, Assignment.about_institution.is_(False)) == len(asked)
    for of in files.rounds:
        found = stored.scalars(select(ReportingRound).where(ReportingRound.slug == of["slug"])).one()
        wanted = {"frozen": RoundStatus.FROZEN, "draft": RoundStatus.DRAFT}.get(of["state"], RoundStatus.OPEN)
        assert (found.status, found.opens_on) == (wanted, files.opening(of))
    country = stored.scalars(select(Country)).one()
    assert country.demo
    waiting = stored.scalars(select(AssignmentDocument.state)).all()
    if files.folder.name == "cambodia":
        assert sorted(waiting) == [DocumentState.ENTERED, *[DocumentState.RECEIVED] * 2]
        paragraphs = stored.scalars(
            select(Recommendation.paragraph)
            .join(SourceDocument, SourceDocument.id == Recommendation.document_id)
            .where(SourceDocument.symbol == "CCPR/C/KHM/CO/3")
        )
        assert set(paragraphs) == {str(number) for number in range(1, 47)}
        assert _count(stored, Institution) >= 35
        assert [of["kind"] for of in files.rounds] == ["mid_term", "list_of_issues", "periodic", "follow_up", "periodic"]


def test_every_reply_ends_where_the_files_say(seeded: Seeded, stored: Session) -> None:
    wanted = sorted((one["status"], str(one["signature"])) for one in seeded.files.answers["replies"])
    found = stored.execute(
        select(Submission.status, Submission.signature)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(Assignment.about_institution.is_(False))
    )
    assert sorted((row.status.value, row.signature.value if row.signature else "None") for row in found) == wanted
    if seeded.files.folder.name == "cambodia":
        assert set(stored.scalars(select(Submission.status))) == set(Status)
        assert set(stored.scalars(select(Submission.signature))) == {*Signature, None}
        assert set(stored.scalars(select(Clarification.status))) == set(ClarificationStatus)


def test_folding_the_events_gives_every_cached_status(seeded: Seeded, stored: Session) -> None:
    assert seeded.logins
    history: dict[int, list[SubmissionEvent]] = {}
    for event in stored.scalars(select(SubmissionEvent).order_by(SubmissionEvent.submission_id, SubmissionEvent.number)):
        history.setdefault(event.submission_id, []).append(event)
    for submission in stored.scalars(select(Submission).where(Submission.assignment_id.is_not(None))):
        events = history[submission.id]
        state = fold(events)
        assert [one.done_at for one in events] == sorted(one.done_at for one in events)
        assert submission.status == state.status == events[-1].status
        assert (submission.hand_in, submission.signature) == (state.hand_in, state.signature)
        assert submission.handed_in_at == state.handed_in_at
        assert submission.under_review == state.under_review
        assert submission.unlocked == (list(state.unlocked) if state.unlocked is not None else None)
        handed_in = sum(1 for one in events if one.action.value in {"sign_off", "sign_on_paper", "hand_in_pending"})
        assert _count(stored, Snapshot, Snapshot.submission_id == submission.id) == handed_in


def test_the_audit_chain_is_whole_and_in_order(seeded: Seeded, stored: Session) -> None:
    assert audit.verify(stored) == []
    moments = list(stored.scalars(select(AuditEvent.at).order_by(AuditEvent.number)))
    assert moments == sorted(moments)
    assert moments[-1] <= clock.now()
    assert len(moments) > len(seeded.files.answers["replies"])


def test_answers_are_legal_and_the_cached_progress_is_theirs(seeded: Seeded, stored: Session) -> None:
    assert _count(stored, Answer, Answer.typed.is_not(None)) == 0
    assert _count(stored, Answer, Answer.message.is_not(None)) == 0
    for submission in stored.scalars(select(Submission).where(Submission.assignment_id.is_not(None))):
        head = head_by_id(stored, submission.id)
        compiled = definition(stored, head.version_id)
        given, rows = stored_reply(stored, head.id, compiled)
        found = evaluate(compiled, given, Context(seeded.files.today, compiled.languages), standing_rows(rows))
        assert not found.refused
        assert not [key for key, one in given.items() if not one.blank and found.is_hidden(key)]
        assert set(submission.hidden) == found.hidden
        assert submission.missing == len(found.missing)
        if submission.status in RECEIVED - {Status.RETURNED, Status.NOT_OURS}:
            assert found.complete


def test_tables_are_stored_row_by_row(seeded: Seeded, stored: Session) -> None:
    # what units answered their institution stands apart from the replies of the files
    replies = select(Submission.id).where(Submission.assignment_id.is_not(None))
    kept = list(
        stored.scalars(select(AnswerRow).where(AnswerRow.removed.is_(False), AnswerRow.submission_id.in_(replies)))
    )
    wanted = sorted(
        (code, row["key"], place)
        for reply in seeded.files.answers["replies"]
        for code, value in reply["answers"].items()
        if is_table(value)
        for place, row in enumerate(value["rows"], start=1)
        if ROW_KEY.match(row["key"])
    )
    assert sorted((one.repeat, one.key, one.position) for one in kept) == wanted
    if seeded.files.folder.name == "cambodia":
        history = select(AnswerRevision.value).join(Question, Question.id == AnswerRevision.question_id)
        total = history.where(Question.code == "c2_age_total", AnswerRevision.row == "age_18_29")
        assert stored.scalars(total.order_by(AnswerRevision.revision)).all() == [179, 197]
        writers = select(Answer.answered_by).join(Question, Question.id == Answer.question_id)
        assert len(set(stored.scalars(writers.where(Question.code == "b5_what", Answer.row.like("b5row%"))))) > 2


def test_evidence_mail_and_states_are_there(seeded: Seeded, stored: Session) -> None:
    for one in stored.scalars(select(Evidence)):
        assert one.sha256
        assert (seeded.folder / "evidence" / one.sha256[:2] / one.sha256).stat().st_size == one.size
    assert _count(stored, Evidence) >= 1
    assert _count(stored, ImplementationState) == len(seeded.files.answers["implementation_states"])
    wanted = [one for one in seeded.files.answers["implementation_states"] if one["published"]]
    shown = published(stored)
    assert len(shown) == len(wanted) > 0
    assert sum(one.with_reason for one in shown.values()) == sum(one.get("reason_published", False) for one in wanted)
    assert _count(stored, OutgoingMail) == _count(stored, OutgoingMail, OutgoingMail.status == MailStatus.SENT)
    assert len(list((seeded.folder / "mail").glob("*.eml"))) == _count(stored, OutgoingMail)


def test_no_demo_text_goes_without_its_label(seeded: Seeded, stored: Session) -> None:
    tongues = set(seeded.files.languages)
    for texts in stored.scalars(select(Recommendation.texts)):
        assert set(texts) == tongues
        assert texts["en"].startswith("Demo text: ")
    for titles in stored.scalars(select(ReportingRound.titles)):
        assert all(re.search(r"\((demo|démonstration|គំរូ)\)", text) for text in titles.values())
    for value in stored.scalars(select(Answer.value).where(Answer.lang != "")):
        assert re.search(r"\((demo|démo|គំរូ)\)|^[^.]+$", str(value))
    for caption in stored.scalars(select(Evidence.caption)):
        # the scan of a paper entry has the portal's own caption; the picture itself says DEMO
        own = ("The return on paper", "ចម្លើយតបលើក្រដាស")
        assert re.search(r"\((demo|démo|គំរូ)\)", caption) or caption.startswith(own)


def test_nobody_can_be_reached(seeded: Seeded, stored: Session) -> None:
    assert all(mail.endswith("@example.org") for mail in stored.scalars(select(OutgoingMail.address)))
    phones = stored.scalars(select(UserAccount.phone).where(UserAccount.phone.is_not(None))).all()
    assert all(re.match(r"\+?(85500|999)", phone) for phone in phones), phones[:3]
    assert {one["password"] for one in seeded.logins} == {PASSWORD}


def test_orvania_holds_nothing_of_cambodia(seeded: Seeded, stored: Session) -> None:
    if seeded.files.folder.name != "orvania":
        pytest.skip("about the other country")
    # by the application's own driver: a second SQLite library in this process would take the locks of the first
    run = stored.connection().exec_driver_sql
    tables = run("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
    dump = "\n".join(str(row) for name in tables for row in run(f'SELECT * FROM "{name}"'))
    assert "Orvania" in dump
    assert not KHMER.search(dump)
    assert not re.search(r"cambodia|khmer|phnom|\bKHM\b", dump, re.IGNORECASE)


def test_labels_are_known_in_the_national_language(seeded: Seeded, stored: Session) -> None:
    national = seeded.files.languages[0]
    assert all(labels.get(national) for labels in stored.scalars(select(Tag.labels)))
    assert _count(stored, Tag, Tag.mapped.is_(False)) == 0


def test_a_second_start_copies_the_first_with_another_password(
    seeded: Seeded,
    stored: Session,
    sqlite_template: Path,
    demo_cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("built again")

    monkeypatch.setattr(seeding, "_build", never)
    again = _seed(tmp_path, sqlite_template, demo_cache, seeded.files.folder.name)
    from portal.extensions import db

    with again.app.app_context(), Session(db.engine) as other:
        events = select(SubmissionEvent.public_id).order_by(SubmissionEvent.id)
        assert other.scalars(events).all() == stored.scalars(events).all()
        assert audit.verify(other) == []
        hashes = set(other.scalars(select(UserAccount.password_hash)))
        assert len(hashes) == 1
        assert hashes != set(stored.scalars(select(UserAccount.password_hash)))
        assert other.connection().exec_driver_sql("PRAGMA synchronous").scalar() == 2
    assert {path.name for path in (again.folder / "evidence").iterdir()} == {
        path.name for path in (seeded.folder / "evidence").iterdir()
    }
    _dispose(again.app)


def test_one_of_each_role_signs_in_and_sees_a_page(seeded: Seeded) -> None:
    for role in dict.fromkeys(one["role"] for one in seeded.logins):
        one = next(one for one in seeded.logins if one["role"] == role)
        client = Client(seeded.app)
        assert client.sign_in(one["login"], PASSWORD).status_code == 303, role
        slug = seeded.files.rounds[-1]["slug"]
        pages = ["/account", "/recommendations"]
        if one["role"] == "coordinator":
            pages += ["/people/", f"/rounds/{slug}", f"/rounds/{slug}/grid", f"/rounds/{slug}/matrix"]
        elif one["institution"]:
            pages += ["/owed"]
        for page in pages:
            client.get(page, expect=200)
            if seeded.files.folder.name == "orvania":
                assert not KHMER.search(client.text), (role, page)
                assert "Cambodia" not in client.text, (role, page)


def test_what_one_recommendation_was_told_is_offered_on_another_that_asks_it_too(
    seeded: Seeded, stored: Session
) -> None:
    if seeded.files.folder.name != "cambodia":
        pytest.skip("its questionnaires ask for no indicator")
    reply = stored.scalars(
        select(Submission.public_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(AssignmentRecommendation, AssignmentRecommendation.assignment_id == Assignment.id)
        .join(Recommendation, Recommendation.id == AssignmentRecommendation.recommendation_id)
        .join(Institution, Institution.id == Assignment.institution_id)
        .where(Institution.code == "mowa", Recommendation.paragraph == "18", Recommendation.sub_item == "a")
    ).one()
    client = Client(seeded.app)
    client.sign_in("focal.mowa", PASSWORD)
    client.get(f"/replies/{reply}/pages/part_c", expect=200)
    offered = client.page.xpath("//div[@id='q-c4_source-item']//details[contains(@class, 'fold-earlier')]/summary")
    assert "16 (a)" in offered[0].text_content()
