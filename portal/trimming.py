"""Leave out of a style sheet what no page can use, and of a script what no browser reads: lines are slow here.

Bootstrap's sheet is 23 kB compressed, of which our pages use a third. A rule stays when every class of one of its
selectors stands as a word somewhere in the templates, the scripts or the Python code; a word that ends in a hyphen
within the classes of a template (``class="btn btn-{{ kind }}"``) keeps every class that begins so. Elsewhere such a
word begins a name (``id="row-{{ number }}"``) and keeps nothing. More may stay than is used, never less.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_CLASS = re.compile(r"\.(-?[A-Za-z_][A-Za-z0-9_-]*)")
_CLASSES = re.compile(r'class="((?:\{[{%].*?[%}]\}|[^"])*)"', re.DOTALL)  # quotes within {{ }} and {% %} are its own
_COMMA = re.compile(r",(?![^(]*\))")  # between selectors, not inside :not(.a,.b)


def words_in(paths: Iterable[Path]) -> frozenset[str]:
    """Return every word of these files that could name a class."""
    found: set[str] = set()
    for path in paths:
        text = path.read_text(encoding="utf-8")
        found.update(word for word in _WORD.findall(text) if not word.endswith("-"))
        found.update(word for classes in _CLASSES.findall(text) for word in _WORD.findall(classes))
    return frozenset(found)


def used_css(text: str, words: frozenset[str]) -> str:
    """Return the sheet without the rules whose classes are none of the words."""
    import tinycss2

    beginnings = tuple(word for word in words if word.endswith("-"))
    parsed = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
    return _kept(parsed, words, beginnings)


def _kept(rules: Iterable[Any], words: frozenset[str], beginnings: tuple[str, ...]) -> str:
    import tinycss2

    def used(selector: str) -> bool:
        return all(name in words or name.startswith(beginnings) for name in _CLASS.findall(selector))

    out: list[str] = []
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [one for one in _COMMA.split(tinycss2.serialize(rule.prelude)) if used(one)]
            if selectors:
                out.append(f"{','.join(selectors)}{{{tinycss2.serialize(rule.content)}}}")
        elif rule.type == "at-rule" and rule.content is not None and rule.lower_at_keyword in {"media", "supports"}:
            inside = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            if body := _kept(inside, words, beginnings):
                out.append(f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{body}}}")
        elif rule.type == "at-rule":
            out.append(rule.serialize())
    return "\n".join(out)


def smaller_css(text: str) -> str:
    """Drop comments, blank lines and indentation; strings and addresses stay as they are."""
    string_or_comment = r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|/\*.*?\*/"""
    kept = re.sub(string_or_comment, lambda match: match.group(1) or "", text, flags=re.DOTALL)
    return "\n".join(line.strip() for line in kept.splitlines() if line.strip())


def smaller_js(text: str) -> str:
    """Drop comments and white space that change nothing."""
    import rjsmin

    return str(rjsmin.jsmin(text))
