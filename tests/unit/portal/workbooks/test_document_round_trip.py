"""Answers of every type go into a Word document and come back the same: a part of bench/document_round_trip.py."""

from __future__ import annotations

from collections import Counter

import pytest
from flask import Flask
from flask_babel import Babel

from bench import document_round_trip as trip
from tests.office import OFFICE, or_passed_over


@pytest.fixture(autouse=True)
def _context():
    app = Flask(__name__)
    Babel(app)
    with app.app_context():
        yield


def test_thirty_answer_sets_come_back_value_equal():
    for content, replies in trip.documents(30):
        survived = Counter()
        assert trip.compare(trip.through_python_docx(content), replies, survived) == []
        assert survived.total() == sum(len(reply.answers) for reply in replies)
        assert len(survived) == 15, "every type that is filled in"


@pytest.mark.soffice
@or_passed_over
def test_a_few_come_back_from_libreoffice():
    made = trip.documents(2, seed=11)
    (back,) = trip.through_office([content for content, _ in made], OFFICE, timeout=200)
    assert trip.compare(back, made[0][1], Counter()) == []
