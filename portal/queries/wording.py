"""The words of the portal itself: what holds, what ships, what a native reader has checked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from portal import catalogues
from portal.models import Actor, UserAccount, Wording, WordingRevision
from portal.queries.recommendations import folded

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy import Connection
    from sqlalchemy.orm import Session

    from portal.catalogues import Message

PER_PAGE = 20


@dataclass(frozen=True)
class Entry:
    """One message in one language and plural form, with what is stored of it (revision 0: nothing)."""

    message: Message
    language: str
    form: int
    shipped: str
    override: str | None = None
    basis: str = ""
    checked_by: str = ""
    checked_on: date | None = None
    note: str = ""
    revision: int = 0

    @property
    def name(self) -> str:
        """Return how addresses and workbooks call it: language, key, form."""
        return f"{self.language}.{self.message.key}.{self.form}"

    @property
    def text(self) -> str:
        """Return the words that hold."""
        return self.shipped if self.override is None else self.override

    @property
    def checked(self) -> bool:
        """Tell whether a native reader checked the words that hold, not others before them."""
        return bool(self.checked_by) and (self.override is not None or self.basis == self.shipped)

    @property
    def outdated(self) -> bool:
        """Tell whether another text ships than when these words were set or checked."""
        return self.revision > 0 and self.basis != self.shipped and (self.override is not None or bool(self.checked_by))


class Override(NamedTuple):
    """Words that hold instead of shipped ones, as every process loads them."""

    language: str
    message: str
    form: int
    text: str


class Count(NamedTuple):
    """How many entries of a catalogue a native reader has checked."""

    catalogue: str
    checked: int
    total: int


class Earlier(NamedTuple):
    """One line of the history of an entry; ``text`` is None for the shipped one."""

    revision: int
    text: str | None
    checked_by: str | None
    set_at: datetime
    names: Mapping[str, str]


@dataclass(frozen=True)
class Filters:
    """What a list of wording is narrowed to; blanks mean everything. ``show`` is "", unchecked, set or outdated."""

    search: str = ""
    catalogue: str = ""
    language: str = ""
    show: str = ""


def version(connection: Connection) -> int:
    """Return the number of the newest change; one look at an index."""
    return int(connection.execute(select(func.max(WordingRevision.id))).scalar() or 0)


def overrides(connection: Connection) -> list[Override]:
    """Return every text that is set instead of a shipped one."""
    rows = connection.execute(
        select(Wording.language, Wording.message, Wording.form, Wording.text)
        .where(Wording.text.is_not(None))
        .order_by(Wording.id)
    )
    return [Override(row.language, row.message, row.form, row.text or "") for row in rows]


def spoken(languages: Sequence[str]) -> tuple[str, ...]:
    """Return the languages whose words can be set: those of the country but English, which names the messages."""
    return tuple(language for language in languages if language != "en")


def entries(session: Session, languages: Sequence[str]) -> list[Entry]:
    """Return every message in each of the languages, in the order of the catalogues; one query."""
    chosen = spoken(languages)
    stored = {
        (row.language, row.message, row.form): row
        for row in session.execute(
            select(Wording.__table__).where(Wording.language.in_(chosen)).order_by(Wording.id)
        )
    }
    found = []
    for message in catalogues.messages().values():
        for language in chosen:
            for form in range(catalogues.forms_of(message, language)):
                shipped = message.text(language, form)
                row = stored.get((language, message.key, form))
                found.append(
                    Entry(message, language, form, shipped)
                    if row is None
                    else Entry(
                        message, language, form, shipped, row.text, row.basis, row.checked_by or "", row.checked_on,
                        row.note, row.revision,
                    )
                )  # fmt: skip
    return found


def entry(session: Session, languages: Sequence[str], name: str) -> Entry | None:
    """Return one entry by its name, None where there is none."""
    language, _, rest = name.partition(".")
    key, _, form = rest.partition(".")
    message = catalogues.messages().get(key)
    if message is None or language not in spoken(languages) or not form.isascii() or not form.isdigit():
        return None
    if int(form) >= catalogues.forms_of(message, language):
        return None
    shipped = message.text(language, int(form))
    row = session.execute(
        select(Wording.__table__).where(
            Wording.language == language, Wording.message == key, Wording.form == int(form)
        )
    ).first()
    if row is None:
        return Entry(message, language, int(form), shipped)
    return Entry(
        message, language, int(form), shipped, row.text, row.basis, row.checked_by or "", row.checked_on, row.note,
        row.revision,
    )  # fmt: skip


def matching(found: Iterable[Entry], filters: Filters) -> list[Entry]:
    """Return the entries that a list shows, those that say just what was searched first.

    Zero-width spaces and case do not count in a search.
    """
    wanted = folded(filters.search)

    def said(one: Entry) -> list[str]:
        return [folded(text) for text in (*one.message.sources, one.text, one.note)]

    fitting = [
        one for one in found
        if _shown(one, filters.show)
        and (not filters.language or one.language == filters.language)
        and (not filters.catalogue or filters.catalogue in one.message.catalogues)
        and (not wanted or any(wanted in text for text in said(one)))
    ]  # fmt: skip
    return sorted(fitting, key=lambda one: wanted not in said(one)) if wanted else fitting


def _shown(one: Entry, show: str) -> bool:
    return {"unchecked": not one.checked, "set": one.override is not None, "outdated": one.outdated}.get(show, True)


def counts(found: Iterable[Entry]) -> list[Count]:
    """Return how many entries are checked, per catalogue; a message of two catalogues counts in both."""
    totals: Counter[str] = Counter()
    checked: Counter[str] = Counter()
    for one in found:
        for name in one.message.catalogues:
            totals[name] += 1
            checked[name] += one.checked
    return [Count(name, checked[name], totals[name]) for name in sorted(totals)]


def history(session: Session, one: Entry) -> list[Earlier]:
    """Return what an entry was set to, the newest first."""
    rows = session.execute(
        select(
            WordingRevision.revision, WordingRevision.text, WordingRevision.checked_by, WordingRevision.set_at,
            UserAccount.names,
        )
        .join(Wording, Wording.id == WordingRevision.wording_id)
        .join(Actor, Actor.id == WordingRevision.set_by)
        .outerjoin(UserAccount, UserAccount.id == Actor.user_id)
        .where(
            Wording.language == one.language, Wording.message == one.message.key, Wording.form == one.form
        )
        .order_by(WordingRevision.revision.desc())
    )  # fmt: skip
    return [Earlier(row[0], row[1], row[2], row[3], row[4] or {}) for row in rows]
