"""Patterns of regex(): matched whole by re2, which cannot be made to run for ever."""

from __future__ import annotations

import re
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


def browser_pattern(pattern: str) -> str | None:
    """Return the pattern in the browser's language, None when it is not plain enough to be run there.

    Plain means: no repetition in a repetition, no choice in one, and few repetitions in all, so that a backtracking
    matcher ends at once on the short texts it is tried on. Classes are written out, since re2 knows ASCII only.
    """
    return None if refused_pattern(pattern) else _Plain(pattern).written()


_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": "\\t\\n\\f\\r "}
_ESCAPES = {"t": "\\t", "n": "\\n", "f": "\\f", "r": "\\r"}
_PROPERTY = re.compile(r"(?:\{(\^?)([A-Za-z_]+)\}|([A-Z]))")
_REPEAT = re.compile(r"(?:([*+?])|\{([0-9]+)(,([0-9]*))?\})\??")
_GROUP = re.compile(r"\((\?:)?(?!\?)")
_MANY = 3  # repetitions of no fixed length in one pattern
_PERHAPS = 6  # parts that may be left out


class _TooMuch(Exception):
    """A part that is left to the server."""


class _Plain:
    """Reads a pattern from left to right; `at` is the place."""

    def __init__(self, pattern: str) -> None:
        self.pattern, self.at, self.many, self.perhaps = pattern, 0, 0, 0

    def written(self) -> str | None:
        """Return the whole pattern in the browser's language."""
        try:
            made, _free = self.choice()
        except _TooMuch:
            return None
        return made if self.at == len(self.pattern) else None

    def choice(self) -> tuple[str, bool]:
        """Read parts up to a closing bracket; say whether their length is fixed and there is no choice."""
        out: list[str] = []
        fixed = True
        while self.at < len(self.pattern) and self.pattern[self.at] != ")":
            if self.pattern[self.at] == "|":
                self.at += 1
                out.append("|")
                fixed = False
                continue
            part, plain = self.part()
            out.append(part)
            fixed = fixed and plain
        return "".join(out), fixed

    def part(self) -> tuple[str, bool]:
        """Read one part with its repetition."""
        atom, fixed = self.atom()
        found = _REPEAT.match(self.pattern, self.at)
        if found is None:
            return atom, fixed
        self.at = found.end()
        sign, least, _comma, most = found[1], found[2], found[3], found[4]
        if sign == "?":
            self.perhaps += 1
        elif sign or found[3] is not None:
            if not fixed:
                raise _TooMuch
            self.many += 1
        elif not fixed and int(least or 0) > 1:
            raise _TooMuch
        if self.many > _MANY or self.perhaps > _PERHAPS or int(most or least or 0) > MAX_PATTERN:
            raise _TooMuch
        return atom + (found[0].removesuffix("?") if sign != "?" else "?"), sign is None and found[3] is None and fixed

    def atom(self) -> tuple[str, bool]:
        """Read one sign, class or group."""
        sign = self.pattern[self.at]
        if sign == "(":
            return self.group()
        if sign == "[":
            return self.signs(), True
        if sign == "\\":
            return self.escape(inside=False), True
        self.at += 1
        if sign == ".":
            return "[^\\n]", True
        if sign in "^$":
            return sign, True
        if sign in "*+?{}":
            raise _TooMuch
        return _plainly(sign), True

    def group(self) -> tuple[str, bool]:
        """Read a group; named ones and those with flags are left to the server."""
        found = _GROUP.match(self.pattern, self.at)
        if found is None:
            raise _TooMuch
        self.at = found.end()
        made, fixed = self.choice()
        if self.pattern[self.at : self.at + 1] != ")":
            raise _TooMuch
        self.at += 1
        return f"(?:{made})", fixed

    def escape(self, *, inside: bool) -> str:
        """Read a sign behind a backslash."""
        sign = self.pattern[self.at + 1 : self.at + 2]
        self.at += 2
        if sign.lower() in _CLASSES:
            if sign.islower():
                return _CLASSES[sign] if inside else f"[{_CLASSES[sign]}]"
            if inside:
                raise _TooMuch
            return f"[^{_CLASSES[sign.lower()]}]"
        if sign in _ESCAPES:
            return _ESCAPES[sign]
        if sign in ("p", "P"):
            found = _PROPERTY.match(self.pattern, self.at)
            if found is None or found[1]:
                raise _TooMuch
            self.at = found.end()
            name = found[2] or found[3]
            return f"\\{sign}{{{name if len(name) <= 2 else 'Script=' + name}}}"
        if sign == "b" and not inside:
            return "\\b"
        if not sign or sign.isalnum():
            raise _TooMuch
        return _plainly(sign)

    def signs(self) -> str:
        """Read a class in square brackets."""
        self.at += 1
        out = ["["]
        if self.pattern[self.at : self.at + 1] == "^":
            self.at += 1
            out.append("^")
        first = True
        while self.at < len(self.pattern):
            sign = self.pattern[self.at]
            if sign == "]" and not first:
                self.at += 1
                return "".join([*out, "]"])
            if sign == "[":
                raise _TooMuch
            if sign == "\\":
                out.append(self.escape(inside=True))
            else:
                self.at += 1
                out.append(
                    "-" if sign == "-" and not first and self.pattern[self.at : self.at + 1] != "]" else _plainly(sign)
                )
            first = False
        raise _TooMuch


def _plainly(sign: str) -> str:
    # the browser's "u" mode allows a backslash only before these
    return f"\\{sign}" if sign in "^$\\.*+?()[]{}|/" else "\\x2d" if sign == "-" else sign
