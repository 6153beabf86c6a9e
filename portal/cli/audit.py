"""``verify-audit``: is the audit chain whole, and is every signature still over what was signed?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from portal.cli.context import EXIT_REFUSED, with_app
from portal.cli.db import require_schema
from portal.extensions import db
from portal.queries.dump import audit_head
from portal.services.verification import faults_of

if TYPE_CHECKING:
    from flask import Flask


@click.command(name="verify-audit")
@click.option("--head", default=None, help="A hash noted earlier (by a backup): shows that nothing was cut off since.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_app
def verify_audit(app: Flask, head: str | None, *, as_json: bool) -> None:
    """Check the audit chain, the signed snapshots and the folded statuses; exit code 1 when something does not fit."""
    require_schema(app)
    faults = faults_of(db.session, head=(head or "").strip().lower() or None)
    events, newest = audit_head(db.session)
    if as_json:
        click.echo(json.dumps({"whole": not faults, "events": events, "head": newest, "faults": faults}, indent=1))
    else:
        for fault in faults:
            click.echo(f"portal: {fault}", err=True)
        click.echo(f"{events} audit events, head {newest}: {'whole' if not faults else f'{len(faults)} faults'}.")
    if faults:
        raise click.exceptions.Exit(EXIT_REFUSED)
