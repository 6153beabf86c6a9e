"""The consolidated workbook of a round: what was handed in, gathered once, laid out, counted twice, proved.

Reads only; the caller opens the transaction, so that all figures come from one moment.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from portal import clock
from portal.errors import PortalError
from portal.models import Implementation, ReportingRound, UserAccount
from portal.queries import answer_lines, handed_in, implementation, report_annexes, report_counts, reports, table_sheets
from portal.queries.countries import country_facts
from portal.queries.examples import examples_of_round
from portal.queries.kept_warnings import kept_in_round, kind_words
from portal.queries.rates import rates
from portal.queries.report_words import STATES, Reader, role_words, signature_words, state_words
from portal.queries.status_words import To, status_words
from portal.queries.submissions import citation
from portal.table import Link, Table, pick
from portal.workbooks import report as layout
from portal.workbooks.layout import language_name
from portal.workbooks.reading import Reading, Told
from portal.workbooks.streaming import count_rows, sheet_parts
from portal.workbooks.writer import Alteration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.queries.answer_lines import Line
    from portal.queries.countries import CountryFacts
    from portal.queries.handed_in import Reply
    from portal.queries.submissions import AskedRecommendation
    from portal.table import Cell
    from portal.workbooks.writer import ReportBook


class NotProved(PortalError):
    """The workbook does not hold what the database counts: it is not given out."""

    code = "export_not_proved"


@dataclass(frozen=True)
class Addresses:
    """How the workbook leads back to the portal: the address of the portal, of a reply, and of a file."""

    home: str
    reply: Callable[[str], str]
    evidence: Callable[[str], str]


@dataclass(frozen=True)
class Made:
    """A workbook that was written, opened again and counted; ``lines`` are (sheet, what is counted, number)."""

    size: int
    sha256: str
    checksum: str
    lines: list[tuple[str, str, int]]
    altered: int


def write_workbook(
    session: Session, round_id: int, path: Path, *, language: str, addresses: Addresses, by: Principal
) -> Made:
    """Write the consolidated workbook of a round to ``path`` (synced, renamed into place) and prove it.

    Raises:
        NotProved: a sheet does not hold as many rows as the database counts, or the file does not open.
    """
    country = country_facts(session)
    reader = Reader(
        language, country.languages, country.time_zone, clock.today(country.time_zone), addresses.reply,
        addresses.evidence,
    )  # fmt: skip
    with force_locale(language):
        found, checksum = _gather(session, round_id, reader, country, addresses, by)
        book = layout.build(found)
        draft = path.with_name(f".{path.stem}.new.xlsx")
        try:
            for count in found.counts:
                if count.counted != count.written:
                    raise NotProved(_sentence(count.sheet, count.counted, count.written))
            altered = len(book.notes)
            _note_kept_warnings(session, round_id, book)
            book.save(draft)
            _prove(draft, found)
            size, sha256 = _measured(draft)
            draft.replace(path)
        finally:
            book.close()
            draft.unlink(missing_ok=True)
    lines = [(count.sheet, count.what, count.written) for count in found.counts]
    return Made(size, sha256, checksum, lines, altered)


def _note_kept_warnings(session: Session, round_id: int, book: ReportBook) -> None:
    """List on the notes sheet what institutions were warned of and kept, each with its reason."""
    kinds = kind_words()
    for institution, reply, kept in kept_in_round(session, round_id):
        what = _("Warning kept by the institution (%(kind)s): %(reason)s", kind=kinds[kept.kind], reason=kept.reason)
        book.notes.append(Alteration("Answers", f"{institution} {reply[:8]} {kept.place}", what))


def _measured(path: Path) -> tuple[int, str]:
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return path.stat().st_size, sha256


def _sentence(sheet: str, counted: int, written: int) -> str:
    return str(
        _(
            "The workbook was not given out: the sheet “%(sheet)s” holds %(written)s rows, "
            "the database counts %(counted)s.",
            sheet=sheet,
            written=written,
            counted=counted,
        )
    )


def _gather(
    session: Session, round_id: int, reader: Reader, country: CountryFacts, addresses: Addresses, by: Principal
) -> tuple[layout.Report, str]:
    """Load everything once and lay it out in tables; count it again by SQL."""
    versions = answer_lines.Versions(session)
    replies = handed_in.replies(session, round_id)
    order = handed_in.recommendations_in_order(session, round_id)
    lines = answer_lines.Lines(replies, versions)
    checksum = answer_lines.checksum(lines)
    counted = report_counts.counts(session, round_id)
    annexes = table_sheets.annexes(lines)
    annex_titles = layout.reading_titles(one.code for one in annexes)
    annex_tables = [
        table_sheets.annex_table(one, title, reader) for one, title in zip(annexes, annex_titles, strict=True)
    ]
    readings, sheets = _readings(replies, lines, order, reader, annex_titles)
    evidence = report_annexes.evidence_rows(session, round_id, replies)
    overview = implementation.summary(session, round_id=round_id, own_answers=_own_states(replies, lines))
    found = rates(session, round_id, today=reader.today, time_zone=reader.time_zone)
    tables = {
        layout.RATE: reports.rate_table(found, reader),
        layout.RECOMMENDATIONS: reports.recommendation_table(replies, lines, reader, sheets, order),
        layout.ANSWERS: reports.answer_table(lines, report_annexes.evidence_numbers(evidence), reader),
        layout.INSTITUTIONS: reports.institution_table(replies, lines, reader),
        layout.PRACTICES: reports.practice_table(lines, reader, sheets, examples_of_round(session, round_id)),
        layout.EVIDENCE: report_annexes.evidence_table(evidence, reader),
    }
    blocks = (
        implementation.summary_table(overview, reader.language, reader.languages),
        implementation.theme_table(overview, reader.language, reader.languages),
    )
    each_state = implementation.state_table(overview, reader.language, reader.languages)
    for reply in replies:
        versions[reply.head.version_id]
    explained = [
        *tables.items(),
        *((one.code, one) for one in annex_tables),
        *((layout.STATE, block) for block in blocks),
        (layout.STATES, each_state),
    ]
    codebook = report_annexes.codebook_table(explained, versions.used.values(), reader)
    states = Counter(line.state for line in lines)
    written = {
        "answers": len(tables[layout.ANSWERS].rows),  # type: ignore[arg-type] # rows with a length
        "not_asked": states["not_asked"],
        "not_answered": states["not_answered"],
        "answered_cells": states["answered"] + states["not_applicable"] + states["not_available"],
        "recommendation_rows": len(tables[layout.RECOMMENDATIONS].rows),  # type: ignore[arg-type] # rows with a length
        "recommendations": len(readings),
        "institution_replies": len(tables[layout.INSTITUTIONS].rows),  # type: ignore[arg-type] # rows with a length
        "good_practices": len(tables[layout.PRACTICES].rows),  # type: ignore[arg-type] # rows with a length
        "evidence": len(tables[layout.EVIDENCE].rows),  # type: ignore[arg-type] # rows with a length
        "issued": found.overall.issued,
        "received": found.overall.received,
        "unsigned": found.overall.unsigned,
        "asked_institutions": len(found.institutions),
        "states": len(each_state.rows),  # type: ignore[arg-type] # rows with a length
    }
    head = session.execute(select(ReportingRound.__table__).where(ReportingRound.id == round_id)).one()
    title = _("%(round)s: consolidated workbook", round=reader.say(head.titles))
    return (
        layout.Report(
            title=title,
            facts=_facts(session, head, reader, country, addresses, by, replies, versions, checksum),
            counts=[
                *_counts(counted, written, readings),
                *_annex_counts(report_counts.table_rows(session, round_id), annexes, annex_tables),
            ],
            states=[(state, state_words(state), _state_meanings()[state]) for state in STATES],
            definitions=_definitions(),
            rates=tables[layout.RATE],
            blocks=blocks,
            each_state=each_state,
            recommendations=tables[layout.RECOMMENDATIONS],
            answers=tables[layout.ANSWERS],
            annexes=annex_tables,
            institutions=tables[layout.INSTITUTIONS],
            readings=readings,
            practices=tables[layout.PRACTICES],
            evidence=tables[layout.EVIDENCE],
            codebook=codebook,
            language=reader.language,
            languages=reader.languages,
            time_zone=reader.time_zone,
        ),
        checksum,
    )


def _own_states(replies: Sequence[Reply], lines: Iterable[Line]) -> list[implementation.OwnState]:
    """Return the institutions' own answers to B1, of what was handed in, per recommendation."""
    known = {state.value: state for state in Implementation}
    given = {
        line.reply.head.id: known[line.value]
        for line in lines
        if line.key.code.lower() == implementation.OWN_STATE_QUESTION and line.value in known
    }
    found = []
    for lead in ("lead", "contributing"):
        for reply in replies:
            head = reply.head
            if head.id in given and head.role == lead:
                found += [
                    implementation.OwnState(
                        one.id, head.institution_code, head.institution_names, head.role.value, given[head.id],
                        head.round_slug, head.round_titles, head.handed_in_at, head.public_id,
                    )
                    for one in reply.asked
                ]  # fmt: skip
    return found


