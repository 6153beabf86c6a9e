"""``worker``: background jobs and mail, as one process."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import click

from portal.cli.context import with_app
from portal.cli.db import require_schema
from portal.cli.serve import RUNNER

if TYPE_CHECKING:
    from flask import Flask


@click.command()
@with_app
def worker(app: Flask) -> None:
    """Run background jobs until TERM; ``serve`` starts one by itself."""
    require_schema(app)
    # portal.jobs.worker.run(app) works until TERM or INT and finishes the job in hand.
    import_module(RUNNER).run(app)
