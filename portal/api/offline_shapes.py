"""What goes in and out where replies pass through Excel or Word."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class OfflineQuery(BaseModel):
    """As what the replies are handed out."""

    format: Literal["xlsx", "docx"] = "xlsx"


class OfflineIn(BaseModel):
    """Returned files as multipart/form-data: ``file``, several for copies; ``confirm`` "true" takes them over."""

    file: Annotated[bytes, Field(json_schema_extra={"format": "binary"})]
    confirm: str = "false"


class OfflineOption(BaseModel):
    """A text that may become the answer, and the copy that brings it."""

    # BaseModel has a method "copy"
    model_config = ConfigDict(serialize_by_alias=True, validate_by_alias=True)

    option: str
    text: str
    copy_name: str = Field(alias="copy")


class OfflineAnswer(BaseModel):
    """One answer or line of a table; in a document ``sheet`` is the reply's heading, ``cell`` the question.

    ``outcome`` is new, changed, cleared, conflict, copies, taken, refused, new_row or emptied_row; ``place`` says
    sheet and cell in words; ``chosen`` the option that is taken, "" where what stands stays; ``message`` why it is
    refused, or a rule it breaks.
    """

    name: str
    label: str
    outcome: str
    sheet: str
    cell: str
    place: str
    old: str
    new: list[OfflineOption]
    chosen: str
    found: str
    message: str
    expected: str
    example: str


class OfflineProblem(BaseModel):
    """What is to be known of a sheet or line, and how to mend it; ``place`` names a file or heading in words."""

    sheet: str | None
    row: int | None
    place: str
    message: str
    mend: str


class OfflineReply(BaseModel):
    """One reply: ``closed`` says why nothing can be taken; ``taken`` counts what was, null before that."""

    submission: str
    title: str
    closed: str
    unchanged: int
    taken: int | None
    answers: list[OfflineAnswer]
    remarks: list[OfflineProblem]
    problems: list[OfflineProblem]


class OfflineResult(BaseModel):
    """What returned workbooks would change, or did."""

    confirmed: bool
    counts: dict[str, int]
    replies: list[OfflineReply]
    remarks: list[OfflineProblem]
    problems: list[OfflineProblem]
