"""``dump --canonical``: all rows that matter as sorted JSON lines, the same on any engine."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from portal.cli.context import EXIT_REFUSED, with_app
from portal.cli.db import require_schema
from portal.extensions import db
from portal.queries.dump import CanonicalDump, evidence_faults

if TYPE_CHECKING:
    from flask import Flask


@click.command()
@click.option("--canonical", is_flag=True, required=True, help="One JSON line per row, ordered by public key.")
@with_app
def dump(app: Flask, *, canonical: bool) -> None:
    """Print the canonical dump; exit code 1 when an evidence file is missing or changed (named on standard error)."""
    del canonical
    require_schema(app)
    out = sys.stdout.buffer
    for line in CanonicalDump(db.session).lines():
        out.write(line.encode() + b"\n")
    out.flush()
    faults = evidence_faults(db.session, app.config["SETTINGS"].evidence_dir)
    for fault in faults:
        click.echo(f"portal: {fault}", err=True)
    if faults:
        raise click.exceptions.Exit(EXIT_REFUSED)
