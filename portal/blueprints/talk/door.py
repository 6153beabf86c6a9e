"""The blueprint of talk between secretariat and institutions."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("talk", __name__)
