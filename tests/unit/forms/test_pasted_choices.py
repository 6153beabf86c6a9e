"""Choices pasted from Excel."""

from __future__ import annotations

import pytest

from forms.pasted_choices import MOST_LINES, NewChoice, read_lines, with_keys

BOTH = ("km", "en")


@pytest.mark.parametrize(
    ("pasted", "found"),
    [
        ("", []),
        ("បាទ\tYes\r\nទេ\tNo\r\n\r\n", [NewChoice("", {"km": "បាទ", "en": "Yes"}), NewChoice("", {"km": "ទេ", "en": "No"})]),
        ("yes\tបាទ\tYes", [NewChoice("yes", {"km": "បាទ", "en": "Yes"})]),
        ("yes\tបាទ", [NewChoice("yes", {"km": "បាទ"})]),
        ("yes\tបាទ\t\t", [NewChoice("yes", {"km": "បាទ"})]),
        ("only words", [NewChoice("", {"km": "only words"})]),
        ("\tYes", [NewChoice("", {"en": "Yes"})]),
        ("12\t13", [NewChoice("", {"km": "12", "en": "13"})]),
    ],
)
def test_lines_are_read_as_excel_gives_them(pasted, found):
    assert read_lines(pasted, BOTH) == (found, [])


def test_every_wrong_line_is_named():
    found, wrong = read_lines("a\tb\tc\td\nx\ty\n1\t2\t3\t4\t5", BOTH)
    assert len(found) == 3
    assert [str(one)[:7] for one in wrong] == ["Line 1 ", "Line 3 "]
    found, wrong = read_lines("x\n" * (MOST_LINES + 1), BOTH)
    assert (found, len(wrong)) == ([], 1)


def test_keys_are_made_from_latin_words_and_none_twice():
    new = [NewChoice("", {"km": "បាទ", "en": "In part!"}), NewChoice("", {"km": "ទេ"}), NewChoice("", {"en": "In Part"}), NewChoice("x", {"en": "X"})]
    assert [one.key for one in with_keys(new, ["c2"])] == ["in_part", "c3", "in_part_2", "x"]
