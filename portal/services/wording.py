"""Correcting the words of the portal: each change says what it replaces, is kept, and can be taken back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from forms.wording import LONGEST_NAME, LONGEST_NOTE, faults, plain
from portal import clock
from portal.errors import Conflict, Invalid
from portal.models import Wording, WordingRevision
from portal.permissions import Permission, require
from portal.services import audit
from portal.table import Problem

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.queries.wording import Entry

# one writer at a time, so that the newest number of the history always tells the newest change
_LOCK = 7_261_531
# a reader east of the server may already have tomorrow's date
AHEAD = timedelta(days=1)


class Words(NamedTuple):
    """What shall hold: the text, and who of the language checked it on which day ('' = nobody yet)."""

    text: str
    checked_by: str = ""
    checked_on: date | None = None
    note: str = ""


def save_wording(session: Session, entry: Entry, words: Words, *, revision: int, by: Principal) -> Entry:
    """Set the words of one entry as it was at ``revision``; a text equal to the shipped one takes the own one back.

    Raises:
        Conflict: somebody else changed it since. Invalid: the words cannot stand for the message.
    """
    require(by, Permission.EDIT_WORDING)
    changed = put_wording(session, entry, judged(entry, words), revision=revision, by=by)
    if changed:
        audit.record(session, "edit_wording", by=by, kind="wording", thing=entry.name, fields=changed)
    return entry


def restore_shipped(session: Session, entry: Entry, *, revision: int, by: Principal) -> Entry:
    """Let the shipped text hold again; what was set stays in the history. The shipped text counts as unchecked.

    Raises:
        Conflict: somebody else changed it since.
    """
    require(by, Permission.EDIT_WORDING)
    words = Words(entry.shipped, note=entry.note)
    if put_wording(session, entry, words, revision=revision, by=by):
        audit.record(session, "restore_wording", by=by, kind="wording", thing=entry.name)
    return entry


def judged(entry: Entry, words: Words) -> Words:
    """Return words as they are kept.

    Raises:
        Invalid: with every reason why they cannot stand for the message.
    """
    text = plain(words.text)
    made = words._replace(text=text, checked_by=" ".join(words.checked_by.split()), note=plain(words.note))
    if not text and entry.shipped:
        _refuse("text", _l("The words are missing."), _l("Write them, or go back to the shipped text."))
    found = faults(entry.message.sources, text, language=entry.language, shipped=entry.shipped) if text else []
    # what ships is judged before it ships
    if text != entry.shipped and found:
        raise Invalid(problems=[Problem(one.message, field="text", mend=one.mend) for one in found])
    if len(made.checked_by) > LONGEST_NAME or len(made.note) > LONGEST_NOTE:
        _refuse(
            "checked_by" if len(made.checked_by) > LONGEST_NAME else "note",
            _l("This is too long for its cell."),
            _l("Shorten it."),
        )
    today = clock.now().date()
    if made.checked_on and not made.checked_by:
        _refuse("checked_by", _l("There is a day but no name of who checked."), _l("Write the name or remove the day."))
    if made.checked_on and made.checked_on > today + AHEAD:
        _refuse("checked_on", _l("The day of the check lies in the future."), _l("Write the day on which it was read."))
    if made.checked_by and made.checked_on is None:
        made = made._replace(checked_on=today)
    return made


def put_wording(session: Session, entry: Entry, words: Words, *, revision: int, by: Principal) -> list[str]:
    """Write judged words and their line of history; return which fields changed, none if all stand there already.

    Raises:
        Conflict: somebody else changed the entry since ``revision``.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    row = session.scalar(
        select(Wording)
        .where(
            Wording.language == entry.language, Wording.message == entry.message.key, Wording.form == entry.form
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )  # fmt: skip
    if (row.revision if row else 0) != revision:
        raise Conflict
    wanted: dict[str, Any] = {
        "text": None if words.text == entry.shipped else words.text,
        "basis": entry.shipped,
        "checked_by": words.checked_by or None,
        "checked_on": words.checked_on if words.checked_by else None,
        "note": words.note,
    }
    before = {name: getattr(row, name) for name in wanted} if row else {**dict.fromkeys(wanted), "note": ""}
    if row is None:
        before["basis"] = entry.shipped
    changed = sorted(name for name, value in wanted.items() if before[name] != value)
    if not changed:
        return []
    moment = clock.now()
    if row is None:
        row = Wording(
            language=entry.language, message=entry.message.key, form=entry.form, source=entry.message.source,
            revision=0, **wanted, set_at=moment, set_by=by.actor_id,
        )  # fmt: skip
        session.add(row)
    for name, value in wanted.items():
        setattr(row, name, value)
    row.revision, row.set_at, row.set_by = revision + 1, moment, by.actor_id
    session.flush()
    session.add(
        WordingRevision(wording_id=row.id, revision=row.revision, **wanted, set_at=moment, set_by=by.actor_id)
    )
    session.flush()
    return [name for name in changed if name != "basis"] or ["basis"]


def _refuse(field: str, message: Any, mend: Any) -> NoReturn:
    raise Invalid(problems=[Problem(message, field=field, mend=mend)])
