"""The page that a person comes for: where signing in leads to, without a stop on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app, url_for

from portal.permissions import Permission, may

if TYPE_CHECKING:
    from portal.permissions import Principal

# the first that a person may do is what they come for
_STARTS = (
    (Permission.VIEW_ROUND, "follow.rounds"),
    (Permission.SIGN_SUBMISSION, "sign.pack"),
    (Permission.VIEW_OWED, "respond.owed"),
    (Permission.VIEW_PUBLISHED, "recommendations.published"),
    (Permission.VIEW_RECOMMENDATIONS, "recommendations.index"),
)


def start_page(principal: Principal | None) -> str | None:
    """Return the address of a person's start page; None for somebody who may do nothing."""
    if principal is None:
        return None
    for permission, endpoint in _STARTS:
        if may(principal, permission) and endpoint in current_app.view_functions:
            return url_for(endpoint)
    return None


def wanted_page(target: str | None, principal: Principal | None) -> str:
    """Return where somebody who is let in goes on: the page they asked for, else their start page."""
    if target and target != url_for("public.home"):
        return target
    return start_page(principal) or url_for("public.home")
