"""Signing in and out, first entry and forgotten password by link and code, and one's own account."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import segno
from flask import Blueprint, current_app, g, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import login_user
from sqlalchemy import delete, select

from forms.accounts import CodeForm, PasswordForm, account_form
from portal import clock
from portal.blueprints.devices import device
from portal.blueprints.guard import confirm_password, forget_person, local_path, public, repeats, requires, who
from portal.blueprints.halfway import remember
from portal.blueprints.once import shown_once
from portal.blueprints.page import facts, notice
from portal.blueprints.signed_in import somebody
from portal.blueprints.starting import wanted_page
from portal.blueprints.typed_words import held_words
from portal.database import write
from portal.errors import Invalid, NotFound, PortalError
from portal.extensions import db
from portal.models import HeldPost, InvitationPurpose, Membership, Session, UserAccount
from portal.permissions import Permission, everywhere
from portal.queries import people as people_queries
from portal.queries.sessions import principal_of, sessions_of
from portal.reader import languages as language_list
from portal.services import accounts, audit, second_factor, sessions

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from config import Settings

blueprint = Blueprint("accounts", __name__)


@blueprint.get("/login")
@public
def login() -> ResponseReturnValue:
    """Show the log-in page."""
    if somebody() is not None:
        return redirect(wanted_page(local_path(request.args.get("next")), who()), code=303)
    if getattr(session, "expired", None) is not None:
        session["lang"] = g.view.language  # this page takes the cookie of the session that ran out
    return _login_page()


@blueprint.post("/login")
@public
def enter() -> ResponseReturnValue:
    """Sign a person in by log-in name, phone number or e-mail address (field ``email``) and password."""
    name, password = request.form.get("email", ""), request.form.get("password", "")
    user = sessions.find_account(db.session, name) if name.strip() else None
    # one count per person, however the name is spelt (ASVS 6.3.1)
    account = sessions.throttle_key(name, user)
    try:
        sessions.check_throttle(db.session, account)
    except sessions.Throttled as error:
        return _login_page(str(error), name=name), 429
    stored = user.password_hash if user is not None and user.active else None
    right = sessions.verify_password(stored, password)
    if not right or user is None:
        with write() as database:
            sessions.note_attempt(database, account, succeeded=False)
        return _login_page(
            _("The log-in name or the password is not right. Look for a capital letter or the Khmer keyboard."),
            name=name,
        ), 401
    return admit(user, account)


def admit(user: UserAccount, account: str) -> ResponseReturnValue:
    """Let in a person whose password is right: at once, or by way of the second factor."""
    target = local_path(request.form.get("next"))
    if not second_factor.asked_of(db.session, user, _settings().totp_required):
        return redirect(begin_session(user, account, target), code=303)
    with write() as database:
        sessions.note_attempt(database, account, succeeded=True)
    remember(user, target)
    return redirect(url_for("second_factor.ask"), code=303)


def begin_session(user: UserAccount, account: str, target: str | None) -> str:
    """Start a session for a person who has proved who they are; return where to lead them."""
    settings = _settings()
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
    # a form on the page of this very response belongs to the new session
    session["csrf_token"] = made.csrf_secret
    g.pop("csrf_token", None)
    session.sign_in(token)  # type: ignore[attr-defined] # the portal's own session
    forget_person()
    if target == url_for("returning.back"):
        return target  # the page that was written on is still open, and sends by itself what was kept of it
    held = db.session.scalar(
        select(HeldPost.id).where(HeldPost.user_id == made.user_id, HeldPost.expires_at > clock.now()).limit(1)
    )
    return url_for("accounts.held") if held is not None else wanted_page(target, principal)


def _login_page(error: str = "", name: str = "") -> str:
    return render_template(
        "accounts/login.html",
        error=error,
        name=name,
        next=local_path(request.values.get("next")) or "",
        kept=request.args.get("reason") == "expired",
    )


@blueprint.post("/logout")
@requires(Permission.EDIT_OWN_ACCOUNT)
@repeats("signing out twice is signing out")
def logout() -> ResponseReturnValue:
    """Sign out this browser, on the server too."""
    principal = who()
    if principal.session_id is not None:
        with write() as database:
            sessions.end_session(database, principal.session_id, by=principal)
    session.sign_out()  # type: ignore[attr-defined] # the portal's own session
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
        return redirect(wanted_page(None, who()), code=303)
    return render_template("accounts/held.html", posts=[(one, held_words(one)) for one in posts])


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
        select(Membership).where(
            Membership.id == request.form.get("membership", type=int),
            Membership.user_id == principal.user_id,
            Membership.ended_at.is_(None),
        )
    )
    if chosen is not None:
        part, home = chosen.id, chosen.institution_id
        with write() as database:
            row = database.get(Session, principal.session_id)
            if row is not None:
                row.membership_id = part
        notice(_("You now work for this institution."))
        found = principal_of(db.session, principal.user_id or 0, institution_id=home)
        principal = found if found is not None else principal
    return redirect(wanted_page(None, principal), code=303)


@blueprint.get("/enter/<token>")
@public
def invitation(token: str) -> ResponseReturnValue:
    """Show what a link is for; opening it, as preview robots of chats do, changes nothing."""
    found = accounts.open_invitation(db.session, token)
    if found is None:
        return _dead_link()
    return _code_page(CodeForm(), found[0].purpose, found[1].id)


@blueprint.post("/enter/<token>")
@public
def spend(token: str) -> ResponseReturnValue:
    """Set the password by link and short code, and sign the person in."""
    found = accounts.open_invitation(db.session, token)
    if found is None:
        return _dead_link()
    open_, person = found
    form = CodeForm()
    password = _new_password(form, person.login) if form.validate_on_submit() else None
    if password is None:
        return _code_page(form, open_.purpose, person.id), 422
    made = sessions.hash_password(password)
    with write() as database:
        entered = accounts.spend_invitation(database, token, form.code.data, password_hash=made)
    if entered is None:
        if accounts.open_invitation(db.session, token) is None:
            return _dead_link()
        form.code.errors = [_("This is not the code that belongs to the link. Look at it again.")]
        return _code_page(form, open_.purpose, person.id), 422
    notice(_("Your password is set. Your log-in name is %(login)s.", login=entered.login))
    return admit(entered, sessions.throttle_key(entered.login, entered))


def _dead_link() -> ResponseReturnValue:
    return render_template("accounts/dead_link.html"), 404


def _code_page(form: CodeForm, purpose: InvitationPurpose, user_id: int) -> str:
    person = people_queries.person(db.session, user_id)
    home = next((part.institution for part in person.parts if part.institution), None) if person else None
    return render_template("accounts/enter.html", form=form, purpose=purpose.value, institution=home)


def _new_password(form: CodeForm | PasswordForm, login: str) -> str | None:
    """Return the new password exactly as typed, or put the sentence beside its field."""
    typed = (form.password.raw_data or [""])[0]
    try:
        sessions.check_new_password(typed, login)
    except Invalid as error:
        form.password.errors = [str(error)]
        return None
    return str(typed)


@blueprint.get("/password/forgotten")
@public
def forgotten() -> ResponseReturnValue:
    """Ask for whom a new password is wanted."""
    return render_template("accounts/forgotten.html", sent=False)


@blueprint.post("/password/forgotten")
@public
def ask_for_password() -> ResponseReturnValue:
    """Take the request; the answer is the same for every name (ASVS 6.3.8)."""
    with write() as database:
        accounts.ask_for_new_password(database, request.form.get("name", ""), link=_link())
    return render_template("accounts/forgotten.html", sent=True)


def _link() -> accounts.LinkMaker:
    return accounts.LinkMaker(_settings().base_url)


class Invitee:
    """A person to whom a code may be given; belongs to the caller's institution if they have a part there."""

    def __init__(self, person: UserAccount, institution_id: int | None) -> None:
        self.person = person
        self.institution_id = institution_id


