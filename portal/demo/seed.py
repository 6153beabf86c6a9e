"""Fills an empty portal with a demo country through the services, each act at its own moment; cached for a day."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from config import ROOT
from portal import clock, migrations
from portal.database import write
from portal.demo.files import CountryFiles
from portal.demo.hurry import hurried, sync_file
from portal.demo.life import Life
from portal.demo.preparation import set_up
from portal.extensions import db
from portal.queries.sessions import system_principal
from portal.services import accounts
from portal.services.news import settle_past
from portal.services.people import ensure_system_actor
from portal.services.sessions import hash_password

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask

    from config import Settings

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
# what a seeded demo consists of beside the database
FOLDERS = ("evidence", "mail", "questionnaires")
KEPT_DAYS = 2


def seed(app: Flask, *, password: str | None, country: str = "cambodia") -> list[dict[str, str]]:
    """Fill an empty portal with a demo country and return its log-ins (role, institution, login, password).

    On SQLite the result is kept in the cache folder under a hash of code, files and day, and copied the next time.
    """
    chosen = password or new_password()
    hashed = hash_password(chosen)
    with app.app_context():
        files = CountryFiles.open(country, clock.now())
        settings: Settings = app.config["SETTINGS"]
        if settings.sqlite_path is None:
            _build(app, files, hashed)
            return _logins(files, chosen)
        shelf = settings.cache_dir / "demo" / f"{files.today.isoformat()}-{_key(country)}"
        if not (shelf / "tamdan.sqlite3").exists():
            _build_fast(app, files)
            _keep(settings, settings.sqlite_path, shelf)
        else:
            _take(settings, settings.sqlite_path, shelf)
        with write() as session:
            accounts.give_demo_password(session, password_hash=hashed, by=system_principal(session))
        db.engine.dispose()
        return _logins(files, chosen)


def new_password() -> str:
    """Return a random password that can be read out and typed."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))


def _build(app: Flask, files: CountryFiles, password_hash: str) -> None:
    settings: Settings = app.config["SETTINGS"]
    migrations.upgrade(db.engine)
    with write() as session:
        ensure_system_actor(session)
    versions = set_up(files, password_hash=password_hash, sources=settings.data_dir / "questionnaires")
    Life(app, files, versions).happen()
    db.session.rollback()
    with write() as session:
        # people come in about once a week: what is younger is new for them
        settle_past(session, read_until=clock.now() - timedelta(days=7))


def _build_fast(app: Flask, files: CountryFiles) -> None:
    with hurried(app.config["SETTINGS"].sqlite_path):
        # nobody knows this password; the one in force is set on each copy
        _build(app, files, hash_password(secrets.token_urlsafe(24)))


def _keep(settings: Settings, database: Path, shelf: Path) -> None:
    """Put a built demo on the shelf: complete or not at all; older ones go."""
    shelf.parent.mkdir(parents=True, exist_ok=True)
    draft = shelf.with_name(f".{shelf.name}.{secrets.token_hex(4)}")
    draft.mkdir(mode=0o700)
    shutil.copyfile(database, draft / "tamdan.sqlite3")
    for name in FOLDERS:
        if (settings.data_dir / name).is_dir():
            shutil.copytree(settings.data_dir / name, draft / name)
    sync_file(draft / "tamdan.sqlite3")
    try:
        draft.rename(shelf)
    except OSError:  # another start was first; its copy is as good
        shutil.rmtree(draft)
    for other in shelf.parent.iterdir():
        if other != shelf and other.stat().st_mtime < time.time() - KEPT_DAYS * 86_400:
            shutil.rmtree(other, ignore_errors=True)


def _take(settings: Settings, database: Path, shelf: Path) -> None:
    """Copy a built demo from the shelf over the empty database."""
    db.session.rollback()
    db.engine.dispose()
    for leftover in database.parent.glob(f"{database.name}-*"):
        leftover.unlink()
    draft = database.with_name(f"{database.name}.new")
    shutil.copyfile(shelf / "tamdan.sqlite3", draft)
    sync_file(draft)
    draft.replace(database)
    for name in FOLDERS:
        if (shelf / name).is_dir():
            shutil.copytree(shelf / name, settings.data_dir / name, dirs_exist_ok=True)


def _key(country: str) -> str:
    """Return a hash of everything that the demo is made from: code, rules, schema, files of the country."""
    digest = hashlib.sha256(country.encode())
    for path in _ingredients(country):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


def _ingredients(country: str) -> Iterator[Path]:
    for room in ("portal", "forms", "migrations"):
        yield from sorted((ROOT / room).rglob("*.py"))
    yield from sorted((ROOT / "templates" / "mail").glob("*"))
    demo = ROOT / "portal" / "demo"
    for folder in (demo / "countries" / country, demo / "evidence"):
        yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _logins(files: CountryFiles, password: str) -> list[dict[str, str]]:
    """List who can sign in: the secretariat, then the institutions whose running replies show the most states."""
    here = {one["key"]: one["institution"] for one in files.rounds[-1]["assignments"]}
    shown: dict[str, set[tuple[str, bool]]] = {}
    for reply in files.answers["replies"]:
        if reply["assignment"] in here:
            shown.setdefault(here[reply["assignment"]], set()).add((reply["status"], reply["late"]))
    staff: list[dict[str, str]] = []
    members: list[tuple[int, dict[str, str]]] = []
    for person in files.persons:
        login = {"login": person["login"], "password": password}
        if person["staff_role"]:
            staff.append({"role": person["staff_role"], "institution": "", **login})
        for part in person["memberships"]:
            entry = {"role": part["role"], "institution": part["institution"], **login}
            states = shown.get(part["institution"], set())
            # what is late and still to be answered shows more than anything else
            members.append((-len(states) - 4 * (("in_progress", True) in states), entry))
    return staff + [entry for _rank, entry in sorted(members, key=lambda pair: pair[0])]
