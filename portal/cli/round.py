"""``round list`` and ``round status``: reporting rounds and how many have answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from portal.cli.context import Refused, with_app
from portal.cli.db import require_schema
from portal.errors import NotFound
from portal.extensions import db
from portal.queries.countries import country_facts
from portal.queries.round_status import round_list, round_status
from portal.table import pick

if TYPE_CHECKING:
    from flask import Flask


@click.group(name="round")
def round_() -> None:
    """Reporting rounds."""


@round_.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_app
def list_(app: Flask, *, as_json: bool) -> None:
    """List all rounds, the newest first."""
    require_schema(app)
    rows = round_list(db.session)
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    for row in rows:
        click.echo(
            f"{row['round']:32} {row['status']:8} due {row['due_on']}  "
            f"{row['received']} of {row['issued']} received  {pick(row['titles'], 'en')}"
        )


@round_.command()
@click.argument("slug", metavar="ROUND")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_app
def status(app: Flask, slug: str, *, as_json: bool) -> None:
    """Say how many replies of ROUND are received, by institution."""
    require_schema(app)
    try:
        found = round_status(db.session, slug, time_zone=country_facts(db.session).time_zone)
    except NotFound as error:
        raise Refused(f"there is no round {slug}: python3 -m portal round list shows them") from error
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    overall = found["overall"]
    click.echo(
        f"{slug}: {overall['received']} of {overall['issued']} received, {overall['on_time']} on time, "
        f"{overall['unsigned']} unsigned, {overall['late']} late"
    )
    if waiting := found["documents"]["received"]:
        click.echo(f"  {waiting} documents received, to be entered")
    for one in found["institutions"]:
        late = f"  {one['days_late']} days late" if one["days_late"] else ""
        click.echo(f"  {one['institution']:20} {one['received']:4} of {one['issued']:4}{late}")
