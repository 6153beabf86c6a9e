"""What words must keep to stand for a message."""

from __future__ import annotations

import pytest

from forms.wording import faults, placeholders
from portal import catalogues


def said(sources, text, language="km", shipped=""):
    return [str(one.message) for one in faults(sources, text, language=language, shipped=shipped)]


def test_everything_that_ships_passes_its_own_rules():
    wrong = {
        text: said(message.sources, text, language)
        for message in catalogues.messages().values()
        for language, forms in message.shipped.items()
        for text in forms
        if text and faults(message.sources, text, language=language, shipped=text)
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("source", "text", "part"),
    [
        ("Code: %(code)s", "លេខកូដ", "missing: %(code)s"),
        ("Code: %(code)s", "លេខកូដ %(code)s %(name)s", "has not: %(name)s"),
        ("Code: %(code)s", "លេខកូដ %(code)d", "missing: %(code)s"),
        ("Code: %(code)s", "លេខកូដ %(code)", "missing"),
        ("Code: %(code)s", "%(code)s ៥%", "has not: %"),
        ("Code", "លេខកូដ %s", "has not: %"),
        ("Code", "<b>លេខកូដ</b>", "<b> </b>"),
        ("Code", "<script src=x", "markup"),
        ("Code", "លេខកូដ &nbsp;", "&nbsp;"),
        ("Code", "លេខ\nកូដ", "line break"),
        ("Code", "លេខ\u202eកូដ", "control"),
        ("Code", "លេខ\x00កូដ", "control"),
        ("Code", "ក" * 4_001, "longer than"),
    ],
)
def test_what_does_not_fit_is_named(source, text, part):
    assert any(part in one for one in said([source], text)), said([source], text)


@pytest.mark.parametrize(
    ("source", "text", "language", "shipped"),
    [
        ("Code: %(code)s", "%(code)s ជាលេខកូដ", "km", "លេខកូដ៖ %(code)s"),
        ("Code", "លេខ\u200bកូដ", "km", "លេខកូដ"),
        ("a < b & c", "ក < ខ & គ", "km", ""),
        ("UHRI", "UHRI", "km", "UHRI"),
        ("first\nsecond", "ទី១\nទី២\nទី៣", "km", ""),
        ("Code", "Code", "fr", ""),
        ("People", "Personnes", "fr", ""),
    ],
)
def test_what_fits_is_taken(source, text, language, shipped):
    assert said([source], text, language, shipped) == []


@pytest.mark.parametrize(
    ("text", "language", "shipped"),
    [("People", "km", "បុគ្គល"), ("Personnes", "km", ""), ("បុគ្គល", "fr", "Personnes"), ("People", "fr", "Personnes"), ("ຄົນ", "km", "បុគ្គល")],
)
def test_another_language_is_recognised(text, language, shipped):
    assert any("not in the language" in one for one in said(["People"], text, language, shipped))


def test_one_form_of_several_may_leave_out_the_number_and_nothing_else():
    sources = ["%(num)s day of %(round)s", "%(num)s days of %(round)s"]
    assert said(sources, "un jour de %(round)s", "fr") == []
    assert any("%(round)s" in one for one in said(sources, "%(num)s jours", "fr"))


def test_placeholders_are_listed_once_in_order():
    assert placeholders("%(b)s %(a)s", "%(b)s 100%%") == ("%(b)s", "%(a)s")


def test_plural_forms_follow_the_language():
    assert catalogues.numbers_of("km", 0) == ()
    assert catalogues.numbers_of("fr", 0) == (0, 1)
    assert catalogues.numbers_of("fr", 1) == (2, 3, 4, 5)
