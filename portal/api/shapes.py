"""What goes in and out of the API; the OpenAPI document is made from these."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from portal.api.document_shapes import DocumentCounts, EvidenceCounts
from portal.models import Status

Texts = dict[str, str]


def _text(value: str) -> str:
    if "\x00" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
        raise ValueError("not text")
    return value


Line = Annotated[str, AfterValidator(_text), Field(max_length=200)]
Prose = Annotated[str, AfterValidator(_text), Field(max_length=20_000)]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,80}$")]
Given = Annotated[str, Field(max_length=250_000)]


class Body(BaseModel):
    """What comes in: nothing unknown is taken."""

    model_config = ConfigDict(extra="forbid")


class Problem(BaseModel):
    """One reason, with its place."""

    message: str
    field: str | None = None
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    mend: str | None = None


class ProblemDetails(BaseModel):
    """RFC 9457; ``code`` is stable, ``title`` is a sentence in the person's language."""

    type: str
    title: str
    status: int
    code: str
    problems: list[Problem] | None = None


class InstitutionPart(BaseModel):
    """Where the token's person works."""

    code: str
    names: Texts
    role: str


class Me(BaseModel):
    """Whom a token speaks for."""

    id: str
    login: str
    names: Texts
    language: str | None
    institution: InstitutionPart | None
    staff_roles: list[str]


class Asked(BaseModel):
    """A recommendation that a reply is about."""

    id: str
    symbol: str
    mechanism: str
    citation: str
    texts: Texts
    summary: Texts


class Assignment(BaseModel):
    """One ask with the state of its reply; ``id`` names the submission."""

    id: str
    assignment: str
    round: str
    institution: str
    role: str
    status: Status
    signature: str | None
    under_review: bool
    hand_in: int
    due_on: date
    recommendations: list[Asked]


class Assignments(BaseModel):
    """A page of assignments; ``next`` is the ``after`` of the next page."""

    items: list[Assignment]
    next: str | None


class AssignmentsQuery(BaseModel):
    """Filters; each may be left out."""

    model_config = ConfigDict(extra="ignore")
    round: Code | None = None
    institution: Code | None = None
    status: Status | None = None
    after: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    limit: int = Field(default=200, ge=1, le=1000)


class Choice(BaseModel):
    """A choice of a question."""

    key: str
    texts: Texts


class Question(BaseModel):
    """A question as asked; ``names`` are the names under which its answers are saved.

    A column of a table names its ``table``; in its names ``{row}`` stands for the key of a row.
    """

    code: str
    page: str
    table: str | None
    type: str
    labels: Texts
    names: list[str]
    asked: bool
    locked: bool
    choices: list[Choice]


class Table(BaseModel):
    """A table: a ``repeat`` takes rows, those of a ``matrix`` are fixed. ``inside`` is the table whose rows hold it."""

    code: str
    page: str
    kind: Literal["repeat", "matrix"]
    labels: Texts
    inside: str | None
    columns: list[str]
    most_rows: int
    asked: bool
    locked: bool
    rows: list[Choice]


class Row(BaseModel):
    """A row of a repeat as stored, ordered by ``position``; a removed one keeps its answers and can be put back."""

    table: str
    key: str
    parent: str
    position: int
    removed: bool
    revision: int


class Answer(BaseModel):
    """A stored answer; ``typed`` is what could not be read, with the sentence why."""

    name: str
    value: Any = None
    state: Literal["answered", "not_applicable", "not_available"]
    typed: str | None
    message: str | None
    revision: int
    answered_at: datetime | None


class EvidenceItem(BaseModel):
    """A file or link that supports an answer.

    ``visibility`` is public, internal or confidential; ``scanned_at`` null: no virus scanner has seen it.
    """

    id: str
    number: int
    kind: str
    question: str | None
    filename: str | None
    media_type: str | None
    size: int | None
    sha256: str | None
    url: str | None
    caption: str | None
    visibility: str
    scanned_at: datetime | None


