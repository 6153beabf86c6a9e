"""``create_app``: the one place that knows all rooms."""

from __future__ import annotations

import errno
import importlib
import importlib.util
import inspect
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app, has_request_context, make_response, render_template, request, session
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import BadRequest, HTTPException, NotFound

from config import ROOT, Settings
from portal import assets, compression, csrf_tokens, fragments, reader, templating, wording
from portal.blueprints import guard, page, signed_in
from portal.blueprints.sessions import PAGES, SUBMISSIONS, DatabaseSessions, PortalSession
from portal.blueprints.typed_words import posted_words
from portal.compiled import PortalEnvironment
from portal.database import engine_options, prepare
from portal.errors import Invalid, PortalError
from portal.extensions import babel, csrf, db, login_manager
from portal.incoming import Incoming, asked
from portal.masking import MASK
from portal.queries.sessions import held_until
from portal.routing import KnownPaths, LateRule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from flask.typing import ResponseReturnValue
    from werkzeug.routing import Rule

    from portal.permissions import Principal

BLUEPRINTS = (
    "public",
    "verify",
    "accounts",
    "second_factor",
    "returning",
    "respond",
    "shared",
    "documents",
    "sign",
    "people",
    "recommendations",
    "questionnaires",
    "rounds",
    "follow",
    "talk",
    "remember",
    "examples",
    "exports",
    "wording",
)

CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # same-origin keeps the Referer that the CSRF check of https reads, and tells other sites nothing
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


