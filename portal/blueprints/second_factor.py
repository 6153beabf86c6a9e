"""The second factor: asked for after the password, set up there or on the page of one's own account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import segno
from flask import Blueprint, current_app, redirect, render_template, url_for
from flask_babel import gettext as _
from itsdangerous import BadData, URLSafeTimedSerializer

from forms.second_factor import FirstSetUpForm, ProofForm, ReplaceForm, SecondStepForm, SetUpForm
from portal.blueprints.accounts import begin_session
from portal.blueprints.guard import confirm_password, public, repeats, requires, who
from portal.blueprints.halfway import LASTS, halfway
from portal.blueprints.page import facts, notice
from portal.database import write
from portal.errors import Conflict, PortalError
from portal.extensions import db
from portal.models import UserAccount
from portal.permissions import Permission
from portal.queries.sessions import principal_of
from portal.services import second_factor, sessions
from portal.table import pick

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.permissions import Principal

blueprint = Blueprint("second_factor", __name__)


def _required() -> frozenset[str]:
    required: frozenset[str] = current_app.config["SETTINGS"].totp_required
    return required


@blueprint.get("/login/second")
@public
def ask() -> ResponseReturnValue:
    """Ask for the code, or show how to set the second factor up where a role needs it."""
    found = halfway()
    if found is None:
        return redirect(url_for("accounts.login"), code=303)
    return _code_page(SecondStepForm()) if found.person.totp_secret else _enrol_page(found.person, FirstSetUpForm())


@blueprint.post("/login/second")
@public
def answer() -> ResponseReturnValue:
    """Take the code and start the session."""
    found = halfway()
    if found is None or not found.person.totp_secret:
        return redirect(url_for("accounts.login"), code=303)
    form, person = SecondStepForm(), found.person
    if not form.validate_on_submit():
        return _code_page(form), 422
    by = principal_of(db.session, person.id)
    try:
        right = _spend(person, form.totp_code.data, by)
    except sessions.Throttled as error:
        form.totp_code.errors = [str(error)]
        return _code_page(form), error.status
    if not right:
        form.totp_code.errors = [_wrong()]
        return _code_page(form), 401
    return redirect(begin_session(person, sessions.throttle_key(person.login, person), found.target), code=303)


@blueprint.post("/login/second/set-up")
@public
def enrol() -> ResponseReturnValue:
    """Set the second factor up, start the session, and show the recovery codes once."""
    found = halfway()
    if found is None or found.person.totp_secret:
        return redirect(url_for("accounts.login"), code=303)
    form, person = FirstSetUpForm(), found.person
    secret = _proved_secret(form, person)
    if secret is None:
        return _enrol_page(person, form), 422
    codes = _switch_on(person, secret, form.totp_code.data, principal_of(db.session, person.id), None)
    target = begin_session(person, sessions.throttle_key(person.login, person), found.target)
    return _codes_page(codes, target)


@blueprint.get("/account/second-factor")
@requires(Permission.EDIT_OWN_ACCOUNT)
def page() -> ResponseReturnValue:
    """Show whether one's own account has a second factor, and what can be done about it."""
    return _own_page()


@blueprint.post("/account/second-factor")
@requires(Permission.EDIT_OWN_ACCOUNT)
@repeats("the page shows codes that are kept nowhere; a code of the phone is taken once")
def set_up() -> ResponseReturnValue:
    """Set a second factor up, or move it to another phone; the recovery codes are shown once."""
    person = _own_account()
    replaces = person.totp_secret
    form: Any = ReplaceForm() if replaces else SetUpForm()
    # the new phone first: a code of the present one is not wasted on a typing mistake
    secret = _proved_secret(form, person)
    if secret is None:
        return _own_page(set_up=form), 422
    if (status := _proved(form, person, present=bool(replaces))) is not None:
        return _own_page(set_up=form), status
    codes = _switch_on(person, secret, form.totp_code.data, who(), replaces)
    return _codes_page(codes, url_for("second_factor.page"))


@blueprint.post("/account/second-factor/codes")
@requires(Permission.EDIT_OWN_ACCOUNT)
@repeats("the page shows codes that are kept nowhere; the newest codes count")
def renew_codes() -> ResponseReturnValue:
    """Make new recovery codes and show them once."""
    form, person = ProofForm(prefix="renew"), _own_account()
    if not form.validate_on_submit():
        return _own_page(renew=form), 422
    if (status := _proved(form, person)) is not None:
        return _own_page(renew=form), status
    shown, hashes = second_factor.new_recovery_codes()
    with write() as database:
        second_factor.renew_recovery_codes(database, person.id, hashes, by=who())
    return _codes_page(shown, url_for("second_factor.page"))


