"""What was handed in, by the code on its receipt: enough to vouch for it, and nothing of its answers."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from sqlalchemy import func, select

from forms.reading import latin_digits
from portal.models import (
    Action,
    Assignment,
    Institution,
    ReportingRound,
    SigningPack,
    Snapshot,
    Status,
    Submission,
    SubmissionEvent,
)
from portal.models.base import CODE_LENGTH, CODE_LETTERS
from portal.queries.submissions import asked_recommendations, head_by_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.queries.submissions import AskedRecommendation, SubmissionHead

# what ends a hand-in: it was taken back, returned, opened again or is asked for no more
_ENDS = frozenset({Action.RECALL, Action.RETURN, Action.REOPEN, Action.WITHDRAW})
_SAME = str.maketrans("OIL", "011")
LONGEST = 400  # characters of what is looked at for a code
_PARTS = re.compile("[0-9A-Z]+")
_IN_ADDRESS = re.compile("/(?:VERIFY|RECEIPTS)(?:/|[^#]*[?&]CODE=)([^?&#]+)")
# as it is printed: four groups of four, parted by a dash, or by what people write for one
_DASH = r"(?:\s*[-\u2010-\u2015\u2212/._\u00b7]\s*)?"
_WRITTEN = re.compile(rf"(?<![0-9A-Z])[0-9A-Z]{{4}}(?:{_DASH}[0-9A-Z]{{4}}){{3}}(?![0-9A-Z])")


@dataclass(frozen=True)
class Letter:
    """The letter that stands for the signature: ``public_id`` names the pack whose cover it is.

    A sheet that came without a pack has the public id of its ``scan`` instead. With neither, nobody here holds a
    picture of the signature: the secretariat recorded it.
    """

    public_id: str
    number: str
    on: date | None
    name: str
    post: str
    scan: str = ""

    @property
    def pictured(self) -> bool:
        """Tell whether the portal keeps a picture of what was signed."""
        return bool(self.public_id or self.scan)


@dataclass(frozen=True)
class Receipt:
    """One hand-in: what, by whom, when, how it was signed, and whether it still stands.

    ``ended`` is the act that made it void, None while it stands; ``whole`` whether the frozen bytes still have the
    hash that was given out. ``signed_at`` is None while a signature is to follow.
    """

    code: str
    head: SubmissionHead
    asked: Sequence[AskedRecommendation]
    action: Action
    at: datetime
    done_by: int
    sha256: str
    content: Mapping[str, Any]
    whole: bool
    signed_at: datetime | None
    letter: Letter | None
    ended: Action | None
    ended_at: datetime | None

    @property
    def stands(self) -> bool:
        """Tell whether this hand-in is the one in force."""
        return self.ended is None

    @property
    def institution_id(self) -> int:
        """Return whose it is, for permissions."""
        return self.head.institution_id

    @property
    def status(self) -> Status:
        """Return where the reply stands, for permissions."""
        return self.head.status

    @property
    def answers(self) -> int:
        """Return how many questions have an answer in it."""
        said = (one for one in self.content["answers"] if one["value"] is not None or one["state"] != "answered")
        return len({one["code"] for one in said})


def spell(typed: str) -> str:
    """Return a code as it is stored, from what somebody copied: letters and digits alone, "" where there are none.

    It may stand in the address that is printed with it, after the word "Code", in Khmer digits, or with other signs
    between its groups; letters that look like digits are these digits.
    """
    text = latin_digits(unicodedata.normalize("NFKC", unquote(typed[:LONGEST]))).upper()
    if address := _IN_ADDRESS.search(text):
        text = address[1]
    parts = _PARTS.findall(written[0] if (written := _WRITTEN.search(text)) else text)
    # a word before groups that are parted by blanks
    while len("".join(parts)) > CODE_LENGTH and parts[0].isalpha():
        del parts[0]
    return "".join(parts).translate(_SAME)


def shown(code: str) -> str:
    """Return a code as it is written: in groups of four."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def is_code(code: str) -> bool:
    """Tell whether this can be a code at all."""
    return len(code) == CODE_LENGTH and set(code) <= set(CODE_LETTERS)


