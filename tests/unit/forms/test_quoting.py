"""Shared questions whisper nothing of others: labels, messages, computed and beginning values."""

from __future__ import annotations

from datetime import date

import pytest

from forms.answers import AnswerKey, Given
from forms.context import Context
from forms.definition.model import Definition, Item
from forms.evaluation import evaluate
from forms.quoting import decisive, muted, quoted, readable_codes

TODAY = Context(today=date(2026, 11, 25))


def question(code, type_="integer", **more):
    label = more.pop("label", code)
    texts = {"label": {"en": label}} | more.pop("texts", {})
    return Item(None, "question", code, type_, texts=texts, **more)


@pytest.fixture
def definition():
    page = Item(
        None, "section", "page",
        children=(
            question("secret"),
            question("open", label="Of the ${secret} judges, how many?", constraint=". <= ${secret}",
                     texts={"constraint_message": {"en": "At most ${secret}."}}),
            question("asked_if", relevant="${secret} > 3"),
            question("double", calculation="${secret} * 2"),
            question("twice", calculation="${open} * 2"),
            question("begun", default="${secret}"),
        ),
    )  # fmt: skip
    return Definition(None, "q", 1, {}, ("en",), "en", (page,))


def silent(definition, codes, quotes=()):
    answers = {AnswerKey("secret"): Given(7, "answered", None, 1), AnswerKey("open"): Given(9, "answered", None, 1)}
    readable = readable_codes(definition, codes, quotes)
    return muted(evaluate(definition, answers, TODAY), definition, codes, readable, "en")


def test_what_is_quoted_is_found(definition):
    assert quoted(definition, ["open"]) == ("secret",)
    assert quoted(definition, ["begun"]) == ("secret",)
    assert quoted(definition, ["open", "secret"]) == ()


def test_what_decides_is_found(definition):
    assert decisive(definition, ["asked_if"]) == {"secret"}
    assert decisive(definition, ["secret"]) == frozenset()


def test_computed_values_are_read_where_all_they_read_is(definition):
    assert "twice" in readable_codes(definition, ["open"])
    assert "double" not in readable_codes(definition, ["open"])
    assert "double" in readable_codes(definition, ["open"], ["secret"])


def test_nothing_tells_an_answer_that_is_not_shared(definition):
    seen = silent(definition, ["open", "asked_if", "begun"])
    assert seen.refused[AnswerKey("open")] == "At most …."
    assert "secret" not in seen.values
    assert AnswerKey("double") not in seen.calculated
    assert seen.calculated[AnswerKey("twice")] == 18
    assert AnswerKey("begun") not in seen.defaults
    assert "7" not in str(seen.values) + str(dict(seen.seen_from(AnswerKey("open", "x"))))
    assert "asked_if" not in seen.hidden, "what is asked is decided on the whole reply"


def test_what_may_be_quoted_is_spoken(definition):
    seen = silent(definition, ["open"], ["secret"])
    assert seen.refused[AnswerKey("open")] == "At most 7."
    assert seen.values["secret"] == "7"