# drafts and exports must not stay in a browser's or proxy's cache (ASVS 14.2.2)
_EVERYWHERE = tuple((name.lower(), name, value) for name, value in (HEADERS | {"Cache-Control": "no-store"}).items())
_OVER_TLS = (
    *_EVERYWHERE,
    ("strict-transport-security", "Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
)

# addresses without their host that a process remembers: some 300 bytes each
PATHS_KEPT = 4_000
# what addresses are made of that can be told apart when it is looked for (True would pass for 1)
_PLAIN = frozenset({str, int, type(None)})


class _PlainFlask(Flask):
    """Flask without asynchronous views: it need not look at every hook of every request for one."""

    url_rule_class = LateRule
    request_class = Incoming
    jinja_environment = PortalEnvironment

    def __init__(self, *arguments: Any, **options: Any) -> None:
        # before Flask, which asks for addresses while it is made
        self._alone: dict[str, Rule | None] = {}
        self._built: dict[tuple[Any, ...], str] = {}
        super().__init__(*arguments, **options)

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as Flask does, and add the headers that every answer has: each passes Werkzeug's hands twice else."""
        always = _OVER_TLS if environ["wsgi.url_scheme"] == "https" else _EVERYWHERE

        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Callable[[bytes], object]:
            there = {name.lower() for name, _value in headers}
            headers += [(name, value) for key, name, value in always if key not in there]
            return start_response(status, headers, error)

        return super().wsgi_app(environ, start)

    def request_context(self, environ: WSGIEnvironment) -> KnownPaths:
        """Return the context of a request, which remembers what addresses say."""
        return KnownPaths(self, environ)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function: none is asynchronous here."""
        return func

    def url_for(self, /, endpoint: str, **values: Any) -> str:
        """Return an address as Flask does; that of a view with one rule is built by the rule itself, and kept.

        A page has some fifteen of them, most of which its reader saw on the page before; Flask's way looks for the
        rule that fits best each time.
        """
        if not has_request_context():
            return super().url_for(endpoint, **values)
        key = (endpoint, *values.items()) if _PLAIN.issuperset(map(type, values.values())) else ()
        path = self._built.get(key) or self._path_of(endpoint, values)
        if path is None:
            return super().url_for(endpoint, **values)
        if key and self._got_first_request:
            if len(self._built) >= PATHS_KEPT:
                self._built.clear()
            self._built[key] = path
        return asked().script_root + path

    def _path_of(self, endpoint: str, values: dict[str, Any]) -> str | None:
        """Build the address of a view with one rule; None where Flask must do it."""
        rule = self._rule_of(endpoint)
        if rule is None or not rule.arguments <= values.keys():
            return None
        given = {name: value for name, value in values.items() if value is not None}
        if any(name.startswith("_") for name in given) or (built := rule.build(given)) is None:
            return None
        return built[1]

    def _rule_of(self, endpoint: str) -> Rule | None:
        """Return the rule of a view that has one; None where Flask must choose."""
        if endpoint not in self._alone:
            rules = [] if endpoint not in self.view_functions else list(self.url_map.iter_rules(endpoint))
            alone = len(rules) == 1 and not rules[0].defaults and not self.url_default_functions
            if not self._got_first_request:
                return rules[0] if alone else None
            self._alone[endpoint] = rules[0] if alone else None
        return self._alone[endpoint]


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application for one installation."""
    app = create_worker_app(settings)
    importlib.import_module("portal.api").install(app)
    return app


def create_worker_app(settings: Settings | None = None) -> Flask:
    """Build the application without the JSON API: a worker answers no machine, and the shapes take 14 MB."""
    settings = settings or Settings()
    app = _PlainFlask(
        "portal",
        root_path=str(ROOT / "portal"),
        template_folder=str(ROOT / "templates"),
        static_folder=None,  # portal.assets serves the built files
    )
    app.config.update(settings.flask_config())
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _set_up_database(app, settings)
    assets.install(app, settings)  # before Babel, which it tells where the catalogues are
    _set_up_extensions(app, settings)
    wording.install(app)  # after Babel, before whatever says a word
    templating.install(app)
    page.install(app)
    guard.install(app)
    fragments.install(app)
    # rooms that are being furnished are passed by until they stand
    for name in BLUEPRINTS:
        if not importlib.util.find_spec(f"portal.blueprints.{name}"):
            continue
        app.register_blueprint(importlib.import_module(f"portal.blueprints.{name}").blueprint)
    if (settings.development or settings.testing) and importlib.util.find_spec("portal.blueprints.gallery"):
        app.register_blueprint(importlib.import_module("portal.blueprints.gallery").blueprint)
    _set_up_errors(app)
    app.logger.addFilter(MASK)
    compression.install(app)
    return app


def _set_up_database(app: Flask, settings: Settings) -> None:
    app.config["SQLALCHEMY_ENGINES"] = {"default": engine_options(settings.database_url)}
    db.init_app(app)
    # Flask-SQLAlchemy-Lite also closes async sessions after each request; Flask starts a thread with an event loop for
    # that, which costs more than the rest of a small request. No async engine exists here.
    app.teardown_appcontext_funcs[:] = [
        close for close in app.teardown_appcontext_funcs if not inspect.iscoroutinefunction(close)
    ]
    app.teardown_appcontext(db.close_or_keep)  # called before the extension's own, which closes what is left
    with app.app_context():
        prepare(db.engine, reads_alone=people_type_here)


def people_type_here() -> bool:
    """Tell whether the present request is of the answering pages or their like in the API, of which there are most."""
    return has_request_context() and asked().path.startswith((PAGES, SUBMISSIONS))


def _set_up_extensions(app: Flask, settings: Settings) -> None:
    app.session_interface = DatabaseSessions(
        secret_key=settings.signing_key,
        secure=settings.secure,
        idle=timedelta(minutes=settings.session_idle_minutes),
        absolute=timedelta(hours=settings.session_absolute_hours),
    )
    csrf.init_app(app)
    csrf_tokens.install(app)
    # its token for templates, which portal.fragments gives them, at each page's cost
    app.template_context_processors[None] = [
        one for one in app.template_context_processors[None] if "csrf" not in getattr(one, "__qualname__", "").lower()
    ]
    login_manager.init_app(app)
    login_manager.session_protection = None
    login_manager.user_loader(_load_person)
    babel.init_app(
        app,
        default_locale="en",
        locale_selector=_locale,
    )


def _load_person(public_id: str) -> Principal | None:
    opened = session._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - Flask-Login offers no public way
    if isinstance(opened, PortalSession) and opened.principal and opened.principal.public_id == public_id:
        return opened.principal
    return None


def _locale() -> str:
    return str(reader.current_language())


def _set_up_errors(app: Flask) -> None:
    app.register_error_handler(PortalError, _portal_error)
    app.register_error_handler(CSRFError, _csrf_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _database_error)
    app.register_error_handler(PoolTimeout, _database_error)
    app.register_error_handler(IntegrityError, _integrity_error)
    app.register_error_handler(DataError, _data_error)
    app.register_error_handler(OSError, _no_space)
    app.register_error_handler(500, _unexpected)


def _answer(status: int, code: str, message: str, **more: Any) -> ResponseReturnValue:
    db.session.rollback()
    if guard.wants_json() or request.path.startswith("/api/"):
        body = {"type": "about:blank", "title": message, "status": status, "code": code, **more}
        return body, status, {"Content-Type": "application/problem+json"}
    before = guard.shown_before()
    back = None if request.method == "GET" and before == request.full_path.rstrip("?") else before
    shown = {"status": status, "code": code, "message": message, "back": back, "held_until": _held_until(status)}
    # what a page without script sent is gone from it: the browser brings no form back
    shown["typed"] = [] if status >= HTTPStatus.INTERNAL_SERVER_ERROR else posted_words()
    return render_template("errors/error.html", **shown, **more), status


def _held_until(status: int) -> datetime | None:
    """Return until when a text is held that this post sent on, and that was not taken: it is still there."""
    known = vars(request._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - what was read of the body
    person = signed_in.somebody() if request.method == "POST" and "form" in known and status < 500 else None
    if person is None or person.user_id is None or not (sent := request.form.get("held_post")):
        return None
    return held_until(db.session, person.user_id, sent)


def _portal_error(error: PortalError) -> ResponseReturnValue:
    more: dict[str, Any] = {}
    if isinstance(error, Invalid):
        more["problems"] = [
            {
                "message": str(problem.message),
                "sheet": problem.sheet,
                "row": problem.row,
                "column": problem.column,
                "field": problem.field,
                "mend": str(problem.mend) if problem.mend else None,
            }
            for problem in error.problems
        ]
    return _answer(error.status, error.code, str(error), **more)


def _csrf_error(error: CSRFError) -> ResponseReturnValue:  # noqa: ARG001 - given by Flask
    sentence = _(
        "This page was open too long, or in another tab. "
        "It was not sent. Open the page anew and send it again."
    )
    return _answer(400, "csrf", sentence)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    response = error.get_response()
    if error.code is None or error.code < 400:
        return response
    sentence, code = {
        400: (_("The portal could not read this request. Go back and try again."), "bad_request"),
        401: (_("Sign in first."), "signed_out"),
        404: (_("This page does not exist, or you may not see it."), "not_found"),
        405: (_("This address cannot be used in this way."), "method_not_allowed"),
        413: (
            _too_large(),
            "too_large",
        ),
        415: (_("This kind of file or message is not taken here."), "unsupported"),
    }.get(error.code, (_("The portal could not do this."), "http_error"))
    return _answer(error.code, code, sentence)


def _too_large() -> str:
    """Say how much may come at once where the whole was too much, not one field or the number of fields."""
    most: int = current_app.config["MAX_CONTENT_LENGTH"]
    if (request.content_length or 0) <= most:
        return str(_("This is too large to send at once. Make the file smaller, or save fewer answers at a time."))
    settings = current_app.config["SETTINGS"]
    limit = max(settings.max_upload_mb, settings.evidence_max_mb)
    # a mark that portal/blueprints/receiving.py puts on the doors of workbooks
    takes = getattr(current_app.view_functions.get(request.endpoint or ""), "portal_workbooks", "")
    if takes == "several":
        return str(
            _(
                "This is too large to send at once: at most %(each)s MB a file and %(limit)s MB together. "
                "Make the files smaller, or send them one after the other.",
                each=settings.max_upload_mb,
                limit=limit,
            )
        )
    limit = settings.max_upload_mb if takes else limit
    return str(_("This is too large to send at once: at most %(limit)s MB. Make the file smaller.", limit=limit))


def _database_error(error: Exception) -> ResponseReturnValue:
    text = str(getattr(error, "orig", error)).lower()
    current_app.logger.error("database error: %s", type(error).__name__)
    if "full" in text or "no space" in text:
        return _storage_full()
    sentence = _("The portal is busy for a moment. Nothing was lost: try again in a few seconds.")
    return _later(_answer(503, "busy", sentence, **_kept_on_the_page()))


def _no_space(error: OSError) -> ResponseReturnValue:
    """Say that the disk is full while a file is received or a post spooled; any other error of the system is a 500."""
    if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
        raise error
    current_app.logger.error("no space is left for a file")
    return _storage_full()


def _storage_full() -> ResponseReturnValue:
    sentence = _("The server's disk is full. Nothing was saved; keep this page open and tell the administrator.")
    return _later(_answer(507, "storage_full", sentence, **_kept_on_the_page()))


def _kept_on_the_page() -> dict[str, Any]:
    """Return, as ``again``, the fields of a plain form that could not be taken now: its error page sends them anew.

    The page that they were typed on is gone. Files cannot be given back; what holds a secret is typed once more.
    """
    known = vars(request._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - what was read of the body
    if request.method != "POST" or "form" not in known or request.files or guard.wants_json():
        return {}
    fields = list(request.form.items(multi=True))
    if (request.content_length or 0) > guard.HELD_LIMIT or any(guard.secret(name) for name, _value in fields):
        return {}
    return {"again": fields}


def _later(made: ResponseReturnValue) -> ResponseReturnValue:
    response = make_response(made)
    response.headers["Retry-After"] = "5"
    return response


def _integrity_error(error: IntegrityError) -> ResponseReturnValue:
    current_app.logger.warning("a constraint refused a change: %s", type(error.orig).__name__)
    return _answer(
        409,
        "conflict",
        _("Somebody else changed this in the meantime. Look at it again, then repeat what you wanted to do."),
    )


def _data_error(error: DataError) -> ResponseReturnValue:
    """Say that nothing is called so, where an address holds what no text of a database server can (NUL)."""
    if "\0" in request.path:
        return _http_error(NotFound())
    if "\0" in "".join(value for _name, value in request.args.items(multi=True)):
        return _http_error(BadRequest())
    raise error


def _unexpected(error: Exception) -> ResponseReturnValue:  # noqa: ARG001 - logged by Flask
    return _answer(
        500,
        "unexpected",
        _(
            "Something went wrong on our side. "
            "What you had saved is safe; tell the administrator the time of this page."
        ),
    )
