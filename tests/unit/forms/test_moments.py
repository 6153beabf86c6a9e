"""Days, times and moments as people write them in Cambodia and elsewhere."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.moments import read_date, read_moment, read_time, zone_of
from forms.reading import Unreadable

PHNOM_PENH = "Asia/Phnom_Penh"


@pytest.mark.parametrize(
    "typed",
    [
        "30 March 2022", "30 mar 2022", "March 30, 2022", "៣០ មីនា ២០២២", "ថ្ងៃទី៣០ ខែមីនា ឆ្នាំ២០២២", "30 មីនា 2022",
        "30–03–2022", "30 / 03 / 2022", "30\u200b/03/2022", "the 30 of March 2022",
    ],
)  # fmt: skip
def test_days_in_words(typed):
    assert read_date(typed) == date(2022, 3, 30)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("30 February 2022", "28 days"), ("30 nonsense 2022", "not a date"), ("30/02/2565", "it is 2022. Please write the Gregorian year."),
        ("30/03/2565", "for example 30/03/2022"), ("30/03/9999", "cannot be right"), ("about 30 March 2022", "not a date"),
        ("30/03/2022 14:30", "not a date"), ("30/03" * 20_000, "not a date"), ("\x00", "not a date"),
    ],
)  # fmt: skip
def test_days_refused(typed, says):
    with pytest.raises(Unreadable) as refused:
        read_date(typed)
    assert says in str(refused.value.sentence)


def test_months_of_other_languages():
    assert read_date("30 mars 2022", ("fr",)) == date(2022, 3, 30)
    assert read_date("30 March 2022", ("no-such-language",)) == date(2022, 3, 30)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("14:30", time(14, 30)), ("14h30", time(14, 30)), ("14H30", time(14, 30)), ("14h", time(14)), ("14.30", time(14, 30)),
        ("2:30 PM", time(14, 30)), ("2:30pm", time(14, 30)), ("2:30 p.m.", time(14, 30)), ("2 PM", time(14)),
        ("12:15 AM", time(0, 15)), ("12:15 pm", time(12, 15)), ("២:៣០", time(2, 30)), ("២:៣០ រសៀល", time(14, 30)),
        ("ម៉ោង ៧:០០ ល្ងាច", time(19)), ("ម៉ោង៧:០០ ព្រឹក", time(7)), ("14:30:15", time(14, 30, 15)), ("00:00", time(0)),
        ("13:30 PM", time(13, 30)), ("14\u200b:30", time(14, 30)),
    ],
)  # fmt: skip
def test_times_read(typed, value):
    assert read_time(typed) == value


@pytest.mark.parametrize(
    "typed",
    ["25:00", "14:60", "24:00", "1430", "14", "0:30 PM", "14:30 AM", "9 យប់", "noon", "2:3", "14:30:99", "-1:30", "1" * 100_000, "\x00", "٢:٣٠"],
)
def test_times_refused_with_an_example(typed):
    with pytest.raises(Unreadable) as refused:
        read_time(typed)
    assert any(example in str(refused.value.sentence) for example in ("14:30", "23:59"))


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("30/03/2022 14:30", "2022-03-30T14:30:00+07:00"), ("30/03/2022, 2:30 PM", "2022-03-30T14:30:00+07:00"),
        ("៣០ មីនា ២០២២ ម៉ោង ២:៣០ រសៀល", "2022-03-30T14:30:00+07:00"), ("2022-03-30 14h30", "2022-03-30T14:30:00+07:00"),
        ("2022-03-30T14:30", "2022-03-30T14:30:00+07:00"), ("2022-03-30T07:30:00Z", "2022-03-30T14:30:00+07:00"),
        ("2022-03-30T14:30:05.250+0700", "2022-03-30T14:30:05+07:00"),
    ],
)  # fmt: skip
def test_moments_stand_in_the_zone_of_the_country(typed, value):
    assert read_moment(typed, PHNOM_PENH).isoformat() == value


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("30/03/2022", "add the time"), ("14:30", "not a date"), ("30/02/2022 14:30", "28 days"), ("30/03/2022 25:00", "no time 25:00"),
        ("30/03/2565 14:30", "it is 2022"), ("2022-13-30T14:30", "no month 13"), ("2022-03-30T99:30", "not a time"),
        ("x" * 100_000, "not a date"),
    ],
)  # fmt: skip
def test_moments_refused(typed, says):
    with pytest.raises(Unreadable) as refused:
        read_moment(typed, PHNOM_PENH)
    assert says in str(refused.value.sentence)


def test_an_hour_that_the_clocks_skip_is_refused_and_a_doubled_one_is_the_first():
    with pytest.raises(Unreadable) as refused:
        read_moment("27/03/2022 02:30", "Europe/Zurich")
    assert "does not exist" in str(refused.value.sentence)
    assert read_moment("30/10/2022 02:30", "Europe/Zurich").utcoffset() == timedelta(hours=2)


def test_an_unknown_zone_is_utc():
    assert zone_of("No/Such_Place") is UTC
    assert zone_of("../../etc") is UTC
    assert read_moment("30/03/2022 14:30", "") == datetime(2022, 3, 30, 14, 30, tzinfo=UTC)


@given(st.text(max_size=60), st.sampled_from([PHNOM_PENH, "Europe/Zurich"]))
def test_nothing_raises_but_a_sentence(typed, zone):
    for read in (read_date, read_time, lambda text: read_moment(text, zone)):
        with suppress(Unreadable):
            read(typed)
