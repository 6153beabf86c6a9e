"""The outbox: a mail is a row in the transaction of the act it tells about; the worker sends it afterwards."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import current_app
from flask_babel import force_locale

from portal import clock
from portal.errors import Conflict
from portal.models import MailStatus, OutgoingMail
from portal.permissions import Permission, require
from portal.services import audit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from portal.permissions import Principal

SUBJECT_LIMIT = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")
_ADDRESS = re.compile(r"[^@\s<>\"',;:\\()\[\]]+@[^@\s<>\"',;:\\()\[\]]+\.[^@\s<>\"',;:\\()\[\]]+\Z")


@dataclass(frozen=True)
class Recipient:
    """To whom a mail goes, and in which language."""

    user_id: int | None
    address: str
    language: str


def one_line(text: str) -> str:
    """Return a text that can stand in a header: no line break or control character can start another one."""
    return " ".join(_CONTROL.sub(" ", text).split())[:SUBJECT_LIMIT]


def is_address(text: str) -> bool:
    """Tell whether a text can be an e-mail address that a header may carry."""
    return len(text) <= 254 and _ADDRESS.match(text) is not None


def compose(
    kind: str, language: str, languages: Sequence[str], about: Mapping[str, Mapping[str, Any]]
) -> tuple[str, str]:
    """Return subject and body of ``templates/mail/<kind>.txt``, whose first line is the subject.

    The body is in the reader's language; the subject is repeated in the portal's other languages, since an assistant
    who sorts the mail may read another one. ``about`` holds the facts per language.
    """
    template = current_app.jinja_env.get_template(f"mail/{kind}.txt")
    subjects: list[str] = []
    body = ""
    for code in dict.fromkeys((language, *languages)):
        if code not in about:
            continue
        with force_locale(code):
            first, _newline, rest = template.render(about[code]).strip().partition("\n")
        subjects.append(one_line(first))
        body = body or rest.strip() + "\n"
    return one_line(" / ".join(dict.fromkeys(subjects))), body


def queue_mail(
    session: Session,
    kind: str,
    to: Recipient,
    *,
    languages: Sequence[str],
    about: Mapping[str, Mapping[str, Any]],
) -> OutgoingMail | None:
    """Put a mail into the outbox, in the present transaction; None where the address cannot be one."""
    if not is_address(to.address):
        return None
    subject, body = compose(kind, to.language, languages, about)
    mail = OutgoingMail(
        kind=kind, user_id=to.user_id, address=to.address, subject=subject, body=body, created_at=clock.now()
    )
    session.add(mail)
    return mail


def retry(session: Session, mail: OutgoingMail, *, by: Principal) -> OutgoingMail:
    """Send a mail that had failed once more.

    Raises:
        Conflict: if it was sent.
    """
    require(by, Permission.ISSUE_ROUND)
    if mail.status is MailStatus.SENT:
        raise Conflict
    mail.status, mail.attempts, mail.not_before, mail.error = MailStatus.QUEUED, 0, None, None
    audit.record(session, "retry_mail", by=by, kind="mail", thing=mail.public_id)
    return mail