def _invitee(public_id: str) -> Invitee:
    person = db.session.scalar(select(UserAccount).where(UserAccount.public_id == public_id))
    if person is None:
        raise NotFound
    here = who().institution_id
    parts = db.session.scalars(
        select(Membership.institution_id)
        .where(Membership.user_id == person.id, Membership.ended_at.is_(None))
        .order_by(Membership.id)
    ).all()
    # somebody of nowhere belongs to no institution that could ask
    return Invitee(person, here if here in parts else next(iter(parts), 0))


@blueprint.get("/colleagues")
@requires(Permission.INVITE_COLLEAGUE)
def colleagues() -> ResponseReturnValue:
    """List the people of one's own institution, with a button for a new code."""
    here = who().institution_id
    if here is None:
        return redirect(url_for("people.institutions"), code=303)
    found = people_queries.persons_of(db.session, here)
    free = everywhere(who(), Permission.INVITE_COLLEAGUE)
    keys = {
        one.public_id
        for one in found
        if free or accounts.wholly_of([(part.institution_id, part.role) for part in one.parts], here)
    }
    return render_template("accounts/colleagues.html", persons=found, institution=who().part, keys=keys)


@blueprint.post("/colleagues/<public_id>/invite")
@requires(Permission.INVITE_COLLEAGUE, on=_invitee)
def invite(invitee: Invitee) -> ResponseReturnValue:
    """Make a link and a code and show them once: to copy, to print, as a QR code; a reload ends none of them."""
    with write() as database:
        person = database.get_one(UserAccount, invitee.person.id, populate_existing=True)
        made = accounts.invite(database, person, by=who())
        mailed = accounts.queue_invitation_mail(database, person, made, link=_link())
    shown_once(url_for("accounts.colleagues"))
    url = _link()(made.token)
    return render_template(
        "accounts/invitation.html",
        person=people_queries.person(db.session, person.id),
        made=made,
        url=url,
        text=accounts.invitation_text(person, made, url),
        qr=segno.make(url, error="m").svg_data_uri(scale=5, border=2),
        mailed=mailed,
        expires=made.invitation.expires_at,
    )


