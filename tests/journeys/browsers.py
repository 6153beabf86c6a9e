"""Chromium for tests: where it is, how it starts, and pages that fail on anything a good page never does."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from playwright.sync_api import Error, expect

from tests.factories import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

    from portal.models import UserAccount

FLAGS = [
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# every breach of the content security policy becomes a line on the console, wherever the browser would report it
_REPORT = "addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI));"
PATIENCE = 30_000  # milliseconds until a state that should come is taken for one that does not
# an assertion's own five seconds are short where two workers, a browser and a server share two cores
expect.set_options(timeout=PATIENCE)


def find_chromium() -> str | None:
    """Return the browser to drive: PORTAL_CHROMIUM, chromium or google-chrome."""
    if given := os.environ.get("PORTAL_CHROMIUM"):
        return given
    return next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chromium-browser"))), None)


class Visitor:
    """One person at one device: a browser context of its own whose pages may not err.

    ``faults`` collects console errors, uncaught errors, CSP reports and requests that leave the portal; ``allow(pattern)``
    names an error that this test provokes on purpose.
    """

    def __init__(self, browser: Browser, url: str, *, size: dict[str, int] | None = None, **more: Any) -> None:
        self.url = url
        self.faults: list[str] = []
        self._allowed: list[re.Pattern[str]] = []
        self.context: BrowserContext = browser.new_context(base_url=url, viewport=size or WIDE, **more)
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(_REPORT)
        self.context.on("console", self._heard)
        self.context.on("weberror", lambda error: self.faults.append(f"uncaught: {error.error}"))
        self.context.on("request", self._asked)
        self.page: Page = self.context.new_page()

    def allow(self, pattern: str) -> None:
        """Accept console errors that match, from now on."""
        self._allowed.append(re.compile(pattern))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(one.search(message.text) for one in self._allowed):
            self.faults.append(f"{message.page.url if message.page else ''}: {message.text}")

    def _asked(self, request: Request) -> None:
        if request.url.startswith(("data:", "blob:", "about:")):
            return
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc:
            self.faults.append(f"a request left the portal: {request.url}")

    def let_in(self, token: str) -> Page:
        """Take over a session that was started beside the server: the log-in page has tests of its own."""
        self.context.add_cookies([{"name": "tamdan", "value": f"s.{token}", "url": self.url}])
        return self.page

    def sign_in(self, person: UserAccount | str, password: str = PASSWORD) -> Page:
        """Sign in through the log-in page."""
        self.page.goto("/login")
        self.sign_in_here(person, password)
        return self.page

    def sign_in_here(self, person: UserAccount | str, password: str = PASSWORD) -> None:
        """Fill the log-in page that is open."""
        self.page.fill("[name=email]", person if isinstance(person, str) else person.login)
        self.page.fill("[name=password]", password)
        with self.page.expect_navigation(url=lambda url: "/login" not in url):
            self.page.click("main form button[type=submit]")

    def words(self) -> str:
        """Return what the open page says, for the report of a failure."""
        try:
            return self.page.inner_text("main", timeout=1000)[:2500]
        except Error as broken:
            return str(broken)

    def leave(self) -> None:
        """Leave the page without closing the browser; what a tab keeps for itself is gone."""
        if self.page.url.startswith(self.url):
            self.page.evaluate("sessionStorage.clear()")
        self.page.goto("about:blank")

    def start_over(self) -> None:
        """Become somebody else at the same device: signed out, with nothing stored or allowed, faults forgotten.

        The browser keeps what it has drawn with: half of what a new context costs. A journey that is about what a browser
        keeps, or has spoilt its network, takes a new visitor.
        """
        session = self.context.new_cdp_session(self.page)
        session.send("Storage.clearDataForOrigin", {"origin": self.url, "storageTypes": "all"})
        session.detach()
        self.context.clear_cookies()
        self.page.set_viewport_size(WIDE)
        self.faults.clear()
        self._allowed.clear()

    def close(self) -> None:
        """Leave, and fail if a page erred."""
        self.context.close()
        assert not self.faults, "\n".join(self.faults)
