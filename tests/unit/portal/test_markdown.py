"""The wording of notes: the small part of Markdown that XLSForm knows, and nothing that harms."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.markdown import marked


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        ("  ", ""),
        ("plain ក", "<p>plain ក</p>"),
        ("a < b & c", "<p>a &lt; b &amp; c</p>"),
        ("**strong** *light*", "<p><strong>strong</strong> <em>light</em></p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("# Head\ntext", '<p class="note-title">Head</p>\n<p>text</p>'),
        ("* a\n* b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("[guide](https://guide.example/)", '<p><a href="https://guide.example/" rel="noopener noreferrer">guide</a></p>'),
    ],
)
def test_what_is_marked(text, html):
    assert marked(text) == html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "![x](https://spy.example/x.png)", "[x](javascript:alert(1))",
        "[x](data:text/html,<script>1</script>)", "<b onclick=x>y</b>", "[x](vbscript:1)", '[x](https://a.example/"onmouseover="x)',
        "<a href='javascript:x'>y</a>", "[a]: javascript:x\n[a]", "<!-- x --><style>*{}</style>", "`<svg onload=x>`",
    ],
)  # fmt: skip
def test_what_could_harm_is_text(text):
    html = marked(text)
    assert set(re.findall(r"</?([a-z0-9]+)", html)) <= {"p", "br", "strong", "em", "ul", "ol", "li", "a"}
    for tag in re.findall(r"<[a-z][^>]*>", html):
        assert not re.search(r"\son\w+=|src=|style=", tag.replace("%22", ""))
        assert not re.search(r'href="(?!https?:|mailto:|tel:|[^":]*")', tag)


@given(st.text(max_size=80))
def test_any_text_gives_harmless_html(text):
    assert set(re.findall(r"<([a-z0-9]+)", marked(text))) <= {"p", "br", "strong", "em", "ul", "ol", "li", "a"}
