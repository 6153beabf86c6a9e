"""What a person does in a real browser to get somewhere, counted; :mod:`tests.steps` does the same without one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Locator, Page


class Steps:
    """A person at a page that is driven by nothing else; ``taken`` is what they did.

    Opening a link that somebody sent, pressing a link or button with what was filled in before it, opening a fold,
    and beginning to type are a step each. What is filled in belongs to the button that sends it.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.taken: list[str] = []

    def open(self, path: str) -> None:
        """Open a link that somebody sent."""
        self.taken.append(f"open {path}")
        self.page.goto(path)

    def press(self, what: str | Locator, **fields: Any) -> None:
        """Fill in fields by their names, then press the first thing that a selector finds; a path is a file to send."""
        for name, value in fields.items():
            field = self.page.locator(f"main [name='{name}']:visible").first
            if hasattr(value, "read_bytes"):
                field.set_input_files(value)
            else:
                field.fill(value)
        self.taken.append(f"press {what}")
        thing = self.page.locator(what).first if isinstance(what, str) else what
        thing.click()

    @contextmanager
    def given(self) -> Iterator[list[Path]]:
        """Wait for the file that comes of what is done inside."""
        files: list[Path] = []
        with self.page.expect_download() as download:
            yield files
        files.append(download.value.path())

    def type(self, into: str, text: str) -> None:
        """Go into a field and begin to type."""
        self.taken.append(f"type into {into}")
        self.page.locator(into).click()
        self.page.keyboard.type(text)

    def by_hand(self, what: str) -> None:
        """Do something outside the portal."""
        self.taken.append(what)
