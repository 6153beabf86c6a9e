"""Two texts of one answer joined: what only one changed is taken over, where both did, both stand."""

from __future__ import annotations

import pytest

from forms.merging import merge_texts, sentences

BASE = "A law was passed. It is in force.\nTwo trainings were held.\n"

# mine, theirs, what both began from, the joined text
CASES = [
    ("ក", "ខ", None, "ខ\n\nក"),
    ("same", "same", None, "same"),
    (BASE + "Three more follow.", BASE.replace("Two", "Five"), BASE, BASE.replace("Two", "Five") + "Three more follow."),
    (BASE.replace("A law", "One law"), BASE.replace("A law", "Some law"), BASE, BASE.replace("A law was passed. ", "Some law was passed. One law was passed. ")),
    (BASE.replace("It is in force.", ""), BASE, BASE, BASE.replace("It is in force.", "")),
    ("ច្បាប់ថ្មី។ វគ្គមួយ។", "ច្បាប់ថ្មី។ វគ្គពីរ។", None, "ច្បាប់ថ្មី។ វគ្គពីរ។ វគ្គមួយ។"),
    ("", "theirs", None, "theirs"),
    ("mine", "", "was", "mine"),
    ("a\r\nb", "a\nb", None, "a\nb"),
]  # fmt: skip


@pytest.mark.parametrize(("mine", "theirs", "base", "joined"), CASES)
def test_joined(mine, theirs, base, joined):
    assert merge_texts(mine, theirs, base) == joined


@pytest.mark.parametrize("text", ["", "a", BASE, "ច្បាប់ថ្មី។ វគ្គ ៣.៥ ។\n\n១... ២", "no end"])
def test_sentences_joined_again_are_the_text(text):
    assert "".join(sentences(text)) == text
