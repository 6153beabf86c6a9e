"""How much a call does, in calls of functions: the same on a slow machine and a fast one. Seconds belong to ``bench/``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def calls(act: Callable[[], object]) -> int:
    """Count the calls that ``act`` makes the second time, when nothing is left to be imported or cached."""
    act()
    seen = 0

    def note(_frame: object, event: str, _argument: object) -> None:
        nonlocal seen
        seen += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(before)
    return seen
