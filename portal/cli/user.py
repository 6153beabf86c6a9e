"""``user add``: the first administrator of an installation, or anybody else, with a link and a code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
from sqlalchemy import func, select

from portal.cli.context import Refused, with_app
from portal.cli.db import require_schema
from portal.database import write
from portal.models import Institution, Role, StaffRole
from portal.queries.countries import country_facts
from portal.queries.sessions import system_principal
from portal.services import accounts, people

if TYPE_CHECKING:
    from flask import Flask

ROLES = [role.value for role in [*StaffRole, *Role]]


@click.group()
def user() -> None:
    """Persons who sign in."""


@user.command()
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default=StaffRole.ADMINISTRATOR.value, show_default=True)
@click.option("--institution", default="", help="Code of the institution, for a role in one.")
@click.option("--login", default="", help="Log-in name; made when left out.")
@click.option("--email", default="", help="E-mail address, if there is one.")
@click.option("--phone", default="", help="Phone number, if there is one.")
@click.option("--language", default="", help="Language of the pages; the country's first when left out.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_app
def add(
    app: Flask,
    name: str,
    role: str,
    institution: str,
    login: str,
    email: str,
    phone: str,
    language: str,
    *,
    as_json: bool,
) -> None:
    """Add the person NAME and print the link and the code of the first entry (valid for 14 days)."""
    require_schema(app)
    with write() as session:
        people.ensure_system_actor(session)
        by = system_principal(session)
        languages = country_facts(session).languages
        language = language or languages[0]
        home = session.scalar(select(Institution).where(func.lower(Institution.code) == institution.lower()))
        chosen = Role(role) if role in set(Role) else StaffRole(role)
        if isinstance(chosen, Role) and home is None:
            raise Refused(f"the role {role} needs --institution with the code of an institution")
        made = people.add_person(
            session, names={language: name}, login=login, email=email, phone=phone, language=language,
            hint=people.login_for(chosen, home.code if home else ""), by=by,
        )  # fmt: skip
        if isinstance(chosen, StaffRole):
            people.appoint_staff(session, made, chosen, by=by)
        elif home is not None:
            people.appoint(session, made, home, chosen, by=by)
        invited = accounts.invite(session, made, by=by)
    url = accounts.LinkMaker(app.config["SETTINGS"].base_url)(invited.token)
    if as_json:
        click.echo(json.dumps({"login": made.login, "link": url, "code": invited.spoken_code}, ensure_ascii=False))
        return
    click.echo(f"Log-in name: {made.login}\nLink: {url}\nCode: {invited.spoken_code}")
