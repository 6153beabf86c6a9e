"""Rules read aloud: in the words of the questions; what has no words stands as it was written."""

from __future__ import annotations

import pytest

from forms.definition.model import Choice, Item
from forms.definition.said import said, said_wholly

ITEMS = {
    "state": Item(
        None, "question", "state", "select_one", {"label": {"en": "How far is it?"}},
        choices=(Choice("done", {"en": "Implemented"}), Choice("partly", {"en": "Partly"})),
    ),
    "beds": Item(None, "question", "beds", "integer", {"label": {"en": "Beds"}}),
    "women": Item(None, "question", "women", "integer", {"label": {"en": "Women"}}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("${state} = 'done'", "“How far is it?” is “Implemented”"),
        ("'partly' != ${state}", "“How far is it?” is not “Partly”"),
        ("${state} != ''", "“How far is it?” is answered"),
        ("${beds} = ''", "“Beds” is empty"),
        ("selected(${state}, 'done') or ${beds} > 3", "“How far is it?” includes “Implemented” or “Beds” is more than 3"),
        ("not(${beds} >= 1 and ${women} <= 2)", "not (“Beds” is at least 1 and “Women” is at most 2)"),
        ("(${beds} = 1 or ${beds} = 2) and ${women} < 3",
         "(“Beds” is 1 or “Beds” is 2) and “Women” is less than 3"),
        (". <= ${beds} + ${women} * 2", "the answer is at most (“Beds” + (“Women” × 2))"),
        ("if(${beds} > 1, ${women}, 0)", "“Women” if “Beds” is more than 1, else 0"),
        ("count-selected(${state}) = 2", "the number of choices in “How far is it?” is 2"),
        (". <= today()", "the answer is at most today"),
        ("coalesce(${beds}, ${women})", "“Beds”, or “Women” where that is empty"),
        ("${unknown} = 1", "unknown is 1"),
        ("regex(., '[0-9]+') and ${beds} = 1", "regex(., '[0-9]+') and “Beds” is 1"),
        ("(((", ""),
    ],
)  # fmt: skip
def test_a_rule_is_said_in_words(source, words):
    assert said(source, ITEMS, "en", ("en",)) == words


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("${state} = 'done'", "“How far is it?” is “Implemented”"),
        ("contains(join(' ', ${beds}), '5') or ${state} = 'done'", ""),
        ("${unknown} = 1", ""),
        ("regex(., '[0-9]+') and ${beds} = 1", ""),
        ("(((", ""),
    ],
)
def test_a_reader_who_knows_no_code_meets_none(source, words):
    assert said_wholly(source, ITEMS, "en", ("en",)) == words