def _counts(counted: dict[str, int], written: dict[str, int], readings: Sequence[Reading]) -> list[layout.Count]:
    first = readings[0].sheet if readings else layout.RECOMMENDATIONS
    lines = (
        (layout.RATE, _("Questionnaires issued"), "issued"),
        (layout.RATE, _("Replies received"), "received"),
        (layout.RATE, _("Received but unsigned"), "unsigned"),
        (layout.RATE, _("Institutions that were asked"), "asked_institutions"),
        (layout.STATES, _("Rows: recommendations of the round's documents"), "states"),
        (layout.RECOMMENDATIONS, _("Rows: recommendation and institution"), "recommendation_rows"),
        (layout.ANSWERS, _("Rows: answers that were or should have been given"), "answers"),
        (layout.ANSWERS, _("of these, answered in any way"), "answered_cells"),
        (layout.ANSWERS, _("of these, not answered"), "not_answered"),
        (layout.ANSWERS, _("of these, not asked"), "not_asked"),
        (layout.INSTITUTIONS, _("Rows: replies about the institution"), "institution_replies"),
        (first, _("Reading sheets, one per recommendation"), "recommendations"),
        (layout.PRACTICES, _("Rows: good practices"), "good_practices"),
        (layout.EVIDENCE, _("Rows: pieces of evidence"), "evidence"),
    )
    return [layout.Count(sheet, what, counted[key], written[key]) for sheet, what, key in lines]


