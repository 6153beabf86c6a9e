"""``config``: the settings in force."""

from __future__ import annotations

import click

from config import Settings
from portal.cli.context import Context, pass_context


@click.command()
@pass_context
def config(context: Context) -> None:
    """Show the settings in force, one per line; secrets are not shown."""
    for name, field in Settings.model_fields.items():
        value = getattr(context.settings, name) if field.repr else "(not shown)"
        shown = ",".join(sorted(value)) if isinstance(value, frozenset) else value
        click.echo(f"PORTAL_{name.upper()}={shown}")
