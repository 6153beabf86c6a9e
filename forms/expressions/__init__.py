"""Expressions of XLSForm: parsed once to a small tree, checked, compiled to closures, sent to the browser as JSON."""

from __future__ import annotations

from forms.expressions.compiling import compile_tree
from forms.expressions.functions import FUNCTIONS
from forms.expressions.parsing import ExpressionError, NotOffered, judge, parse
from forms.expressions.printing import to_source
from forms.expressions.scope import Rule, Scope, Sieve
from forms.expressions.tree import Tree, names, to_json
from forms.expressions.values import Value, number, text, truth

compile = compile_tree  # noqa: A001 - read as expressions.compile(tree)

__all__ = [
    "FUNCTIONS",
    "ExpressionError",
    "NotOffered",
    "Rule",
    "Scope",
    "Sieve",
    "Tree",
    "Value",
    "compile",
    "compile_tree",
    "judge",
    "names",
    "number",
    "parse",
    "text",
    "to_json",
    "to_source",
    "truth",
]
