"""Migrations: one line, up and down with rows in them, and the models equal the schema, on both engines."""

from __future__ import annotations

from datetime import date

import pytest
from alembic import command
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal import clock, migrations
from portal.models import (
    Answer,
    Assignment,
    AssignmentDocument,
    Base,
    Clarification,
    Collection,
    Delegation,
    EarlierCover,
    Evidence,
    EvidenceKind,
    Example,
    ExampleAct,
    ExampleEvent,
    ExampleState,
    Implementation,
    ImplementationPublication,
    ImplementationState,
    Institution,
    KeptWarning,
    OfflineTaking,
    PackedReply,
    Participation,
    PublicationAct,
    Questionnaire,
    QuestionnaireVersion,
    Recollection,
    ReplySeen,
    ReportedText,
    SigningPack,
    Snapshot,
    Status,
    Submission,
    SubmissionEvent,
    Unit,
    VersionStatus,
    WholeVerdict,
    Wording,
    WordingRevision,
)
from tests import engines, factories

pytestmark = pytest.mark.engines


@pytest.fixture(scope="module")
def postgres_database(postgres):
    """A database of this module's own: a test that fails half way down leaves it in pieces."""
    lent = engines.Lent(postgres.clone())
    yield lent
    lent.close()


@pytest.fixture
def engine(app):
    from portal.extensions import db

    with app.app_context():
        yield db.engine


def test_the_schema_equals_the_models(engine):
    settings = migrations.config()
    with engine.connect() as connection:
        settings.attributes["connection"] = connection
        command.check(settings)


def test_the_head_is_pinned(engine):
    assert migrations.head() == migrations.current(engine) == "0017"


def test_head_and_current_are_what_alembic_says(engine):
    script = ScriptDirectory.from_config(migrations.config())
    assert migrations.head() == script.get_current_head()
    with engine.connect() as connection:
        assert migrations.current(engine) == MigrationContext.configure(connection).get_current_revision()
    migrations.downgrade(engine, "base")
    assert migrations.current(engine) is None
    migrations.upgrade(engine)


def test_upgrading_again_changes_nothing_and_loses_nothing(engine):
    with Session(engine) as session:
        factories.submission(session)
        session.commit()
        before = session.scalar(select(Institution.names))
    migrations.upgrade(engine)
    with Session(engine) as session:
        assert session.scalar(select(Institution.names)) == before


def test_down_leaves_nothing_and_up_makes_it_all_again(engine, engine_name):
    with Session(engine) as session:
        factories.submission(session)
        session.commit()
    migrations.downgrade(engine, "base")
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    migrations.upgrade(engine)
    assert set(Base.metadata.tables) <= set(inspect(engine).get_table_names())
    with Session(engine) as session:
        factories.country(session)
        session.commit()


def test_every_migration_goes_up_down_and_up_again_by_itself(engine):
    steps = list(ScriptDirectory.from_config(migrations.config()).walk_revisions())[::-1]
    migrations.downgrade(engine, "base")
    for step in steps:
        migrations.upgrade(engine, step.revision)
        migrations.downgrade(engine, step.down_revision or "base")
        assert migrations.current(engine) == step.down_revision
        migrations.upgrade(engine, step.revision)
    assert migrations.current(engine) == migrations.head()


def test_publications_come_and_go_and_states_stay(engine):
    with Session(engine) as session:
        actor = factories.system_actor(session).id
        one = factories.recommendation(session)
        state = ImplementationState(
            recommendation_id=one.id, state=Implementation.PLANNED, as_of=date(2026, 1, 1), reason="Plan",
            set_at=clock.now(), set_by=actor,
        )  # fmt: skip
        session.add(state)
        session.flush()
        session.add(
            ImplementationPublication(
                state_id=state.id, act=PublicationAct.PUBLISHED, done_at=clock.now(), done_by=actor
            )
        )
        session.commit()
    migrations.downgrade(engine, "0001")
    assert "implementation_publication" not in inspect(engine).get_table_names()
    migrations.upgrade(engine)
    with Session(engine) as session:
        assert session.scalar(select(ImplementationState.reason)) == "Plan"
        assert session.scalars(select(ImplementationPublication)).all() == []


