"""The wording of questionnaires as HTML: the small part of Markdown that XLSForm knows, and nothing that could harm.

Strong and light words, lists, links, line breaks; a heading becomes a strong paragraph (a page has its own headings).
Raw HTML is shown as the text it is; images and scripts never reach the page: markdown-it leaves them out, nh3 checks.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "a"}
_SIGNS = frozenset("*_#[]-+`\\<&\n0123456789")  # without any of these a text has no Markdown in it


@cache
def _parser() -> MarkdownIt:
    # a worker that makes workbooks draws no note: 5 MB are loaded when the first one is drawn
    from markdown_it import MarkdownIt

    left_out = "image code fence blockquote hr lheading reference html_block html_inline backticks"
    return MarkdownIt("commonmark", {"html": False, "breaks": True}).disable(left_out.split())


@lru_cache(maxsize=4096)
def marked(text: str) -> Markup:
    """Return a text as safe HTML made of paragraphs; "" for none."""
    if not text.strip():
        return Markup("")
    if _SIGNS.isdisjoint(text):
        return Markup("<p>{}</p>").format(text)
    import nh3

    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = "p"
            token.attrs = {"class": "note-title"} if token.nesting == 1 else {}
    html = parser.renderer.render(tokens, parser.options, {})
    return Markup(  # noqa: S704 - cleaned by nh3
        nh3.clean(
            html,
            tags=_TAGS,
            attributes={"a": {"href"}},
            allowed_classes={"p": {"note-title"}},
            url_schemes={"http", "https", "mailto", "tel"},
        ).strip()
    )
