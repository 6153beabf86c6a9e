"""Questionnaires read: the list of all versions, one version aloud, the file it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import current_app, render_template, send_file

from portal.blueprints.guard import requires, who
from portal.blueprints.questionnaires.incoming import grouped
from portal.blueprints.questionnaires.room import blueprint, version_of
from portal.errors import NotFound
from portal.extensions import db
from portal.permissions import Permission, may
from portal.queries import questionnaires as look

if TYPE_CHECKING:
    from pathlib import Path

    from flask.typing import ResponseReturnValue


@blueprint.get("/questionnaires")
@requires(Permission.VIEW_QUESTIONNAIRE)
def index() -> ResponseReturnValue:
    """List all versions of all questionnaires."""
    return _index()


def _index(problems: Any = (), status: int = 200) -> ResponseReturnValue:
    return (
        render_template(
            "questionnaires/index.html",
            versions=look.versions(db.session),
            problems=grouped(problems),
            may_edit=may(who(), Permission.EDIT_QUESTIONNAIRE),
        ),
        status,
    )


@blueprint.get("/questionnaires/<public_id>")
@requires(Permission.VIEW_QUESTIONNAIRE, on=version_of)
def view(head: look.VersionHead) -> ResponseReturnValue:
    """Read a version aloud: all questions, rules and choices, in every language it has."""
    return render_template(
        "questionnaires/view.html",
        head=head,
        definition=look.definition(db.session, head.id),
        source=_source(head),
        may_edit=may(who(), Permission.EDIT_QUESTIONNAIRE),
    )


def _folder() -> Path:
    folder: Path = current_app.config["SETTINGS"].data_dir / "questionnaires"
    return folder


def _source(head: look.VersionHead) -> Path | None:
    path = _folder() / f"{head.source_sha256}.xlsx"
    return path if head.source_sha256 and path.is_file() else None


@blueprint.get("/questionnaires/<public_id>/file")
@requires(Permission.VIEW_QUESTIONNAIRE, on=version_of)
def source(head: look.VersionHead) -> ResponseReturnValue:
    """Give back the file a version was made from."""
    path = _source(head)
    if path is None:
        raise NotFound
    return send_file(path, as_attachment=True, download_name=f"{head.code}-{head.number}.xlsx")
