"""The blueprint of memory."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("remember", __name__)
