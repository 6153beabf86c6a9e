"""A served portal and a browser, once per worker; visitors per test, who fail on any error of a page."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

from tests.journeys import scenes
from tests.journeys.browsers import FLAGS, Visitor, find_chromium
from tests.journeys.served import Served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SERVED = pytest.StashKey[Served]()
VISITORS = pytest.StashKey[list[Visitor]]()


@pytest.fixture(scope="session")
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[Served]:
    """The running portal."""
    server = Served(tmp_path_factory.mktemp("served"), sqlite_template)
    request.config.stash[SERVED] = server
    yield server
    server.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Any:
    """Show the server's last lines and the words of the open pages beside a failure."""
    report = yield
    server = item.config.stash.get(SERVED, None)
    if report.failed and server is not None:
        report.sections.append(("log of serve", server.last_lines()))
    if report.failed and report.when == "call":
        for visitor in item.stash.get(VISITORS, []):
            report.sections.append((f"page at {visitor.page.url}", visitor.words()))
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium; without it the browser tests are skipped with one reason, and fail where CI=true."""
    program = find_chromium()
    if program is None:
        reason = "browser tests need Chromium: set PORTAL_CHROMIUM, or install chromium or google-chrome"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def visit(request: pytest.FixtureRequest, browser: Browser, served: Served) -> Iterator[Callable[..., Visitor]]:
    """Let a person in at a device of their own: ``visit()``, ``visit(size=PHONE, java_script_enabled=False)``."""
    made: list[Visitor] = request.node.stash.setdefault(VISITORS, [])

    def visit(**more: Any) -> Visitor:
        made.append(Visitor(browser, served.url, **more))
        return made[-1]

    yield visit
    faults = []
    for visitor in made:
        try:
            visitor.close()
        except AssertionError as fault:
            faults.append(str(fault))
        except Error as broken:
            faults.append(f"the browser broke: {broken}")
    assert not faults, "\n".join(faults)


@pytest.fixture(scope="module")
def _kept() -> Iterator[list[Visitor]]:
    kept: list[Visitor] = []
    yield kept
    for visitor in kept:
        visitor.context.close()


@pytest.fixture
def passer_by(
    request: pytest.FixtureRequest, browser: Browser, served: Served, _kept: list[Visitor]
) -> Iterator[Visitor]:
    """Lend one visitor to each test of a module in turn, who starts over each time and fails on any error of a page.

    For tests that look at many pages one by one: see :meth:`Visitor.start_over`.
    """
    if _kept:
        _kept[0].start_over()
    else:
        _kept.append(Visitor(browser, served.url))
    visitor = _kept[0]
    request.node.stash[VISITORS] = [visitor]
    failed = request.session.testsfailed
    yield visitor
    # what the page does on leaving it counts too
    visitor.leave()
    faults = "\n".join(visitor.faults)
    if faults or request.session.testsfailed > failed:
        # the next test begins with a browser that nothing has happened to
        _kept.clear()
        visitor.context.close()
    assert not faults, faults


@pytest.fixture
def make_scene(served: Served) -> Callable[..., scenes.Scene]:
    """Put a scene into the served portal: ``make_scene(language="km")``."""

    def make(**more: Any) -> scenes.Scene:
        with served.session() as session:
            return scenes.scene(session, **more)

    return make


@pytest.fixture
def scene(make_scene: Callable[..., scenes.Scene]) -> scenes.Scene:
    """One institution that owes one reply."""
    return make_scene()
