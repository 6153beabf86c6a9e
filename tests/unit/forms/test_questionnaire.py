"""A section as a form: binding, partial posts, states, and what cannot be read."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from flask_babel import Babel
from werkzeug.datastructures import MultiDict

from forms.answers import AnswerKey, field_name, parse_field_name
from forms.context import Context
from forms.definition.model import Choice, Item
from forms.questionnaire import SectionForm, answer_keys, read_answers
from tests.work import calls

CONTEXT = Context(date(2022, 5, 9), ("km", "en"), "km")
CHOICES = (Choice("law", {"en": "Law", "km": "ច្បាប់"}), Choice("staff", {"en": "Staff"}))


def question(code: str, kind: str, **settings: object) -> Item:
    return Item(None, "question", code, kind, settings=settings, choices=CHOICES if "select" in kind else ())


ITEMS = (
    question("B6", "text", not_available=True),
    question("n", "integer", start="0", end="100"),
    question("m", "select_multiple"),
    question("data", "select_one"),
    question("errors", "date", not_applicable=True),
    question("who", "text", one_language=True),
)


@pytest.fixture(autouse=True)
def app():
    app = Flask(__name__)
    app.secret_key = "x"
    Babel(app)
    with app.test_request_context("/", method="POST", data={}):
        yield app


def read(**fields: object):
    return read_pairs(list(fields.items()))


def read_pairs(pairs):
    form = SectionForm(ITEMS, CONTEXT, MultiDict(pairs))
    form.validate()
    return read_answers(form, ITEMS)


def test_only_what_is_posted_is_considered():
    assert dict(read(n="៥")).keys() == {AnswerKey("n")}
    assert read(n="៥")[AnswerKey("n")].value == 5
    assert read_pairs([]) == {}


def test_texts_have_languages():
    read_back = read_pairs([("B6@km", "ល្អ"), ("B6@en", ""), ("who", "Focal point")])
    assert read_back[AnswerKey("B6", "", "km")].value == "ល្អ"
    assert read_back[AnswerKey("B6", "", "en")].value is None
    assert read_back[AnswerKey("who")].value == "Focal point"


def test_an_emptied_selection_is_told_from_an_absent_one():
    assert read_pairs([("m!present", "1")])[AnswerKey("m")].value is None
    assert AnswerKey("m") not in read(n="1")
    assert read_pairs([("m", "staff"), ("m", "law")])[AnswerKey("m")].value == ["law", "staff"]


def test_what_cannot_be_read_is_kept():
    parsed = read(n="1.234")[AnswerKey("n")]
    assert (parsed.value, parsed.typed) == (None, "1.234")
    assert parsed.message is not None
    assert read(n="101")[AnswerKey("n")].typed == "101"
    assert read(data="zz")[AnswerKey("data")].typed == "zz"
    assert read_pairs([("B6@km", "a\x00b")])[AnswerKey("B6", "", "km")].typed == "a␀b"


def test_states_only_where_the_question_allows_them():
    assert read_pairs([("errors!state", "not_applicable")])[AnswerKey("errors")].state == "not_applicable"
    refused = read_pairs([("errors!state", "not_available"), ("errors", "2022-01-01")])[AnswerKey("errors")]
    assert refused.typed == "2022-01-01"
    assert refused.message is not None
    assert read_pairs([("errors!state", "lost")])[AnswerKey("errors")].message is not None


def test_names_of_methods_are_good_codes():
    form = SectionForm(ITEMS, CONTEXT, MultiDict([("data", "law"), ("errors", "30/02/2022")]))
    assert not form.validate()
    assert form.answer_field(AnswerKey("data")).parsed.value == "law"
    assert "30/02/2022" in str(form.answer_field(AnswerKey("errors")).errors[0])


@pytest.mark.parametrize(
    "key", [AnswerKey("a"), AnswerKey("a", "", "km"), AnswerKey("a", "r1"), AnswerKey("ក.1", "r1", "en")]
)
def test_field_names_read_back(key):
    assert parse_field_name(field_name(key)) == key
    assert parse_field_name(field_name(key) + "!state") == key


@pytest.mark.parametrize("name", ["", "@km", "a[", "a]b", "a@", "[x]"])
def test_other_names_are_no_answers(name):
    assert parse_field_name(name) is None


def test_the_work_of_reading_a_page_grows_as_its_questions_do():
    def read(count):
        items = tuple(
            question(f"q{n}", ("text", "integer", "select_one", "select_multiple", "date")[n % 5]) for n in range(count)
        )
        post = MultiDict([(field_name(key), "1") for item in items for key in answer_keys(item, CONTEXT.languages)])
        form = SectionForm(items, CONTEXT, post)
        form.validate()
        assert read_answers(form, items)

    assert calls(lambda: read(80)) < 2.5 * calls(lambda: read(40))
