"""What differs between two versions: what is safe, what is not, and whom it touches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forms.definition.changes import Aspect, Touches, by_code, differences
from forms.definition.model import Choice, Definition, Item
from forms.definition.spelling import judge
from forms.definition.word_diff import compare_words, tokens

STATE = Item(
    None, "question", "b1", "select_one", {"label": {"en": "State", "km": "ស្ថានភាព"}},
    choices=(Choice("done", {"en": "Done"}), Choice("planned", {"en": "Planned"})),
)  # fmt: skip
BEDS = Item(None, "question", "beds", "integer", {"label": {"en": "Beds"}})
TEXT = Item(None, "question", "b6", "text", {"label": {"en": "Results"}})


def made(*items, pages=(), **more):
    page = Item(None, "section", "page", texts={"label": {"en": "Page"}}, children=items)
    return replace(Definition(None, "q", 1, {"en": "Q"}, ("km", "en"), "km", (page, *pages)), **more)


def told(old, new):
    return [(one.code, one.aspect, one.touches) for one in differences(old, new)]


def test_the_same_is_no_difference():
    assert differences(made(STATE, BEDS), made(STATE, BEDS)) == ()


@pytest.mark.parametrize(
    ("change", "aspect", "touches"),
    [
        ({"texts": {"label": {"en": "Number of beds"}}}, Aspect.WORDING, Touches.NOBODY),
        ({"required": "yes"}, Aspect.STRICTER, Touches.BEGUN),
        ({"constraint": ". > 3"}, Aspect.STRICTER, Touches.ANSWERED),
        ({"relevant": "${b1} = 'done'"}, Aspect.STRICTER, Touches.ANSWERED),
        ({"calculation": "1 + 1"}, Aspect.COMPUTED, Touches.ANSWERED),
        ({"default": "4"}, Aspect.DEFAULT, Touches.NOBODY),
        ({"type": "decimal"}, Aspect.TYPE, Touches.ANSWERED),
        ({"settings": {"unit": "rooms"}}, Aspect.SETTING_NARROWED, Touches.ANSWERED),
        ({"settings": {"word_budget": 20}}, Aspect.SETTING, Touches.NOBODY),
        ({"settings": {"start": "3"}}, Aspect.SETTING_NARROWED, Touches.ANSWERED),
        ({"settings": {"not_available": True}}, Aspect.SETTING, Touches.NOBODY),
        ({"settings": {"evidence_required": True}}, Aspect.SETTING_NARROWED, Touches.ANSWERED),
    ],
)
def test_one_change_of_a_question(change, aspect, touches):
    (found,) = differences(made(STATE, BEDS), made(STATE, replace(BEDS, **change)))
    assert (found.code, found.aspect, found.touches) == ("beds", aspect, touches)
    # taken back, a stricter rule is a looser one
    (back,) = differences(made(STATE, replace(BEDS, **change)), made(STATE, BEDS))
    if aspect is Aspect.STRICTER:
        assert (back.aspect, back.safe) == (Aspect.LOOSER, True)


@pytest.mark.parametrize(
    ("rule", "old", "new", "safe"),
    [
        ("constraint", ". > 3", ". > 3 or . = 0", True),
        ("constraint", ". > 3 and . < 9", ". > 3", True),
        ("constraint", ". > 3 or . = 0", ". > 3", False),
        ("constraint", ". > 3", ". > 4", False),
        ("constraint", ". > 3", " .  >  3 ", True),
        ("required", "${b1} = 'done'", "${b1} = 'done' and ${b6} != ''", True),
        ("required", "true()", "${b1} = 'done'", True),
        ("required", "${b1} = 'done'", "yes", False),
        ("required", "yes", "true()", True),
        ("relevant", "${b1} = 'done'", "${b1} = 'done' or ${b1} = 'planned'", True),
        ("relevant", "${b1} = 'done'", "${b1} = 'planned'", False),
        ("relevant", "not parsable (", "still not (", False),
    ],
)
def test_a_rule_is_safe_only_when_it_surely_lets_pass_what_passed(rule, old, new, safe):
    found = differences(made(STATE, replace(BEDS, **{rule: old}), TEXT), made(STATE, replace(BEDS, **{rule: new}), TEXT))
    assert all(one.safe for one in found) is safe


def test_asking_more_people_a_question_that_must_be_answered_is_unsafe():
    old = made(STATE, replace(BEDS, relevant="${b1} = 'done'", required="yes"))
    assert told(old, made(STATE, replace(BEDS, required="yes"))) == [("beds", Aspect.STRICTER, Touches.BEGUN)]


def test_questions_and_notes_that_come_and_go():
    note = Item(None, "note", "n1", "note", {"label": {"en": "Hello"}})
    must = replace(TEXT, required="true()")
    assert told(made(STATE), made(STATE, BEDS, must, note)) == [
        ("beds", Aspect.ADDED, Touches.NOBODY), ("b6", Aspect.ADDED_REQUIRED, Touches.BEGUN), ("n1", Aspect.ADDED, Touches.NOBODY),
    ]  # fmt: skip
    assert told(made(STATE, BEDS, note), made(STATE)) == [
        ("beds", Aspect.GONE, Touches.ANSWERED), ("n1", Aspect.GONE, Touches.NOBODY),
    ]  # fmt: skip


def test_choices_that_come_go_and_are_worded():
    new = replace(STATE, choices=(
        Choice("planned", {"en": "Planned"}, retired=True), Choice("done", {"en": "Fully done"}), Choice("no", {"en": "No"}),
    ))  # fmt: skip
    found = differences(made(STATE), made(new))
    assert [(one.aspect, one.detail, one.touches) for one in found] == [
        (Aspect.CHOICE_WORDING, "done", Touches.NOBODY), (Aspect.CHOICE_ADDED, "no", Touches.NOBODY),
        (Aspect.CHOICE_GONE, "planned", Touches.CHOSE),
    ]  # fmt: skip
    turned = replace(STATE, choices=STATE.choices[::-1])
    assert told(made(STATE), made(turned)) == [("b1", Aspect.CHOICE_ORDER, Touches.NOBODY)]
    assert [one[1] for one in told(made(new), made(STATE))] == [
        Aspect.CHOICE_WORDING, Aspect.CHOICE_ADDED, Aspect.CHOICE_GONE,
    ]  # fmt: skip


def test_the_rows_of_a_matrix_are_its_choices():
    matrix = Item(None, "matrix", "m", texts={"label": {"en": "M"}}, children=(BEDS,), choices=STATE.choices)
    (found,) = differences(made(matrix), made(replace(matrix, choices=STATE.choices[:1])))
    assert (found.touches, found.questions, found.detail) == (Touches.ROW, ("beds",), "planned")


def test_what_moves():
    assert told(made(STATE, BEDS, TEXT), made(BEDS, TEXT, STATE)) == [("b1", Aspect.MOVED, Touches.NOBODY)]
    second = Item(None, "section", "page2", texts={"label": {"en": "Second"}}, children=(TEXT,))
    assert told(made(STATE, TEXT), made(STATE, pages=(second,))) == [("b6", Aspect.MOVED, Touches.NOBODY)]
    table = Item(None, "repeat", "t", texts={"label": {"en": "T"}}, children=(BEDS,))
    assert ("beds", Aspect.TABLE, Touches.ANSWERED) in told(made(STATE, BEDS), made(STATE, table))
    assert ("beds", Aspect.TABLE, Touches.ANSWERED) in told(made(STATE, table), made(STATE, BEDS))


def test_a_rule_of_a_group_touches_every_question_in_it():
    group = Item(None, "group", "g", texts={"label": {"en": "G"}}, children=(BEDS, TEXT))
    (found,) = differences(made(STATE, group), made(STATE, replace(group, relevant="${b1} = 'done'")))
    assert (found.code, found.questions) == ("g", ("beds", "b6"))
    assert list(by_code([found])) == ["g"]


def test_titles_and_languages():
    assert told(made(STATE), made(STATE, titles={"en": "R"}, languages=("km",))) == [
        ("", Aspect.TITLE, Touches.NOBODY), ("", Aspect.LANGUAGE_GONE, Touches.ANSWERED),
    ]  # fmt: skip
    assert told(made(STATE, languages=("km",)), made(STATE)) == [("", Aspect.LANGUAGE_ADDED, Touches.NOBODY)]


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("How many staff?", "How many trained staff?", "How many [+trained ]staff?"),
        ("How many women?", "How many men?", "How many [-women][+men]?"),
        ("one two", "three four", "[-one two][+three four]"),
        ("", "New", "[+New]"),
        ("តើមានបន្ទប់ប៉ុន្មាន?", "តើមានគ្រែប៉ុន្មាន?", "តើមាន[-បន្ទប់][+គ្រែ]ប៉ុន្មាន?"),
        ("ស្រី", "ស្រ្តី", None),
        # one or two clusters that both texts happen to have are no word that stayed
        ("បានបង្កើតតុលាការ", "មិនទាន់មានផែនការ", "[-បានបង្កើតតុលា][+មិនទាន់មានផែន]ការ"),
        # but a word between blanks did stay, and one beside a figure
        ("ច្បាប់ ថ្មី ឆ្នាំ", "អនុក្រឹត្យ ថ្មី ខែ", "[-ច្បាប់][+អនុក្រឹត្យ] ថ្មី [-ឆ្នាំ][+ខែ]"),
        ("៥នាក់ជាស្រី", "៦នាក់ជាប្រុស", "[-៥][+៦]នាក់ជា[-ស្រី][+ប្រុស]"),
        ("៥នាក់ស្រី", "៦នាក់ប្រុស", "[-៥][+៦]នាក់[-ស្រី][+ប្រុស]"),
        ("ឆ្នាំ២០២៤", "ឆ្នាំ២០២៥", "ឆ្នាំ[-២០២៤][+២០២៥]"),
    ],
)
def test_words_are_compared_and_khmer_clusters_never_cut(old, new, shown):
    pieces = compare_words(old, new)
    assert "".join(one.text for one in pieces if one.fate != "new") == old
    assert "".join(one.text for one in pieces if one.fate != "gone") == new
    marks = {"same": "{}", "gone": "[-{}]", "new": "[+{}]"}
    if shown is not None:
        assert "".join(marks[one.fate].format(one.text) for one in pieces) == shown
    for one in pieces:
        assert not one.text.startswith(("្", "ា", "ី", "៉"))


def test_khmer_words_that_stayed_are_shown_as_such():
    pieces = compare_words("ក្រសួងមហាផ្ទៃបានបណ្តុះបណ្តាលមន្ត្រី", "ក្រសួងយុត្តិធម៌បានបណ្តុះបណ្តាលចៅក្រម")
    assert "បានបណ្តុះបណ្តាល" in "".join(one.text for one in pieces if one.fate == "same")


def test_long_texts_are_shown_whole_not_compared_for_minutes():
    old, new = "word " * 5000, "other " * 5000
    assert [one.fate for one in compare_words(old, new)] == ["gone", "new"]
    assert "".join(tokens(old)) == old


def test_a_draft_is_judged_like_a_file_and_its_mistakes_name_their_items():
    wrong = made(
        STATE, replace(BEDS, constraint="nonsense("), replace(TEXT, relevant="${nobody}"),
        Item(None, "question", "empty", "select_one", {"label": {"en": "Empty"}}),
    )  # fmt: skip
    assert {one.field for one in judge(wrong) if one.severity == "error"} == {"beds", "b6", "empty"}
    assert not [one for one in judge(made(STATE, BEDS, TEXT)) if one.severity == "error"]
