"""A status has one list of words; pages, workbooks of an institution and reports draw on it."""

from __future__ import annotations

import pytest
from flask_babel import force_locale

from portal.models import Status
from portal.queries.status_words import To, status_words

TO_INSTITUTION = [
    "Not started", "Being answered", "Waiting for signature", "Handed in", "Returned to you", "Cleared",
    "Says: not ours", "Not ours, confirmed", "Withdrawn", "Lapsed",
]  # fmt: skip
TO_REPORT = [
    "Not opened yet", "Being answered", "Waits for signature", "Handed in", "Returned for correction", "Cleared",
    "Says: not ours", "Confirmed: not theirs", "Withdrawn", "Round closed without reply",
]  # fmt: skip
STATUSES = [
    Status.ISSUED, Status.IN_PROGRESS, Status.AWAITING_SIGN_OFF, Status.SUBMITTED, Status.RETURNED, Status.CLEARED,
    Status.CLAIMED, Status.NOT_OURS, Status.WITHDRAWN, Status.LAPSED,
]  # fmt: skip


def test_each_reader_is_told_in_their_own_words(app):
    assert set(STATUSES) == set(Status)
    to_staff = ["Returned" if words == "Returned to you" else words for words in TO_INSTITUTION]
    with app.test_request_context(), force_locale("en"):
        for to, expected in ((To.INSTITUTION, TO_INSTITUTION), (To.STAFF, to_staff), (To.REPORT, TO_REPORT)):
            assert [status_words(one, to) for one in STATUSES] == expected
    with app.test_request_context(), force_locale("km"):
        for to in To:
            assert not [one for one in Status if status_words(one, to).isascii()], "every status has Khmer words"


@pytest.mark.parametrize("staff", [False, True])
def test_a_page_says_the_words_of_the_list(app, staff):
    with app.test_request_context():
        macro = app.jinja_env.get_template("components/status.html").module.status
        for one in Status:
            assert f">{status_words(one, To.STAFF if staff else To.INSTITUTION)}<" in str(macro(one.value, staff=staff))
