"""The expression vectors in Chromium: relevance.js and Python say the same, or the script leaves it to the server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forms.expressions import parse, to_json

pytestmark = pytest.mark.browser

FILE = json.loads((Path(__file__).parents[1] / "vectors" / "expressions.json").read_text(encoding="utf-8"))
# the time of day, patterns, other rows and other questions' choices are the server's; the script knows all else
SERVER_ONLY = {"now", "regex", "position", "jr:choice-name", "format-date-time"}

RUN = """([vectors, today]) => vectors.map(({tree, values, here}) => {
  const {evaluate, text} = globalThis.tamdanExpressions;
  try {
    const result = evaluate(tree, {value: (name) => values[name] ?? "", here, today});
    return [{boolean: "truth", number: "number", string: "text"}[typeof result], text(result)];
  } catch (error) {
    return ["left to the server", error.constructor.name];
  }
})"""


def test_every_vector_agrees_with_python(visit, scene):
    visitor = visit()
    page = visitor.sign_in(scene.focal)
    page.goto(scene.first)
    vectors = FILE["vectors"]
    sent = [{"tree": to_json(parse(one["source"])), "values": one["values"], "here": one["here"]} for one in vectors]
    ran, wrong = 0, []
    for vector, tree, (kind, said) in zip(vectors, sent, page.evaluate(RUN, [sent, FILE["today"]]), strict=True):
        if kind == "left to the server" and said == "Unknown" and calls(tree["tree"]) & SERVER_ONLY:
            continue
        ran += 1
        if (kind, said) != (vector["kind"], vector["expect"]):
            wrong.append(f"{vector['source']}: {kind} {said!r}, not {vector['kind']} {vector['expect']!r}")
    assert not wrong, "\n".join(wrong)
    assert ran > 100


def calls(tree):
    """Return the functions that a tree calls."""
    if not isinstance(tree, list):
        return set()
    mine = {tree[1]} if tree[0] == "call" else set()
    return mine.union(*(calls(part) for part in tree[1:]))
