"""``questionnaire texts CODE``: the texts of a questionnaire out to translators and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from flask import current_app

from portal.cli.context import EXIT_REFUSED, Refused, with_app
from portal.cli.db import require_schema
from portal.cli.files import refused_file
from portal.database import write
from portal.errors import Conflict, Invalid
from portal.extensions import db
from portal.models import QuestionnaireVersion
from portal.queries import questionnaires as look
from portal.queries.sessions import system_principal
from portal.services.people import ensure_system_actor
from portal.services.questionnaire_text_files import carry_out_file, plan_file, read_file, write_file

if TYPE_CHECKING:
    from flask import Flask

    from portal.queries.questionnaires import VersionHead
    from portal.services.questionnaire_text_files import FilePlan
    from portal.table import Problem

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("code")
@click.option("--version", type=int, help="Number of the version; without it the newest.")
@click.option("--out", type=FILE, help="The workbook to write.")
@click.option("--import", "incoming", type=FILE, help="A workbook that comes back; shows what it would change.")
@click.option("--confirm", is_flag=True, help="With --import: write what can be written; a draft is begun if need be.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_app
def texts(
    app: Flask,
    code: str,
    *,
    version: int | None,
    out: Path | None,
    incoming: Path | None,
    confirm: bool,
    as_json: bool,
) -> None:
    """Write the texts of a questionnaire as a workbook, or take one back; exit code 1 when one is refused or stale."""
    del app
    require_schema(current_app)
    head = look.find_by_code(db.session, code, version)
    if head is None:
        raise Refused(f"there is no questionnaire {code}")
    if out is not None:
        of = look.definition(db.session, head.id)
        out.write_bytes(write_file(of, of.languages, lambda line: line.place.spelled().replace(":", " · ").strip(" ·")))
    if incoming is None:
        if out is None:
            raise Refused("say what to do: --out FILE, or --import FILE")
        return
    made, number = _taken(head, incoming, confirm=confirm, as_json=as_json)
    _tell(made, number, as_json=as_json)
    if made.stale or made.refused:
        raise click.exceptions.Exit(EXIT_REFUSED)


def _taken(head: VersionHead, file: Path, *, confirm: bool, as_json: bool) -> tuple[FilePlan, int | None]:
    """Judge a workbook and, on demand, carry it out: the plan, and the draft that took it. Raises: Refused, Exit."""
    limit = current_app.config["SETTINGS"].max_upload_bytes
    try:
        rows = read_file(file, look.definition(db.session, head.id), filename=file.name, limit=limit)
    except Invalid as error:
        raise refused_file(error, as_json=as_json) from error
    except OSError as error:
        raise Refused(f"{file.name}: {error.strerror}") from None
    if not confirm:
        return plan_file(db.session, db.session.get_one(QuestionnaireVersion, head.id), rows), None
    with write() as session:
        ensure_system_actor(session)
    by = system_principal(db.session)
    try:
        with write() as session:
            version = session.get_one(QuestionnaireVersion, head.id, populate_existing=True)
            made = plan_file(session, version, rows)
            if not made.edits:
                return made, None
            draft, _done = carry_out_file(session, version, made, by=by)
            return made, draft.number
    except Conflict as error:
        raise Refused(str(error.message)) from None


def _tell(made: FilePlan, number: int | None, *, as_json: bool) -> None:
    refused = [_plain(one) for one in made.refused]
    stale: list[dict[str, Any]] = [
        {
            "sheet": one.sheet, "row": one.row, "text": one.judged.edit.place.spelled(),
            "language": one.judged.edit.language, "stored": one.judged.stored, "file": one.judged.edit.new,
        }
        for one in made.stale
    ]  # fmt: skip
    if as_json:
        told = {"counts": made.counts, "version": number, "refused": refused, "stale": stale}
        click.echo(json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True))
        return
    for problem in refused:
        click.echo(f"refused: {problem['sheet'] or ''} {problem['row'] or ''}: {problem['message']}")
    for one in stale:
        click.echo(f"changed meanwhile: {one['sheet']} {one['row']}: {one['text']} ({one['language']})")
    click.echo(", ".join(f"{count} {word}" for word, count in made.counts.items()))
    if number is not None:
        click.echo(f"written into version {number}, a draft")


def _plain(problem: Problem) -> dict[str, Any]:
    return {
        "sheet": problem.sheet, "row": problem.row, "column": problem.column, "text": problem.field,
        "message": str(problem.message), "mend": str(problem.mend) if problem.mend else None,
    }  # fmt: skip