@blueprint.post("/account/second-factor/off")
@requires(Permission.EDIT_OWN_ACCOUNT)
def turn_off() -> ResponseReturnValue:
    """Do without a second factor, where no role needs one."""
    form, person = ProofForm(prefix="off"), _own_account()
    if not form.validate_on_submit():
        return _own_page(off=form), 422
    if (status := _proved(form, person)) is not None:
        return _own_page(off=form), status
    with write() as database:
        second_factor.turn_off(database, person.id, required=_required(), by=who())
    notice(_("The second factor is off."))
    return redirect(url_for("second_factor.page"), code=303)


def _own_account() -> UserAccount:
    return db.session.get_one(UserAccount, who().user_id, populate_existing=True)


def _wrong() -> str:
    return str(_("This code is not right, or was used already. Wait for the next one and type it."))


def _spend(person: UserAccount, code: str | None, by: Principal | None) -> bool:
    """Take a code; a recovery code is looked up before the transaction, because that takes its time."""
    sessions.check_throttle(db.session, second_factor.throttle_key(person))
    recovery = second_factor.recovery_hash(person, code or "")
    with write() as database:
        return second_factor.spend_code(database, person.id, code or "", recovery, by=by)


def _proved(form: Any, person: UserAccount, *, present: bool = True) -> int | None:
    """Hold password and present code of a form; return the status of the refusal, None if both are right."""
    field = form.current_password
    try:
        confirm_password(who(), (field.raw_data or [""])[0])
        if present:
            field = form.totp_present
            if not _spend(person, field.data, who()):
                field.errors = [_wrong()]
                return 422
    except PortalError as error:
        field.errors = [str(error)]
        return error.status
    return None


def _proved_secret(form: Any, person: UserAccount) -> str | None:
    """Return the offered secret if the new phone shows its code; else put the sentence beside the field."""
    if not form.validate_on_submit():
        return None
    secret = _read_secret(form.totp_setup.data, person)
    if secret is None:
        form.totp_code.errors = [_("This page was open too long. Scan the new picture and type its code.")]
        return None
    if second_factor.matching_step(secret, form.totp_code.data, None) is None:
        form.totp_code.errors = [_wrong()]
        return None
    return secret


def _switch_on(person: UserAccount, secret: str, code: str, by: Principal | None, replaces: str | None) -> list[str]:
    """Set the second factor up; return the recovery codes to be shown."""
    shown, hashes = second_factor.new_recovery_codes()
    keep = by.session_id if by else None
    with write() as database:
        done = second_factor.set_up(
            database, person.id, secret=secret, code=code, recovery=hashes, replaces=replaces, by=by, keep=keep
        )
        if not done:
            raise Conflict
    return shown


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SETTINGS"].signing_key, salt="second-factor-set-up")


def _read_secret(setup: str | None, person: UserAccount) -> str | None:
    """Return the secret that a page offered this person in the last ten minutes: a secret of one's own is not taken."""
    try:
        public_id, secret = _signer().loads(setup or "", max_age=int(LASTS.total_seconds()))
    except (BadData, ValueError, TypeError):
        return None
    return str(secret) if public_id == person.public_id else None


def _offer(form: Any, person: UserAccount) -> dict[str, str]:
    """Give a form a secret, the same one while a wrong code is mended; return how to show it."""
    secret = _read_secret(form.totp_setup.data, person) or second_factor.new_secret()
    form.totp_setup.data = _signer().dumps([person.public_id, secret])
    form.totp_code.data = ""
    uri = second_factor.address(secret, person, pick(facts().portal_name, "en"))
    return {
        "qr": segno.make(uri, error="m").svg_data_uri(scale=5, border=2),
        "secret": second_factor.spoken_secret(secret),
    }


def _code_page(form: SecondStepForm) -> str:
    form.totp_code.data = ""
    return render_template("accounts/second_step.html", form=form)


def _enrol_page(person: UserAccount, form: FirstSetUpForm) -> str:
    return render_template("accounts/second_set_up.html", form=form, **_offer(form, person))


def _codes_page(codes: list[str], target: str) -> str:
    return render_template("accounts/recovery_codes.html", codes=codes, target=target)


def _own_page(set_up: Any = None, renew: ProofForm | None = None, off: ProofForm | None = None) -> str:
    person = _own_account()
    if set_up is None or isinstance(set_up, ReplaceForm) != bool(person.totp_secret):
        set_up = (ReplaceForm if person.totp_secret else SetUpForm)(formdata=None)
    if person.totp_secret:
        set_up.totp_present.data = ""
    return render_template(
        "accounts/second_factor.html",
        set_up=set_up,
        renew=renew or ProofForm(formdata=None, prefix="renew"),
        off=off or ProofForm(formdata=None, prefix="off"),
        on=bool(person.totp_secret),
        left=len(person.totp_recovery),
        needed=second_factor.must_have(who(), _required()),
        **_offer(set_up, person),
    )
