"""Wording that comes back in a workbook: judged first, then written over exactly what its reader saw."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from flask_babel import force_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from forms.wording import placeholders
from portal import catalogues
from portal.errors import Invalid
from portal.permissions import Permission, require
from portal.queries import wording as queries
from portal.services import audit
from portal.services.wording import Words, judged, put_wording
from portal.table import Problem, digest
from portal.workbooks import wording as workbook
from portal.workbooks.uhri import day

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.queries.wording import Entry
    from portal.workbooks.wording import WordingRow

DASHES = frozenset("-–—")
# files whose words stand in workbooks
WORKBOOKS = ("portal/workbooks/", "portal/queries/report", "portal/services/round_")
NAMES = {
    "accounts": _l("Accounts and signing in"), "api": _l("Programs that read the portal"), "demo": _l("Demonstration"),
    "exports": _l("Workbooks for the report"), "follow": _l("Following replies"), "forms": _l("Checks of answers"),
    "look": _l("Parts of every page"), "mail": _l("Mails"), "people": _l("People and institutions"),
    "questionnaires": _l("Questionnaires"), "recommendations": _l("Recommendations"), "respond": _l("Answering"),
    "rounds": _l("Reporting rounds"), "wording": _l("Wording"), "workbooks": _l("Workbooks to fill in"),
}  # fmt: skip


@dataclass
class WordingChange:
    """What one row of the workbook brings to one entry; ``dropped`` is whose check no longer counts by it."""

    row: WordingRow
    entry: Entry
    words: Words
    fields: tuple[str, ...]
    dropped: str = ""

    @property
    def added(self) -> bool:
        """Tell whether nothing was set here before."""
        return self.entry.revision == 0


class StaleWording(NamedTuple):
    """A cell that somebody else changed since the download: what stands here, and what was to be written."""

    row: WordingRow
    entry: Entry
    part: str
    stored: str
    new: str


@dataclass
class WordingPlan:
    """What a returned workbook comes to; rows, but single cells for ``stale``."""

    taken: list[WordingChange] = field(default_factory=list)
    unchanged: int = 0
    stale: list[StaleWording] = field(default_factory=list)
    refused: list[Problem] = field(default_factory=list)

    @property
    def added(self) -> list[WordingChange]:
        """Return what is set for the first time."""
        return [one for one in self.taken if one.added]

    @property
    def changed(self) -> list[WordingChange]:
        """Return what was set before."""
        return [one for one in self.taken if not one.added]

    @property
    def counts(self) -> dict[str, int]:
        """Return the figures of the dry run."""
        return {
            "added": len(self.added),
            "changed": len(self.changed),
            "unchanged": self.unchanged,
            "stale": len(self.stale),
            "refused": len(self.refused),
        }

    @property
    def fingerprint(self) -> str:
        """Return a sha256 of what would be written, to see whether a later judgement is the same."""
        acts = [(one.entry.name, one.entry.revision, tuple(one.words)) for one in self.taken]
        return hashlib.sha256(repr([self.counts, acts]).encode()).hexdigest()


def kind_of(files: Sequence[str], catalogue_names: Sequence[str]) -> str:
    """Say what kind of place uses a message: a mail, a page, a workbook, a check of what is filled in."""
    kind = _("message")
    if "mail" in catalogue_names or any(name.startswith("templates/mail/") for name in files):
        kind = _("mail")
    elif any(name.startswith(("templates/", "portal/blueprints/")) for name in files):
        kind = _("page")
    elif any(name.startswith(WORKBOOKS) for name in files):
        kind = _("workbook")
    elif any(name.startswith("forms/") for name in files):
        kind = _("check of answers")
    return str(kind)


def catalogue_name(code: str) -> str:
    """Return what a catalogue is called, in the reader's language."""
    return str(NAMES.get(code, code))


def form_words(language: str, form: int, *, plural: bool) -> str:
    """Say for which numbers a plural form is; '' where the message counts nothing."""
    if not plural:
        return ""
    numbers = catalogues.numbers_of(language, form)
    return ", ".join(str(one) for one in numbers) + " …" if numbers else str(_("every number"))


def write_wording(
    found: Sequence[Entry], files: Mapping[str, Sequence[str]], languages: Sequence[str], reader: str
) -> bytes:
    """Return the workbook of all entries; a message stands on one row for all languages, plural forms on their own.

    ``files`` says by English text where each is used; ``reader`` is the language of titles and instructions.
    """
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    with force_locale(reader):
        for one in found:
            message = one.message
            row = rows.get((message.key, one.form))
            if row is None:
                used = files.get(message.source, ())
                named = ", ".join(catalogue_name(name) for name in message.catalogues)
                row = rows[message.key, one.form] = {
                    "id": f"{message.key}.{one.form}",
                    "used": f"{kind_of(used, message.catalogues)}: {named}",
                    "files": "\n".join(used[:4]),
                    "english": "\n".join(message.sources),
                    "form": form_words(one.language, one.form, plural=bool(message.plural)),
                    "keep": "\n".join(placeholders(*message.sources)),
                    **{part: {} for part in (*workbook.PARTS, "shipped")},
                }
            row["text"][one.language] = one.text
            row["checked_by"][one.language] = one.checked_by if one.checked else ""
            row["checked_on"][one.language] = one.checked_on if one.checked else None
            row["note"][one.language] = one.note
            row["shipped"][one.language] = one.shipped if one.override is not None else ""
        return workbook.write(rows.values(), languages, reader)


