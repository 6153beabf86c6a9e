"""The shared vectors: every one of them runs here and, from the same files, in the browser."""

from __future__ import annotations

import json

import pytest

from forms.expressions import ExpressionError, parse, text
from tests.vectors import vectors

REFUSED = json.loads((vectors.HERE / "refused.json").read_text(encoding="utf-8"))
KINDS = {bool: "truth", float: "number", str: "text"}


@pytest.mark.parametrize("vector", [*vectors.flat(), *vectors.in_tables()], ids=lambda vector: vector.name)
def test_vector(vector):
    result = vector.run()
    assert (KINDS[type(result)], text(result)) == (vector.kind, vector.expect)


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: vector["source"][:40])
def test_refused_with_a_sentence(vector):
    with pytest.raises(ExpressionError) as refused:
        parse(vector["source"])
    assert vector["says"] in str(refused.value.sentence)
    assert 0 <= refused.value.position <= len(vector["source"])
