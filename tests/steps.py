"""What a person does to get somewhere, counted: links followed, forms filled in and sent, folds opened on the way to them.

A step is taken by what a page says, from a start page on, so that whatever comes in between later on is one step more.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml.html import HtmlElement
    from werkzeug.test import TestResponse

    from tests.client import Client


class Steps:
    """A person who walks by the words of pages; ``taken`` is what they did, ``file`` what they were given last.

    Redirects, and a file that a page sends for by itself, are nobody's act; neither is coming to the start page.
    """

    def __init__(self, client: Client, start: str = "/") -> None:
        self.client, self.start = client, start
        self.taken: list[str] = []
        self.file: TestResponse | None = None
        self.come()

    def come(self) -> Steps:
        """Come to the start page, as by a bookmark."""
        self._arrive(self.client.get(self.start))
        return self

    def by_hand(self, what: str) -> Steps:
        """Do something outside the portal."""
        self.taken.append(what)
        return self

    def follow(self, words: str) -> Steps:
        """Follow the link that says ``words``."""
        (link, *_same) = self._saying("a[@href]", words)
        self._open_folds(link)
        self.taken.append(f"follow “{words}”")
        self._arrive(self.client.get(link.get("href").partition("#")[0]))
        return self

    def send(self, words: str, **fields: Any) -> Steps:
        """Fill in the form whose button says ``words``, and press it."""
        (button, *_same) = self._saying("button[not(@type='button')]", words)
        self._open_folds(button)
        self.taken.append(f"send “{words}”")
        named = button.get("form")
        form = self.client.page.get_element_by_id(named) if named else next(button.iterancestors("form"))
        beside = self.client.page.xpath("//*[@form=$id]", id=form.get("id", ""))
        for field in beside:  # of the form, though it stands elsewhere
            form.append(deepcopy(field))
        shown = {
            field.get("name") for field in form.iter("input", "select", "textarea") if field.get("type") != "hidden"
        }
        assert fields.keys() <= shown, f"no field for {fields.keys() - shown}"
        values: dict[str, Any] = {}
        for name, value in form.form_values():
            values.setdefault(name, []).append(value)
        if button.get("name"):
            values[button.get("name")] = button.get("value", "")
        values.pop("csrf_token", None)
        here = self.client.response.request.full_path.rstrip("?")
        self._arrive(self.client.post(form.get("action") or here, values | fields))
        return self

    def _saying(self, kind: str, words: str) -> Sequence[HtmlElement]:
        found = [
            one for one in self.client.page.xpath(f"//{kind}") if " ".join(one.text_content().split()).startswith(words)
        ]
        assert found, f"nothing says “{words}” after {self.taken}: {self.client.words}"
        return found

    def _open_folds(self, element: HtmlElement) -> None:
        closed = [fold for fold in element.iterancestors("details") if fold.get("open") is None]
        self.taken += ["open a fold"] * len(closed)

    def _arrive(self, response: TestResponse) -> None:
        if 300 <= response.status_code < 400:
            response = self.client.follow()
        assert response.status_code == 200, f"{response.status_code} after {self.taken}: {self.client.text[:800]}"
        if response.mimetype != "text/html":
            self.file = response
            return
        if (refresh := response.headers.get("Refresh")) is not None:
            self.file = self.client.open(refresh.partition("url=")[2], expect=200)
            self.client.response = response
