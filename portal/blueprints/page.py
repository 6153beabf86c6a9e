"""What every page knows about its reader: language, country, navigation, notice."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import current_app, g, request, session, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeSerializer

from portal import wording
from portal.blueprints.signed_in import somebody
from portal.extensions import db
from portal.incoming import asked, present
from portal.models import Role, StaffRole
from portal.page_views import Account, NavigationItem, PageView
from portal.permissions import Permission, Principal, may
from portal.queries.countries import CountryFacts, country_facts
from portal.queries.status_words import status_words
from portal.table import pick

if TYPE_CHECKING:

    from flask import Flask, Response

NOTICE_COOKIE = "tamdan-notice"
COUNTRY_KEPT = 30.0

# endpoint, label, icon, permission; shown to whoever holds the permission, in this order
_NAVIGATION: tuple[tuple[str, str, str, Permission], ...] = (
    ("respond.owed", "owed", "list-check", Permission.VIEW_OWED),
    ("talk.ours", "questions", "chat-left-text", Permission.VIEW_OWED),
    ("sign.pack", "sign", "pen", Permission.SIGN_SUBMISSION),
    ("follow.rounds", "rounds", "bar-chart", Permission.VIEW_ROUND),
    ("talk.index", "clarifications", "chat-left-text", Permission.ASK_CLARIFICATION),
    ("talk.news", "news", "bell", Permission.VIEW_NEWS),
    ("recommendations.index", "recommendations", "journal-text", Permission.VIEW_RECOMMENDATIONS),
    ("recommendations.published", "published", "signpost", Permission.VIEW_PUBLISHED),
    ("examples.index", "examples", "lightbulb", Permission.VIEW_EXAMPLE),
    ("examples.published", "practices", "lightbulb", Permission.VIEW_PUBLISHED),
    ("people.institutions", "people", "people", Permission.VIEW_PEOPLE),
    ("questionnaires.index", "questionnaires", "ui-checks", Permission.VIEW_QUESTIONNAIRE),
    ("wording.index", "wording", "translate", Permission.EDIT_WORDING),
)


def _labels() -> dict[str, str]:
    return {
        "owed": _("What I owe"),
        "questions": _("Questions to us"),
        "examples": _("Examples"),
        "practices": _("Good practices"),
        "sign": _("To sign"),
        "rounds": _("Rounds"),
        "clarifications": _("Clarifications"),
        "news": _("News"),
        "recommendations": _("Recommendations"),
        "published": _("State of implementation"),
        "people": _("People"),
        "questionnaires": _("Questionnaires"),
        "wording": _("Wording"),
    }


def install(app: Flask) -> None:
    """Put the page's view at ``g.view`` before each request, and drop a shown notice after it."""
    app.before_request(_set_view)
    app.add_template_filter(role_name, "role_name")
    app.jinja_env.globals["status_words"] = status_words
    app.after_request(_forget_notice)


def facts() -> CountryFacts:
    """Return the country, read at most every half minute per process."""
    kept: tuple[float, CountryFacts] | None = present().app.extensions.get("portal_country")
    if kept is not None and time.monotonic() - kept[0] < COUNTRY_KEPT:
        return kept[1]
    found = country_facts(db.session)
    if found.code:
        current_app.extensions["portal_country"] = (time.monotonic(), found)
    return found


def choose_language(country: CountryFacts) -> str:
    """Return the language of this page: the person's, the visitor's choice, else the national one.

    The person may be that of a session that ran out. Not the browser's: old office computers ask for English
    whoever sits before them.
    """
    principal = somebody()
    if principal is not None and principal.language in country.languages:
        return principal.language
    expired = getattr(session, "expired", None)
    chosen = session.get("lang") or (expired and expired.principal.language)
    return str(chosen) if chosen in country.languages else country.languages[0]


# pages with an entry of their own beside that of their room
_APART = frozenset({"recommendations.published", "examples.published", "talk.news"})
# rooms without an entry of their own stand under another one's
_BESIDE = {"rounds": "follow", "exports": "follow", "remember": "respond"}


