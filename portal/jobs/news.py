"""Telling people by mail what is new for them: looked for once a minute, written only when somebody is to be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal import clock
from portal.database import write
from portal.extensions import db
from portal.services import news

if TYPE_CHECKING:
    from flask import Flask


def tell_each_minute(app: Flask, done: str = "") -> str:
    """Tell whoever is to be told, unless it was looked this minute; return the minute, to be handed in next."""
    minute = clock.now().isoformat(timespec="minutes")
    if minute != done:
        tell_now(app)
    return minute


def tell_now(app: Flask) -> int:
    """Queue the mails about what is new; return how many. An idle portal is only looked at."""
    with app.app_context():
        waits = news.due(db.session)
        db.session.rollback()
        if not waits:
            return 0
        with write() as session:
            return news.tell(session, base_url=str(app.config["SETTINGS"].base_url).rstrip("/"))
