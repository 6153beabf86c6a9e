"""What the check page warns of: soft rules, parts over a total, dates reversed, evidence, two languages; and lengths."""

from __future__ import annotations

from datetime import date

import pytest

from forms.answers import AnswerKey, Given, TableRow
from forms.definition.model import Choice, Definition, Item
from forms.evaluation import Context, evaluate
from forms.warnings import count_words, over_budget, warnings_of

CONTEXT = Context(date(2026, 11, 25), ("km", "en"), "en")


def question(code, kind="text", **more):
    return Item(None, "question", code, kind, **more)


def definition(*items):
    return Definition(None, "q", None, {"en": "Q"}, ("km", "en"), "km", (Item(None, "section", "p1", children=items),))


def found(whole, given, *, rows=None, evidence=0):
    answers = {(key if isinstance(key, AnswerKey) else AnswerKey(key)): Given(value) for key, value in given.items()}
    said = evaluate(whole, answers, CONTEXT, rows or {})
    return warnings_of(whole, answers, said, rows or {}, evidence=evidence, language="en")


SOFT = question(
    "beds", "integer", settings={"soft_constraint": ". <= 1000"},
    texts={"soft_constraint_message": {"en": "More than 1,000 of ${beds}?"}},
)  # fmt: skip


def test_a_soft_rule_warns_in_its_own_words_and_blocks_nothing():
    (one,) = found(definition(SOFT), {"beds": 1200})
    assert (one.kind, one.name, str(one.sentence)) == ("soft_constraint", "soft_constraint beds", "More than 1,000 of 1200?")
    assert found(definition(SOFT), {"beds": 900}) == ()
    said = evaluate(definition(SOFT), {AnswerKey("beds"): Given(1200)}, CONTEXT)
    assert said.complete


def test_another_answer_is_another_basis():
    (one,), (other,) = found(definition(SOFT), {"beds": 1200}), found(definition(SOFT), {"beds": 1201})
    assert one.name == other.name
    assert one.basis != other.basis


def test_parts_come_to_no_more_than_their_total():
    whole = definition(
        question("all", "integer"),
        question("women", "integer", settings={"part_of": "all"}),
        question("men", "integer", settings={"part_of": "all"}),
    )
    assert found(whole, {"all": 10, "women": 6, "men": 4}) == ()
    assert found(whole, {"all": 10, "women": 6}) == ()
    (one,) = found(whole, {"all": 10, "women": 6, "men": 5})
    assert (one.kind, one.key.code) == ("over_total", "all")
    assert "11" in str(one.sentence)


def test_a_matrix_with_a_row_total_is_summed_column_by_column():
    rows = (Choice("women", {"en": "Women"}), Choice("men", {"en": "Men"}), Choice("total", {"en": "Total"}))
    whole = definition(Item(None, "matrix", "m", choices=rows, children=(question("n", "integer"),)))
    given = {AnswerKey("n", "women"): 3, AnswerKey("n", "men"): 4, AnswerKey("n", "total"): 6}
    (one,) = found(whole, given)
    assert (one.kind, one.key) == ("over_total", AnswerKey("n", "total"))
    assert found(whole, given | {AnswerKey("n", "total"): 7}) == ()


def test_dates_that_belong_together_stand_in_their_order_row_by_row():
    whole = definition(
        Item(None, "repeat", "t", children=(question("law_start", "date"), question("law_end", "date"))),
    )  # fmt: skip
    rows = {"t": [TableRow("a" * 16), TableRow("b" * 16)]}
    given = {
        AnswerKey("law_start", "a" * 16): "2022-03-01", AnswerKey("law_end", "a" * 16): "2022-02-01",
        AnswerKey("law_start", "b" * 16): "2022-03-01", AnswerKey("law_end", "b" * 16): "2022-03-01",
    }  # fmt: skip
    (one,) = found(whole, given, rows=rows)
    assert (one.kind, one.key) == ("reversed", AnswerKey("law_end", "a" * 16))


def test_what_a_rule_refuses_already_is_not_offered_to_be_kept():
    ended = question("law_end", "date", constraint=". >= ${law_start}")
    given = {"law_start": "2022-05-01", "law_end": "2022-03-01"}
    assert found(definition(question("law_start", "date"), ended), given) == ()


@pytest.mark.parametrize(
    ("given", "evidence", "kinds"),
    [
        ({"b1": "done"}, 0, ["evidence"]),
        ({"b1": "done", "file": ["x"]}, 1, []),
        ({"b1": "part"}, 0, []),
        ({"b1": "part", AnswerKey("told", "", "en"): "Because"}, 0, ["evidence"]),
        ({"b1": "part", AnswerKey("told", "", "en"): "Because [E12]"}, 0, []),
        ({"b1": "part", AnswerKey("told", "", "en"): "Because"}, 2, []),
    ],
)
def test_evidence_that_is_asked_for_and_not_there(given, evidence, kinds):
    states = (Choice("done", {"en": "Done"}), Choice("part", {"en": "Partly"}))
    whole = definition(
        question("b1", "select_one", choices=states),
        question("file", "file", settings={"evidence_required": "${b1} = 'done'"}),
        question("told", settings={"evidence_required": True}),
    )
    assert [one.kind for one in found(whole, given, evidence=evidence)] == kinds


def test_two_languages_of_one_answer():
    whole = definition(question("b2"))
    (one,) = found(whole, {AnswerKey("b2", "", "km"): "មាន ២៥ មណ្ឌល", AnswerKey("b2", "", "en"): "There are 52 centres"})
    assert one.kind == "languages"
    # languages by their names as the reader calls them, no codes
    assert "only in the text in Khmer: 25; only in the text in English: 52." in str(one.sentence)


def test_what_only_one_language_has_is_said_once():
    whole = definition(question("b2"))
    given = {AnswerKey("b2", "", "km"): "ឆ្នាំ២០២៥ មាន ៤៥ មណ្ឌល", AnswerKey("b2", "", "en"): "There are many centres now"}
    (one,) = found(whole, given)
    assert str(one.sentence).endswith("only in the text in Khmer: 2025, 45.")


def test_evidence_that_must_be_given_blocks_and_is_not_warned_of_as_well():
    states = (Choice("done", {"en": "Done"}),)
    rule = "${b1} = 'done'"
    whole = definition(
        question("b1", "select_one", choices=states),
        question("file", "file", required=rule, settings={"evidence_required": rule}),
    )
    assert found(whole, {"b1": "done"}) == ()
    assert evaluate(whole, {AnswerKey("b1"): Given("done")}, CONTEXT).missing == (AnswerKey("file"),)


def test_what_is_not_asked_warns_of_nothing():
    whole = definition(question("b1"), question("beds", "integer", relevant="${b1} = 'x'", settings=SOFT.settings))
    assert found(whole, {"beds": 1200}) == ()


def test_a_text_far_over_its_budget_is_named_with_its_words():
    whole = definition(question("b2", settings={"word_budget": 10}))
    answers = {AnswerKey("b2", "", "en"): Given("word " * 20), AnswerKey("b2", "", "km"): Given("ក្រសួងយុត្តិធម៌")}
    (one,) = over_budget(whole, answers, frozenset())
    assert (one.key.lang, one.words, one.budget) == ("en", 20, 10)
    assert 2 <= count_words("ក្រសួងយុត្តិធម៌") <= 5
