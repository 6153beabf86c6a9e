"""What is derived once from a definition: look-ups, the order of evaluation and the compiled expressions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forms.definition.model import Definition, Item


class Compiled:
    """The derived parts of one definition, cached on it."""

    def __init__(self, definition: Definition) -> None:
        self.by_code: dict[str, Item] = {}
        self.page_by_code: dict[str, Item] = {}
        for page in definition.pages:
            for item in page.items():
                self.by_code[item.code] = item
                self.page_by_code[item.code] = page
