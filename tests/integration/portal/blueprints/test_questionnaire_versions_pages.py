"""Versions through HTTP: begun, discarded, compared, published with whom it touches, handed on round by round."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from forms.definition.model import Choice as Option
from forms.definition.model import Item
from portal.models import QuestionnaireVersion, Signature, StaffRole, Status, VersionItem, VersionStatus
from portal.queries.submissions import head_by_id
from portal.services.questionnaire_choices import retire_choice
from portal.services.questionnaire_drafts import Edit, set_rules, set_settings, set_wording
from portal.services.questionnaire_places import Place, add_item, move_item, retire_item
from portal.services.questionnaire_versions import begin_draft
from tests import factories, scenes


@pytest.fixture
def by(session):
    return factories.principal(session, factories.staff(session))


@pytest.fixture
def version(session):
    made = factories.questionnaire_version(session)
    session.commit()
    return made


@pytest.fixture
def desk(session, client_for):
    return client_for(factories.staff(session, login="desk"))


@pytest.fixture
def scene(session, version):
    """A round where one institution is answering, one has handed in signed, one has not begun."""
    of = factories.reporting_round(session, factories.document(session), slug="autumn", short_version_id=version.id)
    actor = factories.system_actor(session).id
    found = {}
    for name, status in (("answering", Status.IN_PROGRESS), ("signed", Status.SUBMITTED), ("waiting", Status.ISSUED)):
        at = factories.institution(session, name, names={"en": f"Ministry of {name}", "km": f"ក្រសួង {name}"})
        reply = factories.submission(session, factories.assignment(session, at, of, version=version))
        found[name] = reply
        if status is Status.ISSUED:
            continue
        step(session, reply, ["first_save"] if status is Status.IN_PROGRESS else ["first_save", "complete", "sign_off"], actor)
        reply.status = status
        scenes.answer(session, reply, version, "beds", 7, actor)
        scenes.answer(session, reply, version, "state", "done", actor)
        scenes.answer(session, reply, version, "measures", "A law", actor, lang="en")
        if status is Status.SUBMITTED:
            reply.signature, reply.hand_in = Signature.SIGNED, 1
    session.commit()
    return found


def step(session, reply, actions, actor):
    from portal import clock
    from portal.models import Action, SubmissionEvent
    from portal.models.lifecycle import BEFORE, TRANSITIONS

    status = Status.ISSUED
    for number, action in enumerate(actions, start=2):
        to = TRANSITIONS[status, Action(action)].to
        assert to is not BEFORE
        status = to
        session.add(SubmissionEvent(submission_id=reply.id, number=number, action=Action(action), status=status, done_by=actor, done_at=clock.now()))
    session.flush()


def drafted(session, version, by, *changes):
    draft = begin_draft(session, version, by=by)
    for change in changes:
        change(draft)
    session.commit()
    return draft


def test_a_draft_is_begun_shown_and_discarded(session, desk, version):
    page = desk.get(f"/questionnaires/{version.public_id}/versions", expect=200).text
    assert "Begin a draft" in page
    desk.post(f"/questionnaires/{version.public_id}/draft", follow=True)
    assert "Version 2 is begun as a draft" in desk.text
    desk.post(f"/questionnaires/{version.public_id}/draft", follow=True)
    assert "Version 2 is an open draft already" in desk.text
    draft = session.scalars(select(QuestionnaireVersion).where(QuestionnaireVersion.number == 2)).one()
    desk.get(f"/questionnaires/{draft.public_id}/compare", expect=200)
    assert "The two versions ask the same" in desk.text
    desk.post(f"/questionnaires/{draft.public_id}/discard", follow=True)
    assert "laid aside" in desk.text
    desk.post(f"/questionnaires/{version.public_id}/discard", follow=True)
    assert "is published and does not change" in desk.text
    desk.post(f"/questionnaires/{version.public_id}/retire", follow=True)
    session.expire_all()
    assert session.get_one(QuestionnaireVersion, version.id).status is VersionStatus.RETIRED


def test_the_comparison_reads_like_a_letter(session, desk, version, by, scene):
    new = Item(None, "question", "roads", "integer", {"label": {"en": "Roads", "km": "ផ្លូវ"}})
    must = Item(None, "question", "name", "text", {"label": {"en": "Your name"}}, required="yes")
    page = Item(None, "section", "page2", texts={"label": {"en": "Second page"}})
    draft = drafted(
        session, version, by,
        lambda one: set_wording(session, one, "state", [
            Edit("label", "Question state", "Present question state", "en"),
            Edit("label", "សំណួរ state", "សំណួរថ្មី state", "km"), Edit("hint", "", "See above", "en"),
        ], by=by),
        lambda one: retire_choice(session, one, "state", "done", by=by),
        lambda one: set_rules(session, one, "measures", [Edit("required", "true()", "")], by=by),
        lambda one: add_item(session, one, page, Place(), by=by),
        lambda one: add_item(session, one, new, Place("page2"), by=by),
        lambda one: add_item(session, one, must, Place("page2"), by=by),
        lambda one: move_item(session, one, "measures", Place("page2"), was=None, by=by),
        lambda one: retire_item(session, one, "beds", by=by),
    )  # fmt: skip
    desk.get(f"/questionnaires/{draft.public_id}/compare?with={version.public_id}", expect=200)
    told = " ".join(desk.page.text_content().split())
    for sentence in (
        "Question state “Present question state” has new wording in English:",
        "Question state “Present question state” has new wording in Khmer:",
        "has another hint in English:",
        "no longer offers the choice “Implemented”; 2 answers with it are kept.",
        "Question measures “Question measures” may be left empty now.",
        "now stands on the page “Second page”.",
        "Question roads “Roads” is new and optional.",
        "Question name “Your name” is new and must be answered.",
        "Question beds “Question beds” was taken out; 2 answers are kept.",
        "9 things are different. 3 of them touch answers",
    ):
        assert sentence in told, sentence
    assert [one.text for one in desk.page.xpath("//p[@lang='en']/ins")][:1] == ["Present question"]
    assert desk.page.xpath("//p[@lang='km']/ins/text()") == ["ថ្មី"]
    # the other way round is the same letter; another questionnaire's version is none
    desk.get(f"/questionnaires/{version.public_id}/compare?with={draft.public_id}", expect=200)
    other = factories.questionnaire_version(session)
    session.commit()
    desk.get(f"/questionnaires/{version.public_id}/compare?with={other.public_id}", expect=404)
    desk.get(f"/questionnaires/{version.public_id}/compare", expect=200)
    assert "Nothing went out before this version" in desk.text


def test_the_letter_names_settings_as_the_designer_does_and_both_versions_with_their_day(session, desk, version, by):
    draft = drafted(
        session, version, by,
        lambda one: set_settings(session, one, "measures", [Edit("appearance", "", "w2"), Edit("rows", "", 4)], by=by),
    )  # fmt: skip
    desk.get(f"/questionnaires/{draft.public_id}/compare", expect=200)
    told = " ".join(desk.page.text_content().split())
    assert "has another setting “Drawn as”:" in told
    assert "another setting “rows”" not in told
    [dates] = desk.page.xpath("//p[contains(@class, 'letter-dates')]")
    assert f"Version {version.number}, published on" in dates.text_content()
    assert f"Version {draft.number}, draft" in dates.text_content()
    assert "printed" in dates.text_content()


def test_publishing_names_every_mistake_and_keeps_the_draft(session, desk, version, by):
    draft = drafted(
        session, version, by,
        lambda one: set_rules(session, one, "beds", [Edit("constraint", "", "nonsense(.")], by=by),
        lambda one: set_rules(session, one, "measures", [Edit("relevant", "", "${nobody} = 1")], by=by),
    )  # fmt: skip
    desk.get(f"/questionnaires/{draft.public_id}/publish", expect=200)
    assert {one.text for one in desk.page.xpath("//div[@role='alert']//strong")} == {"beds", "measures"}
    assert desk.post(f"/questionnaires/{draft.public_id}/publish").status_code == 422
    assert {one.text for one in desk.page.xpath("//div[@role='alert']//strong")} == {"beds", "measures"}
    session.expire_all()
    assert session.get_one(QuestionnaireVersion, draft.id).status is VersionStatus.DRAFT


def test_a_safe_change_is_published_and_handed_on_by_one_click(session, desk, version, by, scene):
    draft = drafted(
        session, version, by,
        lambda one: set_wording(session, one, "beds", [Edit("label", "Question beds", "How many beds?", "en")], by=by),
    )  # fmt: skip
    desk.get(f"/questionnaires/{draft.public_id}/publish", expect=200)
    assert "It changes nothing that anybody has answered." in desk.text
    assert "Publish and hand on to 2 open questionnaires" in desk.text
    desk.post(f"/questionnaires/{draft.public_id}/publish", {"adopt": "y"}, follow=True)
    assert "2 questionnaires moved to the new version. 1 handed in stays untouched." in desk.text
    versions = {name: head_by_id(session, reply.id).version_id for name, reply in scene.items()}
    assert versions == {"answering": draft.id, "waiting": draft.id, "signed": version.id}
    desk.get(f"/questionnaires/{draft.public_id}/publish", follow=True)
    assert "Version 2" in desk.text


def test_an_unsafe_change_names_whom_it_touches_and_asks(session, desk, version, by, scene):
    draft = drafted(session, version, by, lambda one: set_rules(session, one, "beds", [Edit("constraint", "", ". > 10")], by=by))
    desk.get(f"/questionnaires/{draft.public_id}/publish", expect=200)
    told = " ".join(desk.page.text_content().split())
    assert "Question beds “Question beds” takes only answers that fit a rule:" in told
    assert "2 institutions have answered; 1 signed." in told
    assert "Ministry of answering" in told
    desk.post(f"/questionnaires/{draft.public_id}/publish", follow=True)
    assert "Hand on version 2" in desk.text
    post = f"/questionnaires/{draft.public_id}/adopt"
    assert desk.post(post, {"round": "autumn"}).status_code == 422
    assert "Choose what becomes of the replies" in desk.text
    assert desk.post(post, {"round": "autumn", "choice": "ask_again", "codes-shown": "1"}).status_code == 422
    assert "Name at least one question" in desk.text
    assert desk.post(post, {"round": "autumn", "choice": "ask_again", "codes": "beds", "reason": " "}).status_code == 422
    assert "Give a reason" in desk.text
    assert desk.post(post, {"round": "nowhere", "choice": "keep"}).status_code == 404
    desk.post(post, {"round": "autumn", "choice": "ask_again", "codes": "beds", "reason": "Count again"}, follow=True)
    assert "3 questionnaires moved to the new version. 2 are asked again." in desk.text
    assert "Nothing is on an earlier version" in desk.text
    assert head_by_id(session, scene["signed"].id).unlocked == ("beds",)
    desk.post(post, {"round": "autumn", "choice": "keep"}, follow=True)
    assert "0 questionnaires moved" in desk.text


def test_the_library_finds_questions_of_all_questionnaires(session, desk, version):
    factories.question(session, version, "unusual", "select_one", choices=[{"key": "x", "texts": {"en": "Zebra crossing"}}])
    session.commit()
    desk.get("/questionnaires/library", expect=200)
    assert "unusual" in desk.text
    assert "select_one" not in desk.text, "types are named in words"
    assert "One of a list" in desk.text
    desk.get("/questionnaires/library?q=zebra", expect=200)
    assert "unusual" in desk.text
    assert "measures" not in desk.text
    for number in range(32):
        factories.question(session, version, f"many{number:02d}", "text", label=f"Ostrich {number}")
    session.commit()
    desk.get("/questionnaires/library?q=ostrich", expect=200)
    assert len(desk.page.xpath("//tbody/tr")) == 30
    desk.get("/questionnaires/library?q=ostrich&page=2", expect=200)
    assert len(desk.page.xpath("//tbody/tr")) == 2
    desk.get("/questionnaires/library?q=nothinglikeit", expect=200)
    assert "No question has these words" in desk.text


def test_the_institution_reads_why_it_is_asked_again(session, desk, version, by, scene, client_for):
    draft = drafted(session, version, by, lambda one: set_rules(session, one, "beds", [Edit("constraint", "", ". > 10")], by=by))
    desk.post(f"/questionnaires/{draft.public_id}/publish", follow=True)
    desk.post(f"/questionnaires/{draft.public_id}/adopt", {"round": "autumn", "choice": "ask_again", "reason": "Count the beds again"})
    from portal.models import Assignment, Institution

    at = session.get_one(Institution, session.get_one(Assignment, scene["answering"].assignment_id).institution_id)
    focal = client_for(factories.person(session, at, login="focal"))
    page = session.scalars(select(VersionItem.code).where(VersionItem.version_id == draft.id, VersionItem.code == "page1")).one()
    focal.get(f"/replies/{scene['answering'].public_id}/pages/{page}", expect=200)
    assert "Count the beds again" in focal.text


def test_report_writers_look_but_do_not_touch(session, version, client_for):
    writer = client_for(factories.staff(session, StaffRole.REPORT_WRITER))
    page = writer.get(f"/questionnaires/{version.public_id}/versions", expect=200).text
    assert "Begin a draft" not in page
    assert "Retire" not in page
    writer.post(f"/questionnaires/{version.public_id}/draft", expect=403)


def test_pages_cost_the_same_however_many_assignments(session, desk, version, by, scene, count_queries):
    draft = drafted(session, version, by, lambda one: set_rules(session, one, "beds", [Edit("constraint", "", ". > 10")], by=by))
    actor = factories.system_actor(session).id
    counts = []
    for more in (0, 0, 5):
        for number in range(more):
            of = scene["answering"].assignment_id
            from portal.models import Assignment, ReportingRound

            campaign = session.get_one(ReportingRound, session.get_one(Assignment, of).round_id)
            reply = factories.submission(session, factories.assignment(session, factories.institution(session, f"x{number}"), campaign, version=version))
            step(session, reply, ["first_save"], actor)
            reply.status = Status.IN_PROGRESS
            scenes.answer(session, reply, version, "beds", number, actor)
        session.commit()
        with count_queries() as seen:
            desk.get(f"/questionnaires/{draft.public_id}/publish", expect=200)
            desk.get(f"/questionnaires/{draft.public_id}/compare", expect=200)
            desk.get(f"/questionnaires/{version.public_id}/versions", expect=200)
        counts.append(len(seen))
    assert counts[1] == counts[2]


def test_or_other_and_tables_are_compared_too(session, desk, version, by):
    table = Item(None, "repeat", "laws", texts={"label": {"en": "Laws"}}, children=(
        Item(None, "question", "title", "text", {"label": {"en": "Title"}}),
    ))  # fmt: skip
    matrix = Item(None, "matrix", "cases", texts={"label": {"en": "Cases"}}, children=(
        Item(None, "question", "women", "integer", {"label": {"en": "Women"}}),
    ), choices=(Option("y2024", {"en": "2024"}), Option("y2025", {"en": "2025"})))  # fmt: skip
    draft = drafted(
        session, version, by,
        lambda one: add_item(session, one, table, Place("page1"), by=by),
        lambda one: add_item(session, one, matrix, Place("page1"), by=by),
        lambda one: move_item(session, one, "beds", Place("laws"), was=None, by=by),
    )  # fmt: skip
    desk.get(f"/questionnaires/{draft.public_id}/compare", expect=200)
    told = " ".join(desk.page.text_content().split())
    assert "Table laws “Laws” is new." in told
    assert "now stands in the table laws, one answer per row." in told
    desk.post(f"/questionnaires/{draft.public_id}/publish", follow=True)
    assert "The version is published" in desk.text, desk.text[:3000]
