"""From a tree to a closure: total and bounded, one Python call per node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from forms.expressions.functions import FUNCTIONS, LEADING, OF_ITSELF, OPERATORS, OVER_ROWS
from forms.expressions.scope import Rule, Scope, Sieve, sifted
from forms.expressions.tree import (
    Call,
    Cells,
    Column,
    Filter,
    Here,
    Literal,
    Lookup,
    Number,
    Operation,
    Path,
    Reference,
    RowNumber,
    Tree,
)
from forms.expressions.values import Value, number, text, truth

Nodes: TypeAlias = Callable[[Scope], Sequence[str]]


def compile_tree(tree: Tree) -> Rule:  # noqa: PLR0911 - one return per kind of node
    """Return a function that computes the tree in a scope; it never raises for any answers.

    A path must have got its meaning (`forms.definition.paths`); one that has none reads as "".
    """
    match tree:
        case Number(value=value) | Literal(value=value):
            return lambda _scope: value
        case Reference(name=name):
            return lambda scope: scope.value(name)
        case Column(name=name):
            return lambda scope: scope.column(name)
        case Here():
            return lambda scope: scope.here
        case Cells() | Lookup() | Operation(sign="|"):
            return _first(tree)
        case RowNumber(table=table):
            return lambda scope: float(scope.row_number(table))
        case Operation():
            return _operation(tree)
        case Call():
            return _SPECIAL.get(tree.name, _call)(tree)
        case Path():
            return lambda _scope: ""


def _nodes(tree: Tree) -> Nodes | None:
    """Return how to get all the answers that a tree names; None when it names none but computes a value."""
    match tree:
        case Reference(name=name):
            return lambda scope: scope.nodes(name)
        case Cells(code=code, apex=apex):
            sieves = _sieves(tree.filters)
            return lambda scope: scope.cells(code, apex, sieves)
        case Lookup(table=table, column=column):
            sieves = _sieves(tree.filters)
            return lambda scope: [
                row.get(column, "")
                for row in sifted(scope, scope.table(table), sieves, lambda row, name: row.get(name, ""))
            ]
        case Operation(sign="|", parts=parts):
            several = [one for part in parts if (one := _nodes(part)) is not None]
            return lambda scope: [node for one in several for node in one(scope)]
    return None


def _sieves(filters: Sequence[Filter]) -> tuple[Sieve, ...]:
    return tuple(Sieve(one.table, compile_tree(one.rule), one.outside) for one in filters)


def _first(tree: Tree) -> Rule:
    nodes = _nodes(tree)

    def rule(scope: Scope) -> Value:
        found = nodes(scope) if nodes is not None else ()
        return found[0] if found else ""

    return rule


def _operation(tree: Operation) -> Rule:
    rules = [compile_tree(part) for part in tree.parts]
    if tree.sign == "and":
        return lambda scope: all(truth(rule(scope)) for rule in rules)
    if tree.sign == "or":
        return lambda scope: any(truth(rule(scope)) for rule in rules)
    if len(rules) == 1:
        part = rules[0]
        return lambda scope: -number(part(scope))
    left, right = rules
    operate = OPERATORS[tree.sign]
    return lambda scope: operate(left(scope), right(scope))


def _call(tree: Call) -> Rule:
    run = FUNCTIONS[tree.name].run
    rules = [compile_tree(part) for part in tree.parts]
    if tree.name in OVER_ROWS:
        return _over_rows(tree)
    if not rules and tree.name in OF_ITSELF:
        return lambda scope: run(scope.here)
    if len(rules) == 1:
        only = rules[0]
        return lambda scope: run(only(scope))
    if len(rules) == 2:
        first, second = rules
        return lambda scope: run(first(scope), second(scope))
    return lambda scope: run(*(rule(scope) for rule in rules))


def _over_rows(tree: Call) -> Rule:
    run = FUNCTIONS[tree.name].run
    plain = LEADING.get(tree.name, 0)
    parts = [
        (None if place < plain else _nodes(part), compile_tree(part)) for place, part in enumerate(tree.parts)
    ]  # fmt: skip

    def rule(scope: Scope) -> Value:
        values: list[Value] = []
        for nodes, compute in parts:
            if nodes is None:
                values.append(compute(scope))
            else:
                values.extend(nodes(scope))
        return run(*values)

    return rule


def _pulled(tree: Call) -> Rule:
    """Compile pulldata(): the column of the first row of a table whose key is the one asked for."""
    table, column, key = (part.value if isinstance(part, Literal) else "" for part in tree.parts[:3])
    wanted = compile_tree(tree.parts[3])

    def rule(scope: Scope) -> Value:
        asked = text(wanted(scope))
        return next((row.get(column, "") for row in scope.table(table) if row.get(key, "") == asked), "")

    return rule


def _if(tree: Call) -> Rule:
    test, yes, no = (compile_tree(part) for part in tree.parts)
    return lambda scope: yes(scope) if truth(test(scope)) else no(scope)


def _coalesce(tree: Call) -> Rule:
    rules = [compile_tree(part) for part in tree.parts]

    def rule(scope: Scope) -> Value:
        for compute in rules:
            value = compute(scope)
            if value != "":
                return value
        return ""

    return rule


def _once(tree: Call) -> Rule:
    compute = compile_tree(tree.parts[0])
    return lambda scope: scope.here if scope.here != "" else compute(scope)


def _choice_name(tree: Call) -> Rule:
    key, question = compile_tree(tree.parts[0]), tree.parts[1]
    name = ""
    if isinstance(question, Literal):
        name = question.value.strip().removeprefix("${").removesuffix("}").strip()
    elif isinstance(question, Reference):
        name = question.name
    return lambda scope: scope.label(name, text(key(scope)))


_SPECIAL: dict[str, Callable[[Call], Rule]] = {
    "if": _if,
    "coalesce": _coalesce,
    "once": _once,
    "today": lambda _tree: lambda scope: scope.today(),
    "now": lambda _tree: lambda scope: scope.now(),
    "position": lambda _tree: lambda scope: float(scope.position),
    "last": lambda _tree: lambda scope: float(scope.size),
    "pulldata": _pulled,
    "jr:choice-name": _choice_name,
}