def find_receipt(session: Session, code: str) -> Receipt | None:
    """Find a hand-in by the code of its receipt, with what became of it since."""
    row = session.execute(
        select(Snapshot.submission_id, Snapshot.canonical, Snapshot.sha256, Snapshot.code, SubmissionEvent)
        .join(SubmissionEvent, SubmissionEvent.id == Snapshot.event_id)
        .where(Snapshot.code == code)
    ).first()
    if row is None:
        return None
    head, event = head_by_id(session, row.submission_id), row.SubmissionEvent
    later = session.scalars(
        select(SubmissionEvent)
        .where(SubmissionEvent.submission_id == row.submission_id, SubmissionEvent.number > event.number)
        .order_by(SubmissionEvent.number)
    ).all()
    end = next((one for one in later if one.action in _ENDS), None)
    until = end.number if end is not None else None
    signature = next(
        (
            one
            for one in later
            if one.action is Action.RECORD_SIGNATURE and (until is None or one.number < until)
        ),
        None,
    )
    signed = event if event.action in {Action.SIGN_OFF, Action.SIGN_ON_PAPER} else signature
    return Receipt(
        code=row.code,
        head=head,
        asked=asked_recommendations(session, [head.assignment_id]).get(head.assignment_id, []),
        action=event.action,
        at=event.done_at,
        done_by=event.done_by,
        sha256=row.sha256,
        content=_content(row.canonical),
        whole=hashlib.sha256(row.canonical.encode()).hexdigest() == row.sha256,
        signed_at=signed.done_at if signed is not None else None,
        letter=_letter(session, signed),
        ended=end.action if end is not None else None,
        ended_at=end.done_at if end is not None else None,
    )


def _content(canonical: str) -> Mapping[str, Any]:
    try:
        found = json.loads(canonical)
    except ValueError:
        found = None
    return found if isinstance(found, dict) and "answers" in found else {"answers": [], "questionnaire": {}}


def _letter(session: Session, signed: SubmissionEvent | None) -> Letter | None:
    """Return the letter of a signature on paper: of its pack, or as its sheet was recorded."""
    if signed is None or signed.action is Action.SIGN_OFF:
        return None
    told = signed.details or {}
    code = str(told.get("pack", ""))
    pack = session.scalar(select(SigningPack).where(SigningPack.code == code)) if code else None
    if pack is None:
        said = {name: str(told.get(name, "")) for name in ("letter", "letter_on", "name", "post", "scan")}
        day = date.fromisoformat(said["letter_on"]) if said["letter_on"] else None
        return Letter("", said["letter"], day, said["name"], said["post"], said["scan"])
    return Letter(pack.public_id, pack.letter_number or "", pack.letter_on, pack.signer_name, pack.signer_post)


def receipts_of(session: Session, submission_id: int) -> list[tuple[str, datetime, bool]]:
    """List the hand-ins of a reply, the newest first: (code as it is written, moment, whether it stands)."""
    ended = (
        select(func.max(SubmissionEvent.number))
        .where(SubmissionEvent.submission_id == submission_id, SubmissionEvent.action.in_(_ENDS))
        .scalar_subquery()
    )
    rows = session.execute(
        select(Snapshot.code, SubmissionEvent.done_at, SubmissionEvent.number, ended.label("ended"))
        .join(SubmissionEvent, SubmissionEvent.id == Snapshot.event_id)
        .where(Snapshot.submission_id == submission_id)
        .order_by(Snapshot.id.desc())
    )
    return [(shown(row.code), row.done_at, row.number > (row.ended or 0)) for row in rows]


@dataclass(frozen=True)
class Signed:
    """A reply that somebody signed on screen: the code of its receipt, the moment, the assignment it answers."""

    code: str
    at: datetime
    assignment_id: int


def signed_by(session: Session, principal: Principal, *, since: datetime, limit: int) -> list[Signed]:
    """List what a person signed for their present institution since a moment and what stands, the newest first."""
    newest = select(func.max(Snapshot.id)).group_by(Snapshot.submission_id)
    rows = session.execute(
        select(Snapshot.code, SubmissionEvent.done_at, Assignment.id)
        .join(SubmissionEvent, SubmissionEvent.id == Snapshot.event_id)
        .join(Submission, Submission.id == Snapshot.submission_id)
        .join(Assignment, Assignment.id == Submission.assignment_id)
        .where(
            Snapshot.id.in_(newest),
            Snapshot.signed_by == principal.actor_id,
            SubmissionEvent.action == Action.SIGN_OFF,
            SubmissionEvent.done_at >= since,
            Assignment.institution_id == principal.institution_id,
            Submission.status.in_([Status.SUBMITTED, Status.CLEARED]),
        )
        .order_by(Snapshot.id.desc())
        .limit(limit)
    )
    return [Signed(*row) for row in rows]


@dataclass(frozen=True)
class PackSeen:
    """A pack as its code vouches for it: whose, when printed and signed, how many of its replies stand signed."""

    pack: SigningPack
    institution: Mapping[str, str]
    round_titles: Mapping[str, str]


def find_pack_by_code(session: Session, code: str) -> PackSeen | None:
    """Find a pack by the code on its pages."""
    row = session.execute(
        select(SigningPack, Institution.names, ReportingRound.titles)
        .join(Institution, Institution.id == SigningPack.institution_id)
        .join(ReportingRound, ReportingRound.id == SigningPack.round_id)
        .where(SigningPack.code == code)
    ).first()
    return PackSeen(row[0], row[1], row[2]) if row else None
