"""Correcting the words of the portal on its page: search, one message in place, both texts of a conflict, at once in force."""

from __future__ import annotations

import io

import openpyxl
import pytest
from sqlalchemy import select, text

from portal import catalogues
from portal.models import AuditEvent, StaffRole, Wording, WordingRevision
from portal.wording import InForce
from tests import factories
from tests.client import Client

PEOPLE = f"km.{catalogues.key_of('People')}.0"
DAYS = f"km.{catalogues.key_of('%(num)s day late')}.0"
KHMER = "មនុស្សទាំងឡាយ"


@pytest.fixture
def coordinator(client_for, session):
    person = factories.staff(session, StaffRole.COORDINATOR)
    person.language = "en"
    return client_for(person)


@pytest.fixture
def reader(client_for, session):
    """Somebody whose pages are in Khmer."""
    person = factories.staff(session, StaffRole.REPORT_WRITER)
    person.language = "km"
    return client_for(person)


def correct(browser: Client, name: str, *, expect: int = 200, **fields):
    browser.get(f"/wording/?edit={name}", expect=200)
    form = next(one for one in browser.page.xpath("//main//form/@action") if one.startswith(f"/wording/{name}"))
    return browser.submit(str(form), expect=expect, **fields)


@pytest.mark.engines
def test_a_corrected_word_holds_at_once_and_is_taken_back(app, coordinator, reader, session):
    reader.get("/people/", expect=200)
    shipped = catalogues.messages()[PEOPLE.split(".")[1]].text("km", 0)
    assert shipped in reader.text
    assert KHMER not in reader.text
    correct(coordinator, PEOPLE, text=KHMER, checked_by="A native reader", note="as in the law")
    assert "hold everywhere" in coordinator.text
    reader.get("/people/", expect=200)
    assert KHMER in reader.text
    row = session.scalars(select(Wording)).one()
    assert (row.text, row.checked_by, row.note, row.revision) == (KHMER, "A native reader", "as in the law", 1)
    assert row.checked_on is not None
    coordinator.get(f"/wording/?edit={PEOPLE}")
    coordinator.submit(f"/wording/{PEOPLE}/shipped", expect=200)
    reader.get("/people/", expect=200)
    assert KHMER not in reader.text
    assert [one.text for one in session.scalars(select(WordingRevision).order_by(WordingRevision.id))] == [KHMER, None]
    acts = session.scalars(select(AuditEvent.action).where(AuditEvent.object_kind == "wording")).all()
    assert acts == ["edit_wording", "restore_wording"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("ថ្ងៃ", ""),
        ("%(num)s ថ្ងៃ %(name)s", "%(name)s"),
        ("<b>%(num)s</b> ថ្ងៃ", "markup"),
        ("%(num)s days", "not in the language"),
        ("%(num)s ថ្ងៃ\nយឺត", "line break"),
        ("%(num)s ថ្ងៃ 5%", "placeholder"),
        ("", "words are missing"),
    ],
)
def test_words_that_would_not_fit_are_refused_in_a_sentence_and_kept_in_the_field(coordinator, session, words, said):
    correct(coordinator, DAYS, text=words, expect=422 if said else 200)
    assert said in coordinator.text
    if said:
        assert session.scalars(select(Wording)).all() == []
        (area,) = coordinator.page.xpath("//textarea[@name='text']")
        assert area.value.replace("\r\n", "\n").strip() == words


def test_a_missing_placeholder_is_named(coordinator):
    key = catalogues.key_of("Code: %(code)s")
    correct(coordinator, f"km.{key}.0", text="លេខកូដ", expect=422)
    assert "%(code)s" in coordinator.text
    assert "missing" in coordinator.text


def test_two_people_on_one_message_see_both_texts(client_for, coordinator, session):
    other = client_for(factories.staff(session, StaffRole.ADMINISTRATOR, login="second"))
    other.get(f"/wording/?edit={PEOPLE}")
    correct(coordinator, PEOPLE, text=KHMER)
    other.submit(f"/wording/{PEOPLE}", text="ប្រជាជន", expect=409)
    assert KHMER in other.text
    assert "ប្រជាជន" in other.text
    other.submit(f"/wording/{PEOPLE}", expect=200)
    session.expire_all()
    assert session.scalars(select(Wording.text)).one() == "ប្រជាជន"


def test_saving_the_same_again_writes_nothing(coordinator, session):
    correct(coordinator, PEOPLE, text=KHMER)
    correct(coordinator, PEOPLE, text=KHMER)
    assert session.scalars(select(WordingRevision.revision)).all() == [1]


