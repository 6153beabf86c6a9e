"""The component gallery: every component in every state, and whole pages with sample data; development only."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from portal.blueprints import gallery_controls, gallery_parts, gallery_work
from portal.blueprints import gallery_samples as samples
from portal.blueprints.guard import public
from portal.reader import current_language

blueprint = Blueprint("gallery", __name__)


@blueprint.get("/components")
@public
def index() -> str:
    """Show every component in every state."""
    language = current_language()
    return render_template("gallery/index.html", **samples.components(language), say=samples.sayer(language))


@blueprint.get("/components/controls")
@public
def controls() -> str:
    """Show every question type in every state, and its settings form."""
    return render_template("gallery/controls.html", kinds=gallery_controls.kinds(current_language()))


@blueprint.get("/components/work")
@public
def work() -> str:
    """Show what sharing, documents, earlier answers and dry runs draw."""
    return render_template("gallery/work.html", **gallery_work.work(current_language()))


@blueprint.get("/components/parts")
@public
def parts() -> str:
    """Show fields, uploads, text kept by the device, replies to read, packs and lists."""
    return render_template("gallery/parts.html", **gallery_parts.parts(current_language()))


@blueprint.get("/components/section")
@public
def section() -> str:
    """Show the answering page; `?state=readonly` or `?state=conflict` for its other states."""
    state = request.args.get("state", "")
    data = samples.section(current_language(), readonly=state == "readonly", conflict=state == "conflict")
    return render_template("respond/section.html", **data)


@blueprint.get("/components/owed")
@public
def owed() -> str:
    """Show what an institution owes; `?state=empty` for the empty page."""
    data = samples.owed(current_language())
    if request.args.get("state") == "empty":
        data |= {"groups": [], "total": 0, "late": 0, "open": 0}
    return render_template("respond/owed.html", **data)
