"""Every question type on the pages of an institution: posted, kept, shown again, read aloud."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from forms.definition.model import Item
from forms.question_types import question_type, question_types
from portal.models import Answer, ItemKind, Question, Role, VersionItem
from tests import factories

pytestmark = pytest.mark.engines

JSON = {"Accept": "application/json"}
LIST = [{"key": key, "texts": {"en": key.title(), "km": f"ខ្មែរ {key}"}} for key in ("law", "staff", "data")]
OLD = {"key": "old", "texts": {"en": "Former", "km": "ចាស់"}, "retired": True}
LONG = [{"key": f"d{number}", "texts": {"en": f"District {number}", "km": f"ស្រុក {number}"}} for number in range(20)]
BOTH = {"not_available": True, "not_applicable": True}
# code -> (type, settings, choices, what is posted, what is stored, what is refused)
ASKED = {
    "t_text": ("text", {"one_language": True}, (), ["ក"], "ក", ["a\x00b"]),
    "t_integer": ("integer", {"unit": {"en": "persons", "km": "នាក់"}, **BOTH}, (), ["១២០ នាក់"], 120, ["១.២៣៤"]),
    "t_decimal": ("decimal", {}, (), ["12.345678"], "12.345678", ["1.234"]),
    "t_range": ("range", {"start": "0", "end": "10", "step": "2"}, (), ["4"], "4", ["5"]),
    "t_percentage": ("percentage", {}, (), ["34 %"], "34", ["$34"]),
    "t_money": ("money", {"unit": "KHR"}, (), ["25,000 ៛"], "25000", ["25 USD"]),
    "t_one": ("select_one", {"appearance": "likert"}, [*LIST, OLD], ["law"], "law", ["zz"]),
    "t_long": ("select_one", {}, LONG, ["d7"], "d7", ["zz"]),
    "t_several": ("select_multiple", {"appearance": "columns"}, LIST, ["staff", "law"], ["law", "staff"], ["law", "zz"]),
    "t_rank": ("rank", {}, LIST, ["staff", "law", ""], ["staff", "law"], ["law", "law", ""]),
    "t_agreed": ("acknowledge", {}, (), ["OK"], True, ["perhaps"]),
    "t_date": ("date", BOTH, (), ["៣០ មីនា ២០២២"], "2022-03-30", ["30/02/2022"]),
    "t_time": ("time", {}, (), ["2:30 PM"], "14:30", ["25:00"]),
    "t_datetime": ("datetime", {}, (), ["30/03/2022 14h30"], "2022-03-30T14:30:00+07:00", ["30/03/2022"]),
    "t_year": ("year", {}, (), ["២០២២"], 2022, ["2565"]),
    "t_period": ("period", {}, (), ["01/01/2022", "31/12/2025"], ["2022-01-01", "2025-12-31"], ["31/12/2025", "01/01/2022"]),
}  # fmt: skip


@pytest.fixture
def scene(session):
    moj = factories.institution(session, "MOJ")
    version = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    for code, (kind, settings, choices, *_posts) in ASKED.items():
        factories.question(session, version, code, kind, parent=page, settings=settings, choices=list(choices))
    factories.question(session, version, "t_file", "file", parent=page)
    factories.question(session, version, "t_image", "image", parent=page)
    factories.question(session, version, "t_calculate", "calculate", parent=page, calculation="${t_integer} * 2")
    factories.question(session, version, "t_hidden", "hidden", parent=page, texts={})
    note = "Please **read**\n\n* this <script>alert(1)</script>\n* [guide](javascript:alert(1)) [portal](https://guide.example/)"
    factories.item(session, version, "t_note", kind=ItemKind.NOTE, parent=page, settings={"type": "note"}, texts={"label": {"en": note, "km": note}})
    group = factories.item(session, version, "t_group", kind=ItemKind.GROUP, parent=page, settings={"appearance": "table-list"})
    for code in ("t_row1", "t_row2"):
        factories.question(session, version, code, "select_one", parent=group, choices=LIST)
    reply = factories.submission(session, factories.assignment(session, to=moj, version=version))
    made = SimpleNamespace(
        reply=reply,
        path=f"/replies/{reply.public_id}/pages/page1",
        focal=factories.person(session, moj, Role.FOCAL_POINT, language="en"),
    )
    session.commit()
    return made


def post(at: int) -> dict[str, object]:
    return {code: facts[at] for code, facts in ASKED.items()} | {f"base:{code}": 0 for code in ASKED}


def stored(session, scene) -> dict[str, Answer]:
    rows = session.execute(
        select(Question.code, Answer).join(Answer, Answer.question_id == Question.id).where(Answer.submission_id == scene.reply.id)
    )
    return {row.code: row.Answer for row in rows}


def part(html: str, code: str) -> str:
    """The HTML of one question."""
    found = re.search(rf'<div class="question[^"]*" id="q-{code}-item".*?(?=<div class="question[ "-]|</form>)', html, re.DOTALL)
    assert found, code
    return found[0]


def test_every_type_is_among_the_samples():
    here = {facts[0] for facts in ASKED.values()} | {"file", "image", "calculate", "hidden", "note"}
    assert here == set(question_types())


def test_every_type_is_kept_and_shown_again(client, session, scene):
    client.sign_in(scene.focal.login)
    client.post(scene.path, post(3), headers=JSON)
    session.expire_all()
    kept = stored(session, scene)
    assert {code: kept[code].value for code in ASKED} == {code: facts[4] for code, facts in ASKED.items()}
    html = client.get(scene.path).get_data(as_text=True)
    assert 'value="120"' in part(html, "t_integer")
    assert "persons" in part(html, "t_integer")
    assert 'value="30/03/2022 14:30"' in part(html, "t_datetime")
    assert 'value="01/01/2022"' in part(html, "t_period")
    assert 'value="31/12/2025"' in part(html, "t_period")
    assert re.search(r'<input type="checkbox" name="t_agreed" value="OK" checked', part(html, "t_agreed"))
    assert '<option value="d7" selected>' in part(html, "t_long")
    assert "data-narrows" in part(html, "t_long")
    assert part(html, "t_rank").count("selected") == 2
    assert "in steps of 2" in part(html, "t_range")
    assert "options-scale" in part(html, "t_one")
    assert ">240<" in part(html, "t_calculate").replace("\n", "")
    assert "t_hidden" not in html
    # what the page shows, posted again, changes no value
    again = {code: question_types()[facts[0]].raw(facts[4], None) for code, facts in ASKED.items()}
    bases = {f"base:{code}": kept[code].revision for code in ASKED}
    client.post(scene.path, again | bases, headers=JSON)
    session.expire_all()
    after = stored(session, scene)
    assert {code: after[code].value for code in ASKED} == {code: facts[4] for code, facts in ASKED.items()}


def test_what_is_refused_keeps_its_text_beside_one_sentence(client, session, scene):
    client.sign_in(scene.focal.login)
    said = client.post(scene.path, post(5), headers=JSON, expect=422).get_json()
    assert {one["name"] for one in said["refused"]} == set(ASKED)
    session.expire_all()
    kept = stored(session, scene)
    assert all(kept[code].value is None and kept[code].typed for code in ASKED)
    html = client.get(scene.path).get_data(as_text=True)
    for code in ASKED:
        assert "has-error" in part(html, code), code
    assert 'value="31/12/2025"' in part(html, "t_period")
    assert 'value="30/02/2022"' in part(html, "t_date")
    assert part(html, "t_rank").count('value="law" selected') == 2
    assert re.search(r'name="t_several" value="law" checked', part(html, "t_several"))


def test_a_state_is_neither_empty_nor_zero(client, session, scene):
    client.sign_in(scene.focal.login)
    fields = {"t_integer!state": "not_available", "base:t_integer": 0, "t_date!state": "not_applicable", "base:t_date": 0}
    client.post(scene.path, fields, headers=JSON)
    session.expire_all()
    kept = stored(session, scene)
    assert (kept["t_integer"].state, kept["t_integer"].value) == ("not_available", None)
    assert (kept["t_date"].state, kept["t_date"].value) == ("not_applicable", None)
    said = client.post(scene.path, {"t_year": "2022", "t_year!state": "not_available", "base:t_year": 0}, headers=JSON, expect=422).get_json()
    assert "cannot be marked" in said["refused"][0]["message"]


def test_a_note_is_marked_up_and_harmless(client, scene):
    client.sign_in(scene.focal.login)
    html = client.get(scene.path).get_data(as_text=True)
    note = re.search(r'<div class="question-note" id="q-t_note-item".*?</div></div>', html, re.DOTALL)[0]
    assert "<strong>read</strong>" in note
    assert "<li>" in note
    assert "&lt;script&gt;" in note
    assert "<script" not in note
    assert 'href="javascript' not in note
    assert '<a href="https://guide.example/" rel="noopener noreferrer">portal</a>' in note


def test_questions_that_share_a_list_are_one_table(client, scene):
    client.sign_in(scene.focal.login)
    html = client.get(scene.path).get_data(as_text=True)
    assert html.count("question-head") == 1
    for code in ("t_row1", "t_row2"):
        row = part(html, code)
        assert "options-table" in row
        assert row.count('type="radio"') >= 3
        assert "Staff" in row  # each button has a label of its own for those who hear the page


@pytest.mark.parametrize("kind", ["select_one", "select_multiple"])
def test_a_row_of_a_table_made_by_hand_keeps_the_words_of_its_choices(kind):
    for appearance in ("list-nolabel", "list_nolabel", "list"):
        item = Item(None, "question", "a", kind, settings={"appearance": appearance})
        assert question_type(kind).variant(item) in {"likert", "columns"}, "a table-list shows its words in a head only"


def test_a_choice_out_of_use_stays_where_it_was_chosen(client, scene):
    client.sign_in(scene.focal.login)
    assert 'value="old"' not in client.get(scene.path).get_data(as_text=True)
    client.post(scene.path, {"t_one": "old", "base:t_one": 0}, headers=JSON)
    assert 'value="old" checked' in part(client.get(scene.path).get_data(as_text=True), "t_one")


@pytest.mark.parametrize("language", ["en", "km"])
def test_the_gallery_shows_every_type_with_its_settings(client, language):
    client.get("/login")
    client.post("/language", {"language": language})
    html = client.get("/components/controls").get_data(as_text=True)
    assert f'<html lang="{language}"' in html
    titles = set(re.findall(r"<h2>([^<]+)</h2>", html))
    assert len(titles) > len(question_types())
    assert "has-error" in html
    assert "is-missing" in html
