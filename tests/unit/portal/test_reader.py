"""What is written as the reader of a page reads it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask, g

from portal import reader
from portal.page_views import PageView


@pytest.fixture
def page():
    app = Flask(__name__)
    with app.test_request_context():
        g.view = PageView(
            language="km",
            languages=("km", "en"),
            digits="khmr",
            time_zone="Asia/Phnom_Penh",
            country={"en": "Committee"},
        )
        yield g.view


def test_numbers_keep_their_separators_with_khmer_digits(page):
    assert reader.number(1234567.5) == "១,២៣៤,៥៦៧.៥"
    assert reader.percent(0.725, 1) == "៧២.៥%"
    assert reader.number(None) == ""


def test_moments_are_shown_in_the_zone_of_the_country(page):
    page.digits = "latn"
    assert reader.time_text(datetime(2026, 11, 23, 7, 2, tzinfo=UTC)) == "14:02"
    assert reader.date_text(datetime(2026, 11, 23, 18, 0, tzinfo=UTC)) == "24 វិច្ឆិកា 2026"
    assert reader.date_text(date(2022, 3, 30)) == "30 មីនា 2022"


def test_a_text_without_the_language_falls_back_and_says_so(page):
    assert reader.localized({"en": "Law"}) == "Law"
    assert reader.text_language({"en": "Law"}) == "en"
    assert reader.text_language({"en": "Law", "km": "ច្បាប់"}) == "km"
    assert reader.country() == "Committee"
