"""Who asks, and the request itself: the things, where Flask's and Flask-Login's names find them anew at each word."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import g, request
from flask_login import current_user

from portal.permissions import Principal

if TYPE_CHECKING:
    from flask import Request


def asked() -> Request:
    """Return the request at hand, for whoever has several questions to it."""
    return cast("Request", request._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - the proxy's own way


def somebody() -> Principal | None:
    """Return the signed-in person; None where nobody is."""
    # Flask-Login keeps the person there once it has found them; asking it again is dear
    found = g.get("_login_user")
    if found is None:
        found = current_user._get_current_object()  # noqa: SLF001 - the proxy's own way
    return found if isinstance(found, Principal) else None
