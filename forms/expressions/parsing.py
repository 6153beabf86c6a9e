"""From the text of an expression to its tree: XPath 1.0 as XLSForm uses it: ${name}, paths and brackets included."""

from __future__ import annotations

import difflib
import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import VisitError

from forms.expressions.functions import FUNCTIONS, OVER_ROWS
from forms.expressions.patterns import refused_pattern
from forms.expressions.tree import (
    Call,
    Column,
    Here,
    Literal,
    Number,
    Operation,
    Path,
    Reference,
    Step,
    Tree,
    depth,
    parts_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from forms.answers import Text

_SLIPS = {
    "==": "=", "=>": ">=", "=<": "<=", "&&": "and", "||": "or", "<>": "!=", "!": "not(...)", "AND ": "and",
    "OR ": "or", "And ": "and", "Or ": "or",
}  # fmt: skip

_NAMED = re.compile(r"\$\{\s*[^{}\s]+\s*\}")

# What people coming from other programs write.
ALIASES = {
    "len": "string-length",
    "length": "string-length",
    "isempty": "string-length",
    "ifelse": "if",
    "iif": "if",
    "average": "sum",
    "ceil": "ceiling",
    "substring": "substr",
    "isnumber": "number",
    "datediff": "decimal-date-time",
    "choice-name": "jr:choice-name",
    "countif": "count",
    "power": "pow",
    "lookup": "pulldata",
    "vlookup": "pulldata",
}
CHANCE = frozenset({"random", "randomize", "uuid"})
ELSEWHERE = frozenset({"area", "distance", "geofence", "intersects", "digest", "extract-signed"})

MAX_LENGTH = 10_000  # characters of one expression
MAX_DEPTH = 200  # levels of its tree; also bounds the recursion of the compiled closures

_GRAMMAR = r"""
?start: either
?either: both ("or" both)*                 -> either
?both: equality ("and" equality)*          -> both
?equality: order | equality EQ order       -> binary
?order: sum | order LT sum                 -> binary
?sum: product | sum PM product             -> binary
?product: minus | product MUL minus        -> binary
?minus: union | "-" minus                  -> negate
?union: atom ("|" atom)*                   -> union
?atom: NUMBER                              -> number
     | TEXT                                -> text
     | DOT                                 -> here
     | REFERENCE brackets tail             -> from_name
     | NAME brackets tail                  -> from_child
     | DOTDOT brackets tail                -> from_above
     | DOT "/" steps                       -> from_here
     | "/" steps                           -> from_top
     | CURRENT "(" ")" tail                -> from_current
     | INSTANCE "(" TEXT ")" brackets tail -> from_instance
     | FUNCTION "(" [either ("," either)*] ")" -> call
     | "(" either ")"
tail: ("/" step)*
steps: step ("/" step)*                    -> tail
step: (NAME | DOTDOT | DOT) brackets
brackets: ("[" either "]")*

EQ: "!=" | "="
LT: "<=" | ">=" | "<" | ">"
PM: "+" | "-"
MUL: "*" | /div(?![\w.\-])/ | /mod(?![\w.\-])/
NUMBER.3: /[0-9]+(\.[0-9]*)?|\.[0-9]+/
DOTDOT.2: ".."
DOT: "."
TEXT: /"[^"]*"|'[^']*'/
REFERENCE: /\$\{\s*[^{}\s]+\s*\}/
CURRENT.3: /current(?=\s*\()/
INSTANCE.3: /instance(?=\s*\()/
FUNCTION.1: /[^\W\d][\w.:\-]*(?=\s*\()/
NAME: /[^\W\d][\w.\-]*/
%ignore /[\s\u00a0\u200b]+/
"""


class ExpressionError(ValueError):
    """An expression that cannot be used: `sentence` says why and how to mend it, `position` counts from 0."""

    def __init__(self, sentence: Text, position: int = 0) -> None:
        self.sentence = sentence
        self.position = position
        super().__init__("expression")


class NotOffered(ExpressionError):
    """The expression is right by the standard and names a function that is not computed here (chance, maps, sums)."""


@v_args(inline=True)
class _Build(Transformer[Token, Tree]):
    """Builds the tree while parsing, so that nothing recurses over deep input."""

    def number(self, token: Token) -> Tree:
        return Number(float(token), _at(token))

    def text(self, token: Token) -> Tree:
        return Literal(str(token)[1:-1], _at(token))

    def reference(self, token: Token) -> Tree:
        return Reference(str(token)[2:-1].strip(), _at(token))

    def here(self, token: Token) -> Tree:
        return Here(_at(token))

    def brackets(self, *rules: Tree) -> tuple[Tree, ...]:
        return rules

    def step(self, name: Token, where: tuple[Tree, ...]) -> Step:
        return Step(str(name), where)

    def tail(self, *steps: Step) -> tuple[Step, ...]:
        return steps

    def from_name(self, token: Token, where: tuple[Tree, ...], steps: tuple[Step, ...]) -> Tree:
        name = str(token)[2:-1].strip()
        return Path("name", name, where, steps, _at(token)) if where or steps else Reference(name, _at(token))

    def from_child(self, token: Token, where: tuple[Tree, ...], steps: tuple[Step, ...]) -> Tree:
        if where or steps:
            return Path("", steps=(Step(str(token), where), *steps), at=_at(token))
        return Column(str(token), _at(token))

    def from_above(self, token: Token, where: tuple[Tree, ...], steps: tuple[Step, ...]) -> Tree:
        return Path("", steps=(Step("..", where), *steps), at=_at(token))

    def from_here(self, token: Token, steps: tuple[Step, ...]) -> Tree:
        return Path("", steps=(Step("."), *steps), at=_at(token))

    def from_top(self, steps: tuple[Step, ...]) -> Tree:
        return Path("/", steps=steps)

    def from_current(self, token: Token, steps: tuple[Step, ...]) -> Tree:
        return Path("current", steps=steps, at=_at(token))

    def from_instance(self, token: Token, name: Token, where: tuple[Tree, ...], steps: tuple[Step, ...]) -> Tree:
        return Path("instance", str(name)[1:-1], where, steps, _at(token))

    def union(self, *parts: Tree) -> Tree:
        return parts[0] if len(parts) == 1 else Operation("|", parts, parts[0].at)

    def negate(self, part: Tree) -> Tree:
        return Number(-part.value, part.at) if isinstance(part, Number) else Operation("-", (part,), part.at)

    def binary(self, left: Tree, sign: Token, right: Tree) -> Tree:
        return Operation(str(sign), (left, right), _at(sign))

    def either(self, *parts: Tree) -> Tree:
        return parts[0] if len(parts) == 1 else Operation("or", parts, parts[0].at)

    def both(self, *parts: Tree) -> Tree:
        return parts[0] if len(parts) == 1 else Operation("and", parts, parts[0].at)

    def call(self, name: Token, *parts: Tree | None) -> Tree:
        return Call(str(name), tuple(part for part in parts if part is not None), _at(name))


def _at(token: Token) -> int:
    return token.start_pos or 0


_PARSER = Lark(_GRAMMAR, parser="lalr", transformer=_Build(), maybe_placeholders=True)


def parse(source: str, *, filtering: bool = False) -> Tree:
    """Parse an expression and check all that needs no questionnaire: functions, number of arguments, patterns.

    `filtering` allows bare names (columns of the choice list). Raises: ExpressionError.
    """
    tree, problems = judge(source, filtering=filtering)
    if problems or tree is None:
        raise problems[0]
    return tree


@lru_cache(maxsize=4096)
def judge(source: str, *, filtering: bool = False) -> tuple[Tree | None, tuple[ExpressionError, ...]]:
    """Return the tree of an expression, None when it cannot be read, and everything that is wrong with it."""
    if len(source) > MAX_LENGTH:
        too_long = _l("This expression is too long: at most %(limit)s characters. Please split it.", limit=MAX_LENGTH)
        return None, (ExpressionError(too_long),)
    try:
        tree: Any = _PARSER.parse(source)
    except UnexpectedInput as trouble:
        return None, (_explained(source, trouble),)
    except (VisitError, RecursionError):
        return None, (ExpressionError(_too_deep()),)
    if depth(tree) > MAX_DEPTH:
        return None, (ExpressionError(_too_deep()),)
    found: list[ExpressionError] = []
    for node, columns, inside in _places(tree, columns=filtering):
        try:
            _check(node, columns=columns, inside=inside)
        except ExpressionError as wrong:
            found.append(wrong)
    return tree, tuple(found)


def _places(tree: Tree, *, columns: bool) -> Iterator[tuple[Tree, bool, bool]]:
    """Yield each node with: may bare names stand here? does it stand in brackets?"""
    waiting = [(tree, columns, False)]
    while waiting:
        node, may, inside = waiting.pop()
        yield node, may, inside
        bracketed = isinstance(node, Path)
        waiting.extend((part, may or bracketed, inside or bracketed) for part in reversed(parts_of(node)))


def _too_deep() -> Text:
    return _l("This expression is nested too deeply. Please split it, for example with a “calculate” question.")


def _check(node: Tree, *, columns: bool, inside: bool) -> None:
    match node:
        case Number(value=value) if not math.isfinite(value):
            raise ExpressionError(_l("This number is too large."), node.at)
        case Column() if not columns:
            raise ExpressionError(
                _l(
                    "“%(name)s” stands alone. If it is a question, write ${%(name)s}; if it is a text, write "
                    "'%(name)s'.",
                    name=node.name,
                ),
                node.at,
            )
        case Path() if inside and (node.start == "instance" or any(parts_of(node))):
            raise ExpressionError(
                _l("Brackets [..] cannot stand in brackets; please compute it in two steps."), node.at
            )
        case Call():
            _check_call(node, inside=inside)


def _check_call(node: Call, *, inside: bool) -> None:
    function = FUNCTIONS.get(node.name)
    if function is None:
        trouble = NotOffered if node.name in CHANCE | ELSEWHERE else ExpressionError
        raise trouble(_not_known(node.name), node.at)
    if inside and node.name in OVER_ROWS | {"pulldata", "indexed-repeat"}:
        raise ExpressionError(
            _l("%(name)s() cannot stand in brackets [..]; please compute it in two steps.", name=node.name), node.at
        )
    if len(node.parts) < function.least or (function.most is not None and len(node.parts) > function.most):
        raise ExpressionError(
            _l(
                "The function %(name)s() is written %(usage)s, but here it has %(count)s arguments.",
                name=node.name,
                usage=function.usage,
                count=len(node.parts),
            ),
            node.at,
        )
    if node.name == "regex":
        _check_pattern(node)
    if node.name == "pulldata" and not all(isinstance(part, Literal) for part in node.parts[:3]):
        raise ExpressionError(
            _l("Table, column and key column of pulldata() must be written as texts in quotation marks."), node.at
        )


def _not_known(name: str) -> Text:
    if name in CHANCE:
        return _l("%(name)s() is not used here: the same answers must always give the same result.", name=name)
    if name in ELSEWHERE:
        return _l("%(name)s() is not offered in this portal: it has no maps and computes no checksums.", name=name)
    near = difflib.get_close_matches(name.lower(), [*FUNCTIONS, *ALIASES], n=1, cutoff=0.6)
    if not near:
        return _l("The function %(name)s() is not known here.", name=name)
    right = ALIASES.get(near[0], near[0])
    return _l("The function %(name)s() is not known here. Did you mean %(right)s()?", name=name, right=right)


def _check_pattern(node: Call) -> None:
    pattern = node.parts[1]
    if not isinstance(pattern, Literal):
        raise ExpressionError(_l("The pattern of regex() must be written as a text in quotation marks."), node.at)
    refused = refused_pattern(pattern.value)
    if refused:
        raise ExpressionError(_l("The pattern of regex() cannot be used: %(reason)s.", reason=refused), pattern.at)


def _explained(source: str, trouble: UnexpectedInput) -> ExpressionError:
    """Say what is wrong where, with the usual slips named."""
    found: int | None = getattr(trouble, "pos_in_stream", None)
    position = len(source) if found is None or found < 0 else found
    rest, around = source[position:], source[max(0, position - 1) :]
    sentence: Text = _l(
        "The expression cannot be read from “%(rest)s” on (character %(position)s).",
        rest=rest[:20],
        position=position + 1,
    )
    slip = next((slip for slip in _SLIPS if rest.startswith(slip) or around.startswith(slip)), None)
    if not source.strip():
        sentence = _l("The expression is empty.")
    elif rest[:1] in tuple("“”‘’"):
        sentence = _l("Please write straight quotation marks (' or \") instead of curly ones.")
    elif slip:
        right = _SLIPS[slip]
        sentence = _l("“%(slip)s” is not known in XLSForm; please write %(right)s", slip=slip.strip(), right=right)
    elif rest[:1] == "*" and around[:1] in ("/", "["):
        sentence = _l("“*” cannot stand in a path; please name the question.")
    elif not rest.strip() or getattr(trouble, "token", None) == "":
        position = len(source)
        sentence = _l("The expression ends too early: something is missing, perhaps a closing bracket.")
    elif re.search(r"\bnot\s*\Z", source[:position]):
        sentence = _l("“%(slip)s” is not known in XLSForm; please write %(right)s", slip="not", right="not(...)")
    elif rest[:1] in ("$", "{") and not _NAMED.match(rest):
        sentence = _l("A question is named as ${name}: a dollar sign and curly brackets, no spaces in the name.")
    elif rest[:1] in ("'", '"') and rest[0] not in rest[1:]:
        sentence = _l("A quotation mark is not closed.")
    return ExpressionError(sentence, position)