def _is_here(endpoint: str, here: str) -> bool:
    """Tell whether an entry stands for the present page; two entries of one room part its pages."""
    if {request.endpoint, endpoint} & _APART:
        return endpoint == request.endpoint
    return endpoint.partition(".")[0] == here


def _navigation(principal: Principal) -> tuple[NavigationItem, ...]:
    """Return the main navigation; kept with the words it is made of, for each room and set of roles."""
    this = asked()
    endpoint = this.endpoint or ""
    here = endpoint.partition(".")[0]
    here = _BESIDE.get(here, here)
    apart = endpoint if endpoint in _APART else ""
    key = ("navigation", str(get_locale()), this.script_root, here, apart, principal.roles, principal.system)
    kept: dict[Any, tuple[NavigationItem, ...]] = wording.present().words.kept
    found = kept.get(key)
    if found is None:
        found = kept[key] = _entries(principal, here)
    return found


def _entries(principal: Principal, here: str) -> tuple[NavigationItem, ...]:
    labels = _labels()
    return tuple(
        NavigationItem(labels[key], url_for(endpoint), icon, _is_here(endpoint, here))
        for endpoint, key, icon, permission in _NAVIGATION
        if endpoint in current_app.view_functions
        and may(principal, permission)
        # the secretariat reaches it from its own page of states
        and not (permission is Permission.VIEW_PUBLISHED and may(principal, Permission.VIEW_IMPLEMENTATION))
    )


def _set_view() -> None:
    country, principal, here = facts(), somebody(), present().g
    language = choose_language(country)
    view = here.view = PageView(
        language=language,
        languages=country.languages,
        digits=principal.digits if principal is not None else "latn",
        time_zone=country.time_zone,
        country=country.secretariat,
        portal_name=country.portal_name,
        principal=principal,
        notice=_read_notice(),
        demo=country.demo,
    )
    here.country = country
    if principal is not None:
        view.make_navigation = partial(_navigation, principal)
        view.make_account = partial(_account, principal, view)


def _account(principal: Principal, view: PageView) -> Account:
    """Return what the menu of one's own account says."""
    return Account(
        name=pick(principal.names, view.language, view.languages),
        detail=pick(principal.part.institution_names, view.language, view.languages)
        if principal.part
        else ", ".join(role_name(role) for role in sorted(principal.staff)),
        url=url_for("accounts.account") if "accounts.account" in current_app.view_functions else "",
    )


def role_name(role: Role | StaffRole | str) -> str:
    """Return the name of a role in the current language."""
    names: dict[str, str] = {
        Role.FOCAL_POINT: _("Focal point"),
        Role.ALTERNATE: _("Alternate focal point"),
        Role.CONTRIBUTOR: _("Contributor"),
        Role.APPROVER: _("Approver"),
        Role.READER: _("Reader"),
        StaffRole.COORDINATOR: _("Coordinator"),
        StaffRole.REPORT_WRITER: _("Report writer"),
        StaffRole.ADMINISTRATOR: _("Administrator"),
        StaffRole.OBSERVER: _("Observer"),
    }
    return str(names.get(role, role))


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="notice")


def notice(text: str, kind: str = "good") -> None:
    """Show a sentence on the next page; kind is info, good, warn or bad. It travels in a signed cookie, not a row."""
    g.new_notice = (kind, str(text))


def _read_notice() -> tuple[str, str] | None:
    value = request.cookies.get(NOTICE_COOKIE)
    if not value:
        return None
    try:
        kind, text = _signer().loads(value)
    except (BadSignature, ValueError, TypeError):
        return None
    return str(kind), str(text)


def _forget_notice(response: Response) -> Response:
    if (new := present().g.get("new_notice")) is not None:
        response.set_cookie(NOTICE_COOKIE, str(_signer().dumps(new)), max_age=60, **_notice_options())
    elif NOTICE_COOKIE in asked().cookies and response.status_code == 200 and response.mimetype == "text/html":
        response.delete_cookie(NOTICE_COOKIE, **_notice_options())
    return response


def _notice_options() -> dict[str, Any]:
    return {"httponly": True, "samesite": "Lax", "secure": current_app.config["SETTINGS"].secure}