def test_the_shipped_words_can_be_checked_without_changing_them(coordinator, session):
    coordinator.get("/wording/?show=unchecked&q=People")
    assert f"m-{PEOPLE}" in coordinator.text
    correct(coordinator, PEOPLE, checked_by="A native reader", checked_on="2026-03-27")
    row = session.scalars(select(Wording)).one()
    assert (row.text, row.checked_on.isoformat()) == (None, "2026-03-27")
    coordinator.get("/wording/?show=unchecked&q=People")
    assert f'id="m-{PEOPLE}"' not in coordinator.text
    # another version ships other words: the check was of these
    row.basis = "other words"
    coordinator.get("/wording/?show=outdated")
    assert f'id="m-{PEOPLE}"' in coordinator.text
    coordinator.get("/wording/?show=unchecked&q=People")
    assert f'id="m-{PEOPLE}"' in coordinator.text


@pytest.mark.parametrize("day", ["2999-01-01"])
def test_a_check_in_the_future_is_refused(coordinator, session, day):
    correct(coordinator, PEOPLE, checked_by="A native reader", checked_on=day, expect=422)
    assert "future" in coordinator.text


def test_a_search_does_not_mind_zero_width_spaces_and_case(coordinator):
    shipped = catalogues.messages()[PEOPLE.split(".")[1]].text("km", 0)
    coordinator.get("/wording/", query_string={"q": "\u200b".join(shipped)})
    assert f'id="m-{PEOPLE}"' in coordinator.text
    coordinator.get("/wording/?q=pEoPlE")
    assert f'id="m-{PEOPLE}"' in coordinator.text
    coordinator.get("/wording/?q=no-such-words-anywhere")
    assert "No message fits" in coordinator.text


def test_the_list_costs_few_queries_however_many_words_are_set(coordinator, session, count_queries):
    coordinator.get("/wording/", expect=200)
    correct(coordinator, PEOPLE, text=KHMER)
    with count_queries() as seen:
        coordinator.get("/wording/", expect=200)
    assert len(seen) == 2, seen  # the session with its person, the words


def test_a_request_costs_one_small_query_in_seconds(app, reader, count_queries):
    reader.get("/people/")
    with count_queries() as seen:
        app.extensions["wording"].looked_at = float("-inf")
        reader.get("/people/", expect=200)
        reader.get("/people/", expect=200)
    assert len([one for one in seen if "wording" in one]) == 1, seen


def test_a_row_broken_by_hand_breaks_no_page(app, coordinator, reader, session, caplog):
    correct(coordinator, DAYS, text="ហួស %(num)s ថ្ងៃ")
    correct(coordinator, PEOPLE, text=KHMER)
    session.execute(text("update wording set text = '%(nobody)s %' where message = :key"), {"key": DAYS.split(".")[1]})
    session.commit()
    app.extensions["wording"] = InForce()
    reader.get("/people/", expect=200)
    assert KHMER in reader.text
    assert "do not fit" in caplog.text


def test_words_that_cannot_be_filled_in_give_way_to_the_shipped_ones(app, caplog):
    from flask_babel import force_locale, gettext, ngettext

    with app.test_request_context("/"):
        broken = app.extensions["wording"].words
        broken.mine = {"km": {"Code: %(code)s": "%(nothing)s", ("%(num)s day late", 0): "%(num)d %(x)s"}}
        broken.translations.clear()
        template = app.jinja_env.from_string(
            "{{ _('Code: %(code)s', code='<7>') }}|{{ ngettext('%(num)s day late', '%(num)s days late', 3) }}"
        )
        with force_locale("km"):
            assert gettext("Code: %(code)s", code="7") == "លេខកូដ៖ 7"
            assert "3" in ngettext("%(num)s day late", "%(num)s days late", 3)
            drawn = template.render()
    assert drawn.startswith("លេខកូដ៖ ")
    assert "3" in drawn
    assert caplog.text.count("cannot be filled in") == 2  # once for each message


def test_words_are_text_never_markup(app):
    from flask_babel import force_locale

    with app.test_request_context("/"):
        words = app.extensions["wording"].words
        words.mine = {"km": {"People": "<script>"}}
        page = app.jinja_env.get_template("errors/error.html")
        said = page.environment.from_string("{% autoescape true %}{{ _('People') }}{% endautoescape %}")
        with force_locale("km"):
            assert said.render() == "&lt;script&gt;"


def test_another_process_sees_the_words_within_seconds(make_app, app, coordinator, session):
    second = make_app()
    person = factories.staff(session, StaffRole.REPORT_WRITER, login="far")
    person.language = "km"
    far = Client(second, session)
    far.sign_in("far")
    far.get("/people/", expect=200)
    correct(coordinator, PEOPLE, text=KHMER)
    second.extensions["wording"].looked_at -= 4  # seconds go by
    far.get("/people/", expect=200)
    assert KHMER in far.text


