"""The expression vectors in Chromium: the scripts and Python say the same, or the script leaves it to the server."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from forms.browser import browser_rules
from tests import tables
from tests.journeys.browsers import WIDE
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


def test_rows_are_judged_while_typing_with_the_server_out_of_reach(served, visit):
    with served.session() as session:
        scene = tables.scene(session)
    visitor = visit(size=WIDE)
    visitor.allow("422")  # what was held is sent when the page is left, mistakes and all
    page = visitor.let_in(served.session_of(scene.focal))
    page.goto(scene.path)
    page.wait_for_load_state("networkidle")
    page.route(f"**{scene.path}", lambda route: None)  # held for ever: what is seen is the browser's own work
    # a matrix: totals and a constraint of the same row
    page.fill("[name='received[f]']", "10")
    page.fill("[name='received[m]']", "១២")
    expect(page.locator("[data-total='received[]']")).to_have_text("22")
    page.fill("[name='convicted[f]']", "11")
    expect(page.locator("[data-item='convicted[f]'] [data-error]")).to_be_hidden()  # not in the middle of a word
    page.locator("[name='convicted[f]']").blur()
    expect(page.locator("[data-item='convicted[f]'] [data-error]")).to_be_visible()
    page.fill("[name='convicted[f]']", "9")
    expect(page.locator("[data-item='convicted[f]'] [data-error]")).to_be_hidden()
    # a repeat: a new row, its row total, the column's sum, and a question that appears in this row alone
    page.locator("button[value='add:b5[]']").click()  # one stands there to begin with
    rows = page.locator("[data-table=b5] tbody tr[data-row]")
    expect(rows).to_have_count(2)
    first, second = rows.nth(0), rows.nth(1)
    first.locator("input[name^='women[']:not([type=hidden])").fill("3")
    first.locator("input[name^='men[']:not([type=hidden])").fill("4")
    second.locator("input[name^='women[']:not([type=hidden])").fill("5")
    expect(first.locator("[data-computed^='reached[']")).to_have_text("7")
    expect(page.locator("[data-total='reached[]']")).to_have_text("12")
    expect(first.locator(".entry[data-item^='sites[']")).to_be_hidden()
    first.locator("select[name^='place[']").select_option("kandal")
    expect(first.locator(".entry[data-item^='sites[']")).to_be_visible()
    expect(second.locator(".entry[data-item^='sites[']")).to_be_hidden()
    # a rule outside the table follows its rows
    page.fill("[name='people']", "11")
    page.locator("[name='people']").blur()
    expect(page.locator("#q-people-error")).to_be_visible()
    page.fill("[name='people']", "12")
    expect(page.locator("#q-people-error")).to_be_hidden()
    page.unroute_all(behavior="ignoreErrors")
