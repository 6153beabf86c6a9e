"""From the text of an expression to its tree: XPath 1.0 as XLSForm uses it, without paths."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import VisitError

from forms.expressions.functions import FUNCTIONS
from forms.expressions.patterns import refused_pattern
from forms.expressions.tree import Call, Column, Here, Literal, Number, Operation, Reference, Tree, depth, walk

if TYPE_CHECKING:
    from forms.answers import Text

_SLIPS = {"==": "=", "&&": "and", "||": "or", "<>": "!=", "!": "not(...)"}

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
?minus: atom | "-" minus                   -> negate
?atom: NUMBER                              -> number
     | TEXT                                -> text
     | REFERENCE                           -> reference
     | DOTDOT                              -> up
     | DOT                                 -> here
     | FUNCTION "(" [either ("," either)*] ")" -> call
     | NAME                                -> column
     | "(" either ")"

EQ: "!=" | "="
LT: "<=" | ">=" | "<" | ">"
PM: "+" | "-"
MUL: "*" | /div(?![\w.\-])/ | /mod(?![\w.\-])/
NUMBER.3: /[0-9]+(\.[0-9]*)?|\.[0-9]+/
DOTDOT.2: ".."
DOT: "."
TEXT: /"[^"]*"|'[^']*'/
REFERENCE: /\$\{\s*[^{}\s]+\s*\}/
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


@v_args(inline=True)
class _Build(Transformer[Token, Tree]):
    """Builds the tree while parsing, so that nothing recurses over deep input."""

    def number(self, token: Token) -> Tree:
        return Number(float(token), _at(token))

    def text(self, token: Token) -> Tree:
        return Literal(str(token)[1:-1], _at(token))

    def reference(self, token: Token) -> Tree:
        return Reference(str(token)[2:-1].strip(), _at(token))

    def column(self, token: Token) -> Tree:
        return Column(str(token), _at(token))

    def here(self, token: Token) -> Tree:
        return Here(up=False, at=_at(token))

    def up(self, token: Token) -> Tree:
        return Here(up=True, at=_at(token))

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


@lru_cache(maxsize=4096)
def parse(source: str, *, filtering: bool = False) -> Tree:
    """Parse an expression and check all that needs no questionnaire: functions, number of arguments, patterns.

    `filtering` allows bare names (columns of the choice list). Raises: ExpressionError.
    """
    if len(source) > MAX_LENGTH:
        raise ExpressionError(
            _l("This expression is too long: at most %(limit)s characters. Please split it.", limit=MAX_LENGTH)
        )
    try:
        tree: Any = _PARSER.parse(source)
    except UnexpectedInput as trouble:
        raise _explained(source, trouble) from None
    except (VisitError, RecursionError):
        raise ExpressionError(_too_deep()) from None
    if depth(tree) > MAX_DEPTH:
        raise ExpressionError(_too_deep())
    allowed = [part for node in walk(tree) if isinstance(node, Call) and node.name == "position" for part in node.parts]
    for node in walk(tree):
        _check(node, filtering=filtering)
        if isinstance(node, Here) and node.up and node not in allowed:
            raise ExpressionError(_l("“..” can stand only in position(..)."), node.at)
    return tree  # type: ignore[no-any-return] # lark is untyped here


def _too_deep() -> Text:
    return _l("This expression is nested too deeply. Please split it, for example with a “calculate” question.")


def _check(node: Tree, *, filtering: bool) -> None:
    if isinstance(node, Column) and not filtering:
        raise ExpressionError(
            _l(
                "“%(name)s” stands alone. If it is a question, write ${%(name)s}; if it is a text, write '%(name)s'.",
                name=node.name,
            ),
            node.at,
        )
    if not isinstance(node, Call):
        return
    function = FUNCTIONS.get(node.name)
    if function is None:
        raise ExpressionError(_l("The function %(name)s() is not known here.", name=node.name), node.at)
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
        sentence = _l("“%(slip)s” is not known in XLSForm; please write %(right)s", slip=slip, right=_SLIPS[slip])
    elif rest[:1] in ("/", "["):
        sentence = _l("Paths such as ../name are not known here; please write ${name}.")
    elif not rest.strip() or getattr(trouble, "token", None) == "":
        position = len(source)
        sentence = _l("The expression ends too early: something is missing, perhaps a closing bracket.")
    elif rest[:1] in ("'", '"'):
        sentence = _l("A quotation mark is not closed.")
    return ExpressionError(sentence, position)
