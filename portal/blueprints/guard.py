"""The door: every route is public or names a permission; what carries neither mark is refused."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import abort, current_app, g, redirect, request, session, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import same_origin
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import delete, select
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from portal import clock
from portal.blueprints import once
from portal.blueprints.signed_in import somebody
from portal.csrf_tokens import tokens
from portal.database import write
from portal.errors import Invalid, NotAllowed, NotFound
from portal.extensions import csrf, db
from portal.incoming import asked, present
from portal.models import HeldPost, UserAccount
from portal.permissions import Permission, Principal, can, hidden_from, may
from portal.services import second_factor, sessions
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response
    from flask.typing import ResponseReturnValue

    from portal.blueprints.sessions import PortalSession
    from portal.queries.sessions import FoundSession

View = TypeVar("View", bound="Callable[..., Any]")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "X-CSRFToken"
HELD_LIMIT = 1_000_000
HELD_FOR = timedelta(hours=24)


def public(view: View) -> View:
    """Mark a view that anybody may call."""
    view.portal_public = True  # type: ignore[attr-defined] # a mark on the view
    return view


def repeats(reason: str) -> Callable[[View], View]:
    """Let a view do its work each time its form is sent, for a reason: nothing is kept under the form's key."""

    def mark(view: View) -> View:
        view.portal_repeats = reason  # type: ignore[attr-defined] # a mark on the view
        return view

    return mark


def requires(permission: Permission, on: Callable[..., Any] | None = None) -> Callable[[View], View]:
    """Let a view be called only with ``permission``.

    ``on`` loads the thing from the route's arguments; what the person may not see at all is not found (404), what they
    may see but not do this to is refused (403). The loaded thing becomes the view's first argument. A form that is sent
    twice is done once (:mod:`portal.blueprints.once`), unless the view :func:`repeats`.
    """

    def mark(view: View) -> View:
        repeated = bool(getattr(view, "portal_repeats", ""))

        @wraps(view)
        def guarded(**arguments: Any) -> ResponseReturnValue:
            this = asked()
            key = this.form.get(once.FIELD) if this.method == "POST" and not repeated else None
            user_id = who().user_id
            # a script has its own protocol, and its forms stay open for more than one request
            if not key or user_id is None or wants_json() or this.blueprint == "api":
                return allowed(**arguments)
            return once.answered(lambda: allowed(**arguments), user_id=user_id, key=key)

        def allowed(**arguments: Any) -> ResponseReturnValue:
            principal = who()
            if on is None:
                if not may(principal, permission):
                    raise NotAllowed
                return cast("ResponseReturnValue", view(**arguments))
            thing = on(**arguments)
            if not can(principal, permission, thing):
                # another institution's things do not exist for you: same answer, same page
                raise NotFound if hidden_from(principal, thing) else NotAllowed
            return cast("ResponseReturnValue", view(thing))

        guarded.portal_permission = permission  # type: ignore[attr-defined] # a mark on the view
        return cast("View", guarded)

    return mark


def by_link(on: Callable[..., Any]) -> Callable[[View], View]:
    """Let a view be called by whoever was handed the questions that it is about, with or without an account.

    ``on`` loads the thing and, as its ``principal``, who comes; a response in its place ends the request. It asks no
    log-in: link and code, or being the colleague named, open these pages (portal/blueprints/shared).
    """

    def mark(view: View) -> View:
        @wraps(view)
        def guarded(**arguments: Any) -> ResponseReturnValue:
            thing = on(**arguments)
            if (ended := getattr(thing, "ended", None)) is not None:
                return cast("ResponseReturnValue", ended())
            if not can(thing.principal, Permission.ANSWER_DELEGATION, thing.head):
                raise NotFound
            return cast("ResponseReturnValue", view(thing))

        guarded.portal_permission = Permission.ANSWER_DELEGATION  # type: ignore[attr-defined] # a mark on the view
        guarded.portal_by_link = True  # type: ignore[attr-defined] # a mark on the view
        return cast("View", guarded)

    return mark


def who() -> Principal:
    """Return the signed-in person; only valid behind the guard."""
    return cast("Principal", somebody())


def confirm_password(principal: Principal, password: str) -> None:
    """Make sure that the person at the keyboard still knows the password, before signing and the like (ASVS 7.5.3).

    Call it before ``write()``: argon2 takes its time. Wrong ones are counted like wrong log-ins.

    Raises:
        Invalid: it is wrong (field ``password``). Throttled: too many wrong ones.
    """
    account = sessions.token_digest(f"confirm:{principal.public_id}")
    sessions.check_throttle(db.session, account)
    stored = db.session.scalar(select(UserAccount.password_hash).where(UserAccount.id == principal.user_id))
    right = sessions.verify_password(stored, password)
    with write() as database:
        sessions.note_attempt(database, account, succeeded=right)
        if right and principal.session_id is not None:
            sessions.confirm(database, principal.session_id)
    if not right:
        sentence = _("The password is not right.")
        raise Invalid(sentence, problems=[Problem(sentence, field="password")], code="wrong_password")


def install(app: Flask) -> None:
    """Attach the guard to all requests."""
    app.before_request(_say_that_nobody_is_known)
    app.before_request(_hold_post_of_expired_session)
    app.before_request(_check_csrf)
    app.before_request(_deny_by_default)
    app.after_request(_forget_sent_post)


def wants_json() -> bool:
    """Tell whether the caller is a script (autosave, API) rather than a page load."""
    return _prefers_json(request.headers.get("Accept", ""))


@lru_cache(maxsize=256)
def _prefers_json(accepted: str) -> bool:
    best = parse_accept_header(accepted, MIMEAccept).best_match(["text/html", "application/json"])
    return best == "application/json"


