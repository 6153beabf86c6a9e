"""A test client that checks every page it sees, follows CSRF tokens, and shares nothing between requests."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from flask import session as cookie_session
from flask_wtf.csrf import generate_csrf

from portal.blueprints.page import facts as country_facts
from portal.models import UserAccount
from portal.queries.sessions import principal_of
from portal.services import audit, sessions
from tests.factories import PASSWORD
from tests.pages import check_page

if TYPE_CHECKING:
    from flask import Flask
    from lxml.html import HtmlElement
    from sqlalchemy.orm import Session
    from werkzeug.test import TestResponse


class Client:
    """One browser. ``session`` is the test's own database session: committed before each request, fresh after it."""

    def __init__(self, app: Flask, session: Session | None = None) -> None:
        self.app = app
        self.session = session
        self._client = app.test_client()
        self.response: TestResponse | None = None
        self.page: HtmlElement | None = None
        self._token: str | None = None

    def open(
        self, path: str, *, method: str = "GET", check: bool = True, expect: int | None = None, **more: Any
    ) -> TestResponse:
        """Send one request in a context of its own; check the page that comes back, and its status if ``expect``."""
        if self.session is not None:
            self.session.commit()
        response = self._client.open(path, method=method, buffered=True, **more)
        if self.session is not None:
            self.session.rollback()
            self.session.expire_all()
        self.response = response
        if response.mimetype == "text/html" and response.get_data() and not 300 <= response.status_code < 400:
            if check:
                self.page = check_page(response)
            found = self.page.xpath("//input[@name='csrf_token']/@value") if self.page is not None else []
            self._token = str(found[0]) if found else self._token
        if expect is not None:
            assert response.status_code == expect, f"{method} {path}: {response.status_code}\n{self.text[:1500]}"
        return response

    def get(self, path: str, *, follow: bool = False, **more: Any) -> TestResponse:
        """Fetch a page, and what it leads to if ``follow``."""
        response = self.open(path, **more)
        return self.follow() if follow else response

    def post(
        self, path: str, data: dict[str, Any] | None = None, *, follow: bool = False, csrf: bool = True, **more: Any
    ) -> TestResponse:
        """Post fields with the newest CSRF token this browser has seen, and follow the redirect if ``follow``."""
        fields = dict(data or {})
        if csrf and "json" not in more:
            fields.setdefault("csrf_token", self.token())
            more["data"] = fields
        elif csrf:
            more["headers"] = {"X-CSRFToken": self.token(), **more.get("headers", {})}
        else:
            more["data"] = fields
        response = self.open(path, method="POST", **more)
        return self.follow() if follow else response

    def follow(self) -> TestResponse:
        """Follow redirects within the portal."""
        for _step in range(6):
            assert self.response is not None
            if not 300 <= self.response.status_code < 400:
                return self.response
            self.open(self.response.headers["Location"])
        message = "redirects without end"
        raise AssertionError(message)

    def submit(
        self, form: int | str = 0, *, follow: bool = True, expect: int | None = None, **fields: Any
    ) -> TestResponse:
        """Send a form of the present page as a browser would, with ``fields`` put over what it holds.

        ``form`` is the place of the form within ``<main>``, or its action.
        """
        assert self.page is not None
        assert self.response is not None
        forms = self.page.xpath("//main//form")
        chosen = forms[form] if isinstance(form, int) else next(f for f in forms if f.get("action") == form)
        values: dict[str, Any] = {}
        for name, value in chosen.form_values():
            values.setdefault(name, []).append(value)
        values |= fields
        values.pop("csrf_token", None)
        path = chosen.get("action") or self.response.request.full_path.rstrip("?")
        response = self.post(path, values, follow=follow)
        if expect is not None:
            assert response.status_code == expect, f"{path}: {response.status_code}\n{self.text[:1500]}"
        return response

    def token(self) -> str:
        """Return the newest CSRF token seen; the log-in page gives the first."""
        if self._token is None:
            kept, page = self.response, self.page
            self.open("/login")
            self.response, self.page = kept, page
        return self._token or ""

    def let_in(self, person: UserAccount) -> None:
        """Begin a session for a person beside the log-in page, which has tests of its own and takes three requests.

        What the log-in page leaves behind is left behind: the attempt, the session, the line in the audit trail.
        """
        assert self.session is not None
        # what was read before belongs to another transaction: SQLite would not let it write on top of a newer state
        self.session.commit()
        user = self.session.get_one(UserAccount, person.id, populate_existing=True)
        sessions.note_attempt(self.session, user.login, succeeded=True)
        made, token = sessions.start_session(self.session, user, lifetime=timedelta(hours=12), user_agent="test")
        by = principal_of(self.session, user.id)
        audit.record(self.session, "sign_in", by=by, kind="user", thing=user.public_id)
        self.session.commit()
        self.session.expire_all()
        opener = self.app.session_interface
        self._client.set_cookie(opener.cookie_name, f"s.{token}", secure=opener.secure)
        with self.app.test_request_context("/"):
            country_facts()  # the country, which an application reads at its first page
            cookie_session["csrf_token"] = made.csrf_secret
            self._token = generate_csrf()

    def sign_in(self, login: str, password: str = PASSWORD, **more: Any) -> TestResponse:
        """Sign in through the real log-in page."""
        self.get("/login")
        response = self.post("/login", {"email": login, "password": password, **more})
        if response.status_code == 303:
            # the session is new, and so is its secret
            self._token = None
            self._token = self._fresh_token()
        return response

    def _fresh_token(self) -> str | None:
        kept = self.response
        self.open("/account")
        self.response = kept
        return self._token

    def sign_out(self) -> TestResponse:
        """Sign out through the menu."""
        return self.post("/logout")

    @property
    def text(self) -> str:
        """The body of the last answer."""
        return self.response.get_data(as_text=True) if self.response is not None else ""

    @property
    def words(self) -> str:
        """The words of the last page's main part, spaces folded."""
        assert self.page is not None
        return " ".join(self.page.find(".//main").text_content().split())

    def cookie(self, name: str = "tamdan") -> str | None:
        """Return the value of a cookie."""
        found = self._client.get_cookie(name)
        return found.value if found else None

    def set_cookie(self, value: str, name: str = "tamdan") -> None:
        """Put a cookie into this browser."""
        self._client.set_cookie(name, value)
