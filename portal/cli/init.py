"""``init``: make an installation out of an empty folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from portal.cli.context import with_app
from portal.cli.db import upgrade_schema

if TYPE_CHECKING:
    from flask import Flask


@click.command()
@with_app
def init(app: Flask) -> None:
    """Make the data folder, its key and an empty database; safe to repeat."""
    settings = app.config["SETTINGS"]
    for folder in (settings.data_dir, settings.evidence_dir, settings.exports_dir, settings.tmp_dir):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    click.echo(upgrade_schema(app))
    click.echo(f"Ready in {settings.data_dir}. Next: python3 -m portal user add, then python3 -m portal serve.")
