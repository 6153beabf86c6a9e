"""``backup`` and ``restore``: the whole portal as one file, and back, on either engine."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portal import migrations
from portal.cli.context import EXIT_REFUSED, EXIT_SCHEMA, Refused, with_app
from portal.cli.db import require_schema, upgrade_schema
from portal.database import write
from portal.extensions import db
from portal.services.backups import write_backup
from portal.services.restoring import is_empty, read_manifest, restore_files, restore_rows

if TYPE_CHECKING:
    from flask import Flask

    from config import Settings


def _folders(settings: Settings) -> dict[str, Path]:
    return {"evidence": settings.evidence_dir, "exports": settings.exports_dir}


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
@with_app
def backup(app: Flask, file: Path, *, as_json: bool) -> None:
    """Write database, evidence, exports and key to FILE while the portal runs.

    Exit code 1 when an evidence file is missing or changed: the backup is written all the same, without it.
    """
    require_schema(app)
    settings = app.config["SETTINGS"]
    if not file.parent.is_dir():
        raise Refused(f"there is no folder {file.parent}")
    made = write_backup(
        db.engine,
        file,
        schema=migrations.head(),
        folders=_folders(settings),
        key=None if settings.secret_key else settings.signing_key,
    )
    if as_json:
        click.echo(json.dumps(asdict(made), ensure_ascii=False, indent=1, sort_keys=True))
    else:
        rows = sum(made.rows.values())
        click.echo(f"{file}: {rows} rows, {len(made.members)} members, audit head {made.audit_head}")
    for fault in made.faults:
        click.echo(f"portal: {fault}", err=True)
    if made.faults:
        raise click.exceptions.Exit(EXIT_REFUSED)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Give up what is in this portal now.")
@click.option("--check", is_flag=True, help="Only judge the backup; change nothing.")
@with_app
def restore(app: Flask, file: Path, *, replace: bool, check: bool) -> None:
    """Put the portal back as FILE holds it; the database of the settings may be of the other engine."""
    made = read_manifest(file)
    if made.schema != migrations.head():
        sentence = f"this backup is of schema {made.schema}, this version needs {migrations.head()}"
        raise Refused(f"{sentence}: restore it with the version that wrote it, then db upgrade", EXIT_SCHEMA)
    if check:
        click.echo(f"{file} is whole: made {made.made_at}, audit head {made.audit_head}")
        return
    settings = app.config["SETTINGS"]
    upgrade_schema(app)
    if not replace and not is_empty(db.session):
        raise Refused("this portal is not empty: restore into an empty one, or say --replace")
    key_file = None if settings.secret_key else settings.data_dir / "secret-key"
    restore_files(file, made, folders=_folders(settings), key_file=None)
    with write() as session:
        restore_rows(session, file, made, replace=replace)
    files = restore_files(file, made, folders={}, key_file=key_file) if key_file else 0
    click.echo(
        f"Restored {sum(made.rows.values())} rows{' and the key' if files else ''}; audit head {made.audit_head}. "
        "Everybody signs in again."
    )
