"""``people import``: institutions and persons from a workbook."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portal.cli.context import EXIT_REFUSED, with_app
from portal.cli.db import require_schema
from portal.cli.files import refused_file
from portal.database import write
from portal.errors import Invalid
from portal.extensions import db
from portal.queries.countries import country_facts
from portal.queries.sessions import system_principal
from portal.services import people as verbs
from portal.services.people_import import ImportReport, import_people, judge_people
from portal.table import pick
from portal.workbooks import people as workbook

if TYPE_CHECKING:
    from flask import Flask


@click.group()
def people() -> None:
    """Institutions and persons."""


@people.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--confirm", is_flag=True, help="Take the rows over; without it nothing is written.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_app
def import_file(app: Flask, file: Path, *, confirm: bool, as_json: bool) -> None:
    """Judge a workbook row by row, and take it over with --confirm; exit code 1 when a row is refused."""
    require_schema(app)
    country = country_facts(db.session)
    given: dict[str, Any] = {"languages": country.languages, "honorifics": country.honorifics}
    try:
        rows = workbook.read(file, country.languages, filename=file.name, limit_bytes=file.stat().st_size + 1)
    except Invalid as error:
        raise refused_file(error, as_json=as_json) from error
    with write() as session:
        verbs.ensure_system_actor(session)
    by = system_principal(db.session)
    if confirm:
        with write() as session:
            report = import_people(session, rows.institutions, rows.persons, by=by, source=file.name, **given)
    else:
        report = judge_people(db.session, rows.institutions, rows.persons, by=by, **given)
    report.unread = tuple(rows.problems)
    click.echo(
        json.dumps(_plain(report, confirmed=confirm), ensure_ascii=False, indent=1) if as_json else _words(report)
    )
    if not as_json and not confirm and report.changes:
        click.echo("Nothing is written yet: repeat with --confirm.")
    if report.counts["refused"]:
        raise click.exceptions.Exit(EXIT_REFUSED)


def _plain(report: ImportReport, *, confirmed: bool) -> dict[str, Any]:
    return {
        "confirmed": confirmed,
        "counts": report.counts,
        "rows": [
            {
                "sheet": line.sheet,
                "row": line.row,
                "outcome": line.outcome,
                "key": line.key,
                "fields": list(line.fields),
                "reasons": [str(problem.message) for problem in line.problems],
            }
            for line in report.lines
        ],
        "unread": [str(problem.message) for problem in report.unread],
    }


def _words(report: ImportReport) -> str:
    lines = [
        f"{line.sheet} {line.row}: {line.outcome} {pick(line.name, 'en')} "
        + " ".join([", ".join(line.fields), *(str(problem.message) for problem in line.problems)]).strip()
        for line in report.lines
        if line.outcome != "unchanged"
    ]
    lines += [f"not read: {problem.message}" for problem in report.unread]
    return "\n".join([*lines, ", ".join(f"{count} {outcome}" for outcome, count in report.counts.items())])
