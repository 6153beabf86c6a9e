"""The designer through HTTP: begun, added to, arranged, worded, ruled; two people on one draft; nothing lost."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal import clock
from portal.models import Questionnaire, QuestionnaireVersion, Session, VersionItem
from portal.queries.questionnaires import definition
from portal.services.questionnaire_drafts import Edit, set_rules, set_wording
from portal.services.questionnaire_places import retire_item
from portal.services.questionnaire_versions import begin_draft, publish_draft
from tests import factories

pytestmark = pytest.mark.engines

@pytest.fixture
def by(session):
    return factories.principal(session, factories.staff(session))


@pytest.fixture
def desk(session, client_for):
    return client_for(factories.staff(session, login="desk"))


@pytest.fixture
def draft(session, by):
    version = factories.questionnaire_version(session)
    made = begin_draft(session, version, by=by)
    session.commit()
    return made


def path(draft, code=""):
    return f"/questionnaires/{draft.public_id}/design" + (f"/items/{code}" if code else "")


def items(session, draft):
    session.expire_all()
    return {item.code: item for item in definition(session, draft.id).items()}


def codes(session, draft):
    return list(items(session, draft))


def press(desk, words, code, **more):
    """Press the button of the present outline whose value begins so."""
    values = [one for one in desk.page.xpath("//button[@name='do']/@value") if one.split("|")[:2] == [words, code]]
    assert values, f"no button {words} for {code}"
    return desk.post(desk.response.request.path, {"do": values[more.pop("which", 0)], **more}, follow=True)


def move(desk, code, words):
    """Press a button of the menu of a line by its words."""
    button = desk.page.xpath(f"//li[@data-code='{code}']/div//details//button[normalize-space()='{words}']")
    assert button, f"{code} cannot: {words}"
    return desk.post(desk.response.request.path, {"do": button[0].get("value")}, follow=True)


def test_a_questionnaire_is_begun_from_nothing(session, desk):
    desk.get("/questionnaires", expect=200)
    desk.get("/questionnaires/new", expect=200)
    desk.submit(0, code="mid term", titles_en="", expect=422)
    assert "Write a title" in desk.text
    assert "starts with a letter" in desk.text
    desk.submit(0, code="mid_term", titles_en="Mid-term", titles_km="ពាក់កណ្តាល", scope="institution", length="short", expect=200)
    assert "The questionnaire is begun" in desk.text
    made = session.scalars(select(Questionnaire).where(Questionnaire.code == "mid_term")).one()
    assert (made.scope, made.length, made.titles["km"]) == ("institution", "short", "ពាក់កណ្តាល")
    version = session.scalars(select(QuestionnaireVersion).where(QuestionnaireVersion.questionnaire_id == made.id)).one()
    assert codes(session, version) == ["page1"]
    desk.get("/questionnaires/new")
    desk.submit(0, code="mid_term", titles_en="Again", expect=422)
    assert "already" in desk.text


def test_changing_opens_the_draft_there_is(session, desk):
    version = factories.questionnaire_version(session)
    session.commit()
    desk.get(f"/questionnaires/{version.public_id}", expect=200)
    desk.submit(f"/questionnaires/{version.public_id}/change", expect=200)
    first = desk.response.request.path
    assert "/design" in first
    desk.get(f"/questionnaires/{version.public_id}")
    desk.submit(f"/questionnaires/{version.public_id}/change", expect=200)
    assert desk.response.request.path == first
    # the published version itself has no designer
    desk.get(f"/questionnaires/{version.public_id}/design", follow=True, expect=303)
    assert "does not change any more" in desk.text
    desk.get(f"/questionnaires/{version.public_id}/design/items/state", follow=True, expect=303)
    assert "does not change any more" in desk.text


def test_every_kind_can_be_added(session, desk, draft):
    from forms.question_types import question_types

    desk.get(f"{path(draft)}/add?parent=page1", expect=200)
    picks = desk.page.xpath("//a[@class='pick']/@href")
    assert len(picks) == len(question_types()) + 3
    desk.get(f"{path(draft)}/add", expect=200)
    assert len(desk.page.xpath("//a[@class='pick']")) == 1
    for number, what in enumerate([one for one in question_types() if one != "note"] + ["group", "repeat", "matrix", "note"]):
        desk.get(f"{path(draft)}/add?parent=page1&what={what}", expect=200)
        lines = {"lines": "Women\nMen"} if desk.page.xpath("//textarea[@name='lines']") else {}
        desk.submit(0, **{"label@en": f"Thing {number}", "label@km": f"របស់ {number}"}, **lines, expect=200)
        made = items(session, draft)[f"thing_{number}"]
        assert made.type == what or made.kind == what
        assert [one.key for one in made.choices] == (["women", "men"] if lines else [])
        desk.get(path(draft, made.code), expect=200)
        desk.get(f"{path(draft, made.code)}/look", expect=200)


def test_what_is_added_without_words_or_choices_is_refused_and_kept(session, desk, draft):
    desk.get(f"{path(draft)}/add?parent=page1&what=select_one", expect=200)
    desk.submit(0, **{"label@km": "ជម្រើស"}, lines="A\tB\tC\tD", expect=422)
    assert "Line 1 has more cells" in desk.text
    assert desk.page.xpath("//textarea[@name='label@km']")[0].text.strip() == "ជម្រើស"
    desk.submit(0, lines="", expect=422)
    assert "at least one choice" in desk.text
    desk.submit(0, lines="yes\tYes\tបាទ", code="state", expect=422)
    assert "stands in this draft already" in desk.text or "was asked in version" in desk.text
    desk.submit(0, lines="yes\tបាទ\tYes\nno\tទេ\tNo", code="", expect=200)
    made = items(session, draft)["q1"]
    assert [(one.key, dict(one.texts)) for one in made.choices] == [("yes", {"km": "បាទ", "en": "Yes"}), ("no", {"km": "ទេ", "en": "No"})]


def test_lines_move_up_down_into_and_out(session, desk, draft):
    for what, code in (("group", "box"), ("repeat", "table")):
        desk.get(f"{path(draft)}/add?parent=page1&what={what}")
        desk.submit(0, **{"label@en": code}, code=code)
    desk.get(f"{path(draft)}/add?what=section")
    desk.submit(0, **{"label@en": "Second"}, code="page2")
    desk.get(path(draft), expect=200)
    move(desk, "measures", "Move up")
    assert codes(session, draft) == ["page1", "measures", "state", "beds", "box", "table", "page2"]
    move(desk, "state", "Move down")
    move(desk, "state", "Move down")
    assert codes(session, draft)[1:5] == ["measures", "beds", "box", "state"]
    move(desk, "state", "Move into the one above")
    assert [one.code for one in items(session, draft)["box"].children] == ["state"]
    move(desk, "state", "Move out")
    assert items(session, draft)["box"].children == ()
    assert codes(session, draft)[1:5] == ["measures", "beds", "box", "state"]
    # the last line of a page goes on to the next page, a page changes its place as a whole
    move(desk, "table", "Move down")
    assert [one.code for one in items(session, draft)["page2"].children] == ["table"]
    move(desk, "page2", "Move up")
    assert codes(session, draft)[:2] == ["page2", "table"]


def test_a_line_that_somebody_moved_meanwhile_stays_there(session, desk, draft, client_for):
    other = client_for(factories.staff(session, login="other"))
    desk.get(path(draft))
    other.get(path(draft))
    move(other, "measures", "Move up")
    move(desk, "measures", "Move down")
    assert desk.response.status_code == 409
    assert "Somebody else moved" in desk.text
    assert codes(session, draft)[1:3] == ["measures", "state"]


def test_copy_take_out_and_put_back(session, desk, draft):
    desk.get(path(draft))
    press(desk, "copy", "state")
    assert codes(session, draft)[1:3] == ["state", "state_2"]
    press(desk, "out", "state")
    assert "state" not in items(session, draft)
    # what never went out asks once more
    press(desk, "out", "state_2")
    assert "Take this out for good?" in desk.text
    assert "state_2" in items(session, draft)
    desk.submit(0, do="out|state_2", expect=200)
    assert "state_2" not in items(session, draft)
    assert "was taken out" in desk.text
    press(desk, "back", "state")
    assert codes(session, draft) == ["page1", "state", "measures", "beds"]
    desk.post(path(draft), {"do": "fly|state"}, expect=422)
    desk.post(path(draft), {"do": "copy|nobody"}, follow=True)
    assert desk.response.status_code == 409


def test_an_item_is_worded_ruled_and_set(session, desk, draft):
    desk.get(path(draft, "beds"), expect=200)
    desk.submit(
        0, do="save",
        **{
            "label@en": "How many beds?", "hint@km": "រាប់ទាំងអស់", "mode:required": "always",
            "line:relevant:0:question": "state", "line:relevant:0:operator": "=", "line:relevant:0:value": "done",
            "line:constraint:0:question": ".", "line:constraint:0:operator": "<=", "line:constraint:0:value": "5000",
            "rule:default": "0", "set-start": "0", "set-not_available": "y", "more:indicator": "16.3.2",
        },
        expect=200,
    )  # fmt: skip
    assert "Saved." in desk.text
    beds = items(session, draft)["beds"]
    assert beds.texts["label"]["en"] == "How many beds?"
    assert beds.texts["hint"] == {"km": "រាប់ទាំងអស់"}
    assert (beds.required, beds.relevant, beds.constraint, beds.default) == ("true()", "${state} = 'done'", ". <= 5000", "0")
    assert beds.settings == {"start": "0", "not_available": True, "indicator": "16.3.2"}
    # the selects show what was saved; a second line joins by "any"
    assert desk.page.xpath("//select[@name='line:relevant:0:value']/option[@selected]/@value") == ["done"]
    desk.submit(
        0, do="save",
        **{"line:relevant:1:question": "measures", "line:relevant:1:operator": "given", "join:relevant": "or", "mode:required": "no"},
    )  # fmt: skip
    beds = items(session, draft)["beds"]
    assert beds.relevant == "${state} = 'done' or ${measures} != ''"
    assert beds.required == ""
    # the expression beside the selects is as good, and may say more
    desk.submit(0, do="save", **{"rule:relevant": "string-length(${measures}) > 3"})
    assert items(session, draft)["beds"].relevant == "string-length(${measures}) > 3"
    assert "Written by hand" in desk.text
    # sent again as it stands, nothing changes
    before = items(session, draft)["beds"]
    desk.submit(0, do="save", expect=200)
    assert items(session, draft)["beds"] == before


def test_a_rule_that_cannot_be_read_is_told_beside_it_and_kept(session, desk, draft):
    desk.get(path(draft, "beds"))
    desk.submit(0, do="save", **{"rule:constraint": ". > ", "rule:relevant": "${nobody} = 1"}, expect=200)
    assert items(session, draft)["beds"].constraint == ". >"
    assert "ends too early" in desk.page.get_element_by_id("rule-constraint").text_content()
    assert "There is no question named “nobody”" in desk.page.get_element_by_id("rule-relevant").text_content()
    assert desk.page.xpath("//textarea[@name='rule:constraint']")[0].text.strip() == ". >"
    desk.get(path(draft))
    assert "2 mistakes keep this draft from being published" in desk.text
    # both said at once, and differently: refused with everything kept
    desk.get(path(draft, "measures"))
    desk.submit(
        0, do="save",
        **{"label@en": "Kept words", "rule:relevant": "${beds} > 1", "line:relevant:0:question": "state", "line:relevant:0:operator": "=", "line:relevant:0:value": "done"},
        expect=422,
    )  # fmt: skip
    assert "say different things" in desk.text
    assert "Kept words" in desk.text
    assert items(session, draft)["measures"].relevant == ""


def test_refresh_shows_what_is_typed_and_saves_nothing(session, desk, draft):
    desk.get(path(draft, "beds"))
    desk.submit(0, do="refresh", **{"label@en": "Typed only", "line:relevant:0:question": "state", "line:relevant:0:operator": "="}, expect=200)
    assert "Typed only" in desk.page.xpath("//div[@data-look]")[0].text_content()
    # the choices of the question that was chosen are offered now
    assert desk.page.xpath("//select[@name='line:relevant:0:value']/option/@value") == ["", "done", "not_started"]
    assert items(session, draft)["beds"].texts["label"]["en"] == "Question beds"
    desk.submit(0, do="save", **{"line:relevant:0:value": "done"}, expect=200)
    beds = items(session, draft)["beds"]
    assert (beds.texts["label"]["en"], beds.relevant) == ("Typed only", "${state} = 'done'")


def test_settings_that_cannot_be_taken_are_refused_and_kept(session, desk, draft):
    desk.get(path(draft, "beds"))
    desk.submit(0, do="save", **{"set-start": "ten", "label@en": "New words"}, expect=422)
    assert desk.page.xpath("//input[@name='set-start']/@value") == ["ten"]
    assert "New words" in desk.text
    assert items(session, draft)["beds"].texts["label"]["en"] == "Question beds"


def test_the_code_changes_until_it_went_out(session, desk, draft):
    desk.get(path(draft, "beds"))
    assert desk.page.xpath("//input[@name='code']/@readonly")
    desk.submit(0, do="save", code="places", expect=422)
    assert "answers are kept under this code" in desk.text
    desk.get(f"{path(draft)}/add?parent=page1&what=integer")
    desk.submit(0, **{"label@en": "Women"}, expect=200)
    desk.submit(0, do="save", code="women_trained", expect=200)
    assert desk.response.request.path.endswith("/women_trained")
    desk.submit(0, do="save", code="beds", **{"label@en": "Not lost"}, expect=422)
    assert "was asked in version 1" in desk.text
    assert "Not lost" in desk.text


def test_choices_are_added_reworded_moved_and_retired(session, desk, draft):
    desk.get(path(draft, "state"))
    desk.submit(0, do="choices", lines="partly\tអនុវត្តខ្លះ\tPartly\nBlocked", expect=200)
    state = items(session, draft)["state"]
    assert [one.key for one in state.choices] == ["done", "not_started", "partly", "blocked"]
    desk.submit(0, do="up|partly", **{"choice:partly@en": "In part"}, expect=200)
    state = items(session, draft)["state"]
    assert [one.key for one in state.choices] == ["done", "partly", "not_started", "blocked"]
    assert state.choice_by_key["partly"].texts["en"] == "In part"
    desk.submit(0, do="out|done", expect=200)
    assert items(session, draft)["state"].choice_by_key["done"].retired
    desk.submit(0, do="out|blocked", expect=200)
    assert "blocked" not in items(session, draft)["state"].choice_by_key
    desk.submit(0, do="back|done", expect=200)
    assert not items(session, draft)["state"].choice_by_key["done"].retired
    desk.submit(0, do="choices", lines="done\tសេចក្តី\tSomething else", expect=422)
    assert "stands in this list already" in desk.text
    assert "Something else" in desk.text


def test_or_other_is_one_button(session, desk, draft):
    desk.get(path(draft, "state"))
    desk.submit(0, do="other", expect=200)
    found = items(session, draft)
    assert found["state"].choice_by_key["other"].texts == {"en": "Other", "km": "ផ្សេងទៀត"}
    assert list(found)[1:3] == ["state", "state_other"]
    assert found["state_other"].relevant == "selected(${state}, 'other')"
    assert not desk.page.xpath("//button[@value='other']")


def test_two_people_on_one_text_both_keep_theirs(session, desk, draft, by):
    desk.get(path(draft, "beds"))
    set_wording(session, draft, "beds", [Edit("label", "Question beds", "Beds in hospitals", "en")], by=by)
    set_rules(session, draft, "beds", [Edit("relevant", "", "${state} = 'done'")], by=by)
    session.commit()
    desk.submit(0, do="save", **{"label@en": "Beds in wards", "hint@en": "My hint", "rule:relevant": "${state} = 'not_started'"}, expect=409)
    assert "Beds in hospitals" in desk.text
    assert "Beds in wards" in desk.text
    beds = items(session, draft)["beds"]
    assert beds.texts["label"]["en"] == "Beds in hospitals"
    assert beds.texts["hint"]["en"] == "My hint"  # the other field is saved
    assert beds.relevant == "${state} = 'done'"
    # give way in one, insist on the other
    desk.submit(0, do="save", **{"take:rule:relevant": "y"}, expect=200)
    beds = items(session, draft)["beds"]
    assert (beds.texts["label"]["en"], beds.relevant) == ("Beds in wards", "${state} = 'done'")


def test_what_is_written_for_an_item_that_is_gone_stays_on_the_screen(session, desk, draft, by):
    desk.get(path(draft, "beds"))
    retire_item(session, draft, "beds", by=by)
    session.commit()
    desk.submit(0, do="save", **{"label@en": "Words for nobody"}, expect=409)
    assert "Words for nobody" in desk.text
    assert "is not in this draft any more" in desk.text


def test_what_is_written_for_a_draft_that_went_out_stays_on_the_screen(session, desk, draft, by):
    desk.get(path(draft, "beds"))
    publish_draft(session, draft, by=by)
    session.commit()
    desk.submit(0, do="save", **{"label@en": "Too late"}, expect=409)
    assert "Too late" in desk.text
    assert "is published and does not change" in desk.text


def test_a_form_sent_twice_is_done_once(session, desk, draft):
    desk.get(f"{path(draft)}/add?parent=page1&what=integer")
    fields = {**dict(desk.page.forms[-1].form_values()), "label@en": "Once"}
    for _time in range(2):
        desk.post(f"{path(draft)}/add", fields, expect=303)
    assert [code for code in codes(session, draft) if code.startswith("once")] == ["once"]


def test_a_question_and_a_whole_page_are_copied_from_the_library(session, desk, draft):
    other = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.version_id == other.id, VersionItem.code == "page1")).one()
    factories.question(session, other, "prisons", "integer", parent=page, label="Prison places", relevant="${state} = 'done'")
    session.commit()
    desk.get(f"{path(draft)}/shelf?parent=page1&q=PRISON", expect=200)
    assert desk.page.xpath("//button[@name='copy']/@value") == [f"{other.public_id}|prisons"]
    desk.submit(1, copy=f"{other.public_id}|prisons", expect=200)
    assert items(session, draft)["prisons"].relevant == "${state} = 'done'"
    desk.get(f"{path(draft)}/shelf?q=prison", expect=200)
    desk.submit(1, copy=f"{other.public_id}|page1", expect=200)
    assert "These codes were taken" in desk.text
    found = items(session, draft)
    assert [one.code for one in found["page1_2"].children] == ["state_2", "measures_2", "beds_2", "prisons_2"]
    assert found["prisons_2"].relevant == "${state_2} = 'done'"
    desk.post(f"{path(draft)}/shelf", {"copy": f"{other.public_id}|nothing", "parent": "page1"}, expect=422)
    # Khmer words are found whatever their invisible marks
    desk.get(f"{path(draft)}/shelf?parent=page1&q=សំណួរ\u200b prisons", expect=200)
    assert desk.page.xpath("//button[@name='copy']")


def test_the_title_is_worded_against_what_was_seen(session, desk, draft):
    desk.get(path(draft))
    form = f"/questionnaires/{draft.public_id}/titles"
    desk.submit(form, **{"title@en": "New title"}, expect=200)
    session.expire_all()
    assert session.get(QuestionnaireVersion, draft.id).titles["en"] == "New title"
    stale = {"title@en": "Mine", "base:title@en": "Something older", "title@km": "", "base:title@km": ""}
    desk.post(form, stale, expect=409)
    assert "New title" in desk.text
    assert "Mine" in desk.text


def test_columns_total_and_row_limit_of_a_table(session, desk, draft):
    desk.get(f"{path(draft)}/add?parent=page1&what=repeat")
    desk.submit(0, **{"label@en": "Trainings"}, code="trainings", expect=200)
    desk.submit(0, do="column", **{"more:max_rows": "30", "label@km": "វគ្គ"}, expect=200)
    assert items(session, draft)["trainings"].settings == {"max_rows": "30"}
    assert "parent=trainings" in desk.response.request.full_path
    for code in ("women", "men"):
        desk.get(f"{path(draft)}/add?parent=trainings&what=integer")
        desk.submit(0, **{"label@en": code}, code=code, expect=200)
    desk.submit(0, do="save", **{"more:total": "y"}, expect=200)
    assert items(session, draft)["men"].settings == {"total": "sum"}
    desk.get(f"{path(draft)}/add?parent=trainings&what=calculate")
    desk.submit(0, **{"label@en": "All"}, code="all", expect=200)
    desk.submit(0, do="refresh", **{"line:calculation:0:question": "women"}, expect=200)
    desk.submit(0, do="save", **{"line:calculation:1:question": "men"}, expect=200)
    assert items(session, draft)["all"].calculation == "sum(${women}, ${men})"
    desk.get(path(draft, "trainings"))
    desk.submit(0, do="save", **{"more:max_rows": "many"}, expect=422)


def test_what_is_written_when_the_session_has_run_out_is_kept(session, client_for, draft):
    person = factories.staff(session, login="late")
    desk = client_for(person)
    desk.get(path(draft, "beds"))
    session.execute(update(Session).where(Session.user_id == person.id).values(expires_at=clock.now() - timedelta(1)))
    session.commit()
    desk.submit(0, do="save", **{"label@en": "Typed too late"}, follow=False)
    assert desk.response.headers["Location"].startswith("/login")
    assert desk.sign_in("late").headers["Location"] == "/held"
    desk.get("/held", expect=200)
    assert "Typed too late" in desk.text
    desk.submit(0, expect=200)
    assert items(session, draft)["beds"].texts["label"]["en"] == "Typed too late"


def test_a_large_draft_is_drawn_with_few_queries(session, desk, by, count_queries):
    version = factories.questionnaire_version(session, published=False)
    page = session.scalars(select(VersionItem).where(VersionItem.version_id == version.id, VersionItem.code == "page1")).one()
    for number in range(40):
        factories.question(session, version, f"more{number}", "integer", parent=page, label=f"More {number}", relevant="${state} = 'done'")
    session.commit()
    for address, most in ((path(version), 14), (path(version, "more7"), 14), (f"{path(version)}/shelf?parent=page1", 14)):
        with count_queries() as seen:
            desk.get(address, expect=200)
        assert len(seen) <= most, (address, len(seen), seen)


def test_a_table_does_not_ask_about_its_own_columns(session, desk, draft):
    desk.get(f"{path(draft)}/add?parent=page1&what=repeat")
    desk.submit(0, **{"label@en": "Trainings"}, code="trainings")
    desk.get(f"{path(draft)}/add?parent=trainings&what=integer")
    desk.submit(0, **{"label@en": "Women"}, code="women", expect=200)
    # a column may speak of the questions outside; the table, and whatever stands outside, not of the column
    offered = desk.page.xpath("//select[@name='line:relevant:0:question']/option/@value")
    assert {"state", "measures", "beds"} <= set(offered)
    for code in ("trainings", "beds"):
        desk.get(path(draft, code))
        assert "women" not in desk.page.xpath("//select[@name='line:relevant:0:question']/option/@value")


def test_hostile_words_are_kept_as_words(session, desk, draft):
    hostile = "<script>alert(1)</script>\u0000 ${"
    desk.get(path(draft, "beds"))
    desk.submit(0, do="save", **{"label@en": hostile, "base:settings": "{[", "rule:default": "x" * 30_000}, expect=422)
    assert "longer than" in desk.text
    desk.get(path(draft, "beds"))
    desk.submit(0, do="save", **{"label@en": hostile}, expect=200)
    assert "<script>alert" not in desk.text
    desk.get(path(draft), expect=200)
    for fields in ({"do": ""}, {"do": "up"}, {"do": "out|nothing"}, {"do": "go|nowhere"}, {"base:settings": "[]", "do": "save"}):
        desk.post(path(draft, "state"), fields)
        assert desk.response.status_code in {303, 409, 422}
