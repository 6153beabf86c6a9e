"""Coming back: a page left open over an ended session goes on with a new one; text kept in the browser is opened.

The browser keeps what is not saved yet in encrypted form (docs/decisions/0027). What it needs to read it again comes
with the page, to the person alone who wrote it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, render_template

from portal.blueprints.guard import requires, who
from portal.csrf_tokens import csrf_token
from portal.permissions import Permission

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.permissions import Principal

blueprint = Blueprint("returning", __name__)


def copy_secret(principal: Principal) -> str:
    """Return the secret from which a browser derives the key of what it keeps for this person; never stored there."""
    secret = current_app.secret_key or ""
    return _derived(
        secret if isinstance(secret, bytes) else secret.encode(), principal.public_id or f"actor {principal.actor_id}"
    )


@lru_cache(maxsize=4_000)
def _derived(key: bytes, whose: str) -> str:
    made = hmac.digest(key, f"local copy of {whose}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


@blueprint.get("/account/keys")
@requires(Permission.EDIT_OWN_ACCOUNT)
def keys() -> ResponseReturnValue:
    """Tell an open page whose session this is now, and with which token its forms may be sent."""
    return {"csrf": csrf_token(), "keeps": copy_secret(who())}


@blueprint.get("/back")
@requires(Permission.EDIT_OWN_ACCOUNT)
def back() -> ResponseReturnValue:
    """Say that one is signed in again, and that the page one was writing on goes on by itself."""
    return render_template("accounts/back.html")
