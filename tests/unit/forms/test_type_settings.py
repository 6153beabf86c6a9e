"""Each question type offers a settings form; it reads and writes `item.settings` and leaves alone what is not its own."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import Babel, force_locale
from werkzeug.datastructures import MultiDict

from forms.question_types import question_type, question_types
from forms.type_settings import settings_data, settings_form
from portal.assets import TRANSLATIONS, merged

LANGUAGES = ("km", "en")
FOREIGN = {"columns": {"my_column": "x"}, "owner_unit": "Statistics", "written_type": "integer", "list_name": "sexes"}
EXAMPLES = {
    "flag": lambda setting: ("y", True),
    "count": lambda setting: (str(setting.least), setting.least),
    "number": lambda setting: ("២", "2"),
    "line": lambda setting: (".pdf", ".pdf"),
    "choice": lambda setting: (setting.options[-1][0], setting.options[-1][0]),
    "appearance": lambda setting: (setting.options[-1][0], setting.options[-1][0]),
    "day": lambda setting: ("៣០/០៣/២០២២", "2022-03-30"),
}


@pytest.fixture(autouse=True)
def app():
    app = Flask(__name__)
    app.config.update(SECRET_KEY="x", WTF_CSRF_ENABLED=False)
    Babel(app)
    with app.test_request_context("/", method="POST", data={}):
        yield app


def posted(name: str, fields: dict[str, str]):
    form = settings_form(question_type(name), LANGUAGES)(formdata=MultiDict(fields))
    return form, form.validate()


def filled(name: str) -> tuple[dict[str, str], dict[str, object]]:
    fields, wanted = {}, {}
    for setting in question_type(name).all_settings():
        if setting.kind == "texts":
            fields |= {f"{setting.name}_km": "នាក់", f"{setting.name}_en": "persons"}
            wanted[setting.name] = {"km": "នាក់", "en": "persons"}
        else:
            fields[setting.name], wanted[setting.name] = EXAMPLES[setting.kind](setting)
    if name == "image":
        fields["accept"] = wanted["accept"] = ".png"
    return fields, wanted


@pytest.mark.parametrize("name", sorted(question_types()))
def test_every_setting_goes_in_and_comes_out(name):
    known = question_type(name)
    fields, wanted = filled(name)
    if name == "range":
        fields |= {"end": "4"}
        wanted |= {"end": "4"}
    form, valid = posted(name, fields)
    assert valid, form.errors
    assert form.to_settings(FOREIGN) == FOREIGN | wanted
    # what was stored fills the form again, and posting it unchanged changes nothing
    again = settings_form(known, LANGUAGES)(data=settings_data(known, wanted, LANGUAGES), formdata=None)
    assert again.to_settings(wanted) == wanted


@pytest.mark.parametrize("name", sorted(question_types()))
def test_an_empty_form_sets_nothing_and_forgets_what_was_set(name):
    _fields, wanted = filled(name)
    form, valid = posted(name, {})
    assert valid, form.errors
    assert form.to_settings({}) == {}
    assert form.to_settings(FOREIGN | wanted) == FOREIGN


@pytest.mark.parametrize("name", sorted(question_types()))
def test_labels_and_hints_stand_in_both_languages(name):
    catalogue = merged(sorted((TRANSLATIONS / "km").glob("*.po")), "km")
    with force_locale("en"):
        words = [str(question_type(name).title)]
        for setting in question_type(name).all_settings():
            words += [str(setting.label), str(setting.hint), *(str(label) for _key, label in setting.options)]
    assert [word for word in words if word and not (catalogue.get(word) and catalogue.get(word).string)] == []
    form = settings_form(question_type(name), LANGUAGES)()
    for field in form:
        assert str(field.label.text)


@pytest.mark.parametrize(
    ("name", "fields", "wrong"),
    [
        ("integer", {"start": "10", "end": "5"}, "end"),
        ("integer", {"start": "many"}, "start"),
        ("decimal", {"start": "1.234"}, "start"),
        ("range", {"step": "0"}, "step"),
        ("range", {"start": "0", "end": "10", "step": "20"}, "step"),
        ("year", {"start": "20"}, "start"),
        ("year", {"start": "2565"}, "start"),
        ("date", {"start": "30/02/2022"}, "start"),
        ("date", {"start": "30/03/2022", "end": "29/03/2022"}, "end"),
        ("text", {"rows": "0"}, "rows"),
        ("text", {"word_budget": "-5"}, "word_budget"),
        ("file", {"accept": ".exe"}, "accept"),
        ("file", {"max_files": "1000"}, "max_files"),
        ("select_one", {"appearance": "spinning"}, "appearance"),
        ("period", {"precision": "century"}, "precision"),
        ("money", {"unit": "x" * 500}, "unit"),
        ("integer", {"unit_en": "x" * 500}, "unit_en"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_beside_its_field_and_kept(name, fields, wrong):
    form, valid = posted(name, fields)
    assert not valid
    assert list(form.errors) == [wrong]
    assert form.summary()[0][1]
    assert form[wrong].raw_data == [fields[wrong]]


def test_other_words_of_the_appearance_stay():
    form, _valid = posted("select_one", {"appearance": "minimal"})
    assert form.to_settings({"appearance": "w4 search"}) == {"appearance": "w4 minimal"}
    form, _valid = posted("text", {})
    assert form.to_settings({"appearance": "multiline w1", "multiline": True}) == {"appearance": "w1"}
    form, _valid = posted("text", {"multiline": "y"})
    kept = {"appearance": "multiline", "multiline": True}
    assert form.to_settings(kept) == kept  # saving a question as it is changes nothing


def test_settings_of_a_file_fill_the_form_whatever_they_hold():
    known = question_type("integer")
    data = settings_data(known, {"start": "abc", "unit": "persons"}, LANGUAGES)
    form = settings_form(known, LANGUAGES)(data=data)
    assert form.start._value() == "abc"
    assert (form.unit_km.data, form.unit_en.data) == ("persons", "persons")
    assert settings_data(question_type("date"), {"start": "soon"}, LANGUAGES)["start"] is None


def test_one_text_for_all_languages_stays_one_text():
    form, _valid = posted("integer", {"unit_km": "kg", "unit_en": "kg"})
    assert form.to_settings({}) == {"unit": "kg"}
