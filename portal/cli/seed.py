"""``seed``: the demo country, or a large synthetic portal for measuring, in an empty installation."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click
from sqlalchemy import select

from portal.cli.context import Refused, with_app
from portal.cli.db import upgrade_schema
from portal.cli.demo import LOGINS, write_logins
from portal.extensions import db
from portal.models import Country

if TYPE_CHECKING:
    from flask import Flask


@click.command()
@click.option("--profile", type=click.Choice(["demo", "big"]), default="demo", show_default=True)
@click.option("--country", default="cambodia", show_default=True, help="Folder of portal/demo/countries.")
@click.option("--password", help="One password for everybody; a random one otherwise.")
@click.option("--institutions", type=click.IntRange(1, 5000), default=60, show_default=True, help="For big.")
@click.option("--recommendations", type=click.IntRange(1, 50_000), default=300, show_default=True, help="For big.")
@click.option("--answers", type=click.IntRange(1, 20_000_000), default=200_000, show_default=True, help="For big.")
@click.option("--seed", "number", type=int, default=1, show_default=True, help="For big: same number, same set.")
@with_app
def seed(
    app: Flask,
    profile: str,
    country: str,
    password: str | None,
    institutions: int,
    recommendations: int,
    answers: int,
    number: int,
) -> None:
    """Fill an empty portal; everybody who can sign in is listed in demo-logins.json in the data folder."""
    from portal.demo.big import Size, seed_big
    from portal.demo.seed import seed as seed_demo

    started = time.monotonic()
    upgrade_schema(app)
    if db.session.scalar(select(Country.id).limit(1)) is not None:
        sentence = "this portal is not empty; give another folder with PORTAL_DATA_DIR, or another database"
        raise Refused(sentence)
    db.session.rollback()
    try:
        if profile == "big":
            size = Size(institutions, recommendations, answers, number)
            logins = seed_big(app, size, password=password, country=country)
        else:
            logins = seed_demo(app, password=password, country=country)
    except ValueError as error:
        raise Refused(str(error)) from error
    path = app.config["SETTINGS"].data_dir / LOGINS
    write_logins(path, logins)
    click.echo(f"Done in {time.monotonic() - started:.1f} s; {len(logins)} log-ins in {path}.")
