"""Importing recommendations: added, changed, unchanged, refused; what people wrote here is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from portal.models import (
    Recommendation,
    RecommendationKind,
    RecommendationRevision,
    RecommendationTag,
    SourceDocument,
    StaffRole,
    Tag,
    Vocabulary,
)
from portal.queries.countries import CountryFacts
from portal.services.recommendation_plan import plan
from portal.services.recommendation_rows import RecommendationRow, folded, sort_position
from portal.services.recommendations import carry_out, import_recommendations
from tests import factories

COUNTRY = CountryFacts(
    code="KH", aliases=("Cambodia", "KHM"), names={"en": "Kingdom of Cambodia"}, languages=("km", "en")
)
CONCERN, DEMAND = RecommendationKind.CONCERN, RecommendationKind.RECOMMENDATION


def row(paragraph: str, sub_item: str = "", **more) -> RecommendationRow:
    given = {
        "symbol": "CCPR/C/TST/CO/1",
        "mechanism": "CCPR",
        "uhri_id": f"uuid-{paragraph}",
        "heading": {"en": "Shelter and housing"},
        "texts": {"en": f"The State should do {paragraph}{sub_item}."},
        "countries": ("Cambodia",),
        "tags": {Vocabulary.THEME: ("Right to housing",)},
        "sheet": "Export",
        "row": 2,
    }
    return RecommendationRow(paragraph=paragraph, sub_item=sub_item, **given | more)


def a_file() -> list[RecommendationRow]:
    return [
        row("7", kind=CONCERN, row=2),
        row("8", row=3),
        row("8", "a", row=3),
        row("8", "b", row=3),
        row("9", countries=("Elsewhere",), row=4),
        row("10", texts={"en": " "}, row=5),
    ]


@pytest.fixture
def by(session):
    return factories.principal(session, factories.staff(session, StaffRole.COORDINATOR))


def stored(session, paragraph: str, sub_item: str = "") -> Recommendation:
    session.expire_all()
    return session.scalars(select(Recommendation).filter_by(paragraph=paragraph, sub_item=sub_item)).one()


@pytest.mark.engines
def test_a_first_import_adds_pairs_and_counts(session, by):
    done = import_recommendations(session, a_file(), COUNTRY, by=by)

    assert done.counts == {
        "added": 4, "changed": 0, "unchanged": 0, "refused": 1, "other_countries": 1, "unmapped": 1, "pairs": 4,
        "documents": 1, "kept": 0,
    }  # fmt: skip
    assert (done.refused[0].sheet, done.refused[0].row) == ("Export", 5)
    assert stored(session, "8", "a").pair_id == stored(session, "7").id
    assert stored(session, "7").pair_id == stored(session, "8").id
    assert session.scalars(select(Tag)).one().mapped is False
    assert session.scalars(select(SourceDocument)).one().titles["en"].endswith("(CCPR/C/TST/CO/1)")
    order = session.scalars(select(Recommendation).order_by(Recommendation.position)).all()
    assert [(one.paragraph, one.sub_item) for one in order] == [("7", ""), ("8", ""), ("8", "a"), ("8", "b")]


@pytest.mark.engines
def test_the_same_file_again_changes_nothing(session, by):
    import_recommendations(session, a_file(), COUNTRY, by=by)

    again = plan(session, a_file(), COUNTRY)

    assert (again.counts["unchanged"], again.does_something) == (4, False)


@pytest.mark.engines
def test_a_changed_original_keeps_the_old_wording_and_leaves_the_national_text_alone(session, by):
    import_recommendations(session, a_file(), COUNTRY, by=by)
    one = stored(session, "8", "a")
    one.texts = {**one.texts, "km": "អត្ថបទ"}
    one.summary = {"km": "សូមឆ្លើយ"}
    session.flush()
    news = [replace(r, texts={"en": "New wording.", "km": "ផ្សេង"}) if r.sub_item == "a" else r for r in a_file()]

    done = import_recommendations(session, news, COUNTRY, by=by)

    one = stored(session, "8", "a")
    assert one.texts == {"en": "New wording.", "km": "អត្ថបទ"}
    assert one.summary == {"km": "សូមឆ្លើយ"}
    assert (done.counts["changed"], done.counts["kept"], one.revision) == (1, 1, 2)
    kept = session.scalars(select(RecommendationRevision)).one()
    assert (kept.field, kept.lang, kept.old_text) == ("texts", "en", "The State should do 8a.")


def test_an_original_mended_by_hand_stays_until_the_source_changes(session, by):
    import_recommendations(session, a_file(), COUNTRY, by=by)
    one = stored(session, "8")
    one.texts = {"en": "The State should do 8 (mended)."}
    session.flush()

    assert not plan(session, a_file(), COUNTRY).does_something


@pytest.mark.engines
def test_tags_merge_three_ways(session, by):
    import_recommendations(session, a_file(), COUNTRY, by=by)
    one = stored(session, "8")
    by_hand = Tag(vocabulary=Vocabulary.THEME, key="Water", labels={"en": "Water"})
    session.add(by_hand)
    session.flush()
    session.add(RecommendationTag(recommendation_id=one.id, tag_id=by_hand.id))
    session.flush()
    news = [
        replace(r, tags={Vocabulary.THEME: ("Land",)}) if r.place.paragraph == "8" and not r.sub_item else r
        for r in a_file()
    ]

    import_recommendations(session, news, COUNTRY, by=by)

    names = session.scalars(
        select(Tag.key).join(RecommendationTag).where(RecommendationTag.recommendation_id == one.id).order_by(Tag.key)
    ).all()
    assert names == ["Land", "Water"]


def test_two_annotations_of_one_paragraph_and_texts_without_a_number_find_a_place(session, by):
    rows = [
        row("49", uhri_id="one", kind=CONCERN),
        row("49", uhri_id="two"),
        row("", uhri_id="three"),
        row("", uhri_id="four"),
    ]
    import_recommendations(session, rows, COUNTRY, by=by)

    places = session.scalars(select(Recommendation.paragraph).order_by(Recommendation.position)).all()
    assert places == ["49", "49 [2]", "[1]", "[2]"]
    assert not plan(session, list(reversed(rows)), COUNTRY).does_something


def test_a_renumbered_annotation_takes_the_place_of_the_demo_text(session, by):
    import_recommendations(session, [row("8", uhri_id="demo", countries=())], COUNTRY, by=by)
    before = stored(session, "8").id

    import_recommendations(session, [row("8", uhri_id="official", texts={"en": "Official."})], COUNTRY, by=by)

    one = stored(session, "8")
    assert (one.id, one.uhri_id, one.texts["en"]) == (before, "official", "Official.")


def test_doubles_in_a_file_are_refused_with_the_first_row(session, by, context):
    made = plan(session, [row("8", row=3), row("8", row=9)], COUNTRY)

    assert (len(made.added), made.refused[0].row) == (1, 9)
    assert "row 3" in str(made.refused[0].message)


def test_a_plan_made_twice_has_one_fingerprint(session, by):
    assert plan(session, a_file(), COUNTRY).fingerprint == plan(session, a_file(), COUNTRY).fingerprint
    assert session.scalar(select(func.count()).select_from(Recommendation)) == 0


def test_the_number_of_statements_does_not_grow_with_the_file(session, by, count_queries):
    counts = []
    for size in (10, 200):
        rows = [row(str(number), symbol=f"S/{size}") for number in range(size)]
        with count_queries() as seen:
            carry_out(session, plan(session, rows, COUNTRY), by=by)
        counts.append(len(seen))
    assert counts[0] >= counts[1] - 1


def test_natural_order():
    cited = [("100.10", ""), ("9", ""), ("10", "b"), ("10", "a"), ("10", ""), ("100.2", ""), ("[1]", ""), ("9 [2]", "")]
    ordered = sorted(cited, key=lambda place: sort_position(*place))
    assert ordered == [
        ("9", ""),
        ("9 [2]", ""),
        ("10", ""),
        ("10", "a"),
        ("10", "b"),
        ("100.2", ""),
        ("100.10", ""),
        ("[1]", ""),
    ]


def test_folding_ignores_zero_width_spaces():
    assert folded("សិទ្ធិ\u200bមនុស្ស") == folded("សិទ្ធិមនុស្ស")
