"""``housekeep``: remove what has served its time now, instead of waiting for the worker's daily round."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from portal.cli.context import with_app
from portal.cli.db import require_schema

if TYPE_CHECKING:
    from flask import Flask


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_app
def housekeep(app: Flask, *, as_json: bool) -> None:
    """Remove expired rows and files without a row; the worker does it once a day by itself."""
    from portal.jobs.housekeeping import keep_house

    require_schema(app)
    counts = keep_house(app)
    if as_json:
        click.echo(json.dumps(counts))
        return
    for name, count in counts.items():
        click.echo(f"{name}: {count} removed")