def test_wording_comes_and_goes_and_people_stay(engine):
    with Session(engine) as session:
        actor = factories.system_actor(session).id
        given = {"basis": "បុគ្គល", "note": "", "set_at": clock.now(), "set_by": actor}
        made = Wording(language="km", message="0" * 24, source="People", text="មនុស្ស", **given)
        session.add(made)
        session.flush()
        session.add(WordingRevision(wording_id=made.id, revision=1, text="មនុស្ស", **given))
        factories.institution(session, "moj")
        session.commit()
    migrations.downgrade(engine, "0003")
    assert not {"wording", "wording_revision"} & set(inspect(engine).get_table_names())
    migrations.upgrade(engine)
    with Session(engine) as session:
        assert session.scalar(select(Institution.code)) == "moj"
        assert session.scalars(select(Wording)).all() == []


def test_earlier_covers_come_and_go_and_the_one_that_stands_stays(engine):
    with Session(engine) as session:
        actor = factories.system_actor(session).id
        factories.submission(session)
        place = session.scalars(select(Assignment)).one()
        pack = SigningPack(
            round_id=place.round_id, institution_id=place.institution_id, sha256="0" * 64, made_by=actor,
            cover_sha256="1" * 64,
        )  # fmt: skip
        session.add(pack)
        session.flush()
        session.add(
            EarlierCover(
                pack_id=pack.id, number=1, name="a.png", media_type="image/png", size=1, sha256="2" * 64,
                replaced_by=actor,
            )
        )  # fmt: skip
        session.commit()
    migrations.downgrade(engine, "0016")
    assert "earlier_cover" not in inspect(engine).get_table_names()
    migrations.upgrade(engine)
    with Session(engine) as session:
        assert session.scalars(select(EarlierCover)).all() == []
        assert session.scalars(select(SigningPack.cover_sha256)).one() == "1" * 64


def test_packs_come_and_go_and_what_was_handed_in_keeps_its_bytes_and_gets_a_code(engine):
    with Session(engine) as session:
        actor = factories.system_actor(session).id
        reply = factories.submission(session)
        event = session.scalars(select(SubmissionEvent)).one()
        session.add(Snapshot(submission_id=reply.id, event_id=event.id, canonical="{}", sha256="0" * 64))
        place = session.scalars(select(Assignment)).one()
        pack = SigningPack(
            round_id=place.round_id, institution_id=place.institution_id, sha256="0" * 64, made_by=actor
        )  # fmt: skip
        session.add(pack)
        session.flush()
        session.add(PackedReply(pack_id=pack.id, submission_id=reply.id, position=1, canonical="{}", sha256="0" * 64))
        session.add(
            KeptWarning(
                submission_id=reply.id, warning="reversed b", basis="0", reason="x", kept_by=actor, kept_at=clock.now()
            )
        )  # fmt: skip
        session.add(ReplySeen(submission_id=reply.id, actor_id=actor, seen_at=clock.now()))
        session.commit()
        code = session.scalar(select(Snapshot.code))
    migrations.downgrade(engine, "0005")
    gone = {"signing_pack", "packed_reply", "kept_warning", "reply_seen"}
    assert not gone & set(inspect(engine).get_table_names())
    assert "code" not in {column["name"] for column in inspect(engine).get_columns("snapshot")}
    migrations.upgrade(engine)
    with Session(engine) as session:
        kept = session.scalars(select(Snapshot)).one()
        assert (kept.canonical, kept.sha256) == ("{}", "0" * 64)
        assert len(kept.code) == 16
        assert kept.code != code
        assert session.scalars(select(SigningPack)).all() == []


def test_a_reply_is_in_one_pack_at_a_time(engine):
    with Session(engine) as session:
        actor = factories.system_actor(session).id
        reply = factories.submission(session)
        place = session.scalars(select(Assignment)).one()
        for number, still in enumerate((False, False, True, True)):
            pack = SigningPack(
                round_id=place.round_id, institution_id=place.institution_id, sha256=f"{number}", made_by=actor
            )  # fmt: skip
            session.add(pack)
            session.flush()
            given = {"pack_id": pack.id, "submission_id": reply.id, "position": 1, "canonical": "{}", "sha256": "0"}
            session.add(PackedReply(open=still, **given))
            if number == 3:
                with pytest.raises(IntegrityError):
                    session.flush()
            else:
                session.flush()


