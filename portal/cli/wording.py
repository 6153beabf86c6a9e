"""``wording export`` and ``wording import``: the words of the interface and the mails as one workbook."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portal import catalogues
from portal.cli.context import EXIT_REFUSED, Refused, with_app
from portal.cli.db import require_schema
from portal.cli.files import refused_file
from portal.database import write
from portal.errors import Invalid
from portal.extensions import db
from portal.queries import wording as queries
from portal.queries.countries import country_facts
from portal.queries.sessions import system_principal
from portal.services import audit
from portal.services import people as verbs
from portal.services import wording_workbook as service
from portal.workbooks.saving import write_file

if TYPE_CHECKING:
    from flask import Flask

    from portal.services.wording_workbook import WordingPlan


@click.group()
def wording() -> None:
    """Words of the interface and the mails."""


def _languages(chosen: str | None) -> tuple[str, ...]:
    country = country_facts(db.session)
    spoken = queries.spoken(country.languages)
    if chosen and chosen not in spoken:
        raise Refused(f"the portal has no words in {chosen}; its languages besides English: {', '.join(spoken) or '-'}")
    languages = (chosen,) if chosen else spoken
    if not languages:
        raise Refused("the portal speaks English only: give the country another language first")
    return languages


@wording.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The workbook to write.")
@click.option("--language", help="Only the words of this language, for example km.")
@with_app
def export(app: Flask, out: Path, language: str | None) -> None:
    """Write one row per message: English, the words that hold, what to keep, who of the language checked it."""
    require_schema(app)
    languages = _languages(language)
    found = queries.entries(db.session, languages)
    content = service.write_wording(found, catalogues.places(app.config["SETTINGS"]), languages, languages[0])
    try:
        write_file(out, lambda stream: stream.write(content))
    except OSError as error:
        raise Refused(f"{out} cannot be written: {error.strerror}") from error
    with write() as session:
        verbs.ensure_system_actor(session)
    with write() as session:
        audit.record(session, "export_wording", by=system_principal(session), kind="wording", rows=len(found))
    checked = sum(one.checked for one in found)
    click.echo(f"{len(found)} messages, {checked} checked by a native reader: {out}")


@wording.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--confirm", is_flag=True, help="Take the rows over; without it nothing is written.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_app
def import_file(app: Flask, file: Path, *, confirm: bool, as_json: bool) -> None:
    """Judge a workbook row by row, and take it over with --confirm; exit code 1 when a row is left out."""
    require_schema(app)
    languages = _languages(None)
    try:
        found = service.read_wording(file, languages, filename=file.name, limit=file.stat().st_size + 1)
    except Invalid as error:
        raise refused_file(error, as_json=as_json) from error
    if confirm:
        with write() as session:
            verbs.ensure_system_actor(session)
        source = hashlib.sha256(file.read_bytes()).hexdigest()
        with write() as session:
            made = service.plan_wording(session, found, languages)
            service.carry_out_wording(session, made, by=system_principal(session), source=source)
    else:
        made = service.plan_wording(db.session, found, languages)
    click.echo(json.dumps(_plain(made, confirmed=confirm), ensure_ascii=False, indent=1) if as_json else _words(made))
    if not as_json and not confirm and made.taken:
        click.echo("Nothing is written yet: repeat with --confirm.")
    if made.refused or made.stale:
        raise click.exceptions.Exit(EXIT_REFUSED)


def _plain(made: WordingPlan, *, confirmed: bool) -> dict[str, Any]:
    rows: list[dict[str, Any]] = [
        {
            "sheet": one.row.sheet, "row": one.row.row, "outcome": "added" if one.added else "changed",
            "name": one.entry.name, "english": one.entry.message.source, "fields": list(one.fields),
            "before": one.entry.text, "after": one.words.text, "check_dropped": one.dropped,
        }
        for one in made.taken
    ]  # fmt: skip
    rows += [
        {
            "sheet": one.row.sheet, "row": one.row.row, "outcome": "stale", "name": one.entry.name,
            "english": one.entry.message.source, "fields": [one.part], "stored": one.stored, "file": one.new,
        }
        for one in made.stale
    ]  # fmt: skip
    rows += [
        {
            "sheet": one.sheet, "row": one.row, "outcome": "refused",
            "reasons": [" ".join(str(part) for part in (one.message, one.mend) if part)],
        }
        for one in made.refused
    ]  # fmt: skip
    return {"confirmed": confirmed, "counts": made.counts, "rows": rows}


def _words(made: WordingPlan) -> str:
    lines = [
        f"{one.row.sheet} {one.row.row}: {'added' if one.added else 'changed'} {one.entry.message.source[:60]!r} "
        f"({', '.join(one.fields)})" + (f"; the check by {one.dropped} no longer counts" if one.dropped else "")
        for one in made.taken
    ]
    lines += [
        f"{one.row.sheet} {one.row.row}: changed here meanwhile ({one.part}): "
        f"the portal has {one.stored!r}, the file {one.new!r}"
        for one in made.stale
    ]
    lines += [
        f"{one.sheet} {one.row}: refused: {one.message} {one.mend or ''}".strip() for one in made.refused
    ]
    return "\n".join([*lines, ", ".join(f"{count} {outcome}" for outcome, count in made.counts.items())])
