"""``assets``: build before the first request, for example in a deployment."""

from __future__ import annotations

import click

from portal.assets import BuildError, ensure_built, ensure_places
from portal.cli.context import Context, Refused, pass_context


@click.command()
@pass_context
def assets(context: Context) -> None:
    """Build styles, scripts, fonts and catalogues into the cache folder."""
    try:
        manifest = ensure_built(context.settings)
        ensure_places(context.settings)
    except BuildError as error:
        raise Refused(str(error)) from error
    click.echo(f"{len(manifest.files)} files in {manifest.root}")
