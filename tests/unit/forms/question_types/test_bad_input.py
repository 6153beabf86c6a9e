"""What people really type: taken by rule, or refused by one sentence with an example; the typed text is kept."""

from __future__ import annotations

from datetime import date

import pytest

from forms.context import Context
from forms.definition.model import Choice, Item
from forms.question_types import question_type, question_types

CONTEXT = Context(date(2022, 5, 9), ("km", "en"), "km", time_zone="Asia/Phnom_Penh")
CHOICES = (
    Choice("law", {"en": "Law", "km": "ច្បាប់"}),
    Choice("staff", {"en": "Staff", "km": "បុគ្គលិក"}),
    Choice("old", {"en": "Former", "km": "ចាស់"}, retired=True),
    Choice("twin1", {"en": "Same"}),
    Choice("twin2", {"en": "Same"}),
)
EVERYTHING = {"not_available": True}


def question(kind: str, **settings: object) -> Item:
    return Item(None, "question", "q", kind, settings=settings, choices=CHOICES if question_type(kind).has_choices else ())


@pytest.mark.parametrize(
    ("kind", "settings", "typed", "stored"),
    [
        ("integer", {"unit": "persons"}, ["120 persons"], 120),
        ("integer", {"unit": {"en": "persons", "km": "នាក់"}}, ["១២០ នាក់"], 120),
        ("integer", {}, ["១ ២០០"], 1200),
        ("integer", {}, ["1\u00a0200"], 1200),
        ("decimal", {"unit": "m2"}, ["12.5 m2"], "12.5"),
        ("decimal", {}, ["-0"], "0"),
        ("percentage", {}, ["៣៤%"], "34"),
        ("percentage", {}, ["34 percent"], "34"),
        ("percentage", {}, ["34 ភាគរយ"], "34"),
        ("money", {"unit": "KHR"}, ["25,000,000 ៛"], "25000000"),
        ("money", {"unit": "KHR"}, ["២៥០០០ រៀល"], "25000"),
        ("money", {"unit": "USD"}, ["$1,200.50"], "1200.5"),
        ("money", {"unit": "USD"}, ["US$ 1,200.5"], "1200.5"),
        ("money", {"unit": "usd"}, ["1200 US dollars"], "1200"),
        ("select_one", {}, ["Law"], "law"),
        ("select_one", {}, ["ច្បាប់"], "law"),
        ("select_one", {}, ["ច្បា\u200bប់"], "law"),
        ("select_one", {}, ["old"], "old"),
        ("select_multiple", {}, ["Staff; ច្បាប់"], ["law", "staff"]),
        ("select_multiple", {}, ["Staff\nLaw"], ["law", "staff"]),
        ("rank", {}, ["staff", "", "law"], ["staff", "law"]),
        ("rank", {}, ["1. Staff; 2. Law"], ["staff", "law"]),
        ("acknowledge", {}, ["បាទ"], True),
        ("acknowledge", {}, ["no"], None),
        ("acknowledge", {"statement": {"km": "ខ្ញុំយល់ព្រម"}}, ["ខ្ញុំយល់ព្រម"], True),
        ("period", {}, ["01/01/2022", "31/12/2025"], ["2022-01-01", "2025-12-31"]),
        ("period", {}, ["01/01/2022 – 31/12/2025"], ["2022-01-01", "2025-12-31"]),
        ("period", {"precision": "year"}, ["២០២០-២០២៤"], ["2020", "2024"]),
        ("period", {"precision": "year"}, ["2020 ដល់ 2024"], ["2020", "2024"]),
        ("period", {"precision": "year", "open_end": True}, ["2020", ""], ["2020", ""]),
        ("period", {"precision": "year", "open_end": True}, ["2020 – …"], ["2020", ""]),
        ("time", {}, ["២:៣០ ល្ងាច"], "14:30"),
        ("datetime", {}, ["30/03/2022 2:30 PM"], "2022-03-30T14:30:00+07:00"),
        ("date", {}, ["៣០ មីនា ២០២២"], "2022-03-30"),
        ("text", {}, ["ក\u200bខ"], "ក\u200bខ"),
        ("text", {}, ["a\x07b\r\nc"], "ab\nc"),
        ("text", {}, ["\u200b \ufeff"], None),
        ("text", {}, ["ក" * 100_000], "ក" * 100_000),
    ],
)  # fmt: skip
def test_taken(kind, settings, typed, stored):
    parsed = question_type(kind).parse(typed, question(kind, **settings), CONTEXT, "km" if kind == "text" else "")
    assert (parsed.value, parsed.typed, parsed.message) == (stored, None, None)


