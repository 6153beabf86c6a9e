"""The JSON API under ``/api/v1``: bearer tokens only; the same permissions, forms and services as the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.api import (
    clarifications,
    documents,
    evidence,
    offline,
    papers,
    remembering,
    replies,
    rounds,
    saving,
    system,
    verdicts,
)
from portal.api.door import blueprint, load_bearer
from portal.extensions import login_manager

if TYPE_CHECKING:
    from flask import Flask

__all__ = [
    "blueprint",
    "clarifications",
    "documents",
    "evidence",
    "install",
    "offline",
    "papers",
    "remembering",
    "replies",
    "rounds",
    "saving",
    "system",
    "verdicts",
]


def install(app: Flask) -> None:
    """Register the API and let its tokens speak for persons."""
    app.register_blueprint(blueprint)
    login_manager.request_loader(load_bearer)
