"""What a person types: read by rule or refused by a sentence, never guessed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.moments import read_date
from forms.reading import Unreadable, holdable, legacy_khmer, read_decimal, read_integer, read_text


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("12", "12"), ("១២៣", "123"), ("១២.៥", "12.5"), ("1,234.5", "1234.5"), ("1,234,567", "1234567"),
        (" 12 ", "12"), ("-5", "-5"), ("\u22125", "-5"), ("0.125", "0.125"), ("1234.567", "1234.567"), (".5", "0.5"),
        ("1 234", "1234"), ("12\u200b3", "123"), ("0", "0"),
    ],
)  # fmt: skip
def test_numbers_read(typed, value):
    assert read_decimal(typed) == Decimal(value)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("1.234", "1234 if you mean thousands"), ("១.២៣៤", "1.2340"), ("១.២៣៤,៥", "plainly"), ("12,5", "plainly"),
        ("១,២៣៤", "two different numbers"), ("1.234.567", "plainly"), ("abc", "not a number"), ("1e5", "not a number"),
        ("five", "not a number"), ("½", "not a number"), ("²", "not a number"), ("9" * 50, "too long"), ("--5", "not a number"),
        ("=1+1", "not a number"), ("NaN", "not a number"), ("Infinity", "not a number"), ("\x00", "not a number"),
    ],
)  # fmt: skip
def test_numbers_refused(typed, says):
    with pytest.raises(Unreadable) as refused:
        read_decimal(typed)
    assert says in str(refused.value.sentence)


def test_whole_numbers():
    assert read_integer("12.0") == 12
    assert read_integer("") is None
    with pytest.raises(Unreadable, match="unreadable"):
        read_integer("12.5")


@pytest.mark.parametrize(
    "typed", ["2022-03-30", "30/3/2022", "30.03.2022", "30-03-2022", "៣០/០៣/២០២២", " 2022-3-30 ", "2022-03-30T00:00:00"]
)
def test_dates_read(typed):
    assert read_date(typed) == date(2022, 3, 30)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("30/02/2022", "30/02/2022 does not exist"), ("2022-02-30", "28 days"), ("30/03/2565", "it is 2022"),
        ("២៥៦៥-០៣-៣០", "2565 looks like"), ("03/30/2022", "no month 30"), ("5/5/22", "four digits"), ("soon", "not a date"),
        ("1/1/0022", "cannot be right"), ("2022", "not a date"), ("0/1/2022", "does not exist"),
    ],
)  # fmt: skip
def test_dates_refused(typed, says):
    with pytest.raises(Unreadable) as refused:
        read_date(typed)
    assert says in str(refused.value.sentence)


def test_texts_are_kept_as_typed():
    assert read_text("ក្រ\u17d2ដ ក្រ\u17d2ត\r\n\u200bline") == "ក្រ\u17d2ដ ក្រ\u17d2ត\n\u200bline"
    assert read_text("a\x07b\x0bc") == "ab\nc"
    assert read_text("=cmd|' /C calc'!A0") == "=cmd|' /C calc'!A0"
    assert read_text(" \u200b\n") is None
    assert read_text("ក" * 100_000) == "ក" * 100_000


@pytest.mark.parametrize(("typed", "says"), [("a\x00b", "not text"), ("\ud800", "not text"), ("x" * 200_001, "200001")])
def test_texts_refused(typed, says):
    with pytest.raises(Unreadable) as refused:
        read_text(typed)
    assert says in str(refused.value.sentence)


@pytest.mark.parametrize(
    "typed", ["KN³kmµaFikarsiT§imnusSkm<úCa", "RBHraCaNacRkkm<úCa", "rdæaPi)alénRBHraCaNacRkkm<úCa"]
)
def test_legacy_khmer_is_said(typed):
    assert legacy_khmer(typed)
    with pytest.raises(Unreadable) as refused:
        read_text(typed, lang="km")
    assert "Unicode" in str(refused.value.sentence)
    assert read_text(typed, lang="en") == typed


@pytest.mark.parametrize(
    "typed",
    [
        "The Ministry adopted Prakas No. 12 (2022); see https://a.example/cD?x=Y&z=1", "MoJ, MoI, OHCHR and UNICEF",
        "Le ministère a adopté la loi «égalité» à Phnom Penh", "2022", "N/A", "ក្រសួង MoJ §12 <ok> [x]", "focal.point@moj.example",
        "and/or him/her; see A/HRC/41/17 and CCPR/C/KHM/CO/3", "",
    ],
)  # fmt: skip
def test_latin_prose_is_not_legacy_khmer(typed):
    assert not legacy_khmer(typed)


@given(st.text())
def test_anything_is_read_or_refused(typed):
    for read in (read_text, read_decimal, read_integer, read_date):
        try:
            read(typed)
        except Unreadable as refused:
            str(refused.sentence)  # never raises either
    assert "\x00" not in holdable(typed)
    holdable(typed).encode("utf-8")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12, places=3))
def test_what_the_control_shows_reads_back(number):
    from forms.question_types import question_type

    kind = question_type("decimal")
    stored = kind.store(number)
    assert read_decimal(kind.raw(stored, None)[0]) == number
