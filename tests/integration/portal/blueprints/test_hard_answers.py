"""Answers as people really give them: taken, or refused in a sentence for each reader; what was typed is never lost."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace

import openpyxl
import pytest
from sqlalchemy import select

from forms.answers import parse_field_name
from portal.jobs.exports import make_workbook
from portal.models import Answer, AnswerRevision, ApiToken, ItemKind, Question, Role, StaffRole, VersionItem
from portal.services.sessions import token_digest
from tests import factories

pytestmark = pytest.mark.engines

JSON = {"Accept": "application/json"}
PLAIN, AUTOSAVE = "plain", "autosave"
NOT_A_NUMBER = {"en": "This is not a number", "km": "នេះមិនមែនជាលេខទេ"}
TOO_MANY = {"en": "There are at most ten courts, not 12.", "km": "មានតុលាការយ៉ាងច្រើនដប់ មិនមែន 12 ទេ។"}
LEGACY = "RbeTskm<úCa RbCaCn nigsgÁm EdlmanesrIPaB"


@pytest.fixture
def scene(session):
    place = factories.institution(session, "MOJ")
    version = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    said = {"en": "There are at most ten courts, not ${courts}.", "km": "មានតុលាការយ៉ាងច្រើនដប់ មិនមែន ${courts} ទេ។"}
    factories.question(
        session, version, "courts", "integer", parent=page, constraint=". <= 10",
        texts={"label": {"en": "Courts", "km": "តុលាការ"}, "constraint_message": said},
    )  # fmt: skip
    factories.question(session, version, "day", "date", parent=page)
    factories.question(session, version, "year", "year", parent=page)
    factories.question(session, version, "share", "percentage", parent=page)
    factories.question(session, version, "spent", "decimal", parent=page)
    of = factories.reporting_round(session, slug="r")
    reply = factories.submission(session, factories.assignment(session, place, of, version=version))
    made = SimpleNamespace(
        round=of,
        reply=reply,
        page=f"/replies/{reply.public_id}/pages/page1",
        check=f"/replies/{reply.public_id}/check",
        en=factories.person(session, place, Role.FOCAL_POINT, language="en"),
        km=factories.person(session, place, Role.CONTRIBUTOR, language="km"),
    )
    session.commit()
    return made


def give(client, scene, how, name, typed):
    """Save one answer as the script does, or the whole page as a browser without script does; return what is said."""
    if how == AUTOSAVE:
        base = client.page.xpath(f"//*[@name='base:{name}']/@value")[0] if client.page is not None else 0
        response = client.post(scene.page, {name: typed, f"base:{name}": base}, headers=JSON)
        assert response.status_code in {200, 422}, client.text[:500]
        told = response.get_json()
        return [one["message"] for one in told["refused"] if one["name"] == name]
    fields = {}
    for field, value in client.page.xpath("//form[@data-autosave]")[0].form_values():
        fields.setdefault(field, []).append(value)
    client.post(scene.page, fields | {name: [typed], "action": ["save"]}, follow=True)
    assert client.response.status_code in {200, 422}, client.text[:500]
    return beside(client, name)


def beside(client, name):
    """What a page says beside a field."""
    code = name.partition("@")[0]
    return [
        " ".join(one.text_content().split())
        for one in client.page.xpath(f"//*[@id='q-{code}-item']//*[contains(@class, 'field-error')]")
        if one.text_content().strip()
    ]


def shown(client, name):
    """What stands in a field of the present page."""
    (field,) = client.page.xpath(f"//form[@data-autosave]//*[@name='{name}'][not(@type='hidden')]")
    return field.get("value") if field.tag == "input" else (field.text or "").removeprefix("\n")


def opened(client_for, person, scene):
    client = client_for(person)
    client.get(scene.page, expect=200)
    return client


KHMER = "តុលាការថ្មី " * 9000
TAKEN = {
    "a hundred thousand letters": ("measures@km", KHMER[:100_000], KHMER[:100_000]),
    "a formula": ("measures@en", '=HYPERLINK("http://evil.example","x")', '=HYPERLINK("http://evil.example","x")'),
    "plus, minus, at": ("measures@en", "+1 -1 @SUM(A1)", "+1 -1 @SUM(A1)"),
    "markup": ("measures@en", "<b>bold</b> & </textarea>", "<b>bold</b> & </textarea>"),
    "control characters": ("measures@en", "one\x07two\x1b[31m", "onetwo[31m"),
    "line ends of three systems": ("measures@en", "a\r\nb\rc\nd", "a\nb\nc\nd"),
    # a vowel of two code points, an independent vowel that looks like a consonant, zero-width spaces
    "look-alikes of Khmer": ("measures@km", "កេី\u17a3\u200bអ\u200b", "កេី\u17a3\u200bអ\u200b"),
    "right to left": ("measures@en", "\u202eabc", "\u202eabc"),
    "Khmer digits": ("beds", "១២៣៤", "1234"),
    "Khmer digits with separators": ("beds", "1,234,567", "1234567"),
    "Khmer decimals": ("spent", "១២.៥", "12.5"),
    "a per cent sign": ("share", "៣៤%", "34"),
    "a day in Khmer digits": ("day", "៣០/៣/២០២២", "30/03/2022"),
    "an ISO day": ("day", "2022-03-30", "30/03/2022"),
}
REFUSED = {
    "more than fits": ("measures@en", "x" * 200_001, {"en": "at most 200000 fit", "km": "200"}),
    "a character that is none": ("measures@en", "a\x00b", {"en": "not text", "km": "␀"}),
    "Khmer of an old font": ("measures@km", LEGACY, {"en": "old font (such as Limon)", "km": "Limon"}),
    "words for a number": ("beds", "about ten", NOT_A_NUMBER),
    "a look-alike of a digit": ("beds", "1\u0660", {"en": "digits only", "km": "សូមសរសេរតែលេខ"}),
    "a formula for a number": ("beds", "=1+1", {"en": "without “=”", "km": "«=»"}),
    "a broken number": ("beds", "1.5", {"en": "whole number", "km": "ចំនួនគត់"}),
    "two readings": ("spent", "1.234", {"en": "two different numbers", "km": "1234"}),
    "a number of a hundred digits": ("beds", "9" * 100, {"en": "at most 30 digits", "km": "30"}),
    "a day that is none": ("day", "30/02/2024", {"en": "does not exist", "km": "29"}),
    "a day of the Buddhist era": ("day", "30/03/2569", {"en": "2026", "km": "ពុទ្ធសករាជ"}),
    "the same in Khmer digits": ("day", "៣០/០៣/២៥៦៩", {"en": "2026", "km": "2026"}),
    "a year of the Buddhist era": ("year", "២៥៦៩", {"en": "2026", "km": "ពុទ្ធសករាជ"}),
    "a short year": ("day", "30/03/22", {"en": "four digits", "km": "30/03/2022"}),
    "a month that is none": ("day", "03/30/2022", {"en": "no month 30", "km": "30"}),
}


def stored(session, name):
    key = parse_field_name(name)
    session.rollback()
    return session.execute(
        select(Answer.value, Answer.typed, Answer.revision)
        .join(Question, Question.id == Answer.question_id)
        .where(Question.code == key.code, Answer.lang == key.lang)
    ).one()


@pytest.mark.parametrize("how", [AUTOSAVE, PLAIN])
def test_taken(client_for, scene, session, how):
    client = opened(client_for, scene.en, scene)
    for case, (name, typed, stands) in TAKEN.items():
        assert give(client, scene, how, name, typed) == [], case
        client.get(scene.page, expect=200)
        assert shown(client, name) == stands, case
        value, kept, revision = stored(session, name)
        assert (value is not None, kept) == (True, None), case
        # what a page shows can be sent again and is the same answer
        give(client, scene, PLAIN, name, shown(client, name))
        assert stored(session, name) == (value, None, revision), case


@pytest.mark.parametrize("how", [AUTOSAVE, PLAIN])
@pytest.mark.parametrize("language", ["en", "km"])
def test_refused_and_kept(client_for, scene, session, how, language):
    client = opened(client_for, getattr(scene, language), scene)
    for case, (name, typed, sentence) in REFUSED.items():
        said = give(client, scene, how, name, typed)
        assert len(said) == 1, case
        assert sentence[language] in said[0], (case, said)
        client.get(scene.page, expect=200)
        kept = typed.replace("\x00", "␀")
        assert shown(client, name) == kept, case
        assert beside(client, name) == said, case
        value, typed_then, revision = stored(session, name)
        assert (value, typed_then) == (None, kept), case
        # sent again as it is shown, it is the same answer, still refused
        assert give(client, scene, PLAIN, name, kept) == said, case
        assert stored(session, name) == (None, kept, revision), case
        # put right, so that the next case meets a clean field
        give(client, scene, PLAIN, name, "")
        assert beside(client, name) == [], case


@pytest.mark.parametrize(("writes", "reads"), [("km", "en"), ("en", "km")])
def test_each_reader_is_told_in_their_own_language(app, client_for, scene, session, writes, reads, tmp_path):
    writer = opened(client_for, getattr(scene, writes), scene)
    assert NOT_A_NUMBER[writes] in give(writer, scene, AUTOSAVE, "beds", "about ten")[0]
    assert give(writer, scene, AUTOSAVE, "courts", "12") == [TOO_MANY[writes]]
    assert not any("ទេ" in (one or "") or "not" in (one or "") for one in session.scalars(select(Answer.message)))
    for person, language in ((getattr(scene, reads), reads), (getattr(scene, writes), writes)):
        other = opened(client_for, person, scene)
        assert NOT_A_NUMBER[language] in beside(other, "beds")[0]
        assert beside(other, "courts") == [TOO_MANY[language]]
        other.get(scene.check, expect=200)
        assert NOT_A_NUMBER[language] in other.words
        assert TOO_MANY[language] in other.words
        told = asked_by_machine(app, session, scene, person)
        assert NOT_A_NUMBER[language] in told["beds"]
        assert told["courts"] == TOO_MANY[language]
    # looking and saving the same again in another language changes nothing
    reader = opened(client_for, getattr(scene, reads), scene)
    assert NOT_A_NUMBER[reads] in give(reader, scene, PLAIN, "beds", "about ten")[0]
    assert set(session.scalars(select(AnswerRevision.revision))) == {1}
    words = workbook_words(app, scene, session, reads, tmp_path)
    assert not any(text in words for text in (*NOT_A_NUMBER.values(), *TOO_MANY.values()))


def asked_by_machine(app, session, scene, person):
    token = f"tamdan_{person.login}_{'x' * 30}"
    session.add(ApiToken(user_id=person.id, name=person.login, token_hash=token_digest(token)))
    session.commit()
    response = app.test_client(use_cookies=False).get(
        f"/api/v1/submissions/{scene.reply.public_id}", headers={"Authorization": f"Bearer {token}"}
    )
    assert response.status_code == 200, response.text
    return {one["name"]: one["message"] for one in response.get_json()["answers"]}


def workbook_words(app, scene, session, language, tmp_path):
    by = factories.principal(session, factories.staff(session, StaffRole.COORDINATOR))
    session.commit()
    with app.test_request_context("/"):
        from portal.extensions import db

        make_workbook(db.session, scene.round.id, tmp_path / "r.xlsx", language=language, by=by)
    book = openpyxl.load_workbook(io.BytesIO((tmp_path / "r.xlsx").read_bytes()))
    return json.dumps([[cell.value for cell in row] for sheet in book for row in sheet.rows], ensure_ascii=False, default=str)


def test_completing_names_each_trouble_in_the_readers_language(client_for, scene):
    writer = opened(client_for, scene.km, scene)
    give(writer, scene, AUTOSAVE, "beds", "ដប់")
    focal = client_for(scene.en)
    focal.post(f"/replies/{scene.reply.public_id}/complete", expect=422)
    assert NOT_A_NUMBER["en"] in focal.words
    assert NOT_A_NUMBER["km"] not in focal.words


def test_a_state_that_is_not_offered_is_refused(client_for, scene, session):
    client = opened(client_for, scene.en, scene)
    told = client.post(
        scene.page, {"beds": "", "beds!state": "not_available", "base:beds": 0}, headers=JSON, expect=422
    ).get_json()
    assert [one["name"] for one in told["refused"]] == ["beds"]
    assert session.scalars(select(Answer.value)).all() == []


def test_what_old_rows_hold_is_read_in_every_language(client_for, scene, session):
    """Before, the sentence itself was stored, in the language of whoever had saved it."""
    writer = opened(client_for, scene.km, scene)
    give(writer, scene, AUTOSAVE, "beds", "about ten")
    session.scalars(select(Answer)).one().message = "នេះមិនមែនជាលេខទេ។"
    session.commit()
    reader = opened(client_for, scene.en, scene)
    assert NOT_A_NUMBER["en"] in beside(reader, "beds")[0]
    give(reader, scene, AUTOSAVE, "beds", "10")
    assert session.scalars(select(Answer.message)).all() == [None]


