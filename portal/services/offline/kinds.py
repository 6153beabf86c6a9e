"""The kinds of file that replies go out as; both come back through one door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from portal.services.offline.gathering import write_word, write_workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class FileKind:
    """A kind of file: its suffix, its media type, what writes it."""

    suffix: str
    media_type: str
    write: Callable[..., bytes]


_OFFICE = "application/vnd.openxmlformats-officedocument"
EXCEL = FileKind("xlsx", f"{_OFFICE}.spreadsheetml.sheet", write_workbook)
WORD = FileKind("docx", f"{_OFFICE}.wordprocessingml.document", write_word)
KINDS: Mapping[str, FileKind] = {kind.suffix: kind for kind in (EXCEL, WORD)}
