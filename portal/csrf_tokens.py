"""The tokens that say whose page a form stands on: signed once, and their signatures looked at once, by each process.

Flask-WTF signs the secret of a session anew for each page, and checks the signature at each save; which secret a token
holds never changes, and a token has no date after which it is refused (it goes with its session).
"""

from __future__ import annotations

from hmac import compare_digest
from typing import TYPE_CHECKING

from flask import session
from flask_wtf.csrf import generate_csrf

from portal.incoming import present

if TYPE_CHECKING:
    from flask import Flask

KEPT = 5_000


class Tokens:
    """What one process knows of tokens: the one of each secret, and the secret in each that proved to be ours."""

    def __init__(self) -> None:
        self._made: dict[str, str] = {}
        self._proven: dict[str, str] = {}

    def of(self, secret: str) -> str | None:
        """Return the token made for a secret before."""
        return self._made.get(secret)

    def keep(self, secret: str, token: str) -> None:
        """Keep the token made for a secret."""
        _room_in(self._made)
        self._made[secret] = token

    def holds(self, token: str, secret: str) -> bool:
        """Tell whether a token was proven to hold this secret."""
        return compare_digest(self._proven.get(token, "-"), secret)

    def prove(self, token: str, secret: str) -> None:
        """Keep what a token held whose signature was looked at."""
        _room_in(self._proven)
        self._proven[token] = secret


def _room_in(kept: dict[str, str]) -> None:
    if len(kept) >= KEPT:
        kept.clear()


def install(app: Flask) -> None:
    """Let an application remember tokens."""
    app.extensions["portal_csrf"] = Tokens()


def tokens() -> Tokens:
    """Return what this process knows."""
    known: Tokens = present().app.extensions["portal_csrf"]
    return known


def csrf_token() -> str:
    """Return the token of the present session."""
    here = present().g
    found: str | None = here.get("csrf_token")
    if found is not None:
        return found
    found = tokens().of(session.get("csrf_token", ""))
    if found is None:
        found = str(generate_csrf())
        tokens().keep(session["csrf_token"], found)
    here.csrf_token = found
    return found
