"""What every page must keep: the checks that the test client makes on each HTML page it sees."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import html

if TYPE_CHECKING:
    from lxml.html import HtmlElement
    from werkzeug.test import TestResponse

# a placeholder nobody filled, or a template expression that reached the reader
_UNFILLED = re.compile(r"%\([a-z_]+\)[sd]|\{\{|\{%|<[a-z_.]+ object at 0x")


def parse(body: str) -> HtmlElement:
    """Read a page."""
    return html.document_fromstring(body)


def check_page(response: TestResponse) -> HtmlElement:
    """Fail unless the page is a good page; return it parsed."""
    body = response.get_data(as_text=True)
    page = parse(body)
    faults = [*_frame(page), *_inline(page), *_controls(page), *_ids(page)]
    # pages of wording show messages as they are written
    text = "".join(page.xpath("//text()[not(ancestor::*[@data-messages])]"))
    if found := _UNFILLED.search(text):
        faults.append(f"unfilled text: ...{text[max(0, found.start() - 30) : found.end() + 30]}...")
    if "script-src 'self'" not in response.headers.get("Content-Security-Policy", ""):
        faults.append("no Content-Security-Policy")
    assert not faults, f"{response.request.method} {response.request.path}: " + "; ".join(faults)
    return page


def _frame(page: HtmlElement) -> list[str]:
    faults = []
    for tag in ("main", "h1"):
        if len(found := page.findall(f".//{tag}")) != 1:
            faults.append(f"{len(found)} <{tag}> instead of one")
    if not page.get("lang"):
        faults.append("no lang on <html>")
    title = page.findtext(".//title") or ""
    if not title.strip():
        faults.append("no <title>")
    return faults


def _inline(page: HtmlElement) -> list[str]:
    faults = [f"inline <{element.tag}>" for element in page.iter("style")]
    faults += ["inline <script>" for element in page.iter("script") if not element.get("src")]
    for element in page.iter():
        if not isinstance(element.tag, str):
            continue
        for name, value in element.attrib.items():
            if name == "style" or (name.startswith("on") and name != "one"):
                faults.append(f"{name} attribute on <{element.tag}>")
            if name in {"href", "src", "action"} and value.strip().lower().startswith("javascript:"):
                faults.append(f"script address on <{element.tag}>")
    return faults


def _controls(page: HtmlElement) -> list[str]:
    faults = []
    labelled = {label.get("for") for label in page.iter("label")}
    for control in page.iter("input", "select", "textarea"):
        if control.get("type") in {"hidden", "submit", "button"}:
            continue
        wrapped = any(parent.tag == "label" for parent in control.iterancestors())
        if not (
            control.get("id") in labelled or control.get("aria-label") or control.get("aria-labelledby") or wrapped
        ):
            faults.append(f"no label for {control.get('name') or control.get('id')}")
    for form in page.iter("form"):
        if form.get("method", "get").lower() == "post" and not form.xpath(".//input[@name='csrf_token']"):
            faults.append(f"no csrf_token in the form of {form.get('action')}")
    for button in page.iter("button", "a"):
        if button.tag == "a" and button.get("href") is None:
            continue
        if not (button.text_content().strip() or button.get("aria-label") or button.xpath(".//*[@aria-label]")):
            faults.append(f"<{button.tag}> without words")
    return faults


def _ids(page: HtmlElement) -> list[str]:
    seen: set[str] = set()
    faults = []
    for element in page.xpath("//*[@id]"):
        if element.get("id") in seen:
            faults.append(f"id {element.get('id')} twice")
        seen.add(element.get("id"))
    for element in page.xpath("//*[@aria-describedby]"):
        faults += [
            f"aria-describedby names {part}, which is not there"
            for part in element.get("aria-describedby").split()
            if part not in seen
        ]
    return faults
