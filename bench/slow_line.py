"""Measures the answering page on a slow line in Chromium: `python bench/slow_line.py`.

Drives a running portal, by default the demo at its own address (`python3 -m portal demo`), at 390 px with Chrome's own
`Network.emulateNetworkConditions`: "Slow 3G" (400 ms, 400 kbit/s) and "3G" (300 ms, 1.6 Mbit/s). Each run begins with
an empty cache. Prints, for each step, the bytes that came over the line (heads and compressed bodies) and the seconds
from the click until somebody can type: the field is there and its script saves what is written. Needs the packages of
the tests (Playwright) and Chromium; the demo's log-ins stand in its data folder.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

FIELD = "form[data-autosave] :is(textarea, input[type=text], input[type=radio]):not([readonly], :disabled)"
TYPING = f".has-script {FIELD}"


class Clock:
    """Seconds and bytes of one step."""

    def __init__(self, wire: Any, found: dict[str, list[tuple[float, int]]], page: Any) -> None:
        self.wire, self.found, self.page = wire, found, page

    def step(self, name: str, act: Any, ready: Any) -> None:
        """Do something and wait until it is ready, then until the line is quiet."""
        self.wire.forget()
        began = time.perf_counter()
        act()
        ready()
        took = time.perf_counter() - began
        self.page.wait_for_load_state("networkidle")
        self.found[name].append((took, self.wire.bytes))
        if self.wire.told() and name in SHOWN:
            print(f"    {name}:\n{self.wire.told()}")


SHOWN: set[str] = set()


def visit(browser: Any, given: argparse.Namespace, pace: Any, found: dict[str, list[tuple[float, int]]]) -> None:
    """Walk from the log-in page to a second page of a reply, with an empty cache."""
    from tests.journeys.browsers import PHONE
    from tests.journeys.wire import Wire

    context = browser.new_context(base_url=given.url, viewport=PHONE, locale="km")
    page = context.new_page()
    page.set_default_timeout(120_000)
    wire = Wire(page)
    wire.slow_down(pace)
    clock = Clock(wire, found, page)

    def open_for_typing() -> None:
        page.wait_for_selector(TYPING, state="attached")

    clock.step(
        "log-in page",
        lambda: page.goto("/login", wait_until="commit"),
        lambda: page.wait_for_selector("[name=password]"),
    )
    page.fill("[name=email]", given.login)
    page.fill("[name=password]", given.password)
    clock.step(
        "what I owe",
        lambda: page.click("main form button[type=submit]", no_wait_after=True),
        lambda: page.wait_for_selector(".owed-row .btn"),
    )
    answer = page.locator(".owed-row .btn-primary").first
    clock.step("first questions", lambda: answer.click(no_wait_after=True), open_for_typing)
    here = page.locator(".steps a").evaluate_all("all => all.map((one) => one.href)")
    other = next((one for one in here if not page.url.startswith(one)), None)
    if other:
        clock.step("second page", lambda: page.goto(other, wait_until="commit"), open_for_typing)
    area = page.locator("form[data-autosave] textarea:visible").first

    def write() -> None:
        area.press_sequentially("ចម្លើយ")

    clock.step("a save, after the last letter", write, lambda: page.wait_for_selector(".save-status[data-state=saved]"))
    clock.step("the same page again", lambda: page.reload(wait_until="commit"), open_for_typing)
    context.close()


def main() -> None:
    """Run everything, one line after the other."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--url", default="http://127.0.0.1:8000")
    arguments.add_argument("--login", default="focal.moi")
    arguments.add_argument("--password", required=True)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--show", action="append", default=[], help="a step whose files are listed")
    given = arguments.parse_args()
    SHOWN.update(given.show)
    from playwright.sync_api import sync_playwright

    from tests.journeys.browsers import FLAGS, find_chromium
    from tests.journeys.wire import FAST_3G, SLOW_3G

    machine = platform.processor() or platform.machine()
    print(f"{machine}, {os.cpu_count()} cores, Python {platform.python_version()}, {given.runs} runs")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        for pace in (SLOW_3G, FAST_3G):
            found: dict[str, list[tuple[float, int]]] = defaultdict(list)
            for _ in range(given.runs):
                visit(browser, given, pace, found)
            print(f"{pace.name}: {pace.latency} ms, {pace.kilobits} kbit/s")
            first = 0
            for name, runs in found.items():
                took, size = statistics.median(one[0] for one in runs), statistics.median(one[1] for one in runs)
                print(f"  {name:<30} {size / 1000:7.1f} kB {took:6.1f} s")
                first += int(size) if name in ("log-in page", "what I owe", "first questions") else 0
            print(f"  {'first visit in all':<30} {first / 1000:7.1f} kB")
        browser.close()


if __name__ == "__main__":
    main()
