"""A rule read aloud: an expression in the words of the questions it speaks of, for readers who know no XLSForm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.expressions import ExpressionError, parse, to_source
from forms.expressions.tree import Call, Here, Literal, Number, Operation, Reference
from forms.expressions.values import text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forms.answers import Text
    from forms.definition.model import Item
    from forms.expressions import Tree

LONGEST = 80  # signs of a question's label in a sentence

_COMPARED: Mapping[str, Text] = {
    "=": _l("%(one)s is %(other)s"),
    "!=": _l("%(one)s is not %(other)s"),
    "<": _l("%(one)s is less than %(other)s"),
    "<=": _l("%(one)s is at most %(other)s"),
    ">": _l("%(one)s is more than %(other)s"),
    ">=": _l("%(one)s is at least %(other)s"),
}
_SIGNS = {"+": "+", "-": "−", "*": "×", "div": "÷", "mod": "mod"}
_NAMED: Mapping[str, Text] = {
    "today": _l("today"),
    "now": _l("now"),
    "true": _l("always"),
    "false": _l("never"),
    "count-selected": _l("the number of choices in %(one)s"),
    "string-length": _l("the number of signs in %(one)s"),
    "sum": _l("the sum of %(one)s"),
    "count": _l("the number of rows of %(one)s"),
    "count-non-empty": _l("the number of answers to %(one)s"),
    "min": _l("the smallest of %(one)s"),
    "max": _l("the largest of %(one)s"),
    "round": _l("%(one)s, rounded"),
    "int": _l("%(one)s, without decimals"),
    "number": "%(one)s",
    "string": "%(one)s",
    "date": "%(one)s",
    "boolean": "%(one)s",
    "once": "%(one)s",
    "jr:choice-name": "%(one)s",
}


def said(source: str, items: Mapping[str, Item], language: str, languages: tuple[str, ...] = ()) -> str:
    """Return an expression in words, "" where it cannot be parsed; what has no words stands as it was written."""
    try:
        tree = parse(source)
    except ExpressionError:
        return ""
    return _Sayer(items, language, languages).say(tree)


def said_wholly(source: str, items: Mapping[str, Item], language: str, languages: tuple[str, ...] = ()) -> str:
    """Return an expression in words, "" where any part of it has none: what a reader who knows no code may meet."""
    try:
        tree = parse(source)
    except ExpressionError:
        return ""
    sayer = _Sayer(items, language, languages)
    told = sayer.say(tree)
    return told if sayer.whole else ""


class _Sayer:
    def __init__(self, items: Mapping[str, Item], language: str, languages: tuple[str, ...]) -> None:
        self.items, self.language, self.languages = items, language, languages
        self.whole = True  # nothing stands there as it was written

    def say(self, tree: Tree, *, inner: bool = False) -> str:  # noqa: PLR0911 - one return per kind of node
        """Say a tree; ``inner``: it stands inside another sentence and needs brackets where it is one itself."""
        match tree:
            case Number(value=value):
                return text(value)
            case Literal(value=value):
                return f"“{value}”"
            case Reference(name=name):
                return self.name(name)
            case Here():
                return str(_l("the answer"))
            case Operation():
                return self.operation(tree, inner=inner)
            case Call():
                return self.call(tree)
        return self.written(tree)

    def written(self, tree: Tree) -> str:
        """Return what has no words as it was written."""
        self.whole = False
        try:
            return to_source(tree)
        except ValueError:
            return "…"

    def name(self, code: str) -> str:
        """Name a question by its label."""
        item = self.items.get(code)
        label = " ".join(item.text("label", self.language, self.languages).split()) if item is not None else ""
        if not label:
            self.whole = False
            return code
        return f"“{label if len(label) <= LONGEST else label[: LONGEST - 1] + '…'}”"

    def operation(self, tree: Operation, *, inner: bool) -> str:
        """Say and, or, a comparison or a calculation."""
        if tree.sign in {"and", "or"}:
            word = str(_l("and") if tree.sign == "and" else _l("or"))
            told = f" {word} ".join(self.say(part, inner=True) for part in tree.parts)
            return f"({told})" if inner else told
        if tree.sign in _COMPARED:
            return self.comparison(tree)
        if tree.sign in _SIGNS and len(tree.parts) == 2:
            told = f" {_SIGNS[tree.sign]} ".join(self.say(part, inner=True) for part in tree.parts)
            return f"({told})" if inner else told
        return self.written(tree)

    def comparison(self, tree: Operation) -> str:
        """Say a comparison; one with nothing asks whether there is an answer, one with a key names the choice."""
        one, other = tree.parts
        if isinstance(one, Literal | Number) and not isinstance(other, Literal | Number) and tree.sign in {"=", "!="}:
            one, other = other, one
        if isinstance(other, Literal) and not other.value and tree.sign in {"=", "!="}:
            sentence = _l("%(one)s is empty") if tree.sign == "=" else _l("%(one)s is answered")
            return str(sentence) % {"one": self.say(one, inner=True)}
        other_words = self.choice(one, other) or self.say(other, inner=True)
        return str(_COMPARED[tree.sign]) % {"one": self.say(one, inner=True), "other": other_words}

    def choice(self, question: Tree, key: Tree) -> str:
        """Name a choice by its label, "" where a value is no choice of the question."""
        if not isinstance(question, Reference) or not isinstance(key, Literal):
            return ""
        item = self.items.get(question.name)
        found = item.choice_by_key.get(key.value) if item is not None else None
        label = "" if found is None else found.texts.get(self.language) or next(iter(found.texts.values()), "")
        return f"“{label}”" if label else ""

    def call(self, tree: Call) -> str:
        """Say a function."""
        parts = tree.parts
        if tree.name == "selected" and len(parts) == 2:
            chosen = self.choice(parts[0], parts[1]) or self.say(parts[1])
            return str(_l("%(one)s includes %(other)s")) % {"one": self.say(parts[0]), "other": chosen}
        if tree.name == "not" and len(parts) == 1:
            return str(_l("not (%(one)s)")) % {"one": self.say(parts[0])}
        if tree.name == "if" and len(parts) == 3:
            words = {"rule": self.say(parts[0]), "one": self.say(parts[1]), "other": self.say(parts[2])}
            return str(_l("%(one)s if %(rule)s, else %(other)s")) % words
        if tree.name == "coalesce" and len(parts) == 2:
            words = {"one": self.say(parts[0]), "other": self.say(parts[1])}
            return str(_l("%(one)s, or %(other)s where that is empty")) % words
        sentence = _NAMED.get(tree.name)
        if sentence is None or len(parts) > 1 or (not parts and "%(one)s" in str(sentence)):
            return self.written(tree)
        return str(sentence) % {"one": self.say(parts[0])} if parts else str(sentence)
