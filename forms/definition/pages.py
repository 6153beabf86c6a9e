"""From the top items of a survey to pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forms.definition.model import Item

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence


def paged(items: Sequence[Item], taken: Container[str], titles: Mapping[str, str]) -> tuple[Item, ...]:
    """Return the top-level groups as pages; questions that stand loose between them form pages of their own.

    `taken` are the names in use; a page of loose questions is called page_1, page_2 ... and bears the title.
    """
    pages: list[Item] = []
    loose: list[Item] = []

    def flush() -> None:
        if not loose:
            return
        count = 1
        while (code := f"page_{count}") in taken or any(page.code == code for page in pages):
            count += 1
        pages.append(
            Item(
                id=None,
                kind="section",
                code=code,
                texts={"label": dict(titles)} if titles else {},
                children=tuple(loose),
            )
        )
        loose.clear()

    for item in items:
        if item.kind == "section":
            flush()
            pages.append(item)
        else:
            loose.append(item)
    flush()
    return tuple(pages)