def test_older_drafts_are_laid_aside_and_the_newest_stays(engine):
    migrations.downgrade(engine, "0004")
    with Session(engine) as session:
        given = {"titles": {}, "languages": ["en"], "default_language": "en"}
        for code, statuses in (("two", "ddp"), ("one", "pd"), ("none", "p")):
            of = Questionnaire(code=code, titles={})
            session.add(of)
            session.flush()
            for number, status in enumerate(statuses, 1):
                known = {"d": VersionStatus.DRAFT, "p": VersionStatus.PUBLISHED}[status]
                session.add(QuestionnaireVersion(questionnaire_id=of.id, number=number, status=known, **given))
        session.commit()
    migrations.upgrade(engine)
    with Session(engine) as session:
        found = session.execute(
            select(Questionnaire.code, QuestionnaireVersion.number, QuestionnaireVersion.status)
            .join(Questionnaire, Questionnaire.id == QuestionnaireVersion.questionnaire_id)
            .order_by(Questionnaire.code, QuestionnaireVersion.number)
        ).all()
    # the newer of two drafts was overtaken by version 3, so it becomes version 4
    assert [tuple(map(str, one)) for one in found] == [
        ("none", "1", "published"), ("one", "1", "published"), ("one", "2", "draft"),
        ("two", "1", "retired"), ("two", "3", "published"), ("two", "4", "draft"),
    ]  # fmt: skip


def test_memory_comes_and_goes_and_replies_stay(engine):
    with Session(engine) as session:
        actor = factories.system_actor(session).id
        old, new = factories.submission(session, hand_in=1), factories.submission(session)
        cited = factories.recommendation(session)
        at = clock.now()
        thread = Clarification(submission_id=new.id, opened_by=actor, opened_at=at, batch="b" * 32)
        example = Example(
            institution_id=session.get_one(Assignment, old.assignment_id).institution_id, recommendation_id=cited.id,
            titles={"en": "Court"}, texts={"en": "Built"}, sent_by=actor,
        )  # fmt: skip
        session.add_all([
            thread, example,
            ReportedText(recommendation_id=cited.id, source="R/1", texts={"en": "A law"}, set_by=actor, set_at=at),
        ])  # fmt: skip
        session.flush()
        session.add(
            ExampleEvent(
                example_id=example.id, number=1, action=ExampleAct.SEND, state=ExampleState.CANDIDATE, done_by=actor,
                done_at=at,
            )
        )  # fmt: skip
        session.commit()
        asked = session.get_one(Assignment, old.assignment_id).participation_id
    migrations.downgrade(engine, "0004")
    assert not {"example", "example_event", "reported_text", "earlier_verdict"} & set(inspect(engine).get_table_names())
    migrations.upgrade(engine)
    with Session(engine) as session:
        # the thread stays, as one of one reply; whoever has handed in before looks back again
        assert session.scalars(select(Clarification.batch)).all() == [None]
        remembering = session.scalars(select(Participation.id).where(Participation.remembers.is_(True))).all()
        assert remembering == [asked]
        assert session.scalars(select(Example)).all() == []


def test_what_units_answered_goes_with_sharing_and_replies_stay(engine):
    with Session(engine) as session:
        reply = factories.submission(session)
        actor = factories.system_actor(session).id
        until = {"expires_at": clock.now(), "created_by": actor, "held_by": actor}
        made = Collection(submission_id=reply.id, items=["beds"], **until)
        apart = Submission(status=Status.IN_PROGRESS)
        at = session.get_one(Assignment, reply.assignment_id).institution_id
        unit = Unit(institution_id=at, name="Kampot", retired_at=clock.now())
        session.add_all([made, apart, unit])
        session.flush()
        secret = {"token_hash": "0" * 64, "code_hash": "0" * 64, "items": ["beds"], **until}
        left_out = {"collection_id": made.id, "unit_id": unit.id, "left_out_at": clock.now()}
        session.add(Delegation(submission_id=apart.id, name="Kampot", **secret, **left_out))
        session.add(Delegation(submission_id=reply.id, name="Kandal", **secret | {"token_hash": "1" * 64}))
        session.commit()
        kept = reply.public_id
    migrations.downgrade(engine, "0011")
    migrations.upgrade(engine)
    with Session(engine) as session:
        assert session.execute(select(Unit.name, Unit.retired_at)).one() == ("Kampot", None)
        assert session.scalars(select(Delegation.left_out_at)).all() == [None, None]
    migrations.downgrade(engine, "0005")
    assert not {"unit", "collection"} & set(inspect(engine).get_table_names())
    with engine.connect() as connection:
        assert connection.execute(text("SELECT public_id FROM submission")).scalars().all() == [kept]
        assert connection.execute(text("SELECT name FROM delegation")).scalars().all() == ["Kandal"]
    migrations.upgrade(engine)
    with Session(engine) as session:
        one = session.scalars(select(Delegation)).one()
        assert (one.held_by, one.note, one.quoted) == (one.created_by, "", [])
        session.add(Submission(status=Status.IN_PROGRESS))
        session.commit()


