"""The door for web servers: ``gunicorn 'portal.wsgi:application()'`` reads the settings and makes the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config import load
from portal.app import create_app

if TYPE_CHECKING:
    from flask import Flask


def application() -> Flask:
    """Return the application for the settings of the environment."""
    return create_app(load())
