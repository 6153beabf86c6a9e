"""``workbook``: the consolidated workbook of a round, written to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask_babel import gettext as _

from portal.cli.context import Refused, with_app
from portal.cli.db import require_schema
from portal.database import write
from portal.extensions import db
from portal.jobs.exports import make_workbook
from portal.queries.countries import country_facts
from portal.queries.rounds import find_round
from portal.queries.sessions import system_principal
from portal.services import audit

if TYPE_CHECKING:
    from flask import Flask


@click.command()
@click.argument("round_", metavar="ROUND")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to write (.xlsx)."
)
@click.option("--language", help="Language of titles and words; the national one otherwise.")
@with_app
def workbook(app: Flask, round_: str, out: Path, language: str | None) -> None:
    """Write the consolidated workbook of the round with the short name ROUND."""
    require_schema(app)
    session = db.session
    of = find_round(session, round_)
    if of is None:
        raise Refused(_("There is no round “%(slug)s”.", slug=round_))
    country = country_facts(session)
    if language is not None and language not in country.languages:
        known = ", ".join(country.languages)
        raise Refused(_("“%(language)s” is not a language of this portal: %(known)s.", language=language, known=known))
    if not out.parent.is_dir():
        raise Refused(_("The folder %(folder)s does not exist.", folder=str(out.parent)))
    by = system_principal(session)
    chosen = language or country.national
    made = make_workbook(session, of.id, out, language=chosen, by=by)
    with write() as changing:
        audit.record(
            changing, "write_workbook", by=by, kind="round", thing=round_, sha256=made.sha256, checksum=made.checksum
        )
    click.echo(f"{out}: {made.size} bytes, sha256 {made.sha256}")
