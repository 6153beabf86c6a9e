"""``offline export`` and ``offline import``: what an institution owes as one workbook or document, out and back."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from sqlalchemy import select

from portal.cli.context import EXIT_REFUSED, Refused, with_app
from portal.cli.db import require_schema
from portal.cli.files import refused_file
from portal.database import write
from portal.errors import Invalid
from portal.extensions import db
from portal.models import Institution
from portal.queries.countries import country_facts
from portal.queries.rounds import find_round
from portal.queries.sessions import system_principal
from portal.services import people as verbs
from portal.services.offline import gathering, judging, taking, telling
from portal.services.offline.kinds import EXCEL, KINDS
from portal.workbooks.offline.files import read_file
from portal.workbooks.offline.marks import Seal
from portal.workbooks.saving import write_file

if TYPE_CHECKING:
    from flask import Flask

LANGUAGE = "en"


@click.group()
def offline() -> None:
    """Questionnaires wholly in Excel or Word, per institution."""


@offline.command()
@click.argument("round_", metavar="ROUND")
@click.option("--institution", "code", required=True, metavar="CODE", help="The institution that owes the replies.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), required=True,
    help="The workbook (.xlsx) or the Word document (.docx) to write.",
)  # fmt: skip
@with_app
def export(app: Flask, round_: str, code: str, out: Path) -> None:
    """Write one workbook, or document, with every reply that an institution may still change in a round."""
    require_schema(app)
    session, country = db.session, country_facts(db.session)
    of = find_round(session, round_)
    if of is None:
        raise Refused(f"there is no round {round_}")
    institution_id = session.scalar(select(Institution.id).where(Institution.code == code))
    if institution_id is None:
        raise Refused(f"there is no institution {code}")
    heads = gathering.still_owed(session, institution_id, of.id, country)
    if not heads:
        raise Refused(f"{code} owes nothing in {round_} that can be changed now")
    with write() as changing:
        verbs.ensure_system_actor(changing)
    by = system_principal(session)
    with app.test_request_context():
        kind = KINDS.get(out.suffix.lower().removeprefix("."), EXCEL)
        content = kind.write(
            session, heads, country, secret=str(app.secret_key), by=by, language=country.national
        )
    try:
        write_file(out, lambda stream: stream.write(content))
    except OSError as error:
        raise Refused(f"{out} cannot be written: {error.strerror}") from error
    with write() as changing:
        gathering.note_download(changing, heads, by=by)
    click.echo(f"{len(heads)} replies: {out}")


@offline.command(name="import")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--confirm", is_flag=True, help="Take over what is new or changed; without it nothing is written.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_app
def import_files(app: Flask, files: tuple[Path, ...], *, confirm: bool, as_json: bool) -> None:
    """Judge returned files, several copies together, and take over with --confirm what is new or changed.

    Never taken here: answers that somebody saved since the download, on which copies differ, whose cells were emptied,
    or that break a rule where a good one stands; exit code 1 when there are such, or when something is refused.
    """
    require_schema(app)
    country = country_facts(db.session)
    seal, limit = Seal(str(app.secret_key)), max(file.stat().st_size for file in files) + 1
    try:
        books = [read_file(file, seal, filename=file.name, limit_bytes=limit) for file in files]
    except Invalid as error:
        raise refused_file(error, as_json=as_json) from error
    with write() as session:
        verbs.ensure_system_actor(session)
    by = system_principal(db.session)
    plan = judging.plan_offline(db.session, books, country, by=by, language=LANGUAGE)
    chosen = taking.choices(plan)
    taken = None
    if confirm:
        source = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
        with write() as session:
            taken = taking.take_offline(
                session, plan, chosen, by=by, request_key=f"offline-{source[:40]}", source=source
            )
    told = telling.told(plan, chosen, taken)
    click.echo(json.dumps(told, ensure_ascii=False, indent=1) if as_json else telling.in_words(told))
    if not as_json and not confirm and any(chosen.values()):
        click.echo("Nothing is written yet: repeat with --confirm.")
    if not telling.clean(plan, taken):
        raise click.exceptions.Exit(EXIT_REFUSED)
