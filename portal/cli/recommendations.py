"""``recommendations import``: take recommendations over from a file on the server, of any size."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from portal.cli.context import Refused, with_app
from portal.cli.db import require_schema
from portal.database import write
from portal.errors import Invalid
from portal.extensions import db
from portal.queries.countries import country_facts
from portal.queries.sessions import system_principal
from portal.services.people import ensure_system_actor
from portal.services.recommendation_files import read_file
from portal.services.recommendation_plan import ImportPlan, plan
from portal.services.recommendation_rows import ORIGINAL
from portal.services.recommendations import carry_out

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.orm import Session

    from portal.queries.countries import CountryFacts
    from portal.table import Problem

# some rows were refused and are listed; the others were (or would be) taken
EXIT_SOME_REFUSED = 6
SHOWN = 20


@click.group()
def recommendations() -> None:
    """Take recommendations over from the Universal Human Rights Index, our template or a document."""


@recommendations.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--confirm", is_flag=True, help="Write; without it nothing is written.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of sentences.")
@click.option("--country", "code", help="Refuse unless the portal is this country's (code or any of its names).")
@click.option("--language", default=ORIGINAL, show_default=True, help="Language of an export of the index.")
@with_app
def import_(app: Flask, file: Path, confirm: bool, as_json: bool, code: str | None, language: str) -> int:
    """Show what FILE would change; with --confirm, change it. Repeating is harmless.

    Exit codes: 0 done or nothing to refuse, 1 the file cannot be taken, 6 some rows were refused and the rest taken.
    """
    require_schema(app)
    country = _country(code)
    try:
        incoming = read_file(file, country, filename=file.name, language=language)
    except Invalid as error:
        if as_json:
            print(json.dumps({"problems": [_spoken(one) for one in error.problems]}, ensure_ascii=False))
            return 1
        raise Refused(" ".join(_sentence(one) for one in error.problems)) from error

    def judged(session: Session) -> ImportPlan:
        made = plan(session, incoming.rows, country, language=language)
        made.other_countries += incoming.other_countries
        made.refused = [*incoming.refused, *made.refused]
        return made

    if confirm:
        with file.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        with write() as session:
            ensure_system_actor(session)
            made = judged(session)
            carry_out(session, made, by=system_principal(session), filename=file.name, sha256=sha256)
    else:
        made = judged(db.session)
    _tell(made, confirm=confirm, as_json=as_json)
    return EXIT_SOME_REFUSED if made.refused else 0


def _country(code: str | None) -> CountryFacts:
    country = country_facts(db.session)
    if not country.code:
        raise Refused("the portal has no country yet: python3 -m portal seed, or init, makes one")
    names = {name.casefold() for name in (country.code, *country.aliases, *country.names.values())}
    if code and code.casefold() not in names:
        raise Refused(f"this portal is {country.code}'s, not {code}'s")
    return country


def _spoken(one: Problem) -> dict[str, Any]:
    return {
        "sheet": one.sheet,
        "row": one.row,
        "message": str(one.message),
        "mend": str(one.mend) if one.mend else None,
    }


def _sentence(one: Problem) -> str:
    place = ", ".join(part for part in (one.sheet, f"row {one.row}" if one.row else "") if part)
    return " ".join(part for part in (f"{place}:" if place else "", str(one.message), str(one.mend or "")) if part)


def _tell(made: ImportPlan, *, confirm: bool, as_json: bool) -> None:
    if as_json:
        report = {
            "written": confirm and made.does_something,
            "counts": made.counts,
            "refused": [_spoken(one) for one in made.refused],
            "unmapped": [{"vocabulary": vocabulary.value, "label": label} for vocabulary, label in made.unmapped],
            "changed": [
                {"place": str(one.place), "changes": [change.__dict__ for change in one.changes]}
                for one in made.changed
            ],
        }
        print(json.dumps(report, ensure_ascii=False))
        return
    counts = made.counts
    print(
        f"{counts['added']} new, {counts['changed']} changed, {counts['unchanged']} unchanged, "
        f"{counts['refused']} refused, {counts['other_countries']} of other countries left out."
    )
    for one in made.refused[:SHOWN]:
        print(f"  refused: {_sentence(one)}", file=sys.stderr)
    if len(made.refused) > SHOWN:
        print(f"  and {len(made.refused) - SHOWN} more; --json lists all", file=sys.stderr)
    if made.does_something and not confirm:
        print("Nothing was written. Repeat with --confirm to write.")
