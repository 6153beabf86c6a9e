"""Rules that mix what a person may change with what they may not read are not judged for that person."""

from __future__ import annotations

import pytest

from forms.blinding import blinded, silenced
from forms.definition.model import Choice, Definition, Item


def question(code, type_="integer", **more):
    return Item(None, "question", code, type_, texts={"label": {"en": code}}, **more)


@pytest.fixture
def definition():
    inside = Item(None, "group", "inside", relevant="${mine} > ${sum}", children=(question("deep"),))
    choices = (Choice("a"), Choice("b"))
    page = Item(
        None, "section", "page",
        children=(
            question("secret"),
            question("gate", relevant="${mine} > ${secret}"),
            question("sum", calculation="${secret} + ${mine}"),
            question("mine", constraint=". <= ${secret}", settings={"soft_constraint": ". < ${secret}", "unit": "x"}),
            question("bit", relevant="${secret} > 3"),
            question("next", relevant="${mine} > 3", constraint=". <= ${mine}"),
            question("behind", relevant="${gate} != ''"),
            question("must", required="${mine} > ${secret}"),
            question("pick", "select_one", choice_filter="${secret} > ${mine}", choices=choices),
            inside,
        ),
    )  # fmt: skip
    return Definition(None, "q", 1, {}, ("en",), "en", (page,))


SHARED = ("mine", "bit", "next", "behind", "must", "pick", "deep")


def test_what_could_be_tried_is_not_judged_and_all_else_is(definition):
    made = blinded(definition, SHARED)
    assert made.question("mine").constraint == ""
    assert made.question("mine").settings == {"unit": "x"}
    assert made.question("behind").relevant == "", "through another hidden question too"
    assert made.question("must").required == ""
    assert made.question("pick").choice_filter == ""
    assert made.question("inside").relevant == "", "through a computed value"
    assert silenced(definition, made, "relevant") == {"behind", "inside", "deep"}
    for code in ("bit", "next", "secret", "gate", "sum"):
        assert made.question(code) is definition.question(code), code


def test_what_may_be_read_may_be_judged(definition):
    assert blinded(definition, SHARED, ("secret", "gate", "sum")) is definition
    assert blinded(definition, ("bit",)) is definition, "one fixed answer cannot be tried"