def _view() -> Any:
    return present().app.view_functions.get(asked().endpoint or "")


def _say_that_nobody_is_known() -> None:
    """Answer 503 while the database does not say whose session this is: to lead to the log-in would be wrong."""
    if (unread := getattr(session, "unread", None)) is not None:
        raise unread


def _check_csrf() -> None:
    this = asked()
    if this.method in SAFE or this.path.startswith("/api/"):  # bearer tokens only: no cookie to forge with
        return
    token, secret = this.headers.get(CSRF_HEADER), session.get("csrf_token", "")
    known = tokens()
    if (
        token is not None
        and known.holds(token, secret)
        and (not this.is_secure or same_origin(this.referrer or "", f"https://{this.host}/"))
    ):
        return
    csrf.protect()
    if token is not None and "csrf_token" not in this.form:
        # a page sends its token with each save: its signature is looked at once
        known.prove(token, secret)


def _deny_by_default() -> ResponseReturnValue | None:
    view = _view()
    if view is None or getattr(view, "portal_public", False) or getattr(view, "portal_by_link", False):
        return None
    if somebody() is None:
        if request.blueprint == "api":
            abort(401)
        if wants_json():
            return {"code": "signed_out", "login": url_for("accounts.login")}, 401
        target = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("accounts.login", next=target), code=303)
    if getattr(view, "portal_permission", None) is None:
        raise NotAllowed
    return _second_factor_first()


# what somebody may still do whose role needs a second factor that they have not
WITHOUT_SECOND_FACTOR = frozenset({"second_factor.page", "second_factor.set_up", "accounts.logout"})


def _second_factor_first() -> ResponseReturnValue | None:
    """Lead whoever got such a role while signed in to the page where a second factor is set up."""
    required = current_app.config["SETTINGS"].totp_required
    if not required or who().second_factor or request.path.startswith("/api/"):
        return None
    if request.endpoint in WITHOUT_SECOND_FACTOR or not second_factor.must_have(who(), required):
        return None
    if wants_json():
        return {"code": "second_factor", "login": url_for("second_factor.page")}, 403
    return redirect(url_for("second_factor.page"), code=303)


def _hold_post_of_expired_session() -> ResponseReturnValue | None:
    """Keep what was typed into a page whose session had run out (never a revoked one), for the same person alone."""
    if request.method != "POST":
        return None
    opened = cast("PortalSession", session._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - a mark on the view
    if (expired := opened.expired) is None:
        return None
    view = _view()
    if view is None or getattr(view, "portal_public", False):
        return None
    if (request.content_length or 0) > HELD_LIMIT or not _csrf_fits(expired):
        return None
    held_post = _hold(expired.principal.user_id)
    if wants_json():
        return {
            "code": "session_expired",
            "held": held_post is not None,
            "held_post": held_post,
            "login": url_for("accounts.login", next=url_for("accounts.held")),
        }, 401
    return redirect(url_for("accounts.login", next=url_for("accounts.held"), reason="expired"), code=303)


def secret(name: str) -> bool:
    """Tell whether a field of a form holds what is never kept nor shown again."""
    return "password" in name or "totp" in name


def _hold(user_id: int | None) -> str | None:
    """Keep the fields of this post for the person; return its public id, None where nothing was typed (a ping)."""
    fields = [
        {"name": name, "value": value}
        for name, value in request.form.items(multi=True)
        if name not in {"csrf_token", "held_post", once.FIELD} and not secret(name)
    ]
    if not fields:
        return None
    path, names = request.full_path.rstrip("?"), {field["name"] for field in fields}
    with write() as database:
        # an autosave, then the whole page by the button: the later holds everything that the earlier did
        for one in database.scalars(
            select(HeldPost).where(HeldPost.user_id == user_id, HeldPost.path == path).order_by(HeldPost.id)
        ):
            if names.issuperset(field["name"] for field in one.fields):
                database.delete(one)
        kept = HeldPost(user_id=user_id, path=path, fields=fields, expires_at=clock.now() + HELD_FOR)
        database.add(kept)
        database.flush()
        return kept.public_id


def _forget_sent_post(response: Response) -> Response:
    """Drop a held text once the page it belongs to has taken it."""
    # a refused body is not read again: one over the limit would be refused anew, past every error page
    this = asked()
    sent = this.form.get("held_post") if this.method == "POST" and response.status_code < 400 else None
    if sent and (principal := somebody()) is not None:
        with write() as database:
            database.execute(delete(HeldPost).where(HeldPost.public_id == sent, HeldPost.user_id == principal.user_id))
    return response


def _csrf_fits(expired: FoundSession) -> bool:
    token = request.form.get("csrf_token") or request.headers.get("X-CSRFToken") or ""
    signer = URLSafeTimedSerializer(current_app.secret_key or "", salt="wtf-csrf-token")
    try:
        return bool(signer.loads(token) == expired.principal.csrf_secret)
    except BadData:
        return False


def local_path(target: str | None) -> str | None:
    """Return ``target`` if it is a path of this portal, else None (ASVS 3.7.2: no open redirect)."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    if any(ord(c) < 0x20 or c == "\\" for c in target):
        return None
    return target


def shown_before() -> str | None:
    """Return the page of this portal from which a form was sent or a link followed, where it can be opened again."""
    before = urlsplit(request.referrer or "")
    if before.netloc != request.host:
        return None
    path = before.path + (f"?{before.query}" if before.query else "")
    opens = current_app.url_map.bind(request.host).test(before.path, method="GET")
    return local_path(path) if opens else None


def forget_person() -> None:
    """Drop what this request has cached of the signed-in person (after signing in or out)."""
    g.pop("_login_user", None)