def _annex_counts(
    counted: Mapping[tuple[str, str], int], annexes: Sequence[table_sheets.Annex], made: Sequence[Table]
) -> list[layout.Count]:
    """Compare the rows of each table's sheet with the database; a table that no sheet holds counts as none written."""
    lines = []
    for annex, table in zip(annexes, made, strict=True):
        written = len(table.rows)  # type: ignore[arg-type] # these tables are lists
        what = _("Rows: %(table)s", table=pick(table.title, ""))
        lines.append(layout.Count(table.code, what, counted.get(annex.name, 0), written))
    known = {annex.name for annex in annexes}
    return lines + [
        layout.Count(code, _("Rows: %(table)s", table=code), many, 0)
        for (questionnaire, code), many in sorted(counted.items())
        if (questionnaire, code) not in known
    ]


def _facts(
    session: Session, head: Any, reader: Reader, country: CountryFacts, addresses: Addresses, by: Principal,
    replies: Sequence[Reply], versions: answer_lines.Versions, checksum: str,
) -> list[tuple[str, Cell]]:  # fmt: skip
    name = session.scalar(select(UserAccount.names).where(UserAccount.id == by.user_id)) if by.user_id else None
    used = sorted({reply.head.version_id for reply in replies})
    titles = "\n".join(
        f"{versions[one].code} v{versions[one].version}: {reader.say(versions[one].titles)}" for one in used
    )
    dates = _(
        "%(opens)s opened, %(due)s due, %(closes)s closes, %(freezes)s frozen",
        opens=head.opens_on.isoformat(),
        due=head.due_on.isoformat(),
        closes=head.closes_on.isoformat(),
        freezes=head.freezes_on.isoformat(),
    )
    return [
        (_("Round"), reader.say(head.titles)),
        (_("Short name of the round"), head.slug),
        (_("Dates"), dates),
        (_("Secretariat"), reader.say(country.secretariat)),
        (_("Made by"), reader.say(name) or reader.say(by.names) or by.login),
        (_("Made on"), clock.now()),
        (_("Time zone"), reader.time_zone),
        (_("Language"), f"{language_name(reader.language, reader.language)} ({reader.language})"),
        (_("Filter"), _("none: the whole round")),
        (_("Questionnaires"), titles),
        (_("Content"), _(
            "Only what institutions handed in. "
            "While a reply is being changed again, its last handed-in version is shown; "
            "drafts never are."
        )),
        (_("Checksum of the answers (SHA-256)"), checksum),
        (_("Portal"), Link(addresses.home, addresses.home)),
    ]  # fmt: skip


