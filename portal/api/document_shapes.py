"""What goes in and out where documents of an assignment pass: received, to be entered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field


class DocumentIn(BaseModel):
    """A document as multipart/form-data: ``file``, and ``note`` (letter number, who brought it)."""

    file: Annotated[bytes, Field(json_schema_extra={"format": "binary"})]
    note: str = ""


class Document(BaseModel):
    """A document that came for a reply. ``state`` is received, entered or set_aside (``reason`` says why).

    ``scanned_at`` is when a virus scanner called it clean, null: it was not scanned. ``on_behalf_since`` is when the
    secretariat began to enter it for the institution, null: it did not.
    """

    id: str
    submission: str
    state: str
    filename: str
    media_type: str
    size: int
    sha256: str
    note: str
    from_secretariat: bool
    added_at: datetime
    scanned_at: datetime | None
    on_behalf_since: datetime | None
    settled_at: datetime | None
    reason: str | None


class Documents(BaseModel):
    """The documents of a reply, the oldest first."""

    items: list[Document]


class DocumentCounts(BaseModel):
    """The documents of a round by state, and how many of them no virus scanner has seen."""

    received: int
    entered: int
    set_aside: int
    not_scanned: int


class EvidenceCounts(BaseModel):
    """The files in replies that were handed in: by who may see them, and how many no virus scanner has seen."""

    files: int
    public: int
    internal: int
    confidential: int
    not_scanned: int
