"""Answers of every type go into a workbook and come back the same: a small part of bench/offline_round_trip.py."""

from __future__ import annotations

from collections import Counter

import pytest
from flask import Flask
from flask_babel import Babel

from bench import offline_round_trip as trip
from tests.excel import faults
from tests.office import OFFICE, needs_office


@pytest.fixture(autouse=True)
def _context():
    app = Flask(__name__)
    Babel(app)
    with app.app_context():
        yield


def test_fifty_answer_sets_come_back_value_equal(tmp_path):
    made = trip.workbooks(trip.definition(), 50)
    for content, replies in made:
        (tmp_path / "x.xlsx").write_bytes(content)
        assert faults(tmp_path / "x.xlsx") == []
        survived = Counter()
        assert trip.compare(trip.through_openpyxl(content), replies, survived) == []
        assert survived.total() == sum(len(reply.answers) for reply in replies)
        assert len(survived) == 15, "every type that is filled in"


@pytest.mark.soffice
@needs_office[1]
@pytest.mark.parametrize("kind", ["xlsx", "xls"])
def test_a_few_come_back_from_libreoffice_in_the_format_of_an_older_excel_too(kind):
    made = trip.workbooks(trip.definition(), 4, seed=7)
    (back,) = trip.through_office([content for content, _ in made], OFFICE, timeout=200, kind=kind)
    assert trip.compare(back, made[0][1], Counter(), office=True) == []