def _state_meanings() -> dict[str, str]:
    return {
        "answered": _("The institution answered."),
        "not_answered": _("The question was asked and left empty."),
        "not_asked": _("An earlier answer made this question pointless, so it was not asked."),
        "not_applicable": _("The institution says that the question does not apply to it."),
        "not_available": _("The institution says that it does not have the figure or fact."),
    }


def _definitions() -> list[tuple[str, str]]:
    return [
        (_("Response rate"), _("Received divided by issued. Withdrawn questionnaires are not issued.")),
        (
            _("Received"),
            _("Replies handed in, returned for correction or cleared, and those confirmed to be not theirs."),
        ),
        (_("On time"), _("First handed in on or before the due date in force, extensions included.")),
        (_("Unsigned"), _("Handed in with the signature to follow; counted as received and marked everywhere.")),
        (
            _("State of implementation"),
            _("Counts recommendations, not replies: the secretariat's state, beside the institutions' own answers."),
        ),
        (
            _("One answer in two languages"),
            _("A text given in two languages is two rows on the sheet Answers, one per language."),
        ),
        (_("Notes"), _("Every cell that could not hold exactly what is stored is listed on the sheet Notes.")),
        (
            _("Way back"),
            _("The first cell of each sheet's header row, or the link above it, leads back to this sheet."),
        ),
    ]


def _readings(
    replies: Sequence[Reply], lines: Iterable[Line], order: Sequence[int], reader: Reader, taken: Sequence[str]
) -> tuple[list[Reading], dict[int, Link]]:
    """Lay out one reading sheet per recommendation, and say where each stands."""
    by_reply: dict[int, list[Line]] = defaultdict(list)
    for line in lines:
        by_reply[line.reply.head.id].append(line)
    asked: dict[int, AskedRecommendation] = {}
    of: dict[int, list[Reply]] = defaultdict(list)
    for reply in replies:
        for one in reply.asked:
            asked[one.id] = one
            of[one.id].append(reply)
    several = len({one.symbol for one in asked.values()}) > 1
    wanted = []
    for about in (asked[id_] for id_ in order):
        cited = about.paragraph + about.sub_item.strip("()")
        wanted.append(f"{about.mechanism} {cited}".strip() if several else cited)
    titles = layout.reading_titles(wanted, taken)
    links = {
        one: layout.sheet_link(title, title) for one, title in zip(order, titles, strict=True)
    }
    made = [
        _reading(title, asked[one], sorted(of[one], key=lambda reply: reply.head.role != "lead"), by_reply, reader)
        for one, title in zip(order, titles, strict=True)
    ]
    return made, links


