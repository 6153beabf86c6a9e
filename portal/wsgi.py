"""The door for web servers: ``gunicorn 'portal.wsgi:application()'`` reads the settings and makes the application."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


def application() -> WSGIApplication:
    """Return the application for the settings of the environment.

    Nothing that is imported here is ever garbage, and looking for some takes an eighth of the seconds of a start; what
    stands afterwards is left out of every later look, in pages that the forked processes share.
    """
    gc.disable()
    try:
        from config import load
        from portal.app import create_app

        return create_app(load())
    finally:
        gc.freeze()
        gc.enable()
