"""Which function does a job: every handler is idempotent, since a job whose lease ran out is done again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    Handler = Callable[..., None]

HANDLERS: dict[str, Handler] = {}


def handles(name: str) -> Callable[[Handler], Handler]:
    """Mark a function as the handler of a kind of job; it gets the application and the job's arguments."""

    def mark(function: Handler) -> Handler:
        HANDLERS[name] = function
        return function

    return mark


def handle(app: Flask, name: str, arguments: dict[str, Any]) -> None:
    """Do a job. Raises: KeyError: if nobody knows how."""
    HANDLERS[name](app, **arguments)