@blueprint.get("/account")
@requires(Permission.EDIT_OWN_ACCOUNT)
def account() -> ResponseReturnValue:
    """Show one's own account."""
    return _account_page()


@blueprint.post("/account")
@requires(Permission.EDIT_OWN_ACCOUNT)
def save_account() -> ResponseReturnValue:
    """Save one's own name, language and digits."""
    languages = facts().languages
    form = account_form(languages, _language_names(), _digits())()
    if not form.validate_on_submit():
        return _account_page(account=form), 422
    try:
        with write() as database:
            accounts.change_own_account(
                database,
                database.get_one(UserAccount, who().user_id),
                revision=form.revision.data,
                names=form.texts("names", languages),
                language=form.language.data,
                digits=form.digits.data if form.digits else "latn",
                by=who(),
            )
    except Invalid as error:
        form.place(error.problems)
        return _account_page(account=form), 422
    notice(_("Saved."))
    return redirect(url_for("accounts.account"), code=303)


@blueprint.post("/account/password")
@requires(Permission.EDIT_OWN_ACCOUNT)
def save_password() -> ResponseReturnValue:
    """Change one's own password; every other browser is signed out."""
    form, principal = PasswordForm(), who()
    password = _new_password(form, principal.login) if form.validate_on_submit() else None
    if password is None:
        return _account_page(password=form), 422
    try:
        confirm_password(principal, (form.current_password.raw_data or [""])[0])
    except PortalError as error:
        form.current_password.errors = [str(error)]
        return _account_page(password=form), error.status
    made = sessions.hash_password(password)
    with write() as database:
        person = database.get_one(UserAccount, principal.user_id)
        accounts.change_password(database, person, password_hash=made, by=principal, keep=principal.session_id)
    notice(_("Your password is changed. All other browsers were signed out."))
    return redirect(url_for("accounts.account"), code=303)


@blueprint.post("/account/sessions/end")
@requires(Permission.EDIT_OWN_ACCOUNT)
def end_other_sessions() -> ResponseReturnValue:
    """Sign out every other browser of one's own."""
    principal = who()
    with write() as database:
        sessions.end_sessions_of(database, principal.user_id or 0, but=principal.session_id)
        audit.record(database, "sign_out_elsewhere", by=principal, kind="user", thing=principal.public_id)
    notice(_("All other browsers were signed out."))
    return redirect(url_for("accounts.account"), code=303)


def _account_page(account: Any = None, password: PasswordForm | None = None) -> str:
    principal = who()
    person = db.session.get_one(UserAccount, principal.user_id, populate_existing=True)
    if account is None:
        languages = facts().languages
        account = account_form(languages, _language_names(), _digits())(formdata=None)
        account.fill("names", person.names, languages)
        account.revision.data = person.revision
        account.language.data = person.language or languages[0]
        if account.digits:
            account.digits.data = person.digits
    return render_template(
        "accounts/account.html",
        account=account,
        password=password or PasswordForm(formdata=None),
        person=person,
        principal=principal,
        device=device,
        sessions=sessions_of(db.session, person.id, idle=timedelta(minutes=_settings().session_idle_minutes)),
    )


def _digits() -> list[str]:
    """Return the kinds of digits that the country writes with, Latin ones first."""
    return list(dict.fromkeys(["latn", *(one.get("digits", "latn") for one in facts().language_facts)]))


def _language_names() -> list[str]:
    return [language.name for language in language_list()]


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings
