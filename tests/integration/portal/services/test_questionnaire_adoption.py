"""A questionnaire that is out changes: whom it touches, and what becomes of each reply under each choice."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from sqlalchemy import select

from forms.answers import AnswerKey, Parsed
from forms.context import Context
from forms.definition.model import Choice as Option
from forms.definition.model import Definition, Item
from portal import clock
from portal.errors import Conflict, Invalid, NotAllowed
from portal.models import (
    Action,
    Answer,
    Assignment,
    AuditEvent,
    QuestionnaireScope,
    ReportingRound,
    Role,
    RoundStatus,
    Snapshot,
    StaffRole,
    Status,
    Submission,
    SubmissionEvent,
)
from portal.queries import questionnaires as look
from portal.queries.answer_lines import Versions, lines
from portal.queries.handed_in import replies as handed_in
from portal.queries.questionnaire_impact import impact_of
from portal.queries.rounds import asks
from portal.queries.submissions import handed_back, head_by_id
from portal.services import questionnaires
from portal.services.assignments import cell_value
from portal.services.issuing import issue_round
from portal.services.questionnaire_adoption import Adopted, Choice, adopt_version
from portal.services.questionnaire_choices import retire_choice
from portal.services.questionnaire_drafts import Edit, set_rules, set_wording
from portal.services.questionnaire_places import Place, add_item, retire_item
from portal.services.questionnaire_versions import begin_draft, publish_draft
from portal.services.reviews import clear, return_reply
from portal.services.submissions import Change, save_answers
from portal.services.verdicts import complete, sign_off
from portal.services.verification import faults_of
from tests import factories

pytestmark = pytest.mark.engines()

STATE = Item(
    None, "question", "b1", "select_one", {"label": {"en": "State", "km": "ស្ថានភាព"}}, required="true()",
    choices=(Option("done", {"en": "Done"}), Option("planned", {"en": "Planned"}), Option("stopped", {"en": "Stopped"})),
)  # fmt: skip
BEDS = Item(None, "question", "beds", "integer", {"label": {"en": "Beds"}})
WHY = Item(None, "question", "why", "text", {"label": {"en": "Why?"}}, relevant="${b1} = 'planned'")
TWICE = Item(None, "question", "twice", "calculate", calculation="${beds} * 2")
ANSWERS = {"b1": "done", "beds": 7}


@pytest.fixture
def scene(session):
    """Six institutions in one round: issued, being answered, with the approver, handed in, cleared, returned."""
    by = factories.principal(session, factories.staff(session))
    page = Item(None, "section", "page", texts={"label": {"en": "Page"}}, children=(STATE, BEDS, WHY, TWICE))
    made = Definition(None, "short", None, {"en": "Short"}, ("km", "en"), "km", (page,))
    first = questionnaires.store(
        session, made, source_sha256=None, scope=QuestionnaireScope.RECOMMENDATION, length="short", by=by
    )
    publish_draft(session, first, by=by)
    of = factories.reporting_round(session, factories.document(session), short_version_id=first.id)
    found = SimpleNamespace(session=session, by=by, first=first, round=of, replies={})
    for name in ("issued", "begun", "waiting", "submitted", "cleared", "returned"):
        found.replies[name] = reply(found, name)
    session.commit()
    return found


def reply(scene, name, version=None):
    session = scene.session
    at = factories.institution(session, name)
    person = factories.person(session, at)
    approver = factories.person(session, at, Role.APPROVER)
    asked = factories.assignment(session, at, scene.round, version=version or scene.first)
    made = factories.submission(session, asked)
    focal, signer = factories.principal(session, person, at), factories.principal(session, approver, at)
    one = SimpleNamespace(id=made.id, public_id=made.public_id, focal=focal, signer=signer, assignment_id=asked.id)
    if name != "issued":
        save(scene, one, ANSWERS)
    if name in {"waiting", "submitted", "cleared", "returned"}:
        hand_in(scene, one, sign=name != "waiting")
    if name == "cleared":
        clear(session, head_by_id(session, one.id), by=scene.by)
    if name == "returned":
        return_reply(session, head_by_id(session, one.id), note="Look again", codes=["beds"], by=scene.by)
    return one


def save(scene, one, answers):
    session, head = scene.session, head_by_id(scene.session, one.id)
    return save_answers(
        session, head, look.definition(session, head.version_id), look.question_ids(session, head.version_id),
        {AnswerKey(code, "", "en" if isinstance(value, str) and code in {"why", "new"} else ""): Change(Parsed(value), None)
         for code, value in answers.items()},
        context=context(), by=one.focal,
    )  # fmt: skip


def hand_in(scene, one, *, sign=True):
    session, head = scene.session, head_by_id(scene.session, one.id)
    definition = look.definition(session, head.version_id)
    complete(session, head, definition, context=context(), by=one.focal)
    if sign:
        sign_off(session, [(head_by_id(session, one.id), definition)], by=one.signer)


def context():
    return Context(today=clock.today(), languages=("km", "en"))


def next_version(scene, *changes):
    draft = begin_draft(scene.session, scene.first, by=scene.by)
    for change in changes:
        change(draft)
    publish_draft(scene.session, draft, by=scene.by)
    scene.session.commit()
    return draft


def adopt(scene, version, choice=Choice.KEEP, **more):
    done = adopt_version(scene.session, scene.round, version, choice=choice, by=scene.by, **more)
    scene.session.commit()
    return done


def standing(scene):
    scene.session.expire_all()
    return {
        name: (head.status.value, look.definition(scene.session, head.version_id).version, head.unlocked)
        for name, head in ((name, head_by_id(scene.session, one.id)) for name, one in scene.replies.items())
    }


def worded(scene):
    return lambda draft: set_wording(scene.session, draft, "b1", [Edit("label", "State", "State now", "en")], by=scene.by)


def stricter(scene):
    return lambda draft: set_rules(scene.session, draft, "beds", [Edit("constraint", "", ". > 10")], by=scene.by)


def actions(scene, name):
    rows = scene.session.execute(
        select(SubmissionEvent.action, SubmissionEvent.reason)
        .where(SubmissionEvent.submission_id == scene.replies[name].id)
        .order_by(SubmissionEvent.number)
    )
    return [(row.action.value, row.reason) for row in rows]


def test_a_safe_change_reaches_everybody_who_is_still_answering(scene):
    version = next_version(scene, worded(scene))
    assert impact_of(scene.session, version).rows() == []
    snapshots = {one.id: one.sha256 for one in scene.session.scalars(select(Snapshot))}
    assert adopt(scene, version) == Adopted(moved=3, asked_again=0, kept=0, handed_in=3)
    assert standing(scene) == {
        "issued": ("issued", 2, None), "begun": ("in_progress", 2, None), "waiting": ("awaiting_sign_off", 1, None),
        "submitted": ("submitted", 1, None), "cleared": ("cleared", 1, None), "returned": ("returned", 2, ("beds",)),
    }  # fmt: skip
    assert actions(scene, "begun")[-1] == ("adopt_version", None)
    assert handed_back(scene.session, scene.replies["returned"].id).reason == "Look again"
    assert {one.id: one.sha256 for one in scene.session.scalars(select(Snapshot))} == snapshots
    audited = scene.session.scalars(
        select(AuditEvent).where(AuditEvent.action == "adopt_version").order_by(AuditEvent.number)
    ).all()
    assert [one.object_kind for one in audited] == ["assignment"] * 3 + ["round"]
    assert faults_of(scene.session) == []
    assert adopt(scene, version) == Adopted(handed_in=3)
    assert scene.session.get_one(ReportingRound, scene.round.id).short_version_id == version.id


def test_whom_an_unsafe_change_touches_is_told_by_name(scene):
    version = next_version(scene, stricter(scene))
    (row,) = impact_of(scene.session, version).rows()
    assert (row.difference.code, row.difference.detail) == ("beds", "constraint")
    named = [(first.institution_code, signed) for first, _count, signed in row.institutions]
    assert named == [
        ("begun", False), ("waiting", False), ("submitted", True), ("cleared", True), ("returned", False),
    ]  # fmt: skip
    assert row.signed == 2


def test_keep_leaves_whom_it_touches_on_their_version(scene):
    version = next_version(scene, stricter(scene))
    assert adopt(scene, version) == Adopted(moved=1, asked_again=0, kept=2, handed_in=3)
    assert {name for name, (_status, number, _open) in standing(scene).items() if number == 2} == {"issued"}


def test_only_new_leaves_whoever_has_begun(scene):
    version = next_version(scene, worded(scene))
    assert adopt(scene, version, Choice.ONLY_NEW) == Adopted(moved=1, asked_again=0, kept=2, handed_in=3)
    assert {name for name, (_status, number, _open) in standing(scene).items() if number == 2} == {"issued"}


def test_ask_again_opens_exactly_the_questions_concerned(scene):
    version = next_version(scene, stricter(scene))
    with pytest.raises(Invalid, match="Give a reason"):
        adopt(scene, version, Choice.ASK_AGAIN)
    scene.session.rollback()
    assert {number for _status, number, _open in standing(scene).values()} == {1}
    done = adopt(scene, version, Choice.ASK_AGAIN, reason="Count again, please")
    assert done == Adopted(moved=6, asked_again=5, kept=0, handed_in=0)
    assert standing(scene) == {
        "issued": ("issued", 2, None), "begun": ("in_progress", 2, None), "waiting": ("in_progress", 2, None),
        "submitted": ("returned", 2, ("beds",)), "cleared": ("in_progress", 2, ("beds",)),
        "returned": ("returned", 2, ("beds",)),
    }  # fmt: skip
    assert actions(scene, "submitted")[-2:] == [("return", "Count again, please"), ("adopt_version", None)]
    assert actions(scene, "cleared")[-2:] == [("reopen", "Count again, please"), ("adopt_version", None)]
    assert actions(scene, "waiting")[-1] == ("adopt_version", "Count again, please")
    for name in ("begun", "waiting", "submitted", "cleared", "returned"):
        assert handed_back(scene.session, scene.replies[name].id).reason == "Count again, please"
        head = head_by_id(scene.session, scene.replies[name].id)
        assert head.missing == 1, name  # the stored answer breaks the new rule
    assert scene.session.scalars(select(Submission.signature).where(Submission.id == scene.replies["cleared"].id)).one() == "void"
    assert adopt(scene, version, Choice.ASK_AGAIN, reason="Again") == Adopted()
    # the institution answers, and hands in under the new version
    cleared = scene.replies["cleared"]
    assert not save(scene, cleared, {"beds": 12}).refused
    assert save(scene, cleared, {"b1": "planned"}).refused[0].kept is False
    hand_in(scene, cleared)
    scene.session.commit()
    assert standing(scene)["cleared"] == ("submitted", 2, None)
    assert faults_of(scene.session) == []


def test_a_new_required_question_is_open_even_where_other_things_are_asked_again(scene):
    new = Item(None, "question", "new", "text", {"label": {"en": "New"}}, required="yes")
    follow = Item(None, "question", "after", "integer", {"label": {"en": "After"}}, relevant="${beds} > 100")
    version = next_version(
        scene, stricter(scene),
        lambda draft: add_item(scene.session, draft, new, Place("page"), by=scene.by),
        lambda draft: add_item(scene.session, draft, follow, Place("page"), by=scene.by),
    )  # fmt: skip
    adopt(scene, version, Choice.ASK_AGAIN, codes=["beds"], reason="Count again")
    assert standing(scene)["submitted"] == ("returned", 2, ("after", "beds", "new"))
    one = scene.replies["submitted"]
    save(scene, one, {"beds": 200, "new": "Something", "after": 3})
    hand_in(scene, one)


def test_what_is_taken_out_keeps_its_answers_in_every_workbook(scene):
    version = next_version(
        scene, lambda draft: retire_item(scene.session, draft, "twice", by=scene.by),
        lambda draft: retire_item(scene.session, draft, "beds", by=scene.by),
        lambda draft: retire_choice(scene.session, draft, "b1", "done", by=scene.by),
    )  # fmt: skip
    adopt(scene, version, Choice.ASK_AGAIN, codes=["b1"], reason="Choose again")
    one = scene.replies["submitted"]
    # "why" is asked or not as b1 is answered, so it is open too
    assert standing(scene)["submitted"] == ("returned", 2, ("b1", "why"))
    # while it is being changed, the workbook shows what was handed in; afterwards both versions side by side
    for state in ("frozen", "live"):
        if state == "live":
            save(scene, one, {"b1": "stopped"})
            hand_in(scene, one)
            scene.session.commit()
        shown = {
            line.key.code: (line.state, line.value, line.version.version)
            for line in lines(handed_in(scene.session, scene.round.id), Versions(scene.session))
            if line.reply.head.id == one.id
        }
        assert shown["beds"] == ("answered", 7, 1)
        assert shown["twice"] == ("answered", 14, 1)
        assert shown["b1"] == (("answered", "done", 1) if state == "frozen" else ("answered", "stopped", 2))
    # returned again: the snapshot of version 2 still tells what was asked in version 1
    return_reply(scene.session, head_by_id(scene.session, one.id), note="Once more", codes=["b1"], by=scene.by)
    scene.session.commit()
    shown = {
        line.key.code: (line.value, line.version.version)
        for line in lines(handed_in(scene.session, scene.round.id), Versions(scene.session))
        if line.reply.head.id == one.id
    }
    assert shown["beds"] == (7, 1)
    assert shown["b1"] == ("stopped", 2)


def test_what_was_hidden_stays_hidden_when_its_question_goes(scene):
    one = scene.replies["begun"]
    save(scene, one, {"b1": "planned"})
    save(scene, one, {"why": "A secret reason"})
    save(scene, one, {"b1": "done"})
    scene.session.commit()
    version = next_version(scene, lambda draft: retire_item(scene.session, draft, "why", by=scene.by))
    # nobody's answer is asked again: who has answered it keeps the old version, unless asked again
    assert adopt(scene, version, Choice.ASK_AGAIN).moved == 3
    save(scene, one, {"beds": 8})
    hand_in(scene, one)
    scene.session.commit()
    shown = {
        line.key.code for line in lines(handed_in(scene.session, scene.round.id), Versions(scene.session))
        if line.reply.head.id == one.id
    }  # fmt: skip
    assert "why" not in shown
    assert scene.session.scalars(select(Answer.value).where(Answer.submission_id == one.id, Answer.lang == "en")).all() == [
        "A secret reason"
    ]


def test_computed_values_follow_the_new_rule(scene):
    version = next_version(
        scene, lambda draft: set_rules(scene.session, draft, "twice", [Edit("calculation", "${beds} * 2", "${beds} * 3")], by=scene.by)
    )
    adopt(scene, version, Choice.ASK_AGAIN, reason="It was computed wrongly")
    values = scene.session.scalars(
        select(Answer.value).where(Answer.submission_id == scene.replies["begun"].id, Answer.revision == 2)
    ).all()
    assert values == [21]


def test_a_closed_round_a_draft_and_the_wrong_person_are_refused(scene):
    session, writer = scene.session, factories.principal(scene.session, factories.staff(scene.session, StaffRole.REPORT_WRITER))
    version = next_version(scene, worded(scene))
    with pytest.raises(NotAllowed):
        adopt_version(session, scene.round, version, by=writer)
    adopt(scene, version)
    with pytest.raises(NotAllowed):  # though nothing is left to do
        adopt_version(session, scene.round, version, by=writer)
    with pytest.raises(Conflict):
        adopt_version(session, scene.round, begin_draft(session, version, by=scene.by), by=scene.by)
    scene.round.status = RoundStatus.CLOSED
    session.flush()
    with pytest.raises(Conflict):
        adopt_version(session, scene.round, version, by=scene.by)
    assert impact_of(session, version).replies == ()


def test_what_is_issued_later_is_on_the_new_version(scene):
    version = next_version(scene, worded(scene))
    late = factories.assignment(
        scene.session, factories.institution(scene.session, "late"), scene.round, version=scene.first, issued_at=None
    )
    scene.session.commit()
    adopt(scene, version, Choice.ONLY_NEW)
    assert scene.session.get_one(Assignment, late.id).version_id == version.id
    assert issue_round(scene.session, scene.round, by=scene.by, base_url="http://x", mails=False).submissions == 1


def test_the_number_of_statements_does_not_grow_with_the_assignments(scene, count_queries):
    version = next_version(scene, stricter(scene))
    scene.session.rollback()
    counts = []
    for more in (0, 0, 6):  # the first time, the versions are read too
        scene.session.expire_all()
        for number in range(more):
            for name in ("begun", "submitted"):
                scene.replies[f"{name}{number}"] = one = reply(scene, f"x{number}{name}")
                if name == "submitted":
                    hand_in(scene, one)
        scene.session.commit()
        point = scene.session.begin_nested()
        scene.session.refresh(scene.round)
        scene.session.refresh(version)
        with count_queries() as seen:
            adopt_version(scene.session, scene.round, version, choice=Choice.ASK_AGAIN, reason="Again", by=scene.by)
        counts.append(len(seen))
        point.rollback()
    assert counts[1] == counts[2]
    assert counts[0] < 40


def test_events_fold_to_what_is_kept(scene):
    version = next_version(scene, stricter(scene))
    adopt(scene, version, Choice.ASK_AGAIN, reason="Again")
    assert {Action.RETURN, Action.REOPEN, Action.ADOPT_VERSION} <= set(scene.session.scalars(select(SubmissionEvent.action)))
    assert {Status.RETURNED, Status.IN_PROGRESS, Status.ISSUED} == set(scene.session.scalars(select(Submission.status)))
    assert faults_of(scene.session) == []


def test_the_matrix_still_knows_the_length_of_what_stayed(scene):
    """A reply kept on its version is no other questionnaire: its part can be changed, and it does not move by that."""
    other = factories.questionnaire_version(scene.session)
    scene.round.full_version_id, scene.round.short_version_id = scene.first.id, other.id
    scene.session.commit()
    version = next_version(scene, worded(scene))
    adopt(scene, version, Choice.ONLY_NEW)
    found = {one.id: one for one in asks(scene.session, scene.round.id)}
    of = scene.session.get_one(ReportingRound, scene.round.id)
    assert of.full_version_id == version.id
    assert {cell_value(of, [one], one.recommendation_ids) for one in found.values()} == {"lead/full"}
