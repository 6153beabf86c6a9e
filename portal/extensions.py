"""The Flask extensions, made once and bound to the application in ``portal.app``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import Babel
from flask_babel.speaklater import LazyString
from flask_login import LoginManager
from flask_sqlalchemy_lite import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from markupsafe import Markup, escape

from portal.incoming import present
from portal.kept_sessions import KeptSessions

if TYPE_CHECKING:
    from flask import Response
    from sqlalchemy.orm import Session


# where the extension keeps a context's sessions; where an application keeps those that wait for its next request
_SESSIONS, _KEPT = "_sqlalchemy_sessions", "KEPT_SESSIONS"


class _LoginManager(LoginManager):
    """Flask-Login without its cookie that remembers people: nobody is remembered longer than their session."""

    def _update_remember_cookie(self, response: Response) -> Response:
        """Return the answer: there is no such cookie to renew, which would be looked for after each request."""
        return response


class _Database(SQLAlchemy):
    """Flask-SQLAlchemy-Lite, with a short way to the session of the present context."""

    @property
    def session(self) -> Session:
        """Return the context's session; it is asked for some ten times in a request."""
        # where the extension keeps them; it is asked itself where nothing stands there
        kept: dict[str, Session] | None = present().g.get(_SESSIONS)
        found = kept.get("default") if kept else None
        return found if found is not None else self._get_or_take()

    def keep_sessions(self, config: dict[str, Any]) -> KeptSessions:
        """Let requests to an application go on with the session of the one before (:mod:`portal.kept_sessions`)."""
        made = config[_KEPT] = KeptSessions()
        return made

    def close_or_keep(self, error: BaseException | None) -> None:
        """Keep the session of a context that ends, where the process keeps any; the extension closes what is left."""
        waiting: KeptSessions | None = present().app.config.get(_KEPT)
        here: dict[str, Session] = present().g.get(_SESSIONS, {})
        if waiting is not None and error is None and "default" in here and waiting.keep(here["default"]):
            del here["default"]

    def _get_or_take(self) -> Session:
        waiting: KeptSessions | None = present().app.config.get(_KEPT)
        if waiting is None or (taken := waiting.take()) is None:
            return self.get_session()
        present().g.setdefault(_SESSIONS, {})["default"] = taken
        return taken


db = _Database(session_options={"expire_on_commit": False})
babel = Babel()
login_manager = _LoginManager()
csrf = CSRFProtect()


def _as_text(sentence: LazyString) -> Markup:
    return escape(str(sentence))


# Flask-Babel lets a lazy sentence pass for HTML; ours hold what people typed ("%(text)s is not in the list")
LazyString.__html__ = _as_text
