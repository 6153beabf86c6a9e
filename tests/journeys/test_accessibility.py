"""axe (WCAG 2.2 A and AA) finds nothing on any page in any state, and nothing runs out of the screen of a phone.

``PORTAL_TEST_SHOTS=FOLDER`` keeps a picture of every page, for the eye.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.journeys.browsers import PHONE, WIDE
from tests.journeys.places import PLACES

pytestmark = pytest.mark.browser

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
RULES = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
# half a megabyte of script, given to each page once; of what it finds, only the breaches travel
AXE = Axe().axe_script
BREACHES = "(rules) => axe.run(document, rules).then((found) => found.violations)"
OVERFLOW = """() => {
  const edge = innerWidth, root = document.scrollingElement;
  if (root.scrollWidth <= edge) return [];
  return [...document.querySelectorAll("main *")]
    .filter((one) => one.getBoundingClientRect().right > edge + 1)
    .slice(0, 5).map((one) => `${one.tagName.toLowerCase()}.${one.className} ends at ${Math.round(one.getBoundingClientRect().right)}`)
    .concat([`the page is ${root.scrollWidth} wide`]);
}"""


@pytest.mark.parametrize("language", ["km", "en"])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
def test_page(served, passer_by, make_scene, place, language):
    scene = make_scene(language=language)
    if place.before:
        with served.session() as session:
            place.before(session, scene)
    visitor, page = passer_by, passer_by.page
    if place.errors:
        visitor.allow(place.errors)
    if place.who:
        visitor.let_in(served.session_of(getattr(scene, place.who)))
    elif language == "en":
        page.goto("/login")
        with page.expect_navigation():
            page.get_by_role("button", name="English").click()
    page.goto(place.path.format(s=scene))
    if place.act:
        place.act(page, scene)
    assert page.get_attribute("html", "lang") == language
    page.evaluate(AXE)
    faults = []
    for size in (WIDE, PHONE):
        page.set_viewport_size(size)
        _keep(page, f"{place.name}, {language}, {size['width']}")
        faults += [f"{size['width']}: {line}" for line in _lines(page.evaluate(BREACHES, RULES))]
        faults += [f"{size['width']}: {line}" for line in page.evaluate(OVERFLOW)]
    assert not faults, f"{place.name} ({language}): \n" + "\n".join(faults)


def _lines(violations):
    for one in violations:
        for node in one["nodes"][:4]:
            yield f"{one['id']}: {one['help']}: {node['html'][:160]} {node['failureSummary'][:200]}"


def _keep(page, name):
    if folder := os.environ.get("PORTAL_TEST_SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
