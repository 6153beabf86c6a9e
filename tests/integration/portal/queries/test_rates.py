"""Response rates and the grid against counting by hand, on a scene with every status."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from portal.models import (
    Assignment,
    AssignmentRecommendation,
    Institution,
    Participation,
    RecommendationTag,
    Signature,
    Status,
    Submission,
    Tag,
    Vocabulary,
)
from portal.queries import grid as grids
from portal.queries import rates
from tests import factories

ZONE = "Asia/Phnom_Penh"
DUE = date(2026, 9, 30)
TODAY = date(2026, 10, 12)
# 16:59 and 17:00 UTC on the due day are 23:59 of that day and 00:00 of the next in the country
LAST_MINUTE, TOO_LATE = datetime(2026, 9, 30, 16, 59, tzinfo=UTC), datetime(2026, 9, 30, 17, 0, tzinfo=UTC)
EARLY = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)

S = Status
REPLIES = [
    # institution, recommendations, status, handed in, signature, due of its own
    ("A", "1", S.ISSUED, None, None, None),
    ("A", "2", S.IN_PROGRESS, None, None, None),
    ("A", "3", S.SUBMITTED, LAST_MINUTE, Signature.SIGNED, None),
    ("A", "45", S.CLEARED, EARLY, Signature.PAPER, None),
    ("B", "1", S.SUBMITTED, TOO_LATE, Signature.PENDING, None),
    ("B", "2", S.RETURNED, EARLY, Signature.VOID, None),
    ("B", "3", S.AWAITING_SIGN_OFF, None, None, None),
    ("B", "45", S.CLAIMED, None, None, None),
    ("C", "1", S.NOT_OURS, None, None, None),
    ("C", "2", S.WITHDRAWN, EARLY, Signature.SIGNED, None),
    ("C", "3", S.LAPSED, None, None, None),
    ("C", "4", S.IN_PROGRESS, None, Signature.VOID, date(2026, 10, 20)),
    ("C", "5", S.CLEARED, TOO_LATE, Signature.SIGNED, date(2026, 10, 20)),
    ("D", "2", S.WITHDRAWN, None, None, None),
    ("E", "1", S.SUBMITTED, TOO_LATE, Signature.SIGNED, None),
    ("E", "2", S.AWAITING_SIGN_OFF, EARLY, Signature.VOID, None),
]


@pytest.fixture
def scene(session):
    document = factories.document(session)
    recommendations = {
        key: factories.recommendation(session, document, paragraph=paragraph, sub_item=sub, position=number)
        for number, (key, paragraph, sub) in enumerate(
            [("1", "8", ""), ("2", "9", ""), ("3", "10", ""), ("4", "11", "a"), ("5", "11", "b")], start=1
        )
    }
    themes = [Tag(vocabulary=Vocabulary.THEME, key=f"t{n}", labels={"en": f"Theme {n}"}, rank=n) for n in (1, 2, 3)]
    session.add_all(themes)
    session.flush()
    for key, numbers in {"1": (0,), "2": (0, 1), "4": (1,), "5": (1,)}.items():
        for number in numbers:
            session.add(RecommendationTag(recommendation_id=recommendations[key].id, tag_id=themes[number].id))
    of = factories.reporting_round(session, document, slug="r", due_on=DUE, closes_on=DUE + timedelta(days=90))
    version = factories.questionnaire_version(session)
    institutions = {code: factories.institution(session, code) for code in "ABCDE"}
    for code, about, status, handed_in, signature, due in REPLIES:
        asked = factories.assignment(
            session, institutions[code], of, [recommendations[key] for key in about], version, due_on=due
        )
        factories.submission(session, asked, status=status, handed_in_at=handed_in, signature=signature)
    # E has more time; each has questions about itself, which never count; one thing was not issued yet
    factories.participation(session, of, institutions["E"]).extended_to = date(2026, 10, 1)
    for code in "AB":
        own = factories.assignment(session, institutions[code], of, version=version, about_institution=True)
        session.query(AssignmentRecommendation).filter_by(assignment_id=own.id).delete()
        factories.submission(session, own, status=Status.SUBMITTED, handed_in_at=EARLY)
    factories.assignment(session, institutions["D"], of, [recommendations["3"]], version, issued_at=None)
    other = factories.assignment(session, institutions["A"], about=[recommendations["1"]], version=version)
    factories.submission(session, other, status=Status.CLEARED, handed_in_at=EARLY)
    session.commit()
    return SimpleNamespace(round=of, recommendations=recommendations, institutions=institutions, themes=themes)


def by_hand(keep) -> tuple[int, int, int, int, int]:
    """Issued, received, on time, unsigned, late: counted the slow way."""
    issued = received = on_time = unsigned = late = 0
    for code, about, status, handed_in, signature, due in REPLIES:
        if not keep(code, about) or status is S.WITHDRAWN:
            continue
        issued += 1
        due_on = due or (date(2026, 10, 1) if code == "E" else DUE)
        if status in (S.SUBMITTED, S.RETURNED, S.CLEARED, S.NOT_OURS):
            received += 1
            if handed_in is not None and handed_in.astimezone(ZoneInfo(ZONE)).date() <= due_on:
                on_time += 1
            if signature is Signature.PENDING:
                unsigned += 1
        elif due_on < TODAY:
            late += 1
    return issued, received, on_time, unsigned, late


def figures(count: rates.Count) -> tuple[int, int, int, int, int]:
    return count.issued, count.received, count.on_time, count.unsigned, count.late


def counted(session, scene) -> rates.Rates:
    return rates.rates(session, scene.round.id, today=TODAY, time_zone=ZONE)


def test_overall_counts_are_those_counted_by_hand(session, scene):
    found = counted(session, scene)
    assert figures(found.overall) == by_hand(lambda _code, _about: True) == (14, 7, 5, 1, 6)
    assert found.overall.rate == 0.5
    assert found.overall.on_time_rate == 5 / 14
    assert found.overall.outstanding == 7
    assert found.overall.of(S.WITHDRAWN) == 2


def test_by_institution_in_protocol_order(session, scene):
    found = counted(session, scene)
    assert [one.code for one in found.institutions] == list("ABCDE")
    for one in found.institutions:
        assert figures(one.count) == by_hand(lambda code, _about, one=one: code == one.code), one.code
    nothing = found.institutions[3]
    assert (nothing.code, nothing.count.issued, nothing.count.rate) == ("D", 0, None)


def test_a_reply_that_covers_two_sub_items_counts_for_each_and_once_overall(session, scene):
    found = counted(session, scene)
    assert [one.citation for one in found.recommendations] == ["8", "9", "10", "11 (a)", "11 (b)"]
    for key, one in zip("12345", found.recommendations, strict=True):
        assert figures(one.count) == by_hand(lambda _code, about, key=key: key in about), key


def test_a_reply_counts_once_for_each_theme(session, scene):
    found = counted(session, scene)
    under = {"t1": set("12"), "t2": set("245")}
    assert [one.labels["en"] for one in found.themes] == ["Theme 1", "Theme 2"]
    for one, keys in zip(found.themes, under.values(), strict=True):
        assert figures(one.count) == by_hand(lambda _code, about, keys=keys: bool(keys & set(about)))


def test_late_are_the_latest_first_with_their_days(session, scene):
    late = counted(session, scene).late
    assert [(one.code, one.days_late) for one in late] == [("A", 12), ("B", 12), ("C", 12), ("E", 11)]


def test_the_last_minute_of_the_due_day_is_on_time_in_the_country(session, scene):
    replies = {
        one.handed_in_at.replace(tzinfo=UTC): one.handed_in_on
        for one in counted(session, scene).replies
        if one.handed_in_at is not None
    }
    assert replies[LAST_MINUTE] == DUE
    assert replies[TOO_LATE] == DUE + timedelta(days=1)


def test_the_grid_has_a_column_per_paragraph_and_a_cell_per_reply(session, scene):
    found = grids.grid(session, scene.round.id, today=TODAY, time_zone=ZONE)
    assert [column.label for column in found.columns] == ["8", "9", "10", "11"]
    rows = {row.institution.code: row.cells for row in found.rows}
    assert [[one.status for one in cell] for cell in rows["A"]] == [
        [S.ISSUED], [S.IN_PROGRESS], [S.SUBMITTED], [S.CLEARED],
    ]  # fmt: skip
    assert [one.status for one in rows["C"][3]] == [S.IN_PROGRESS, S.CLEARED]
    assert rows["E"][2] == ()


def test_an_empty_round_has_no_rate(session, scene):
    found = rates.rates(session, factories.reporting_round(session).id, today=TODAY, time_zone=ZONE)
    assert (found.overall.rate, found.institutions, found.recommendations, found.late) == (None, (), (), [])


@pytest.mark.parametrize("many", [3, 30])
def test_four_queries_whatever_the_rows(session, scene, count_queries, many):
    version = factories.questionnaire_version(session)
    for _ in range(many):
        asked = factories.assignment(session, in_round=scene.round, about=[scene.recommendations["1"]], version=version)
        factories.submission(session, asked)
    session.commit()
    with count_queries() as seen:
        counted(session, scene)
    assert len(seen) == 4
    with count_queries() as seen:
        grids.grid(session, scene.round.id, today=TODAY, time_zone=ZONE)
    assert len(seen) == 4


def test_the_list_of_rounds_counts_each_round(session, scene):
    lines = {line.slug: line for line in rates.round_lines(session)}
    line = lines["r"]
    assert (line.assigned, line.waiting_to_issue, line.issued, line.received) == (17, 1, 14, 7)
    assert (line.to_review, line.claims) == (3, 1)


def test_scene_is_what_it_says(session, scene):
    stored = session.execute(
        select(Institution.code, Submission.status)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .join(Participation, Participation.id == Assignment.participation_id)
        .join(Institution, Institution.id == Assignment.institution_id)
        .where(Assignment.round_id == scene.round.id, Assignment.about_institution.is_(False))
    ).all()
    assert sorted(stored) == sorted((code, status) for code, _about, status, *_rest in REPLIES)
    assert {status for _code, status in stored} == set(Status)
