"""The pages of a PDF that somebody sent, as pictures: read beside the questions, on a phone as well, and never run.

A browser's own reader would need the file itself within the page, and phones have none. What draws is ``draw_page.py``
in a process of its own (0.1 s a page).
"""

from __future__ import annotations

import subprocess
import sys
import threading
from functools import lru_cache
from pathlib import Path

import structlog

from portal.papers.typesetting import NotInstalled, available

_SCRIPT = Path(__file__).with_name("draw_page.py")
# a page that takes longer is not worth waiting for; the file can be downloaded
WAIT = 30
# one at a time in a process: a page of a large scan takes 200 MB for a moment
_ONE = threading.Lock()


class NotDrawn(ValueError):
    """The file is no PDF that can be drawn (damaged, locked by a password), or it has no such page."""


@lru_cache(maxsize=256)
def pages(path: Path) -> int:
    """Return how many pages a kept file has; a file is named by what is in it, so it is counted once.

    Raises:
        NotInstalled: typst is not there (yet). NotDrawn: it is no PDF that can be read.
    """
    found = int(_asked("count", path))
    if not found:
        raise NotDrawn
    return found


def picture(path: Path, number: int) -> bytes:
    """Return a page, counted from 1, as a picture (PNG, 1,120 pixels wide).

    Raises:
        NotInstalled: typst is not there (yet). NotDrawn: there is no such page, or it cannot be drawn.
    """
    return _asked(str(number), path)


def _asked(what: str, path: Path) -> bytes:
    if not available():
        raise NotInstalled
    with _ONE:
        try:
            done = subprocess.run(
                [sys.executable, "-I", str(_SCRIPT), what, str(path)],
                stdin=subprocess.DEVNULL, capture_output=True, timeout=WAIT, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise NotDrawn from error
    if done.returncode:
        structlog.get_logger(__name__).info("pdf_page_not_drawn", file=path.name, page=what, status=done.returncode)
        raise NotDrawn
    return done.stdout
