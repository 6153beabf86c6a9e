"""The session cookie: an opaque value for a signed-in browser, a signed one for an anonymous visitor."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from flask import current_app, g, request
from flask.sessions import SessionInterface, SessionMixin
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.datastructures import CallbackDict

from portal import clock
from portal.extensions import db
from portal.incoming import Incoming
from portal.models import Session
from portal.queries.met import met, page_soon
from portal.queries.sessions import find_session
from portal.queries.submissions import find_soon
from portal.services.sessions import token_digest
from portal.services.submissions import save_soon

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Request, Response
    from sqlalchemy import Update
    from sqlalchemy.orm import Session as OrmSession

    from portal.permissions import Principal
    from portal.queries.sessions import FoundSession

TOUCH_EVERY = timedelta(minutes=5)
SIGNED_IN, ANONYMOUS = "s.", "a."
Found = TypeVar("Found")
API = "/api/"
_PUBLIC_ID = re.compile(r"[A-Za-z0-9_-]{1,64}(/|$)")
_PAGE = re.compile(r"/replies/([A-Za-z0-9_-]{1,64})/(pages/[^/]+)?")
# what stands before the public id of a reply in addresses
PAGES, SUBMISSIONS = "/replies/", "/api/v1/submissions/"


class PortalSession(CallbackDict[str, Any], SessionMixin):
    """What Flask, Flask-Login and Flask-WTF see as the session; signed-in sessions live in the database."""

    def __init__(self, initial: dict[str, Any] | None = None) -> None:
        def changed(session: PortalSession) -> None:
            session.modified = True

        super().__init__(initial or {}, changed)
        self.modified = False
        self.principal: Principal | None = None
        self.found: FoundSession | None = None
        # set when the cookie names a session that ran out (and was not revoked): its post may be held
        self.expired: FoundSession | None = None
        # why nobody knows who this is: the database did not answer (the guard says so; nobody is signed out by it)
        self.unread: Exception | None = None
        self.token: str | None = None
        self.ended = False

    def sign_in(self, token: str) -> None:
        """Send the cookie of a new session with this response."""
        self.token = token
        self.ended = False

    def sign_out(self) -> None:
        """Forget the cookie with this response."""
        self.clear()
        self.principal = None
        self.token = None
        self.ended = True


class DatabaseSessions(SessionInterface):
    """Opens and saves :class:`PortalSession`; one joined query for a signed-in request, none for others."""

    def __init__(self, *, secret_key: str, secure: bool, idle: timedelta, absolute: timedelta) -> None:
        self.secure = secure
        self.idle = idle
        self.absolute = absolute
        # __Host- binds the cookie to this host and to https (ASVS 3.3.1)
        self.cookie_name = "__Host-tamdan" if secure else "tamdan"
        self._signer = URLSafeSerializer(secret_key, salt="anonymous-session")

    def open_session(self, app: Flask, request: Request) -> PortalSession:  # noqa: ARG002 - Flask's signature
        """Read the cookie; the JSON API takes bearer tokens only, whatever the cookie says."""
        if request.path.startswith(API):
            return PortalSession()
        value = request.cookies.get(self.cookie_name, "")
        if value.startswith(SIGNED_IN):
            return self._open_signed_in(value.removeprefix(SIGNED_IN), request)
        if value.startswith(ANONYMOUS):
            try:
                return PortalSession(dict(self._signer.loads(value.removeprefix(ANONYMOUS))))
            except (BadSignature, ValueError, TypeError):
                pass
        return PortalSession()

    def _open_signed_in(self, token: str, asked: Request) -> PortalSession:
        opened = PortalSession()
        try:
            expect_page(asked)
            found = asked_again(find_session, token_digest(token))
        except (OperationalError, PoolTimeout) as error:
            db.session.rollback()
            opened.unread = error
            return opened
        if found is None or found.revoked_at is not None or not found.active:
            return opened
        moment = clock.now()
        if found.expires_at <= moment or found.last_seen + self.idle <= moment:
            opened.expired = found
            return opened
        principal = found.principal
        dict.update(
            opened,
            {
                "_user_id": principal.public_id,
                "_fresh": True,
                "_id": principal.session_public_id,
                "csrf_token": principal.csrf_secret,
            },
        )
        opened.principal, opened.found = principal, found
        g._login_user = principal  # noqa: SLF001 - where Flask-Login keeps whom it found; it need not look again
        return opened

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:  # noqa: ARG002 - Flask's signature
        """Send or drop the cookie; touch ``last_seen`` in a transaction of its own, after the view's."""
        if not isinstance(session, PortalSession) or request.path.startswith(API) or session.unread is not None:
            return
        response.headers.add("Vary", "Cookie")
        if session.token is not None:
            self._send(response, SIGNED_IN + session.token)
        elif session.ended:
            response.delete_cookie(self.cookie_name, secure=self.secure, httponly=True, samesite="Lax", path="/")
        elif session.principal is not None and session.found is not None:
            self._touch(session.found)
        elif session.modified:
            kept = {key: value for key, value in session.items() if key in {"csrf_token", "lang", "half"}}
            self._send(response, ANONYMOUS + str(self._signer.dumps(kept)))

    def _send(self, response: Response, value: str) -> None:
        response.set_cookie(
            self.cookie_name, value, secure=self.secure, httponly=True, samesite="Lax", path="/", max_age=self.absolute
        )

    @staticmethod
    def _touch(found: FoundSession) -> None:
        moment = clock.now()
        if moment - found.last_seen < TOUCH_EVERY:
            return
        note(
            update(Session)
            .where(Session.id == found.principal.session_id, Session.revoked_at.is_(None))
            .values(last_seen=moment)
        )


def expect_page(asked: Request) -> None:
    """Let a reply come with whoever asks for it, and what its page or a save of it asks, where it was met before.

    A save locks the reply on the way: never for a body that is still to come, for as long as its sender likes.
    """
    path = asked.path
    found = _PAGE.fullmatch(path)
    known = met(found[1]) if found else None
    if found and known and asked.method == "POST" and isinstance(asked, Incoming) and asked.is_short_form():
        save_soon(db.session, found[1], known)
        return
    expect_reply(path, PAGES)
    if known and asked.method == "GET":
        page_soon(db.session, known)


def expect_reply(path: str, prefix: str) -> None:
    """Let the reply that a path names come with whoever asks for it; whether they may see it is asked after."""
    if path.startswith(prefix) and _PUBLIC_ID.match(path, len(prefix)):
        find_soon(db.session, path[len(prefix) :].partition("/")[0])


def asked_again(find: Callable[[OrmSession, str], Found], token_hash: str) -> Found:
    """Find whose session or token this is; a connection that the database ended meanwhile is replaced, once."""
    try:
        return find(db.session, token_hash)
    except OperationalError:
        db.session.rollback()
        return find(db.session, token_hash)


def note(seen: Update) -> None:
    """Write down that somebody was here, in a transaction of its own.

    On a full disk, or while the database is busy, it stays unwritten: whoever only reads goes on reading, and the next
    request tries again.
    """
    from portal.database import write

    db.session.rollback()
    try:
        with write() as session:
            session.execute(seen)
    except (OperationalError, PoolTimeout) as error:
        current_app.logger.warning("not noted that somebody was here: %s", type(error).__name__)
