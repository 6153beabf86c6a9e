"""``demo``: a filled portal to try, from nothing, in one command."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config import ROOT
from portal.cli.context import Context, Refused, pass_context
from portal.cli.db import upgrade_schema
from portal.cli.serve import run

if TYPE_CHECKING:
    from flask import Flask

LOGINS = "demo-logins.json"
Login = Mapping[str, str]  # role, institution, login, password


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option("--data", "data_dir", type=click.Path(path_type=Path, file_okay=False), help="Folder of the demo.")
@click.option("--password", help="One password for every demo person; random ones otherwise.")
@pass_context
def demo(context: Context, port: int | None, data_dir: Path | None, password: str | None) -> int:
    """Prepare the demo country, print its address and log-ins, and serve it until Ctrl-C."""
    if data_dir is None and "PORTAL_DATA_DIR" not in os.environ:
        data_dir = ROOT / "data" / "demo"  # apart from what a real installation in this checkout would use
    context.override(port=port, data_dir=data_dir, demo=True)
    logins = prepare(context.app, context.settings.data_dir, password)
    return run(context, lambda address: _announce(address, logins, context.settings.data_dir / LOGINS))


def prepare(app: Flask, data_dir: Path, password: str | None) -> Sequence[Login]:
    """Bring schema and demo country into the data folder and return the log-ins; nothing is done twice.

    Raises:
        Refused: the folder holds a portal that is not a demo.
    """
    kept = data_dir / LOGINS
    database = app.config["SETTINGS"].sqlite_path
    if kept.exists():
        with app.app_context():
            upgrade_schema(app)
        if password:
            click.echo("The demo is already there and keeps its passwords; give another --data for a new one.")
        logins: list[Login] = json.loads(kept.read_text(encoding="utf-8"))
        return logins
    unfinished = data_dir / "demo-unfinished"
    if database is not None and database.exists() and not unfinished.exists():
        raise Refused(f"{data_dir} holds a portal that is not a demo; give another folder with --data")
    data_dir.mkdir(parents=True, exist_ok=True)
    if unfinished.exists() and database is not None:
        # An earlier start was cut off while seeding: what it left is worth nothing.
        for leftover in database.parent.glob(f"{database.name}*"):
            leftover.unlink()
    unfinished.touch()
    started = time.monotonic()
    click.echo("Filling the demo country ...")
    from portal.demo.seed import seed  # imports all services: not needed when the demo is there already

    logins = list[Login](seed(app, password=password))
    write_logins(kept, logins)
    unfinished.unlink()
    click.echo(f"Done in {time.monotonic() - started:.1f} s.")
    return logins


def write_logins(path: Path, logins: Sequence[Login]) -> None:
    """Write the log-ins so that only the owner of the folder reads them, all or nothing."""
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(logins, ensure_ascii=False, indent=1), encoding="utf-8")
    draft.replace(path)


def _announce(address: str, logins: Sequence[Login], file: Path) -> None:
    click.echo("")
    click.echo(f"  {address}/login")
    click.echo("")
    shown: set[str] = set()
    for login in logins:
        if login["role"] not in shown:
            shown.add(login["role"])
            where = login.get("institution", "")
            click.echo(f"  {login['role']:16} {login['login']:24} {login['password']:16} {where}")
    click.echo("")
    click.echo(f"  One per role; all {len(logins)} are in {file}. Stop with Ctrl-C.")
