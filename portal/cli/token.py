"""``token add`` and ``token revoke``: bearer tokens for ``/api/v1``."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from portal.cli.context import Refused, with_app
from portal.cli.db import require_schema
from portal.database import write
from portal.queries.sessions import system_principal
from portal.services import accounts, people, sessions

if TYPE_CHECKING:
    from flask import Flask


@click.group()
def token() -> None:
    """Tokens for the JSON interface."""


@token.command()
@click.argument("login")
@click.option("--name", default="command line", show_default=True, help="What the token is for.")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True, help="Days until it ends.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_app
def add(app: Flask, login: str, name: str, days: int, *, as_json: bool) -> None:
    """Make a token that may do what the person LOGIN may; it is shown once."""
    require_schema(app)
    with write() as session:
        people.ensure_system_actor(session)
        person = sessions.find_account(session, login)
        if person is None:
            raise Refused(f"there is no person with the log-in name {login}")
        made, secret = accounts.add_token(
            session, person, name=name, lifetime=timedelta(days=days), by=system_principal(session)
        )
    click.echo(json.dumps({"id": made.public_id, "token": secret}) if as_json else f"{secret}\n(id {made.public_id})")


@token.command()
@click.argument("public_id")
@with_app
def revoke(app: Flask, public_id: str) -> None:
    """End the token with the id PUBLIC_ID."""
    require_schema(app)
    with write() as session:
        people.ensure_system_actor(session)
        accounts.revoke_token(session, public_id, by=system_principal(session))
    click.echo("The token is revoked.")
