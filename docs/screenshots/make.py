"""Makes the pictures that README.md shows: starts the demo, signs in by role, looks, and writes small PNG files here.

    .venv/bin/python docs/screenshots/make.py [--only NAME ...]

Needs the test environment (``python3 -m portal test --collect-only`` makes it), Chromium, and for the workbook
LibreOffice and pdftoppm (poppler). The demo lives in a temporary folder and ends with the script; run it again after a
change of the pages. It stands beside its pictures, not in ``bench/`` (it measures nothing) and not in ``tests/`` (a
picture that looks different is no failure).
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MOST = 1_500_000  # bytes of all pictures together: a checkout should stay small
ROUND = "2026-periodic"
DESK, PHONE = (1280, 860), (390, 844)
STARTED_WITHIN = 180  # seconds, the first seeding included
CHROMIUM = ("chromium", "google-chrome", "chromium-browser")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Self

sys.path.insert(0, str(ROOT))


@dataclass(frozen=True)
class Picture:
    """One picture: who looks ("" nobody), in which language, at which size, and how to get there."""

    name: str
    login: str
    language: str
    size: tuple[int, int]
    go: Callable[[Any], object]


def _open_a_started_reply(page: Any) -> None:
    page.goto("/owed")
    page.locator(".owed-row .btn-primary").nth(1).click()
    page.locator(".question").first.scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, document.querySelector('.question').offsetTop - 12)")


PICTURES = (
    Picture("log-in", "", "km", (1280, 620), lambda page: page.goto("/login")),
    Picture("what-i-owe", "focal.moi", "en", DESK, lambda page: page.goto("/owed")),
    Picture("answering-on-a-phone", "focal.moi", "km", PHONE, _open_a_started_reply),
    Picture("sign", "approver.moj", "en", DESK, lambda page: page.goto("/sign")),
    Picture("board", "coordinator", "en", (1280, 1240), lambda page: page.goto(f"/rounds/{ROUND}")),
    Picture("grid", "coordinator", "en", (1280, 1000), lambda page: page.goto(f"/rounds/{ROUND}/grid")),
    Picture("published", "observer", "en", DESK, lambda page: page.goto("/published")),
)


class Demo:
    """The demo as anybody starts it, on a free port, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.data, self.password = folder / "data", secrets.token_hex(8)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        command = ["demo", "--port", str(self.port), "--data", str(self.data), "--password", self.password]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "portal", *command], cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True
        )
        until = time.monotonic() + STARTED_WITHIN
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > until:
                sys.exit("The demo did not start: run `python3 -m portal demo` and see what it says.")
            time.sleep(0.5)
        return self

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:  # noqa: S310 - our own http address
                return bool(answer.status == 200)
        except OSError:
            return False

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)


def look(demo: Demo, pictures: Sequence[Picture]) -> Iterator[Path]:
    """Take the pictures of pages; a new browser context for each person and size."""
    from playwright.sync_api import sync_playwright

    found = os.environ.get("PORTAL_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if not found:
        sys.exit("No Chromium here: install it, or name it in PORTAL_CHROMIUM.")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        for one in pictures:
            width, height = one.size
            context = browser.new_context(base_url=demo.url, viewport={"width": width, "height": height})
            page = context.new_page()
            page.goto("/login")
            if one.login:
                page.fill("[name=email]", one.login)
                page.fill("[name=password]", demo.password)
                page.click("main form button[type=submit]")
                page.wait_for_url(lambda url: "/login" not in url)
            if (switch := page.locator(f".language button[value={one.language}]")).count():
                switch.click()
                page.wait_for_load_state()
            one.go(page)
            page.wait_for_load_state("networkidle")
            path = HERE / f"{one.name}.png"
            page.screenshot(path=path)
            context.close()
            yield path
        browser.close()


def draw_reading_sheet(demo: Demo, folder: Path) -> Path:
    """Make the round's workbook, keep one reading sheet of it, and let LibreOffice draw its first page."""
    import openpyxl

    whole, alone, made = folder / "round.xlsx", folder / "sheet.xlsx", HERE / "reading-sheet"
    environment = os.environ | {"PORTAL_DATA_DIR": str(demo.data)}
    command = [sys.executable, "-m", "portal", "workbook", ROUND, "--out", str(whole), "--language", "en"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    book = openpyxl.load_workbook(whole)
    reading = max(
        (title for title in book.sheetnames if title.startswith("CCPR ")),
        key=lambda title: sum(len(str(cell.value or "")) for row in book[title].iter_rows(max_row=24) for cell in row),
    )
    for title in book.sheetnames:
        if title != reading:
            del book[title]
    book.save(alone)
    profile = f"-env:UserInstallation=file://{folder}/office"
    subprocess.run(
        ["soffice", "--headless", profile, "--convert-to", "pdf", "--outdir", str(folder), str(alone)],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    first_page = ["-f", "1", "-l", "1", "-singlefile", "-r", "100", "-png"]
    subprocess.run(["pdftoppm", *first_page, str(alone.with_suffix(".pdf")), str(made)], check=True)
    return made.with_suffix(".png")


def main() -> None:
    """Make all pictures, or those named."""
    names = [one.name for one in PICTURES] + ["reading-sheet"]
    asked = argparse.ArgumentParser(description="Makes the pictures of README.md.")
    asked.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    wanted = asked.parse_args().only
    with tempfile.TemporaryDirectory() as folder, Demo(Path(folder)) as demo:
        made = list(look(demo, [one for one in PICTURES if one.name in wanted]))
        if "reading-sheet" in wanted:
            made.append(draw_reading_sheet(demo, Path(folder)))
    for path in made:
        sys.stdout.write(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes\n")
    total = sum(path.stat().st_size for path in HERE.glob("*.png"))
    sys.stdout.write(f"together {total:,} bytes\n")
    if total > MOST:
        sys.exit(f"That is more than {MOST:,}: make fewer or smaller pictures.")


if __name__ == "__main__":
    main()
