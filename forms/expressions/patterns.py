"""Patterns of regex(): matched whole by re2, which cannot be made to run for ever."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

MAX_PATTERN = 1_000  # characters
_MEMORY = 1 << 20  # of one compiled pattern, bytes


@lru_cache(maxsize=1024)
def compiled_pattern(pattern: str) -> Any:
    """Return the compiled pattern. Raises: re2.error."""
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    return re2.compile(pattern, options)


def matches(pattern: str, text: str) -> bool:
    """Say whether the whole text fits the pattern; False for a pattern that re2 refuses."""
    try:
        return compiled_pattern(pattern).fullmatch(text) is not None
    except re2.error:
        return False


def refused_pattern(pattern: str) -> str:
    """Return the reason why a pattern cannot be used, "" when it can."""
    if len(pattern) > MAX_PATTERN:
        return f"> {MAX_PATTERN}"
    try:
        compiled_pattern(pattern)
    except re2.error as trouble:
        reason = trouble.args[0] if trouble.args else ""
        return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason) or "?"
    return ""