def _reading(
    title: str, one: AskedRecommendation, replies: Sequence[Reply], by_reply: dict[int, list[Line]], reader: Reader
) -> Reading:
    heading = reader.say(one.heading)
    texts = [(_("Document"), f"{one.symbol} · {reader.say(one.mechanism_names)}")]
    texts.extend(
        (_("Text (%(language)s)", language=language), one.texts[language])
        for language in (*reader.languages, *(code for code in one.texts if code not in reader.languages))
        if one.texts.get(language)
    )
    if summary := reader.say(one.summary):
        texts.append((_("In short"), summary))
    facts: list[tuple[str, Sequence[Cell]]] = []
    heads = [reply.head for reply in replies]
    told = [reports.reply_state(reply, reader) for reply in replies]
    facts.append((_("Part"), [role_words(head.role) for head in heads]))
    facts.append((_("Status"), [status_words(head.status, To.REPORT) for head in heads]))
    facts.append((_("Due"), [head.due_on for head in heads]))
    facts.append((_("Handed in"), [received for _status, _due, received, *_rest in told]))
    facts.append((_("Late?"), [late for *_rest, late, _signature in told]))
    facts.append((_("Signature"), [signature_words(head.signature) for head in heads]))
    if any(len(reply.asked) > 1 for reply in replies):
        facts.append((_("Answered together"), [citation(reply.asked) for reply in replies]))
    facts.append((_("Content shown"), [reports.content_words(reply) for reply in replies]))
    facts.append(
        (
            _("Reply in the portal"),
            [Link(reader.reply_url(reply.head.public_id), _("Open in the portal")) for reply in replies],
        )
    )
    return Reading(
        sheet=title,
        title=f"{one.citation} · {heading}" if heading else one.citation,
        texts=texts,
        names=[reader.say(reply.head.institution_names) for reply in replies],
        facts=facts,
        rows=_rows([by_reply.get(reply.head.id, []) for reply in replies], reader),
    )


def _rows(columns: Sequence[Sequence[Line]], reader: Reader) -> list[tuple[str, Sequence[Told | None]]]:
    """Put the answers of several replies under each other by question, in the order of the longest questionnaire."""
    wordings: dict[str, str] = {}
    cells: list[dict[str, list[Line]]] = []
    for lines in sorted(columns, key=len, reverse=True):
        for line in lines:
            item = line.table.item if line.table is not None else line.item
            wordings.setdefault(item.code, item.text("label", reader.language, reader.languages))
    for lines in columns:
        by_code: dict[str, list[Line]] = {}
        for line in lines:
            by_code.setdefault(line.table.code if line.table is not None else line.key.code, []).append(line)
        cells.append(by_code)
    return [
        (f"{code}. {wording}", [_told(by_code.get(code), reader) for by_code in cells])
        for code, wording in wordings.items()
    ]


def _told(lines: Sequence[Line] | None, reader: Reader) -> Told | None:
    if not lines:
        return None
    if lines[0].table is not None:
        return _told_table(lines, reader)
    if len(lines) == 1:
        line = lines[0]
        return Told(line.text(reader.language) if line.state == "answered" else state_words(line.state), line.state)
    texts = (
        f"[{line.key.lang}] " + (line.text(reader.language) if line.state == "answered" else state_words(line.state))
        for line in lines
    )
    return Told("\n\n".join(texts))


def _told_table(lines: Sequence[Line], reader: Reader) -> Told:
    """Tell a table row by row: its number or label, then each column that says something, named."""
    rows: dict[str, list[Line]] = {}
    for line in lines:
        rows.setdefault(line.key.row, []).append(line)
    told = []
    for cells in rows.values():
        first = cells[0]
        said = [_told_cell(line, reader) for line in cells if line.state not in {"not_answered", "not_asked"}]
        if first.key.row and said:
            name = first.row_label(reader.language, reader.languages) or f"{first.number}."
            told.append(f"{name} " + "; ".join(said))
    if told:
        return Told("\n".join(told))
    state = "not_asked" if all(line.state == "not_asked" for line in lines) else "not_answered"
    return Told(state_words(state), state)


def _told_cell(line: Line, reader: Reader) -> str:
    label = line.item.text("label", reader.language, reader.languages)
    lang = f" [{line.key.lang}]" if line.key.lang else ""
    return f"{label}{lang}: " + (line.text(reader.language) if line.state == "answered" else state_words(line.state))


def _prove(path: Path, found: layout.Report) -> None:
    """Open the file again and count the rows of its data sheets in their XML, which must be well-formed."""
    tables = (found.each_state, found.recommendations, found.answers, found.practices, found.evidence, *found.annexes)
    parts = sheet_parts(path)
    for table in tables:
        wanted = len(table.rows)  # type: ignore[arg-type] # lists, or rows that know how many they are
        there = count_rows(path, parts[table.code]) - 1 if table.code in parts else -1
        if there != wanted:
            raise NotProved(_sentence(table.code, wanted, there))
    missing = {reading.sheet for reading in found.readings} - set(parts)
    if missing:
        raise NotProved(_sentence(min(missing), 1, 0))