class Submission(BaseModel):
    """A reply. ``answers`` and ``evidence`` are null where the caller may not read them yet (drafts are private)."""

    id: str
    assignment: str
    round: str
    institution: str
    status: Status
    signature: str | None
    under_review: bool
    hand_in: int
    due_on: date
    unlocked: list[str] | None
    questions: list[Question]
    tables: list[Table]
    rows: list[Row] | None
    answers: list[Answer] | None
    evidence: list[EvidenceItem] | None


class AnswerIn(Body):
    """One answer to save; ``base`` is the revision that the writer saw (0: never saved)."""

    name: Given
    value: Given | int | float | list[Given] | None = None
    state: Literal["answered", "not_applicable", "not_available"] = "answered"
    base: int = Field(ge=0, le=2_147_483_647)


class RowIn(Body):
    """A row of a repeat to add (``base`` 0, with a key of one's own: 16 letters or digits), move, remove or put back.

    ``base`` is the revision seen (null: whatever it is). For a removal ``seen`` gives the revisions of the cells that
    were seen: where somebody wrote since, the row stays and is told as stale.
    """

    table: Code
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{16}$")]
    parent: Annotated[str, Field(pattern=r"^([A-Za-z0-9]{16})?$")] = ""
    position: int | None = Field(default=None, ge=0, le=2_000_000_000)
    removed: bool = False
    base: int | None = Field(default=None, ge=0, le=2_147_483_647)
    seen: dict[Given, int] | None = None


class AnswersIn(Body):
    """Rows and answers to save, rows first; each is judged by itself."""

    answers: list[AnswerIn] = Field(max_length=10_000)
    rows: list[RowIn] = Field(default_factory=list, max_length=2000)


class SavedAnswer(BaseModel):
    """An answer that was saved, with its new revision."""

    name: str
    revision: int


class StaleAnswer(BaseModel):
    """An answer that somebody else saved first: both texts, and the revision to send as ``base`` to overrule it."""

    name: str
    mine: str
    theirs: str
    theirs_value: Any = None
    revision: int
    by: Texts | None
    at: datetime | None


class RefusedAnswer(BaseModel):
    """An answer that is not taken, with its sentence; ``kept`` tells whether the typed text was kept in the draft."""

    name: str
    message: str
    revision: int
    kept: bool


class SavedRow(BaseModel):
    """How a row that was spoken of stands now."""

    table: str
    key: str
    position: int
    removed: bool
    revision: int


class StaleCell(BaseModel):
    """A cell of a stale row: its text, and its revision as stored (0: it is not)."""

    name: str
    text: str
    value: Any = None
    revision: int
    by: Texts | None
    at: datetime | None


class StaleRow(BaseModel):
    """A row that one removed while another wrote in it; ``removed`` tells how it stands, nothing of either was lost."""

    table: str
    key: str
    removed: bool
    revision: int
    by: Texts | None = None
    at: datetime | None = None
    mine: list[StaleCell]
    theirs: list[StaleCell]


class RefusedRow(BaseModel):
    """A row that was not added or changed, with the sentence why."""

    table: str
    key: str
    message: str


class Saved(BaseModel):
    """What became of a save (200 all saved, 409 something was stale, 422 something was refused)."""

    saved: list[SavedAnswer]
    stale: list[StaleAnswer]
    refused: list[RefusedAnswer]
    rows: list[SavedRow]
    stale_rows: list[StaleRow]
    refused_rows: list[RefusedRow]
    status: Status
    missing: int
    hidden: list[str]
    saved_at: datetime


class Revision(BaseModel):
    """An earlier or present state of an answer."""

    name: str
    revision: int
    value: Any = None
    state: str
    typed: str | None
    by: Texts | None
    at: datetime


class Event(BaseModel):
    """An act on a reply. ``reason`` and ``details`` are null where they are the institution's own."""

    number: int
    action: str
    status: Status
    reason: str | None
    details: dict[str, Any] | None
    by: Texts | None
    at: datetime


class History(BaseModel):
    """What happened to a reply, oldest first; ``revisions`` is null for others than the institution itself."""

    events: list[Event]
    revisions: list[Revision] | None


