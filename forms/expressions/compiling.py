"""From a tree to a closure: total and bounded, one Python call per node."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from forms.expressions.functions import FUNCTIONS, OPERATORS, OVER_ROWS, Scope
from forms.expressions.tree import Call, Column, Here, Literal, Number, Operation, Reference, Tree
from forms.expressions.values import Value, number, text, truth

Rule: TypeAlias = Callable[[Scope], Value]


def compile_tree(tree: Tree) -> Rule:
    """Return a function that computes the tree in a scope; it never raises for any answers."""
    match tree:
        case Number(value=value) | Literal(value=value):
            return lambda _scope: value
        case Reference(name=name):
            return lambda scope: scope.value(name)
        case Column(name=name):
            return lambda scope: scope.column(name)
        case Here():
            return lambda scope: scope.here
        case Operation():
            return _operation(tree)
        case Call():
            return _SPECIAL.get(tree.name, _call)(tree)


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
    if len(rules) == 1:
        only = rules[0]
        return lambda scope: run(only(scope))
    if len(rules) == 2:
        first, second = rules
        return lambda scope: run(first(scope), second(scope))
    return lambda scope: run(*(rule(scope) for rule in rules))


def _over_rows(tree: Call) -> Rule:
    run = FUNCTIONS[tree.name].run
    parts = [(part.name if isinstance(part, Reference) else None, compile_tree(part)) for part in tree.parts]

    def rule(scope: Scope) -> Value:
        values: list[Value] = []
        for name, compute in parts:
            if name is None:
                values.append(compute(scope))
            else:
                values.extend(scope.nodes(name))
        return run(*values)

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
    "jr:choice-name": _choice_name,
}