def test_documents_come_and_go_and_evidence_stays(engine):
    with Session(engine) as session:
        actor = factories.system_actor(session).id
        reply = factories.submission(session)
        asked = reply.assignment_id
        given = {"filename": "a.pdf", "media_type": "application/pdf", "size": 1, "sha256": "0" * 64, "added_by": actor}
        session.add(
            AssignmentDocument(assignment_id=asked, from_secretariat=True, added_at=clock.now(), **given)
        )
        session.add(
            Evidence(
                submission_id=reply.id, round_id=session.get_one(Assignment, asked).round_id, number=1,
                kind=EvidenceKind.FILE, added_at=clock.now(), scanned_at=clock.now(), **given,
            )
        )  # fmt: skip
        session.commit()
    before = ScriptDirectory.from_config(migrations.config()).get_revision("0011").down_revision
    migrations.downgrade(engine, before)
    assert "assignment_document" not in inspect(engine).get_table_names()
    assert "scanned_at" not in {column["name"] for column in inspect(engine).get_columns("evidence")}
    migrations.upgrade(engine)
    with Session(engine) as session:
        assert session.execute(select(Evidence.filename, Evidence.scanned_at)).one() == ("a.pdf", None)
        assert session.scalars(select(AssignmentDocument)).all() == []


def test_what_was_taken_from_copies_comes_and_goes_and_answers_stay(engine):
    with Session(engine) as session:
        reply = factories.submission(session)
        names = {"book": "b", "copy": "", "code": "beds", "line": "", "lang": ""}
        session.add(OfflineTaking(submission_id=reply.id, digest="0" * 8, revision=1, taken_at=clock.now(), **names))
        session.commit()
    before = ScriptDirectory.from_config(migrations.config()).get_revision("0013").down_revision
    migrations.downgrade(engine, before)
    assert "offline_taking" not in inspect(engine).get_table_names()
    migrations.upgrade(engine)
    with Session(engine) as session:
        assert session.scalars(select(OfflineTaking)).all() == []
        assert len(session.scalars(select(Submission)).all()) == 1


def test_what_was_said_of_tables_and_kept_comes_and_goes_and_takings_stay(engine):
    with Session(engine) as session:
        reply, source = factories.submission(session), factories.submission(session)
        by = factories.system_actor(session).id
        names = {"book": "b", "copy": "", "line": "", "lang": "", "digest": "0" * 8, "revision": 1}
        for code, kept in (("beds", False), ("cells", True)):
            session.add(OfflineTaking(submission_id=reply.id, code=code, kept=kept, taken_at=clock.now(), **names))
        session.add(
            WholeVerdict(
                submission_id=reply.id, source_id=source.id, code="b5", sha256="", verdict=Recollection.NO_LONGER_TRUE,
                decided_by=by, decided_at=clock.now(),
            )
        )  # fmt: skip
        session.commit()
    before = ScriptDirectory.from_config(migrations.config()).get_revision("0015").down_revision
    migrations.downgrade(engine, before)
    assert "whole_verdict" not in inspect(engine).get_table_names()
    assert "kept" not in {column["name"] for column in inspect(engine).get_columns("offline_taking")}
    migrations.upgrade(engine)
    with Session(engine) as session:
        # what was kept would look like a taking to an older portal: it is forgotten
        assert session.execute(select(OfflineTaking.code, OfflineTaking.kept)).all() == [("beds", False)]
        assert session.scalars(select(WholeVerdict)).all() == []



def test_answers_have_no_hidden_row_number_on_sqlite(engine, engine_name):
    if engine_name != "sqlite":
        assert inspect(engine).get_pk_constraint("answer")["constrained_columns"] == [
            column.name for column in Answer.__table__.primary_key
        ]
        return
    with engine.connect() as connection:
        made = connection.execute(text("SELECT sql FROM sqlite_master WHERE name = 'answer'")).scalar_one()
    assert "WITHOUT ROWID" in made
