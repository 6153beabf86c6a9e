"""``questionnaire check|import|export|evaluate``: XLSForm files judged, stored, given back, and tried out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from flask import current_app

from forms.context import Context as Facts
from forms.context import looked_up
from forms.definition.writing import canonical
from forms.question_types import question_type
from forms.trial import trial
from portal import clock
from portal.cli.context import EXIT_REFUSED, Refused, with_app
from portal.cli.db import require_schema
from portal.cli.questionnaire_texts import texts
from portal.database import write
from portal.errors import Invalid
from portal.extensions import db
from portal.models import QuestionnaireScope
from portal.queries import questionnaires as look
from portal.queries.questionnaire_versions import open_draft_of
from portal.queries.sessions import system_principal
from portal.services import questionnaires
from portal.services.people import ensure_system_actor
from portal.workbooks import xlsform_out
from portal.workbooks.xlsform_check import examine, source_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flask import Flask

    from forms.definition.model import Definition
    from forms.definition.report import Report

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
TABLE = click.option(
    "--table", "tables", type=FILE, multiple=True, help="A .csv or workbook that the questions look up; repeatable."
)


@click.group()
def questionnaire() -> None:
    """Questionnaires as XLSForm files."""


questionnaire.add_command(texts)


@questionnaire.command()
@click.argument("file", type=FILE)
@TABLE
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_app
def check(app: Flask, file: Path, *, tables: tuple[Path, ...], as_json: bool) -> None:
    """Judge a file and list every mistake with its place; exit code 1 when it cannot be used."""
    del app
    problems, report = _judged(file, tables)
    usable = report is not None and report.definition is not None
    if as_json:
        _print({"file": file.name, "valid": usable, "problems": problems} | _facts(report))
    else:
        for one in problems:
            place = " ".join(str(one[key]) for key in ("sheet", "row", "column") if one[key])
            click.echo(
                f"{one['severity']}: {place + ': ' if place else ''}{one['message']} {one['mend'] or ''}".strip()
            )
        click.echo("This questionnaire can be used." if usable else "This questionnaire cannot be used yet.")
    if not usable:
        raise click.exceptions.Exit(EXIT_REFUSED)


@questionnaire.command(name="import")
@click.argument("file", type=FILE)
@click.option("--scope", type=click.Choice([str(one) for one in QuestionnaireScope]), default="recommendation")
@click.option("--length", type=click.Choice(["short", "full"]), default="full", help="Counts for a new one only.")
@click.option("--publish", is_flag=True, help="Freeze the version, so that rounds can use it.")
@click.option("--replace-draft", is_flag=True, help="Lay the open draft aside, if there is one; it stays readable.")
@TABLE
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_app
def import_file(
    app: Flask,
    file: Path,
    *,
    scope: str,
    length: str,
    publish: bool,
    replace_draft: bool,
    tables: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Store a file as a version of its questionnaire; the same file again makes no second version."""
    require_schema(app)
    definition = _usable(file, tables)
    source = source_of(file.read_bytes(), definition, alone=not tables)
    questionnaires.keep_source(sources(app), source.sha256, source.content)
    with write() as session:
        ensure_system_actor(session)
    by = system_principal(db.session)
    with write() as session:
        version = questionnaires.store(
            session,
            definition,
            source_sha256=source.sha256,
            scope=QuestionnaireScope(scope),
            length=length,
            instead_of=open_draft_of(session, definition.code) if replace_draft else None,
            by=by,
        )
        if publish:
            questionnaires.publish(session, version, by=by)
        made = {"code": definition.code, "version": version.number, "status": str(version.status)}
    if as_json:
        _print(made)
    else:
        click.echo(f"{made['code']}, version {made['version']}: {made['status']}")


