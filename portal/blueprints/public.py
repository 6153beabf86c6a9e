"""What anybody may call: the front door, the language switch, health and readiness."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, redirect, request, session, url_for
from sqlalchemy import text, update

from config import is_loopback
from portal import migrations
from portal.blueprints.guard import local_path, public, shown_before, who
from portal.blueprints.page import facts
from portal.blueprints.signed_in import somebody
from portal.blueprints.starting import start_page
from portal.database import write
from portal.errors import NotFound
from portal.extensions import db
from portal.models import UserAccount

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("public", __name__)
LEAST_FREE_BYTES = 200 * 1024 * 1024


@blueprint.get("/")
@public
def home() -> ResponseReturnValue:
    """Lead everybody to the page they come for."""
    if somebody() is None:
        return redirect(url_for("accounts.login"), code=303)
    start = start_page(who())
    if start is None:
        raise NotFound
    return redirect(start, code=303)


@blueprint.post("/language")
@public
def language() -> ResponseReturnValue:
    """Switch the language of the pages: for a person for good, for a visitor in the cookie."""
    wanted = request.form.get("language", "")
    if wanted in facts().languages:
        if somebody() is not None:
            with write() as database:
                database.execute(update(UserAccount).where(UserAccount.id == who().user_id).values(language=wanted))
        else:
            session["lang"] = wanted
    return redirect(local_path(request.form.get("next")) or shown_before() or url_for("public.home"), code=303)


@blueprint.get("/healthz")
@public
def healthz() -> ResponseReturnValue:
    """Tell that the process answers."""
    return {"status": "ok"}


@blueprint.get("/readyz")
@public
def readyz() -> ResponseReturnValue:
    """Tell whether database, disk and schema are ready; details only to this machine."""
    ready, details = readiness()
    body: dict[str, Any] = {"status": "ready" if ready else "not ready"}
    if is_loopback(request.remote_addr or ""):
        body |= details
    return body, 200 if ready else 503


def readiness() -> tuple[bool, dict[str, Any]]:
    """Return whether the portal is ready, and what was found: engine, library, schema, free disk."""
    settings = current_app.config["SETTINGS"]
    engine = db.engine
    details: dict[str, Any] = {"database": engine.dialect.name}
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        if engine.dialect.name == "sqlite":
            details |= {
                "library": connection.execute(text("SELECT sqlite_version()")).scalar(),
                "journal_mode": connection.execute(text("PRAGMA journal_mode")).scalar(),
                "synchronous": connection.execute(text("PRAGMA synchronous")).scalar(),
            }
    details["schema"] = migrations.current(engine)
    details["schema_expected"] = migrations.head()
    free = shutil.disk_usage(settings.data_dir).free
    details["disk_free_mb"] = free // (1024 * 1024)
    ready = details["schema"] == details["schema_expected"] and free > LEAST_FREE_BYTES
    return ready, details