def test_a_mail_speaks_the_corrected_words_without_signs_of_html(app, coordinator):
    from portal.services.mail import compose

    key = catalogues.key_of("Reporting round: %(round)s")
    correct(coordinator, f"km.{key}.0", text="វគ្គ៖ %(round)s")
    with app.test_request_context("/"):
        about = {"round": "Ministry's <round> & more", "secretariat": "S", "portal": "P", "count": 1, "due": "D"}
        _subject, body = compose("issued", "km", ["km"], {"km": about})
    assert "វគ្គ៖ Ministry's <round> & more" in body


@pytest.mark.parametrize("name", ["km.nothing.0", "en.0.0", f"{PEOPLE[:-1]}7", "x", f"fr.{PEOPLE[3:]}", f"{PEOPLE[:-1]}²"])
def test_an_unknown_name_is_no_page(coordinator, name):
    coordinator.post(f"/wording/{name}", {"text": "x"}, expect=404)


def column(sheet, title):
    return next(one.column for one in sheet[1] if str(one.value).split("\n")[-1].startswith(title))


def bring_back(browser, changes):
    """Download the workbook, change cells (message -> column -> value), and upload it."""
    browser.get("/wording/workbook", expect=200)
    content = browser.post("/wording/workbook/download", {}, expect=200, check=False).get_data()
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book["Wording"]
    rows = {sheet.cell(row, 1).value: row for row in range(2, sheet.max_row + 1)}
    for source, cells in changes.items():
        for title, value in cells.items():
            sheet.cell(rows[f"{catalogues.key_of(source)}.0"], column(sheet, title)).value = value
    stream = io.BytesIO()
    book.save(stream)
    stream.seek(0)
    browser.post("/wording/workbook", {"file": (stream, "words.xlsx")}, follow=True)


@pytest.fixture
def few(monkeypatch):
    wanted = {"People", "Rounds", "Code: %(code)s", "%(num)s day late"}
    chosen = {key: one for key, one in catalogues.messages().items() if one.source in wanted}
    monkeypatch.setattr(catalogues, "messages", lambda: chosen)


def test_a_workbook_is_shown_first_and_taken_over_once(coordinator, reader, session, few):
    changes = {
        "People": {"Words": KHMER, "Checked by": "A native reader"},
        "Code: %(code)s": {"Words": "លេខកូដ"},
    }
    bring_back(coordinator, changes)
    assert coordinator.response.status_code == 200
    assert KHMER in coordinator.text
    assert "%(code)s" in coordinator.text
    assert "row" in coordinator.text
    assert session.scalars(select(Wording)).all() == []
    coordinator.submit(-1, follow=True, expect=200)
    assert "1 message was set" in coordinator.text
    assert session.scalars(select(Wording.text)).all() == [KHMER]
    reader.get("/people/", expect=200)
    assert KHMER in reader.text


def test_what_a_refused_row_holds_is_shown_as_text(coordinator, few):
    bring_back(coordinator, {"People": {"Words": "<em class='x'>មនុស្ស</em>"}})
    assert coordinator.page.xpath("//main//em") == []
    assert "<em class='x'>" in coordinator.page.xpath("string(//*[@id='refused'])")


def test_the_judgement_that_was_shown_is_the_one_that_is_written(client_for, coordinator, session, few):
    other = client_for(factories.staff(session, StaffRole.ADMINISTRATOR, login="second"))
    bring_back(coordinator, {"People": {"Words": KHMER}})
    correct(other, PEOPLE, text="ប្រជាជន")
    coordinator.submit(-1, expect=409)
    assert "ប្រជាជន" in coordinator.text
    assert KHMER in coordinator.text
    assert session.scalars(select(Wording.text)).all() == ["ប្រជាជន"]


def test_no_file_and_a_wrong_file_get_a_sentence(coordinator):
    coordinator.get("/wording/workbook")
    coordinator.post("/wording/workbook", {}, expect=422)
    assert "Choose a file" in coordinator.text
    coordinator.post("/wording/workbook", {"file": (io.BytesIO(b"no workbook"), "x.xlsx")}, expect=422)
    assert "words" in coordinator.text


def test_a_portal_that_speaks_english_only_says_so(coordinator, session, app):
    from portal.models import Country

    session.scalars(select(Country)).one().languages = [{"code": "en", "name": "English", "digits": "latn"}]
    session.commit()
    app.extensions.pop("portal_country", None)
    coordinator.get("/wording/", expect=200)
    assert "English only" in coordinator.text
    coordinator.get("/wording/workbook", expect=200)
    coordinator.post("/wording/workbook/download", {}, expect=422)
