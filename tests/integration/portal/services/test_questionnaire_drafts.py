"""Drafts: begun from any version, edited by several people without loss, judged as a whole, frozen."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from forms.definition.model import Choice, Definition, Item
from portal.errors import Conflict, DuplicateCode, Invalid, NotAllowed
from portal.models import (
    AuditEvent,
    Question,
    QuestionChoice,
    QuestionnaireScope,
    QuestionnaireVersion,
    StaffRole,
    VersionItem,
    VersionStatus,
)
from portal.queries import questionnaires as look
from portal.queries.questionnaire_versions import library, timeline
from portal.services import questionnaires
from portal.services.questionnaire_choices import (
    add_choice,
    bring_choice_back,
    order_choices,
    retire_choice,
    reword_choice,
)
from portal.services.questionnaire_drafts import Edit, rename_item, set_rules, set_settings, set_titles, set_wording
from portal.services.questionnaire_places import Place, add_item, bring_back, copy_item, move_item, retire_item
from portal.services.questionnaire_versions import (
    begin_draft,
    discard_draft,
    publish_draft,
    retire_version,
    what_is_wrong,
)
from tests import factories

pytestmark = pytest.mark.engines()

STATE = Item(
    None, "question", "b1", "select_one", {"label": {"en": "State", "km": "ស្ថានភាព"}}, required="true()",
    choices=(Choice("done", {"en": "Done", "km": "រួច"}), Choice("planned", {"en": "Planned", "km": "គ្រោង"})),
)  # fmt: skip
TEXT = Item(None, "question", "b6", "text", {"label": {"en": "Results", "km": "លទ្ធផល"}}, relevant="${b1} = 'done'")
GROUP = Item(None, "group", "g1", texts={"label": {"en": "Figures"}}, children=(
    Item(None, "question", "beds", "integer", {"label": {"en": "Beds"}}, settings={"unit": "beds"}),
))  # fmt: skip


def number(code, label="Number"):
    return Item(None, "question", code, "integer", {"label": {"en": label, "km": label}})


@pytest.fixture
def by(session):
    return factories.principal(session, factories.staff(session))


@pytest.fixture
def first(session, by):
    page = Item(None, "section", "page", texts={"label": {"en": "Page", "km": "ទំព័រ"}}, children=(STATE, TEXT, GROUP))
    last = Item(None, "section", "last", texts={"label": {"en": "Last"}}, children=(number("z9"),))
    made = Definition(None, "short", None, {"en": "Short", "km": "ខ្លី"}, ("km", "en"), "km", (page, last))
    version = questionnaires.store(
        session, made, source_sha256=None, scope=QuestionnaireScope.RECOMMENDATION, length="short", by=by
    )
    publish_draft(session, version, by=by)
    session.commit()
    return version


@pytest.fixture
def draft(session, first, by):
    made = begin_draft(session, first, by=by)
    session.commit()
    return made


def codes(session, version):
    return [item.code for item in look.definition(session, version.id).items()]


def test_a_draft_holds_what_its_version_holds(session, first, draft, by):
    old, new = look.definition(session, first.id), look.definition(session, draft.id)
    bare = [[(one.code, one.kind, one.texts, one.choices, one.required, one.settings) for one in of.items()] for of in (old, new)]
    assert bare[0] == bare[1]
    assert look.question_ids(session, first.id) == look.question_ids(session, draft.id)
    assert (draft.number, draft.status) == (2, VersionStatus.DRAFT)
    assert [one.begun_from for one in timeline(session, first.questionnaire_id)] == [1, None]


def test_one_open_draft_and_no_edit_of_what_is_frozen(session, first, draft, by):
    with pytest.raises(Conflict, match="Version 2 is an open draft"):
        begin_draft(session, first, by=by)
    with pytest.raises(Conflict, match="is published"):
        set_wording(session, first, "b1", [Edit("label", "State", "New", "en")], by=by)
    publish_draft(session, draft, by=by)
    assert publish_draft(session, draft, by=by).status is VersionStatus.PUBLISHED
    with pytest.raises(Conflict):
        discard_draft(session, draft, by=by)
    third = begin_draft(session, first, by=by)
    discard_draft(session, third, by=by)
    discard_draft(session, third, by=by)
    assert third.status is VersionStatus.RETIRED
    assert third.published_at is None
    with pytest.raises(Conflict, match="laid aside"):
        retire_item(session, third, "b6", by=by)
    assert begin_draft(session, third, by=by).number == 4
    assert codes(session, third) == codes(session, first)


def test_only_who_may_edit_questionnaires(session, first, draft, by):
    writer = factories.principal(session, factories.staff(session, StaffRole.REPORT_WRITER))
    for verb in (
        lambda: begin_draft(session, first, by=writer),
        lambda: set_wording(session, draft, "b1", [Edit("label", "State", "X", "en")], by=writer),
        lambda: add_item(session, draft, number("n1"), Place("page"), by=writer),
        lambda: retire_choice(session, draft, "b1", "done", by=writer),
        lambda: publish_draft(session, draft, by=writer),
        lambda: retire_version(session, first, by=writer),
        lambda: discard_draft(session, draft, by=writer),
    ):
        with pytest.raises(NotAllowed):
            verb()


def test_two_people_edit_one_draft_and_nothing_is_lost(session, draft, by):
    mine = set_wording(
        session, draft, "b1",
        [Edit("label", "State", "State today", "en"), Edit("hint", "", "See part A", "en")], by=by,
    )  # fmt: skip
    assert len(mine.saved) == 2
    theirs = set_wording(
        session, draft, "b1",
        [Edit("label", "State", "Present state", "en"), Edit("label", "ស្ថានភាព", "ស្ថានភាពថ្មី", "km")], by=by,
    )  # fmt: skip
    assert [edit.language for edit in theirs.saved] == ["km"]
    (stale,) = theirs.stale
    assert (stale.stored, stale.edit.new) == ("State today", "Present state")
    again = set_wording(session, draft, "b1", [Edit("label", "State", "State today", "en")], by=by)
    assert not again.stale
    assert not again.saved
    retire_item(session, draft, "b6", by=by)
    gone = set_wording(session, draft, "b6", [Edit("label", "Results", "My long text", "en")], by=by)
    assert [(one.gone, one.edit.new) for one in gone.stale] == [(True, "My long text")]
    found = look.definition(session, draft.id).question("b1")
    assert found.texts == {"label": {"en": "State today", "km": "ស្ថានភាពថ្មី"}, "hint": {"en": "See part A"}}
    kept = session.scalars(select(AuditEvent.details).where(AuditEvent.action == "edit_questionnaire")).all()
    assert ["label", "en", "State", "State today"] in kept[0]["edits"]


def test_rules_settings_and_titles(session, draft, by):
    set_rules(session, draft, "b6", [Edit("relevant", "${b1} = 'done'", ""), Edit("required", "", "yes")], by=by)
    assert set_rules(session, draft, "b6", [Edit("relevant", "${b1} = 'done'", "true()")], by=by).stale
    set_settings(session, draft, "beds", [Edit("unit", "beds", "places"), Edit("not_available", None, True)], by=by)
    assert set_settings(session, draft, "beds", [Edit("columns", None, {"a": "b"})], by=by).saved
    assert set_settings(session, draft, "beds", [Edit("columns", {"a": "x"}, {"a": "c"})], by=by).stale
    set_titles(session, draft, [Edit("title", "Short", "Short form", "en")], by=by)
    found = look.definition(session, draft.id)
    assert (found.question("b6").relevant, found.question("b6").required) == ("", "yes")
    assert found.question("beds").settings == {"unit": "places", "not_available": True, "columns": {"a": "b"}}
    assert found.titles["en"] == "Short form"
    for bad in (Edit("colour", "", "red", "en"), Edit("label", "", "x" * 20_001, "en"), Edit("label", "", "x")):
        with pytest.raises(Invalid):
            set_wording(session, draft, "b1", [bad], by=by)
    with pytest.raises(Invalid):
        set_settings(session, draft, "b1", [Edit("type", "", "text")], by=by)
    with pytest.raises(Invalid):
        set_rules(session, draft, "b1", [Edit("colour", "", "red")], by=by)


def test_places(session, draft, by):
    add_item(session, draft, number("n1"), Place("page", before="b6"), by=by)
    table = Item(None, "repeat", "t1", texts={"label": {"en": "Laws"}}, children=(number("t1a"), number("t1b")))
    add_item(session, draft, table, Place("last"), by=by)
    add_item(session, draft, Item(None, "section", "p3", texts={"label": {"en": "More"}}), Place(before="last"), by=by)
    note = Item(None, "note", "hello", "note", {"label": {"en": "Hello"}})
    add_item(session, draft, note, Place("p3"), by=by)
    assert codes(session, draft) == [
        "page", "b1", "n1", "b6", "g1", "beds", "p3", "hello", "last", "z9", "t1", "t1a", "t1b",
    ]  # fmt: skip
    move_item(session, draft, "g1", Place("last", before="z9"), was=Place("page"), by=by)
    assert codes(session, draft)[-6:] == ["g1", "beds", "z9", "t1", "t1a", "t1b"]
    with pytest.raises(Conflict, match="Somebody else moved"):
        move_item(session, draft, "g1", Place("p3"), was=Place("page"), by=by)
    for bad in (Place("g1"), Place("b1"), Place()):
        with pytest.raises(Invalid):
            move_item(session, draft, "g1", bad, was=None, by=by)
    with pytest.raises(Conflict):
        move_item(session, draft, "b6", Place("gone"), was=None, by=by)
    with pytest.raises(Conflict):
        move_item(session, draft, "b6", Place("page", before="z9"), was=None, by=by)
    with pytest.raises(Invalid):
        move_item(session, draft, "p3", Place("page"), was=None, by=by)
    positions = session.scalars(
        select(VersionItem.position).where(VersionItem.version_id == draft.id).order_by(VersionItem.position)
    ).all()
    assert positions == list(range(1, 14))
    assert retire_item(session, draft, "t1", by=by) == ["t1", "t1a", "t1b"]
    assert retire_item(session, draft, "t1", by=by) == []
    assert "t1a" not in codes(session, draft)


def test_codes_are_unique_and_never_reused(session, first, draft, by):
    with pytest.raises(DuplicateCode):
        add_and_rename(session, draft, by)
    with pytest.raises(Invalid, match="went out with version 1"):
        rename_item(session, draft, "b6", "results", by=by)
    retire_item(session, draft, "b6", by=by)
    with pytest.raises(Invalid) as refused:
        add_item(session, draft, number("b6"), Place("page"), by=by)
    assert "was asked in version 1" in str(refused.value.problems[0].message)
    with pytest.raises(Invalid) as refused:
        add_item(
            session, draft,
            Item(None, "group", "g2", children=(number("1 bad"), number("x1"), number("x1"), number("z9"))),
            Place("page"), by=by,
        )  # fmt: skip
    assert [one.field for one in refused.value.problems] == ["1 bad", "x1", "z9"]
    bring_back(session, draft, "b6", Place("last"), by=by)
    assert look.question_ids(session, draft.id)["b6"] == look.question_ids(session, first.id)["b6"]
    with pytest.raises(Invalid):
        bring_back(session, draft, "nothing", Place("last"), by=by)


def add_and_rename(session, draft, by):
    add_item(session, draft, number("n1"), Place("page"), by=by)
    rename_item(session, draft, "n1", "z9", by=by)


def test_a_new_code_is_followed_by_rules_and_texts(session, draft, by):
    add_item(session, draft, number("n1"), Place("page", before="b6"), by=by)
    set_rules(session, draft, "b6", [Edit("relevant", "${b1} = 'done'", "${n1} > 3 and ${n11} = 1")], by=by)
    set_wording(session, draft, "b6", [Edit("hint", "", "You said ${ n1 }.", "en")], by=by)
    rename_item(session, draft, "n1", "women", by=by)
    found = look.definition(session, draft.id)
    assert found.question("b6").relevant == "${women} > 3 and ${n11} = 1"
    assert found.question("b6").texts["hint"]["en"] == "You said ${women}."
    assert "women" in look.question_ids(session, draft.id)


def test_what_a_discarded_draft_left_behind_hinders_nobody(session, first, draft, by):
    add_item(session, draft, number("n1"), Place("page"), by=by)
    discard_draft(session, draft, by=by)
    again = begin_draft(session, first, by=by)
    add_item(session, again, Item(None, "question", "n1", "text", {"label": {"en": "Text now"}}), Place("page"), by=by)
    assert look.definition(session, again.id).question("n1").type == "text"


def test_copies_from_another_questionnaire(session, draft, by):
    other = factories.questionnaire_version(session)
    source = session.get_one(QuestionnaireVersion, other.id)
    copy_item(session, draft, source, "state", Place("last"), codes={}, by=by)
    copied = look.definition(session, draft.id).question("state")
    assert [choice.key for choice in copied.choices] == ["done", "not_started"]
    with pytest.raises(Invalid):
        copy_item(session, draft, source, "state", Place("last"), codes={}, by=by)
    set_rules(session, draft, "beds", [Edit("constraint", "", ". > 0")], by=by)
    copy_item(session, draft, draft, "g1", Place("last"), codes={"g1": "g2", "beds": "beds2"}, by=by)
    assert look.definition(session, draft.id).question("beds2").constraint == ". > 0"
    publish_draft(session, draft, by=by)
    found, count = library(session, "BEDS")
    assert (count, sorted(one.code for one in found)) == (3, ["beds", "beds", "beds2"])
    assert {one.questionnaire for one in found} >= {"short"}


def test_choices_keep_what_they_mean(session, draft, by):
    add_choice(session, draft, "b1", "stopped", {"en": "Stopped", "km": ""}, before="planned", by=by)
    assert reword_choice(session, draft, "b1", "done", [Edit("label", "Done", "Fully done", "en")], by=by).saved
    stale = reword_choice(session, draft, "b1", "done", [Edit("label", "Done", "Finished", "en")], by=by).stale
    assert stale[0].stored == "Fully done"
    order_choices(session, draft, "b1", ["planned", "done", "stopped"], was=["done", "stopped", "planned"], by=by)
    with pytest.raises(Conflict):
        order_choices(session, draft, "b1", ["stopped", "done", "planned"], was=["done", "stopped", "planned"], by=by)
    retire_choice(session, draft, "b1", "stopped", by=by)  # never went out: gone
    add_choice(session, draft, "b1", "stopped", {"en": "Interrupted"}, by=by)
    retire_choice(session, draft, "b1", "planned", by=by)
    with pytest.raises(Invalid, match="never reused"):
        add_choice(session, draft, "b1", "planned", {"en": "Abandoned"}, by=by)
    with pytest.raises(DuplicateCode):
        add_choice(session, draft, "b1", "done", {"en": "Done"}, by=by)
    for key, texts in (("two words", {"en": "X"}), ("", {"en": "X"}), ("fine", {"en": " "})):
        with pytest.raises(Invalid):
            add_choice(session, draft, "b1", key, texts, by=by)
    publish_draft(session, draft, by=by)
    session.commit()
    register = {one.key: (one.texts["en"], one.retired) for one in session.scalars(select(QuestionChoice))}
    assert register == {"done": ("Fully done", False), "planned": ("Planned", True), "stopped": ("Interrupted", False)}
    third = begin_draft(session, draft, by=by)
    bring_choice_back(session, third, "b1", "planned", by=by)
    retire_choice(session, third, "b1", "done", by=by)
    retire_choice(session, third, "b1", "stopped", by=by)
    with pytest.raises(Invalid, match="last choice"):
        retire_choice(session, third, "b1", "planned", by=by)
    with pytest.raises(Invalid):
        add_choice(session, third, "z9", "x", {"en": "X"}, by=by)


def test_a_draft_is_refused_with_all_its_mistakes(session, draft, by):
    set_rules(session, draft, "b6", [Edit("relevant", "${b1} = 'done'", "${nobody} > ")], by=by)
    set_rules(session, draft, "z9", [Edit("constraint", "", "shout(.)")], by=by)
    set_wording(session, draft, "beds", [Edit("label", "Beds", "", "en")], by=by)
    with pytest.raises(Invalid) as refused:
        publish_draft(session, draft, by=by)
    assert {one.field for one in refused.value.problems} == {"b6", "beds", "z9"}
    session.rollback()
    assert session.get_one(QuestionnaireVersion, draft.id).status is VersionStatus.DRAFT
    retire_item(session, draft, "b1", by=by)
    errors, _warnings = what_is_wrong(session, draft)
    assert "b6" in {one.field for one in errors}


def test_what_is_taken_out_is_retired_never_deleted(session, first, draft, by):
    retire_item(session, draft, "b6", by=by)
    publish_draft(session, draft, by=by)
    assert session.scalars(select(Question.code).where(Question.retired)).all() == ["b6"]
    assert look.definition(session, first.id).question("b6").texts["label"]["en"] == "Results"
    retire_version(session, first, by=by)
    assert first.status is VersionStatus.RETIRED
    third = begin_draft(session, first, by=by)
    with pytest.raises(Conflict):
        retire_version(session, third, by=by)
    publish_draft(session, third, by=by)
    assert not session.scalars(select(Question.code).where(Question.retired)).all()


def test_editing_costs_no_more_in_a_large_draft(session, draft, by, count_queries):
    page = Item(None, "section", "big", texts={"label": {"en": "Big"}}, children=tuple(number(f"n{i}") for i in range(60)))
    add_item(session, draft, page, Place(), by=by)
    session.commit()
    with count_queries() as few:
        move_item(session, draft, "n3", Place("big", before="n1"), was=None, by=by)
        set_wording(session, draft, "n3", [Edit("label", "Number", "Figure", "en")], by=by)
    assert len(few) < 25, few


def put(session, first, by, **more):
    """Store what the first version holds as an import does; without a source it is always another version."""
    return questionnaires.store(
        session, look.definition(session, first.id), scope=QuestionnaireScope.RECOMMENDATION, length="short", by=by,
        **{"source_sha256": None} | more,
    )  # fmt: skip


def test_an_import_makes_no_second_draft(session, first, draft, by):
    with pytest.raises(questionnaires.OpenDraft, match="Version 2 is an open draft"):
        put(session, first, by)
    session.rollback()
    third = put(session, first, by, source_sha256="a" * 64, instead_of=draft)
    assert (draft.status, third.number, third.status) == (VersionStatus.RETIRED, 3, VersionStatus.DRAFT)
    assert codes(session, draft) == codes(session, first)
    # the same file again is that draft, which does not take its own place
    assert put(session, first, by, source_sha256="a" * 64, instead_of=third).status is VersionStatus.DRAFT
    discard_draft(session, third, by=by)
    assert put(session, first, by, source_sha256="a" * 64).number == 4


def test_the_database_holds_no_second_draft(session, first, draft):
    session.add(
        QuestionnaireVersion(
            questionnaire_id=first.questionnaire_id, number=9, titles={}, languages=["en"], default_language="en"
        )
    )
    with pytest.raises(IntegrityError, match=r"one_draft|questionnaire_version\.questionnaire_id"):
        session.flush()
    session.rollback()
