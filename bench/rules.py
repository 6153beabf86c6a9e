"""How long the rules of a questionnaire take: in Python and, with --browser, in Chromium.

Run by hand: ``.venv/bin/python bench/rules.py [--questions 500] [--runs 50] [--browser]``. Prints one line per
figure: the median and the worst of the runs (in Python of processor time). Goals (docs/decisions/0013): all rules of
500 questions under 10 ms in Python and 5 ms in the browser; a keystroke to a shown question under 50 ms; a table of 200
rows under 50 ms; one hostile rule or pattern under 100 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from forms.answers import AnswerKey, Given, TableRow  # noqa: E402 - the path comes first
from forms.browser import browser_rules  # noqa: E402
from forms.context import Context  # noqa: E402
from forms.definition.model import Choice, Definition, Item  # noqa: E402
from forms.evaluation import evaluate  # noqa: E402
from forms.expressions import compile_tree, judge  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser

CONTEXT = Context(date(2022, 5, 9))
STATES = (Choice("done", {"en": "Done"}), Choice("part", {"en": "Partly"}))
HOSTILE = [
    "(" * 4999 + "1",
    "-" * 9900 + "1",
    "concat(" * 1400 + "1",
    "1" * 1_000_000,
    "1 or " * 1900 + "1",
    "a[" * 3000,
]


def flat(questions: int) -> tuple[Definition, dict[AnswerKey, Given]]:
    """Return a questionnaire in which four of five questions have a rule, and answers to all."""
    items: list[Item] = []
    for n in range(questions):
        before = f"${{q{n - n % 5}}}"
        rules: dict[str, str] = [
            {},
            {"relevant": f"selected({before}, 'part') or {before} = ''", "required": "yes"},
            {"constraint": f". >= 0 and . <= 100 or {before} = 'done'", "relevant": f"{before} != 'none'"},
            {"calculation": f"if({before} = 'part', coalesce(${{q{n - 1}}}, 0) * 1.5 + {n}, round({n} div 7, 2))"},
            {"relevant": f"${{q{n - 1}}} > 3 and count-selected({before}) = 1", "required": f"{before} = 'part'"},
        ][n % 5]
        kind = ["select_one", "integer", "integer", "calculate", "integer"][n % 5]
        items.append(Item(None, "question", f"q{n}", kind, choices=STATES if n % 5 == 0 else (), **rules))
    pages = tuple(Item(None, "section", f"p{n}", children=tuple(items[n : n + 20])) for n in range(0, questions, 20))
    answers = {AnswerKey(f"q{n}"): Given("part" if n % 5 == 0 else n % 90) for n in range(questions) if n % 5 != 3}
    return Definition(None, "flat", None, {"en": "Flat"}, ("en",), "en", pages), answers


def table(rows: int) -> tuple[Definition, dict[AnswerKey, Given], dict[str, list[TableRow]]]:
    """Return a table of five columns with a rule each and a row total, and answers to all its cells."""
    columns = (
        Item(None, "question", "kind", "select_one", choices=STATES),
        Item(None, "question", "men", "integer", relevant="${kind} = 'part'", required="yes"),
        Item(None, "question", "women", "integer", constraint=". <= 1000"),
        Item(None, "question", "all", "calculate", calculation="coalesce(${men}, 0) + coalesce(${women}, 0)"),
        Item(None, "question", "number", "calculate", calculation="position(..)"),
    )
    whole = Item(None, "repeat", "t", children=columns)
    total = Item(None, "question", "total", "calculate", calculation="sum(${all})")
    page = Item(None, "section", "p", children=(whole, total))
    definition = Definition(None, "table", None, {"en": "Table"}, ("en",), "en", (page,))
    answers: dict[AnswerKey, Given] = {}
    for n in range(rows):
        answers[AnswerKey("kind", f"r{n}")] = Given("part" if n % 2 else "done")
        answers[AnswerKey("men", f"r{n}")] = Given(n)
        answers[AnswerKey("women", f"r{n}")] = Given(n * 2)
    return definition, answers, {"t": [TableRow(f"r{n}") for n in range(rows)]}


def measured(what: str, runs: int, work: Callable[[], object]) -> None:
    """Print the median and the worst time of some runs, in milliseconds."""
    taken = []
    for _ in range(runs):
        began = time.process_time()
        work()
        taken.append((time.process_time() - began) * 1000)
    print(f"{what}: {statistics.median(taken):.2f} ms (worst {max(taken):.2f}, {runs} runs)")


def in_python(questions: int, runs: int) -> None:
    """Measure the evaluator of the server."""
    whole, answers = flat(questions)
    evaluate(whole, answers, CONTEXT)
    measured(f"Python, all rules of {questions} questions", runs, lambda: evaluate(whole, answers, CONTEXT))
    grid, cells, rows = table(200)
    evaluate(grid, cells, CONTEXT, rows)
    measured("Python, a table of 200 rows with five columns", runs, lambda: evaluate(grid, cells, CONTEXT, rows))
    for source in HOSTILE:
        judge.cache_clear()
        measured(f"Python, hostile rule {source[:10]}...", 1, lambda source=source: judge(source, filtering=True))
    for pattern in ("(a+)+b", "(.*)(.*)(.*)(.*)x"):
        tree, _ = judge(f"regex('{'a' * 9000}', '{pattern}')")
        if tree is not None:
            rule = compile_tree(tree)
            measured(f"Python, hostile pattern {pattern}", 1, lambda rule=rule: rule(None))


IN_BROWSER = """([rules, values, rows, typed, runs]) => {
  const {Engine} = globalThis.tamdanRules;
  const engine = new Engine(rules, {today: "2022-05-09"});
  engine.place(rows);
  const asked = new Set(rules.asked);
  const answer = (code, row) => asked.has(code) ? values[row ? `${code}[${row}]` : code] ?? "" : undefined;
  const all = [], one = [];
  for (let run = 0; run < runs; run += 1) {
    let began = performance.now();
    engine.compute(answer);
    all.push(performance.now() - began);
    began = performance.now();
    engine.compute(answer, new Set([typed]));
    one.push(performance.now() - began);
  }
  const middle = (list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)];
  return [[middle(all), Math.max(...all)], [middle(one), Math.max(...one)]];
}"""


def in_browser(questions: int, runs: int) -> None:
    """Measure the evaluator of the browser, without a server."""
    from playwright.sync_api import sync_playwright

    whole, answers = flat(questions)
    grid, cells, rows = table(200)
    scripts = "\n".join((ROOT / "portal/static/js" / name).read_text() for name in ("expressions.js", "engine.js"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.add_script_tag(content=scripts, type="module")
        for what, definition, given, placed, typed in (
            (f"all rules of {questions} questions", whole, answers, {}, "q0"),
            ("a table of 200 rows with five columns", grid, cells, rows, "women"),
        ):
            values = {f"{key.code}[{key.row}]" if key.row else key.code: str(one.value) for key, one in given.items()}
            rules = json.loads(json.dumps(browser_rules(definition, "en")))
            sent = [rules, values, {code: [list(row) for row in found] for code, found in placed.items()}, typed, runs]
            for part, (middle, worst) in zip(
                (what, f"one answer of {what}"), page.evaluate(IN_BROWSER, sent), strict=True
            ):
                print(f"Chromium, {part}: {middle:.2f} ms (worst {worst:.2f}, {runs} runs)")
        typing(browser, whole, runs)
        browser.close()


KEYSTROKES = """([name, values, runs]) => {
  const field = document.getElementsByName(name)[0], taken = [];
  for (let run = 0; run < runs; run += 1) {
    field.value = values[run % values.length];
    const began = performance.now();
    field.dispatchEvent(new Event("input", {bubbles: true}));
    document.body.offsetHeight;
    taken.push(performance.now() - began);
  }
  taken.sort((a, b) => a - b);
  return [taken[Math.floor(runs / 2)], taken[runs - 1]];
}"""


def typing(browser: Browser, definition: Definition, runs: int) -> None:
    """Measure from a keystroke to the page laid out again, on a page that holds all questions."""
    page = browser.new_page()
    scripts = [
        (ROOT / "portal/static/js" / name).read_text() for name in ("expressions.js", "engine.js", "relevance.js")
    ]
    asked = "".join(
        f'<div class="question" data-item="{item.code}"><p data-error hidden><span></span></p>'
        f'<input name="{item.code}"></div>'
        for item in definition.questions()
    )
    body = f'<form data-rules="/rules" data-today="2022-05-09">{asked}</form>'
    script = f'<script type="module">{"".join(scripts)};document.title = "read";</script>'
    page.route("**/*", lambda route: route.fulfill(body=f"<!doctype html>{body}{script}", content_type="text/html"))
    rules = json.dumps(browser_rules(definition, "en"))
    page.route("**/rules", lambda route: route.fulfill(body=rules, content_type="application/json"))
    with page.expect_response("**/rules"):
        page.goto("http://bench.invalid/")
    page.wait_for_timeout(500)
    for slow in (1, 6):
        page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": slow})
        middle, worst = page.evaluate(KEYSTROKES, ["q0", ["part", "done", ""], runs])
        shown = (
            f"Chromium slowed {slow} times, a keystroke to shown questions, {len(definition.questions())} on the page"
        )
        print(f"{shown}: {middle:.2f} ms (worst {worst:.2f}, {runs} runs)")


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--questions", type=int, default=500)
    asked.add_argument("--runs", type=int, default=50)
    asked.add_argument("--browser", action="store_true")
    options = asked.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    in_python(options.questions, options.runs)
    if options.browser:
        in_browser(options.questions, options.runs)


if __name__ == "__main__":
    main()
