"""The expression vectors in Chromium: the scripts and Python say the same, or the script leaves it to the server."""

from __future__ import annotations

import pytest

from forms.browser import browser_rules
from tests.vectors import vectors

pytestmark = pytest.mark.browser

# Only patterns that could run for ever, and tables that are attached to a round, are left to the server.
LEFT_TO_THE_SERVER = ("(a+)+b", "'budget'", "'nowhere'")

RUN = """([given, facts]) => given.map(({rules, vectors}) => {
  const {Engine, text} = globalThis.tamdanRules;
  const engine = new Engine(rules, facts);
  return vectors.map(({tree, owner, at, here, values, rows, hidden}) => {
    engine.place(rows);
    for (const [table, frames] of engine.of) {
      for (const frame of frames) {
        frame.values.clear();
        frame.hidden.clear();
        for (const [code, home] of engine.homes) {
          if (home !== table || engine.tables.has(code)) continue;
          const name = frame.key ? `${code}[${frame.key}]` : code;
          frame.values.set(code, values[name] ?? "");
          if (hidden.includes(name)) frame.hidden.add(code);
        }
      }
    }
    try {
      const result = engine.run(tree, owner, at, here);
      return [{boolean: "truth", number: "number", string: "text"}[typeof result], text(result)];
    } catch (error) {
      return ["left to the server", error.constructor.name];
    }
  });
})"""


def test_every_vector_agrees_with_python(visit, scene):
    visitor = visit()
    page = visitor.sign_in(scene.focal)
    page.goto(scene.first)
    every = [*vectors.flat(), *vectors.in_tables()]
    given = [{"rules": browser_rules(one.definition, "en"), "vectors": [one.for_browser()]} for one in every]
    said = page.evaluate(RUN, [given, {"today": vectors.FLAT["today"], "now": vectors.FLAT["now"]}])
    wrong, left = [], []
    for vector, [(kind, result)] in zip(every, said, strict=True):
        if kind == "left to the server" and result == "Unknown":
            left.append(vector.source)
        elif (kind, result) != (vector.kind, vector.expect):
            wrong.append(f"{vector.name}: {kind} {result!r}, not {vector.kind} {vector.expect!r}")
    assert not wrong, "\n".join(wrong)
    assert not [source for source in left if not any(part in source for part in LEFT_TO_THE_SERVER)]
    assert len(every) - len(left) > 470