class Verdict(BaseModel):
    """Where a reply stands after an act."""

    id: str
    status: Status
    signature: str | None
    hand_in: int
    event: int


class ReasonIn(Body):
    """An act that the other side reads a reason for."""

    reason: Prose


class CompleteIn(Body):
    """Completing; ``reasons`` keeps warnings by their names, as a refusal with ``warnings_open`` tells them."""

    reasons: dict[Annotated[str, Field(max_length=200)], Prose] = Field(default_factory=dict, max_length=500)


class SignIn(Body):
    """Signing asks for the password again."""

    password: Annotated[str, AfterValidator(_text), Field(max_length=1000)]


class SignedReply(Body):
    """A reply to sign; ``event`` is the number of its last event as the signer read it (null: whatever stands)."""

    id: Line
    event: int | None = Field(default=None, ge=1, le=2_147_483_647)


class SignPackIn(SignIn):
    """Replies to sign in one act; it asks for the password again, once for all of them."""

    submissions: list[SignedReply] = Field(min_length=1, max_length=500)


class Verdicts(BaseModel):
    """Where several replies stand after one act, in the order in which they were named."""

    items: list[Verdict]


class NotOursIn(Body):
    """Who should answer instead (code or name), and why."""

    instead: Line
    reason: Prose


class ReturnIn(Body):
    """A note, and exactly the questions that are unlocked."""

    note: Prose
    questions: list[Code] = Field(min_length=1, max_length=2000)


class EmptyIn(Body):
    """Nothing is needed; the body may be left out."""


class AskIn(Body):
    """A question back, about the reply or one of its questions."""

    body: Prose
    question: Code | None = None


class MessageIn(Body):
    """The next message of a clarification."""

    body: Prose


class Message(BaseModel):
    """One message of a clarification."""

    body: str
    from_secretariat: bool
    by: Texts | None
    at: datetime


class Clarification(BaseModel):
    """A question back with its messages, oldest first."""

    id: str
    status: str
    question: str | None
    messages: list[Message]


class Clarifications(BaseModel):
    """The clarifications of a reply."""

    items: list[Clarification]


class Round(BaseModel):
    """A reporting round with both counts."""

    round: str
    titles: Texts
    status: str
    opens_on: date
    due_on: date
    closes_on: date
    freezes_on: date
    un_due_on: date | None
    issued: int
    received: int


class Rounds(BaseModel):
    """All rounds, the newest first."""

    items: list[Round]


class Counts(BaseModel):
    """Both counts of a response rate, and what stands beside them."""

    issued: int
    received: int
    on_time: int
    unsigned: int
    late: int
    statuses: dict[str, int]


class InstitutionCounts(Counts):
    """What one institution was asked and what came back."""

    institution: str
    names: Texts
    due_on: date
    days_late: int
    documents_waiting: int


class RecommendationCounts(Counts):
    """Who was asked about one recommendation and what came back."""

    recommendation: str
    symbol: str
    citation: str


class RoundStatus(Round):
    """A round with its response rates."""

    at: datetime
    overall: Counts
    documents: DocumentCounts
    evidence: EvidenceCounts
    institutions: list[InstitutionCounts]
    recommendations: list[RecommendationCounts]


class Workbook(BaseModel):
    """A workbook of a round; its file is there once ``status`` is done."""

    id: str
    status: str
    filename: str | None
    size: int | None
    sha256: str | None
    error: str | None


class WorkbookIn(Body):
    """The language of the workbook's own words; the person's when left out."""

    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$", max_length=16)] | None = None


class Health(BaseModel):
    """The process answers, or the portal is ready."""

    status: str


class UploadIn(BaseModel):
    """A file for a question of type file, or for a cell of a table (``code[row]``), as multipart/form-data.

    ``parent`` is the row around a new row of a table within a table.
    """

    question: str
    parent: str = ""
    file: Annotated[bytes, Field(json_schema_extra={"format": "binary"})]