@questionnaire.command()
@click.argument("what", metavar="CODE|FILE")
@click.option("--version", type=int, help="Number of the version; without it the newest.")
@TABLE
@click.option("--json", "as_json", is_flag=True, help="Print the questionnaire as JSON with sorted keys.")
@click.option("--source", is_flag=True, help="Give back the file the version was made from, byte by byte.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The workbook to write.")
@with_app
def export(
    app: Flask,
    what: str,
    *,
    version: int | None,
    tables: tuple[Path, ...],
    as_json: bool,
    source: bool,
    out: Path | None,
) -> None:
    """Write a questionnaire as an XLSForm workbook: a version of the portal by its code, or a file by its name.

    Two questionnaires are equal when --json prints the same for both.
    """
    if not as_json and out is None:
        raise Refused("say where to write the workbook: --out FILE, or --json to print it")
    if Path(what).is_file() and not source:
        definition = _usable(Path(what), tables)
    else:
        require_schema(app)
        head = look.find_by_code(db.session, what, version)
        if head is None:
            raise Refused(f"there is no file and no questionnaire {what}")
        if source:
            _give_source(app, head, out)
            return
        definition = look.definition(db.session, head.id)
    if out is not None:
        out.write_bytes(xlsform_out.write(definition))
    if as_json:
        click.echo(json.dumps(canonical(definition), ensure_ascii=False, indent=1, sort_keys=True))


def _give_source(app: Flask, head: look.VersionHead, out: Path | None) -> None:
    kept = sources(app) / f"{head.source_sha256}.xlsx"
    if out is None or not head.source_sha256 or not kept.is_file():
        raise Refused(f"there is no file of questionnaire {head.code}")
    out.write_bytes(kept.read_bytes())


@questionnaire.command()
@click.argument("file", type=FILE)
@click.option("--answers", type=FILE, required=True, help="JSON: field name to value, list of choices or rows.")
@TABLE
@click.option("--language", default="", help="Language of the sentences; the file's default without it.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_app
def evaluate(app: Flask, file: Path, *, answers: Path, tables: tuple[Path, ...], language: str, as_json: bool) -> None:
    """Say per question what would be asked, computed and refused for a set of answers; nothing is stored."""
    del app
    definition = _usable(file, tables)
    context = Facts(
        today=clock.today(),
        languages=definition.languages,
        language=language or definition.default_language,
        now=clock.now(),
        tables=looked_up(definition.table_rows, {}, {}),
    )
    result = trial(definition, _read_answers(answers), context)
    if as_json:
        _print(result)
        return
    for one in result["questions"]:
        said = "not asked" if not one["relevant"] else one["message"] or ("missing" if one["missing"] else "ok")
        click.echo(f"{one['code']}{'[' + one['row'] + ']' if one['row'] else ''}: {said}")
    for one in result["warnings"]:
        click.echo(f"warning {one['name']}: {one['message']}")


def _read_answers(file: Path) -> dict[str, Any]:
    """Read the sample answers. Raises: Refused."""
    try:
        found = json.loads(file.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refused(f"{file.name} must hold a JSON object of answers by field name (docs/contract.md)")
    return found


def sources(app: Flask) -> Path:
    """Return the folder of the files that versions were made from."""
    folder: Path = app.config["SETTINGS"].data_dir / "questionnaires"
    return folder


def _judged(file: Path, tables: Iterable[Path] = ()) -> tuple[list[dict[str, Any]], Report | None]:
    limit = current_app.config["SETTINGS"].max_upload_bytes
    try:
        report = examine(
            file, filename=file.name, limit_bytes=limit, tables=[(one.name, one.read_bytes()) for one in tables]
        )
    except Invalid as error:
        return [_plain(one) for one in error.problems], None
    return [_plain(one) for one in report.problems], report


def _usable(file: Path, tables: Iterable[Path] = ()) -> Definition:
    problems, report = _judged(file, tables)
    if report is None or report.definition is None:
        first = next((one for one in problems if one["severity"] == "error"), problems[0])
        raise Refused(f"{file.name} cannot be used: {first['message']} (questionnaire check lists every mistake)")
    return report.definition


def _plain(problem: Any) -> dict[str, Any]:
    return {
        "severity": getattr(problem, "severity", "error"),
        "sheet": problem.sheet,
        "row": problem.row,
        "column": problem.column,
        "field": problem.field,
        "message": str(problem.message),
        "mend": str(problem.mend) if problem.mend else None,
    }


def _facts(report: Report | None) -> dict[str, Any]:
    if report is None or report.definition is None:
        return {}
    of = report.definition
    return {"code": of.code, "languages": list(of.languages), "questions": len(_asked(of.questions()))}


def _asked(items: Iterable[Any]) -> list[Any]:
    return [item for item in items if question_type(item.type).asks]


def _print(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))
