"""What goes in and out where replies are signed on paper, examples are told, and reports are remembered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from portal.api.shapes import Body, Line, Prose, Texts


class PackedReply(BaseModel):
    """One reply of a pack: the hash of what was printed, whether it is still in it, its receipt once handed in."""

    submission: str
    sha256: str
    in_pack: bool
    signed: bool
    receipt: str | None


class Pack(BaseModel):
    """Replies printed to be signed together; ``state`` is out, signed or taken_back."""

    id: str
    code: str
    round: str
    state: Literal["out", "signed", "taken_back"]
    sha256: str
    made_at: datetime
    signed_at: datetime | None
    letter_number: str | None
    letter_on: date | None
    signer_name: str | None
    signer_post: str | None
    cover_sha256: str | None
    replies: list[PackedReply]


class Packs(BaseModel):
    """The packs of an institution, the newest first."""

    items: list[Pack]


class CoverIn(BaseModel):
    """The photo or scan of a signed, stamped cover with what is written on it, as multipart/form-data."""

    cover: Annotated[bytes, Field(json_schema_extra={"format": "binary"})]
    letter_number: Annotated[str, Field(max_length=120)]
    letter_on: date
    signer_name: Line = ""
    signer_post: Line = ""


class PacksQuery(Body):
    """Of which round, by its slug."""

    round: Line


class Receipt(BaseModel):
    """One hand-in: what was frozen, how it was signed, and whether it still stands.

    ``whole``: the kept bytes still have the hash that was given out.
    """

    code: str
    submission: str
    institution: str
    round: str
    action: str
    at: datetime
    sha256: str
    answers: int
    whole: bool
    signed_at: datetime | None
    stands: bool
    ended_by: str | None
    ended_at: datetime | None


class Example(BaseModel):
    """A recommendation carried out; ``state`` is candidate, checked, cleared, used or refused."""

    id: str
    state: str
    institution: str
    recommendation: str
    cite: str
    titles: Texts
    texts: Texts
    url: str | None
    filename: str | None
    consent: bool
    sent_at: datetime


class Examples(BaseModel):
    """Examples, the newest first."""

    items: list[Example]


Spoken = dict[Line, Prose]


class ExampleIn(Body):
    """An example to be checked; ``recommendation`` is an id, titles and texts are by language."""

    recommendation: Line
    titles: Spoken = Field(max_length=10)
    texts: Spoken = Field(max_length=10)
    url: Line = ""
    consent: bool = False


class ExampleFileIn(BaseModel):
    """The file of an example, as multipart/form-data."""

    file: Annotated[bytes, Field(json_schema_extra={"format": "binary"})]


class ExampleActIn(Body):
    """What the secretariat does with an example, and why."""

    act: Literal["check", "clear", "use", "refuse", "take_back"]
    reason: Prose = ""


class ReportedText(BaseModel):
    """What one report said on a recommendation; institutions see that of the newest."""

    source: str
    paragraph: str
    reported_on: date | None
    texts: Texts
    revision: int
    newest: bool


class ReportedTexts(BaseModel):
    """What reports said on one recommendation, the newest first."""

    items: list[ReportedText]


class ReportedIn(Body):
    """What a report said; ``base`` is the revision that the writer saw (0: none yet)."""

    source: Line
    paragraph: Line = ""
    # a JSON text, YYYY-MM-DD
    reported_on: Line | None = None
    texts: Spoken = Field(max_length=10)
    base: int = Field(ge=0)
