"""A workbook that is not the one that is asked for, or no longer (peers.md 3.6, 70)."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from portal.errors import Invalid
from portal.models import ItemKind, Role, Status, Submission, VersionItem
from portal.workbooks.offline.marks import Seal
from portal.workbooks.offline.returned import read_offline
from tests import factories
from tests.offline import Filled, download, judge, outcomes, said, take


def test_another_institutions_another_rounds_and_another_portals_workbook(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", 3)
    stranger = factories.person(session, factories.institution(session, "OTHER"), Role.FOCAL_POINT)
    session.commit()
    plan = judge(session, filled.content(), by=factories.principal(session, stranger))
    assert not plan.replies
    assert said(plan.problems) == [
        f"This belongs to another institution ({scene.institution.names['en']}), not to yours."
    ]
    plan = judge(session, filled.content(), by=scene.by, round_slug="another-round")
    assert not plan.replies
    assert said(plan.problems) == [f"This belongs to another round ({scene.round.titles['en']})."]
    assert [one.slug for one in plan.other_rounds] == [scene.round.slug]
    with pytest.raises(Invalid) as error:
        read_offline(
            filled.content(), Seal("another portal's key of more than thirty-two characters"), filename="x.xlsx"
        )
    assert error.value.code == "other_portal"


def test_why_sheets_are_foreign_is_told_once_for_all_of_them(session, scene):
    more = [
        factories.submission(session, factories.assignment(session, scene.institution, scene.round, version=scene.version))
        for _each in range(2)
    ]
    session.commit()
    filled = Filled(download(session, scene.reply, *more, by=scene.by))
    plan = judge(session, filled.content(), by=scene.by, round_slug="another-round")
    (problem,) = plan.problems
    assert len(problem.sheet.split(", ")) == 3
    assert plan.counts["refused"] == 1


def test_a_reply_says_what_it_is_about_in_a_few_words(session, scene):
    about = factories.recommendation(session, heading={"en": "Prisons " * 20, "km": "ពន្ធនាគារ"})
    reply = factories.submission(
        session, factories.assignment(session, scene.institution, scene.round, [about], version=scene.version)
    )
    session.commit()
    filled = Filled(download(session, reply, by=scene.by))
    filled.put("people", 3)
    (one,) = judge(session, filled.content(), by=scene.by).replies
    assert one.subject.startswith("Prisons Prisons")
    assert len(one.subject) <= 91
    assert one.subject.endswith("…")


def test_closed_replies_are_told_with_the_reason_and_left(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", 3)
    session.execute(update(Submission).values(status=Status.AWAITING_SIGN_OFF))
    session.commit()
    plan = judge(session, filled.content(), by=scene.by)
    assert "waits to be signed" in plan.replies[0].closed
    assert not plan.takes
    assert take(session, plan, scene) == []
    session.execute(update(Submission).values(status=Status.RETURNED, unlocked=["b5"]))
    session.commit()
    plan = judge(session, filled.content(), by=scene.by)
    assert "not among those returned" in str(plan.replies[0].answers[0].sentence)


def test_a_returned_reply_goes_out_with_only_its_open_questions_unlocked(session, scene):
    session.execute(update(Submission).values(status=Status.RETURNED, unlocked=["people"]))
    session.commit()
    filled = Filled(download(session, scene.reply, by=scene.by))
    assert filled.place("people").protection.locked is False
    with pytest.raises(KeyError):
        filled.place("received", line=1)
    assert not judge(session, filled.content(), by=scene.by).replies[0].remarks


@pytest.mark.engines
def test_an_older_version_after_adoption_is_read_as_far_as_it_is_still_asked(session, scene):
    from portal.models import Assignment, QuestionnaireVersion, VersionStatus

    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", 3)
    address = filled.put("received", 4, line=1)
    old = session.get(QuestionnaireVersion, scene.version.id)
    new = factories._add(session, QuestionnaireVersion(
        questionnaire_id=old.questionnaire_id, number=2, status=VersionStatus.PUBLISHED, titles=old.titles,
        languages=old.languages, default_language="km", published_at=old.published_at, settings={},
    ))  # fmt: skip
    page = factories.item(session, new, "tables", kind=ItemKind.SECTION)
    kept = session.scalars(
        select(VersionItem).where(VersionItem.version_id == old.id, VersionItem.code == "people")
    ).one()
    factories.item(session, new, "people", kind=ItemKind.QUESTION, question_id=kept.question_id, parent=page)
    session.execute(update(Assignment).values(version_id=new.id))
    session.commit()
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {"people": "new"}
    # what somebody wrote to a question that is gone is quoted, and its sender sees it
    (gone,) = said(plan.replies[0].problems)
    assert "no longer asked" in gone
    assert f"{address} “4”" in gone
    assert plan.doubtful
    (remark,) = plan.remarks
    assert "earlier version" in str(remark.message)
    assert remark.sheet == filled.ws.title
