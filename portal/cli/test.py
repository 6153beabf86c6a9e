"""``test``: the test suite, and one line that says what it leaves out."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click

from config import ROOT

MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of this person's own in it
MEMORY_NEEDED = 3_000_000_000  # bytes; the folders take a third of it at most, the rest is for browser and workers


def has_postgresql() -> bool:
    """Say whether a server address is given or PostgreSQL's own programs are on this machine."""
    if os.environ.get("PORTAL_TEST_PG_URL") or shutil.which("initdb"):
        return True
    return any(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


def has_browser() -> bool:
    """Say whether a Chromium can be found."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return bool(os.environ.get("PORTAL_CHROMIUM")) or any(shutil.which(name) for name in names)


def left_out() -> list[str]:
    """Name what the suite cannot run here."""
    wants = {
        "PostgreSQL (no server programs, no PORTAL_TEST_PG_URL)": has_postgresql(),
        "browser (no Chromium)": has_browser(),
        "LibreOffice (no soffice)": bool(shutil.which("soffice")),
    }
    return [name for name, there in wants.items() if not there]


def temporary_in_memory() -> dict[str, str]:
    """Return the variable that lets pytest make its folders in memory, where there is plenty of it.

    A thousand databases are made and thrown away: on a disk, each commit of theirs waits for it.
    """
    if "PYTEST_DEBUG_TEMPROOT" in os.environ or not MEMORY.is_dir() or not os.access(MEMORY, os.W_OK):
        return {}
    told = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(encoding="ascii"))
    free = min(shutil.disk_usage(MEMORY).free, int(told[1]) * 1024 if told else 0)
    return {"PYTEST_DEBUG_TEMPROOT": str(MEMORY)} if free >= MEMORY_NEEDED else {}


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def test(arguments: tuple[str, ...]) -> int:
    """Run pytest with the given arguments; with CI=true nothing may be left out."""
    missing = left_out()
    ci = os.environ.get("CI", "").lower() in {"1", "true"}
    if missing and ci:
        click.echo(f"portal: CI=true, but missing: {'; '.join(missing)}", err=True)
        return 1
    if missing:
        click.echo(f"Left out: {'; '.join(missing)}.")
    # the whole suite is shared by as many workers as there are cores; a chosen part of it starts at once, in one
    workers = [] if arguments else ["-n", str(os.cpu_count() or 1), "--dist", "loadgroup"]
    environment = os.environ | temporary_in_memory()
    return subprocess.call([sys.executable, "-m", "pytest", *workers, *arguments], cwd=ROOT, env=environment)
