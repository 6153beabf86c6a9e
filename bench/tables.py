"""Measures the page of a table of 200 rows in Chromium on a slow phone: `python bench/tables.py`.

Starts `serve` on loopback with a fresh SQLite data folder, fills a table of 200 rows by ten columns through the gate,
and opens its page at 390 px with the processor slowed down (Chrome's own `Emulation.setCPUThrottlingRate`). Prints the
page's weight, how long the server and the browser take to show it, and the time from a key to the next picture: for
letters in a text, digits in a number, and adding a row. Needs the packages of the tests (Playwright) and Chromium.
"""

from __future__ import annotations

import argparse
import gzip
import os
import platform
import statistics
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.ground import Portal, portal  # noqa: E402 - the checkout has to be found first

# the time until a picture that shows the key was handed to the compositor
WATCH = """() => {
  window.keys = [];
  addEventListener("keydown", (event) => {
    const began = event.timeStamp;
    requestAnimationFrame(() => {
      const turn = new MessageChannel();
      turn.port1.onmessage = () => keys.push(performance.now() - began);
      turn.port2.postMessage(0);
    });
  }, true);
}"""


def scene(server: Portal, rows: int) -> tuple[str, str]:
    """Make a reply whose table has that many rows; return the cookie of who answers it, and the page."""
    from forms.answers import AnswerKey, Parsed
    from forms.context import Context
    from portal.clock import today
    from portal.queries.questionnaires import definition, question_ids
    from portal.queries.submissions import head_by_id
    from portal.services.answer_rows import RowChange
    from portal.services.submissions import Change, save_answers
    from tests import factories, tables

    with server.session() as session:
        made = tables.scene(session)
        head = head_by_id(session, made.reply.id)
        of, by = definition(session, head.version_id), factories.principal(session, made.focal)
        cells = {
            AnswerKey(code, tables.key(number), lang): Change(Parsed(value=value), 0)
            for number in range(1, rows + 1)
            for code, lang, value in (
                ("activity", "en", f"Training course number {number}"), ("held", "", "2026-03-15"),
                ("place", "", "kandal"), ("women", "", number), ("men", "", number * 2), ("cost", "", "1200.50"),
                ("partners", "", ["un"]), ("sites", "", "District hall"),
            )
        }  # fmt: skip
        added = [RowChange("b5", tables.key(number), position=number, base=0) for number in range(1, rows + 1)]
        context = Context(today=today(), languages=("km", "en"), language="en")
        began = time.perf_counter()
        save_answers(
            session, head, of, question_ids(session, head.version_id), cells, context=context, by=by,
            row_changes=added,
        )  # fmt: skip
        print(f"{len(cells)} cells saved at once (service)  {1000 * (time.perf_counter() - began):8.0f} ms")
    return server.tickets([made.focal])[0].cookie, made.path


def server_time(url: str, path: str, cookie: str, runs: int) -> tuple[float, bytes]:
    """Return the median time in which the server gives the page, and the page."""
    times, body = [], b""
    for _ in range(runs):
        asked = urllib.request.Request(url + path, headers={"Cookie": cookie})
        began = time.perf_counter()
        body = urllib.request.urlopen(asked).read()
        times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times), body


def measure(page: Any, what: str, selector: str, keys: str, slow: int) -> None:
    """Type into a field and print the time from key to picture."""
    page.locator(selector).click()
    page.wait_for_timeout(400)
    page.evaluate("keys.length = 0")
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(120)
    page.wait_for_timeout(300)
    found = sorted(page.evaluate("keys"))
    print(
        f"  {what:<34} {slow}x  median {statistics.median(found):6.1f} ms  p95 {found[int(len(found) * 0.95)]:6.1f} ms"
        f"  worst {found[-1]:6.1f} ms  ({len(found)} keys)"
    )


def main() -> None:
    """Run everything once."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=200)
    arguments.add_argument("--runs", type=int, default=5)
    given = arguments.parse_args()
    from playwright.sync_api import sync_playwright

    from tests.journeys.browsers import FLAGS, PHONE, find_chromium

    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with portal(PORTAL_PROCESSES="1") as server:
        cookie, path = scene(server, given.rows)
        took, body = server_time(server.url, path, cookie, given.runs)
        weight, sent = len(body) / 1024, len(gzip.compress(body, 6)) / 1024
        print(f"page of {given.rows} rows: {weight:.0f} kB, {sent:.0f} kB compressed")
        print(f"server: {took:.0f} ms (median of {given.runs})")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
            context = browser.new_context(base_url=server.url, viewport=PHONE)
            name, _is, value = cookie.partition("=")
            context.add_cookies([{"name": name, "value": value, "url": server.url}])
            page = context.new_page()
            slowed = context.new_cdp_session(page)
            for slow in (1, 4, 6):
                slowed.send("Emulation.setCPUThrottlingRate", {"rate": slow})
                page.goto(path, wait_until="load")
                page.wait_for_timeout(1500)
                shown = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
                print(f"{slow}x slower: page shown after {shown:.0f} ms")
                page.evaluate(WATCH)
                from tests import tables

                middle = tables.key(given.rows // 2)
                measure(page, "letters in a text", f"[name='activity[{middle}]@en']", "abcdefghij klmnop qrs", slow)
                measure(page, "digits in a number", f"[name='men[{middle}]']", "1234567", slow)
                measure(page, "Enter: the next row", f"[name='women[{middle}]']", ["Enter"] * 6, slow)  # type: ignore[arg-type] # names of keys
                last = tables.key(given.rows)
                measure(page, "Enter in the last row: a new row", f"[name='women[{last}]']", ["Enter"] * 3, slow)  # type: ignore[arg-type] # likewise
            browser.close()


if __name__ == "__main__":
    main()
