"""Signing in and out, first entry and forgotten password by link and code, and one's own account."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user, login_user
from sqlalchemy import delete, select

from portal import clock
from portal.blueprints.guard import forget_person, local_path, public, requires, who
from portal.blueprints.page import notice
from portal.database import write
from portal.extensions import db
from portal.models import HeldPost, Membership, Session, UserAccount
from portal.permissions import Permission
from portal.queries.sessions import principal_of
from portal.services import audit, sessions

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("accounts", __name__)


@blueprint.get("/login")
@public
def login() -> ResponseReturnValue:
    """Show the log-in page."""
    if current_user.is_authenticated:
        return redirect(local_path(request.args.get("next")) or url_for("public.home"), code=303)
    return _login_page()


@blueprint.post("/login")
@public
def enter() -> ResponseReturnValue:
    """Sign a person in by log-in name, phone number or e-mail address (field ``email``) and password."""
    name, password = request.form.get("email", ""), request.form.get("password", "")
    account = sessions.throttle_key(name)
    try:
        sessions.check_throttle(db.session, account)
    except sessions.Throttled as error:
        return _login_page(str(error), name=name), 429
    user = sessions.find_account(db.session, name) if name.strip() else None
    stored = user.password_hash if user is not None and user.active else None
    right = sessions.verify_password(stored, password)
    if not right or user is None:
        with write() as database:
            sessions.note_attempt(database, account, succeeded=False)
        return _login_page(
            _("The log-in name or the password is not right. Look for a capital letter or the Khmer keyboard."),
            name=name,
        ), 401
    return sign_in(user, account)


def sign_in(user: UserAccount, account: str) -> ResponseReturnValue:
    """Start a session for a person who has proved who they are, and lead them on."""
    settings = current_app.config["SETTINGS"]
    with write() as database:
        sessions.note_attempt(database, account, succeeded=True)
        made, token = sessions.start_session(
            database,
            user,
            lifetime=timedelta(hours=settings.session_absolute_hours),
            user_agent=request.user_agent.string,
        )
        principal = principal_of(database, user.id)
        audit.record(database, "sign_in", by=principal, kind="user", thing=user.public_id)
    if principal is not None:
        login_user(principal)
    session.clear()
    session.sign_in(token)  # type: ignore[attr-defined]
    forget_person()
    held = db.session.scalar(
        select(HeldPost.id).where(HeldPost.user_id == made.user_id, HeldPost.expires_at > clock.now()).limit(1)
    )
    if held is not None:
        return redirect(url_for("accounts.held"), code=303)
    return redirect(local_path(request.form.get("next")) or url_for("public.home"), code=303)


def _login_page(error: str = "", name: str = "") -> str:
    return render_template(
        "accounts/login.html",
        error=error,
        name=name,
        next=local_path(request.values.get("next")) or "",
        reason=request.args.get("reason", ""),
    )


@blueprint.post("/logout")
@requires(Permission.EDIT_OWN_ACCOUNT)
def logout() -> ResponseReturnValue:
    """Sign out this browser, on the server too."""
    principal = who()
    if principal.session_id is not None:
        with write() as database:
            sessions.end_session(database, principal.session_id, by=principal)
    session.sign_out()  # type: ignore[attr-defined]
    forget_person()
    response = redirect(url_for("accounts.login"), code=303)
    # drafts of a shared computer must not stay readable (ASVS 14.3.1)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@blueprint.get("/held")
@requires(Permission.EDIT_OWN_ACCOUNT)
def held() -> ResponseReturnValue:
    """Show what was typed into a page whose session had run out, with one button that sends it on."""
    posts = db.session.scalars(
        select(HeldPost)
        .where(HeldPost.user_id == who().user_id, HeldPost.expires_at > clock.now())
        .order_by(HeldPost.id.desc())
    ).all()
    if not posts:
        return redirect(url_for("public.home"), code=303)
    return render_template("accounts/held.html", posts=posts)


@blueprint.post("/held/<public_id>/forget")
@requires(Permission.EDIT_OWN_ACCOUNT)
def forget_held(public_id: str) -> ResponseReturnValue:
    """Drop a held text, after it was sent on or because it is not wanted."""
    with write() as database:
        database.execute(delete(HeldPost).where(HeldPost.public_id == public_id, HeldPost.user_id == who().user_id))
    return redirect(url_for("accounts.held"), code=303)


@blueprint.post("/part")
@requires(Permission.EDIT_OWN_ACCOUNT)
def choose_part() -> ResponseReturnValue:
    """Work for another of one's institutions in this session."""
    principal = who()
    chosen = db.session.scalar(
        select(Membership.id).where(
            Membership.id == request.form.get("membership", type=int),
            Membership.user_id == principal.user_id,
            Membership.ended_at.is_(None),
        )
    )
    if chosen is not None:
        with write() as database:
            row = database.get(Session, principal.session_id)
            if row is not None:
                row.membership_id = chosen
        notice(_("You now work for this institution."))
    return redirect(url_for("public.home"), code=303)