@pytest.mark.parametrize(
    ("kind", "settings", "typed", "says"),
    [
        ("integer", {}, "១.២៣៤", "two different numbers"),
        ("integer", {}, "10–20", "one number, not two"),
        ("integer", {}, "10-20", "one number, not two"),
        ("integer", {}, "–5", "for example -5"),
        ("integer", {}, "about 12", "without “about”"),
        ("integer", {}, "12 million", "without “million”"),
        ("integer", {"unit": "persons"}, "12 cases", "counted in persons"),
        ("money", {}, "$5", "without “$”"),
        ("money", {"unit": "KHR"}, "$5", "counted in KHR; “$” does not fit"),
        ("money", {"unit": "KHR"}, "KHR 5 USD", "does not fit"),
        ("money", {"unit": "KHR"}, "១.២៣៤ ៛", "two different numbers"),
        ("percentage", {}, "1/3", "not a number"),
        ("decimal", {}, "٣", "not a number"),
        ("year", {}, "2565", "it is 2022"),
        ("year", {}, "20222", "four digits"),
        ("date", {}, "30/02/2022", "28 days"),
        ("time", {}, "25:00", "14:30"),
        ("datetime", {}, "30/03/2022", "add the time"),
        ("period", {}, "2022", "not a date"),
        ("period", {}, "01/01/2022", "when the period ends"),
        ("period", {"precision": "year"}, " – 2022", "when the period begins"),
        ("period", {"precision": "year"}, "2024–2020", "before it begins"),
        ("period", {"precision": "year"}, "2563–2565", "Buddhist"),
        ("select_one", {}, "Same", "not a choice"),
        ("select_one", {}, "law; staff", "Only one"),
        ("rank", {}, "law; law", "two places"),
        ("acknowledge", {}, "perhaps", "tick the box"),
        ("image", {}, "../x", "not a file"),
        ("text", {}, "a\x00b", "not text"),
        ("text", {}, "x" * 200_001, "at most 200000"),
    ],
)  # fmt: skip
def test_refused_by_a_sentence_and_kept(kind, settings, typed, says):
    known, item = question_type(kind), question(kind, **settings)
    parsed = known.parse([typed], item, CONTEXT)
    assert says in str(parsed.message)
    assert parsed.value is None
    assert parsed.typed == typed.replace("\x00", "\u2400")
    assert any(known.raw_typed(parsed.typed))  # the control shows it again


@pytest.mark.parametrize("kind", ["integer", "date", "money", "time", "period"])
@pytest.mark.parametrize("typed", ["n/a", "–", "មិនមានទិន្នន័យ", "N.A."])
def test_no_answer_in_words_points_to_the_boxes_where_there_are_some(kind, typed):
    known = question_type(kind)
    assert "Cannot answer this" in str(known.parse([typed], question(kind, **EVERYTHING), CONTEXT).message)
    without = known.parse([typed], question(kind), CONTEXT)
    assert without.message is not None
    assert "Cannot answer this" not in str(without.message)


@pytest.mark.parametrize("kind", sorted(question_types()))
@pytest.mark.parametrize(
    "typed", ["1" * 100_000, " " * 100_000, "1 " * 50_000, "-" * 100_000, "; " * 50_000, "\u200b" * 100_000, "–" * 100_000, "1. " * 33_000]
)
def test_a_hundred_thousand_signs_are_judged_at_once(kind, typed):
    known, item = question_type(kind), question(kind, unit="persons", not_available=True)
    if not known.asks:
        return
    for raw in ([typed], [typed, typed]):  # a pattern that goes astray would take minutes here
        parsed = known.parse(raw, item, CONTEXT)
        assert (parsed.typed is None) == (parsed.message is None)


def test_period_in_two_fields_is_kept_in_two_fields():
    known, item = question_type("period"), question("period")
    parsed = known.parse(["31/12/2025", "soon"], item, CONTEXT)
    assert known.raw_typed(parsed.typed) == ["31/12/2025", "soon"]


def test_boxes_that_are_known_stay_ticked_when_one_is_not():
    known, item = question_type("select_multiple"), question("select_multiple")
    parsed = known.parse(["law", "gone"], item, CONTEXT)
    assert known.raw_typed(parsed.typed) == ["law", "gone"]


@pytest.mark.parametrize("stored", ["12.345", "-1.234", "0.125", "1234.567", "25000000"])
def test_a_stored_number_is_shown_so_that_it_reads_back(stored):
    for kind in ("decimal", "money", "percentage"):
        known, item = question_type(kind), question(kind)
        assert known.parse(known.raw(stored, item), item, CONTEXT).value == stored