def read_wording(path: Path, languages: Sequence[str], *, filename: str, limit: int) -> workbook.WordingRows:
    """Read a returned workbook.

    Raises:
        Invalid: it is not ours, damaged, or too large.
    """
    return workbook.read(path, queries.spoken(languages), filename=filename, limit_bytes=limit)


def plan_wording(session: Session, found: workbook.WordingRows, languages: Sequence[str]) -> WordingPlan:
    """Judge a returned workbook against the database; nothing is written."""
    made = WordingPlan(unchanged=found.unchanged, refused=list(found.problems))
    stored = {one.name: one for one in queries.entries(session, languages)} if found.rows else {}
    seen: set[str] = set()
    for row in found.rows:
        problem = _unusable(row, stored, seen)
        if problem is not None:
            made.refused.append(problem)
            continue
        seen.add(row.id)
        for language in dict.fromkeys(language for _part, language in row.changed):
            _judge(row, stored[f"{language}.{row.id}"], made)
    return made


def _unusable(row: WordingRow, stored: Mapping[str, Entry], seen: set[str]) -> Problem | None:
    languages = [language for _part, language in row.changed]
    known = [stored.get(f"{language}.{row.id}") for language in languages]
    if not row.id or None in known:
        sentence = _l("The portal does not know this English message.")
        mend = _l("It may be of another version: download the workbook again. Do not change the hidden first columns.")
        return Problem(sentence, row.sheet, row.row, mend=mend)
    if row.id in seen:
        mend = _l("Remove one of the two rows.")
        return Problem(_l("This message stands in the file a second time."), row.sheet, row.row, mend=mend)
    first = known[0]
    if first is not None and row.english and digest(row.english) != digest(
        "\n".join(first.message.sources)
    ):
        sentence = _l("The English words of this row belong to another message.")
        mend = _l("Rows are sorted whole or not at all; download the workbook again.")
        return Problem(sentence, row.sheet, row.row, mend=mend)
    return None


def _stored(entry: Entry) -> dict[str, str]:
    """Return what the workbook says of an entry, as text."""
    return {
        "text": entry.text,
        "checked_by": entry.checked_by if entry.checked else "",
        "checked_on": workbook.as_text(entry.checked_on) if entry.checked else "",
        "note": entry.note,
    }


def _judge(row: WordingRow, entry: Entry, made: WordingPlan) -> None:
    now = _stored(entry)
    wanted: dict[str, str] = {}
    stale: list[StaleWording] = []
    for part in workbook.PARTS:
        new = row.changed.get((part, entry.language))
        if new is None or digest(new) == digest(now[part]):
            continue
        cleared = "" if part != "text" and new in DASHES else new
        if row.stale(part, entry.language, now[part]):
            stale.append(StaleWording(row, entry, part, now[part], new))
        else:
            wanted[part] = cleared
    made.stale += stale
    # a check that came with words which are not taken would be a check of other words
    if any(one.part == "text" for one in stale):
        wanted.pop("checked_by", None)
        wanted.pop("checked_on", None)
    if not wanted:
        made.unchanged += not stale
        return
    try:
        words, dropped = _words(now, wanted)
        kept = judged(entry, words)
    except Invalid as error:
        made.refused += [
            Problem(one.message, row.sheet, row.row, field=f"{one.field}.{entry.language}", mend=one.mend)
            for one in error.problems
        ]
        return
    made.taken.append(WordingChange(row, entry, kept, tuple(wanted), dropped))


def _words(now: Mapping[str, str], wanted: Mapping[str, str]) -> tuple[Words, str]:
    """Return what the row asks for, and whose check it ends.

    Raises:
        Invalid: the day is none.
    """
    said = {**now, **wanted}
    dropped = ""
    if "text" in wanted and not {"checked_by", "checked_on"} & set(wanted):
        # the words are others than those that were checked
        dropped, said["checked_by"], said["checked_on"] = said["checked_by"], "", ""
    if not said["checked_by"] or ("checked_by" in wanted and "checked_on" not in wanted):
        said["checked_on"] = wanted.get("checked_on", "")
    checked_on = day(said["checked_on"]) if said["checked_on"] else None
    if said["checked_on"] and checked_on is None:
        sentence = _l("The date %(text)s cannot be read.", text=said["checked_on"][:40])
        mend = _l("Write year-month-day, such as 2022-05-18.")
        raise Invalid(problems=[Problem(sentence, field="checked_on", mend=mend)])
    return Words(said["text"], said["checked_by"], checked_on, said["note"]), dropped


def carry_out_wording(session: Session, made: WordingPlan, *, by: Principal, source: str) -> int:
    """Write what the plan says, in the transaction in which it was made; return how many entries were set.

    Stale and refused rows are left. ``source`` names the file in the audit chain (its sha256).

    Raises:
        Conflict: an entry changed since the plan was made.
    """
    require(by, Permission.EDIT_WORDING)
    count = 0
    for one in made.taken:
        count += bool(put_wording(session, one.entry, one.words, revision=one.entry.revision, by=by))
    if count:
        audit.record(
            session, "import_wording", by=by, kind="wording", thing=source, entries=count,
            names=[one.entry.name for one in made.taken[:500]],
        )  # fmt: skip
    return count
