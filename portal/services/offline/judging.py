"""Judging returned workbooks against what stands in the portal now; nothing is written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from forms.answers import AnswerKey, Parsed, field_name
from forms.question_types import question_type
from forms.tables import may_change, table_of, tables
from portal.models import Status
from portal.models.lifecycle import EDITABLE
from portal.queries import submissions as queries
from portal.queries.questionnaires import definition as load_definition
from portal.queries.questionnaires import question_ids
from portal.queries.submissions import RowKey
from portal.services.offline.aloud import Aloud
from portal.services.offline.earlier import earlier
from portal.services.offline.emptied import ROWS_CLOSED, cell_by_cell, emptied_lines
from portal.services.offline.foreign import ForeignSheets
from portal.services.offline.gathering import offline_context
from portal.services.offline.plan import (
    ChangedAnswer,
    ChangedRow,
    Finding,
    OfflinePlan,
    Option,
    ReplyPlan,
    in_file,
    in_part,
)
from portal.services.offline.reading import CopyReader
from portal.services.offline.ruling import both, warn
from portal.services.offline.structure import note_structure, outdated, unlocked
from portal.services.offline.twins import Twins
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.queries.countries import CountryFacts
    from portal.queries.submissions import StoredAnswer, SubmissionHead
    from portal.services.offline.reading import CopyOfReply, NewRow
    from portal.table import Speakable
    from portal.workbooks.offline.found import FoundBook, FoundSheet

CLOSED: Mapping[Status, Speakable] = {
    Status.AWAITING_SIGN_OFF: _l("It is complete and waits to be signed. The approver can hand it back."),
    Status.CLAIMED: _l("You said that another institution should answer; the secretariat is looking at it."),
    Status.NOT_OURS: _l("The secretariat confirmed that another institution answers."),
    Status.CLEARED: _l("The secretariat has cleared it."),
    Status.LAPSED: _l("The round is closed. Ask the secretariat for more time."),
    Status.WITHDRAWN: _l("The secretariat has withdrawn this request."),
}
FULL = _l("This cell is full (32,767 signs): Excel may have cut the text. Please look at its end.")
SUBJECT = 90  # signs of what a reply is about
HANDED_IN = _l("It was handed in. You can recall it until the secretariat starts its review.")


def plan_offline(
    session: Session,
    books: Sequence[FoundBook],
    country: CountryFacts,
    *,
    by: Principal,
    language: str,
    round_slug: str = "",
) -> OfflinePlan:
    """Judge some returned workbooks together: copies of one sheet are merged question by question.

    ``round_slug`` names the round whose page they were sent from, "" for any.
    """
    made = OfflinePlan(copies=[book.copy or book.filename for book in books])
    by_reply: dict[str, list[tuple[FoundSheet, str, str]]] = {}
    for book in books:
        made.problems += [_with_file(books, book, one) for one in book.problems]
        made.remarks += [_with_file(books, book, one) for one in (*book.remarks, *unlocked(book))]
        for sheet in book.sheets:
            by_reply.setdefault(sheet.mark.submission, []).append((sheet, book.copy or book.filename, book.copy))
    foreign = ForeignSheets(by=by, round_slug=round_slug, language=language, languages=tuple(country.languages))
    for public_id, sheets in by_reply.items():
        head = queries.find(session, public_id)
        if foreign.takes(head, sheets[0][0]) or head is None:
            continue
        made.replies.append(_Judge(session, head, sheets, country, by=by, language=language).judge())
    made.problems += foreign.problems()
    made.other_rounds = list(foreign.rounds.values())
    made.remarks += outdated(made.replies)
    made.replies.sort(key=lambda one: (not one.head.about_institution, one.head.assignment_id))
    return made


def _with_file(books: Sequence[FoundBook], book: FoundBook, one: Problem) -> Problem:
    """Name the file of a problem where several were sent."""
    if len(books) == 1:
        return one
    sheet = f"{book.filename}: {one.sheet}" if one.sheet else book.filename
    return replace(one, sheet=sheet, place=in_file(book.filename, one.sheet))


class _Judge:
    """Judges all copies of one reply."""

    def __init__(
        self, session: Session, head: SubmissionHead, sheets: Sequence[tuple[FoundSheet, str, str]],
        country: CountryFacts, *, by: Principal, language: str,
    ) -> None:  # fmt: skip
        self.language, self.sheets = language, sheets
        definition = load_definition(session, head.version_id)
        context = offline_context(session, head, definition, country, by=by, language=language)
        stored = queries.stored_reply(session, head.id, definition)
        asked = queries.asked_recommendations(session, [head.assignment_id]).get(head.assignment_id, [])
        title = f"{asked[0].mechanism} · {queries.citation(asked)}" if asked else _("Questions about your institution")
        subject = _short(queries.title_of(asked, language, context.languages))
        self.plan = ReplyPlan(
            head, title, subject, definition, question_ids(session, head.version_id), context, stored,
            queries.standing_rows(stored.rows),
        )  # fmt: skip
        self.earlier = earlier(session, head.id, [sheet.mark.book for sheet, _copy, _department in sheets])
        self.languages = context.languages
        self.aloud = Aloud(self.plan, language)
        self.numbers = self.aloud.numbers
        self.unchanged: set[AnswerKey] = set()

    def judge(self) -> ReplyPlan:
        """Return what the copies would change in this reply."""
        plan = self.plan
        if plan.head.status not in EDITABLE:
            plan.closed = str(CLOSED.get(plan.head.status, HANDED_IN))
            return plan
        copies = []
        for sheet, copy, department in self.sheets:
            plan.remarks += sheet.remarks
            plan.problems += sheet.problems
            read = self.earlier.known(
                CopyReader(sheet, plan.definition, plan.context, copy, department, cell_by_cell(plan)).read()
            )
            copies.append(read)
            note_structure(plan, read, self.language)
        self._answers(copies)
        self._new_rows(copies)
        plan.rows += emptied_lines(plan, copies, self.earlier, self.aloud, self._copy_of)
        self._count_unchanged()
        warn(plan, self.aloud.label)
        self._stale()
        return plan

    # -- answers --------------------------------------------------------------------------------------------------

    def _answers(self, copies: Sequence[CopyOfReply]) -> None:
        by_key: dict[AnswerKey, list[Finding]] = {}
        for copy in copies:
            self.unchanged |= copy.untouched
            for finding in copy.findings:
                by_key.setdefault(finding.key, []).append(finding)
        order = {item.code: number for number, item in enumerate(self.plan.definition.items())}
        row_order = dict(self.numbers.items())

        def place(key: AnswerKey) -> tuple[int, int, int]:
            table = table_of(self.plan.definition, key.code)
            outer = order.get(table.code, 0) if table else order.get(key.code, 0)
            return outer, row_order.get(RowKey(table.code, key.row), 0) if table else 0, order.get(key.code, 0)

        for key in sorted(by_key, key=place):
            self._keep(key, by_key[key])

    def _keep(self, key: AnswerKey, findings: Sequence[Finding]) -> None:
        """Judge one answer, and keep what is to be said of it."""
        judged = self._answer(key, findings)
        if judged is None:
            self.unchanged.add(key)
        else:
            self.plan.answers.append(judged)

    def _count_unchanged(self) -> None:
        """Count the answers that stay in all copies, each once."""
        gone = {row.row.key for row in self.plan.rows if row.outcome == "emptied_row"}
        spoken_of = {one.key for one in self.plan.answers}
        self.plan.unchanged = sum(key not in spoken_of and key.row not in gone for key in self.unchanged)

    def _answer(self, key: AnswerKey, findings: Sequence[Finding]) -> ChangedAnswer | None:
        """Judge one answer as one or several copies bring it; None where it is as it stands."""
        plan = self.plan
        stored = plan.stored_answer(key)
        first = findings[0]
        item = plan.definition.question(key.code)
        made = ChangedAnswer(
            key, field_name(key), self.aloud.label(key), "changed", self.aloud.of(key, stored),
            stored.revision if stored else 0, [], first.place, found=first.found,
        )  # fmt: skip
        refused = next((one for one in findings if one.sentence is not None), None)
        differ = [one for one in findings if one.sentence is None and not _stands(stored, one.parsed)]
        good = [one for one in differ if not self.earlier.took(one.trace)]
        closed = self._closed(key)
        if not differ and refused is None:
            return None
        if closed is not None and not good and refused is None:
            return None  # it says nothing new, and nothing could be done about it
        doubt = next((one.doubt for one in findings if one.doubt is not None), None)
        made.warning, made.held = doubt, doubt is not None
        if closed is not None or (refused is not None and len(findings) == 1):
            made.outcome = "refused"
            made.sentence = closed or (refused.sentence if refused else None)
            if closed is None and refused is not None:
                made.expected, made.example = self.aloud.help(refused)
            return made
        made.options = self._options(key, good or differ)
        free = question_type(item.type).excel_rule(item).kind == "text"
        free = free and (stored is None or stored.state == "answered")
        made.may_join = free and all(isinstance(option.parsed.value, str) for option in made.options)
        self._outcome(made, stored, findings, good)
        if any(one.full for one in findings):
            made.warning = both(made.warning, FULL)
        return made

    def _outcome(
        self, made: ChangedAnswer, stored: StoredAnswer | None, findings: Sequence[Finding], good: Sequence[Finding]
    ) -> None:
        refused = next((one for one in findings if one.sentence is not None), None)
        if not good and not made.options and refused is not None:
            made.outcome, made.sentence = "refused", refused.sentence
            made.place, made.found = refused.place, refused.found
            made.expected, made.example = self.aloud.help(refused)
            return
        if refused is not None:  # one copy is readable, another is not: neither is passed over in silence
            at = refused.place
            copied = any(one.place.copy == at.copy and one.place.sheet != at.sheet for one in findings)
            sentence = _l(
                "%(copy)s, %(place)s, was refused: %(why)s",
                copy=at.copy, place=at.said if copied else at.spot, why=refused.sentence,
            )  # fmt: skip
            made.warning = both(made.warning, sentence)
        if not good:
            made.outcome = "taken"
        elif all(self.earlier.kept(one.trace, made.revision) for one in good):
            made.outcome = "kept"
        elif any(one.base != made.revision for one in good):
            made.outcome = "conflict"
        elif len(made.options) > 1:
            made.outcome = "copies"
        elif good[0].cleared:
            made.outcome = "cleared"
        else:
            made.outcome = "new" if stored is None or stored.blank else "changed"

    def _options(self, key: AnswerKey, findings: Sequence[Finding]) -> list[Option]:
        """Return the different texts that the copies bring."""
        found: list[Option] = []
        for one in findings:
            said = (one.parsed.value, one.parsed.state)
            at = next((n for n, each in enumerate(found) if (each.parsed.value, each.parsed.state) == said), None)
            if at is None:
                text = self.aloud.of(key, one.parsed)
                found.append(Option(f"copy{len(found) + 1}", text, one.parsed, one.place, (one.trace,)))
            else:
                found[at] = replace(found[at], traces=(*found[at].traces, one.trace))
        return found

    def _closed(self, key: AnswerKey) -> Speakable | None:
        """Return why an answer cannot be changed whatever it says; None where it can."""
        plan, sentence = self.plan, None
        table = table_of(plan.definition, key.code)
        if not may_change(plan.definition, key.code, plan.head.unlocked):
            sentence = _l(
                "This answer was handed in and is not among those returned to you, so it cannot be changed now."
            )
        elif table is not None and RowKey(table.code, key.row) not in self.numbers:
            sentence = _l(
                "A colleague removed this line meanwhile. Put it back on the page of the reply, or write it into an empty line."  # noqa: E501 - a sentence stays in one piece
            )
            if table.fixed:
                sentence = _l("This line is no longer asked.")
        return sentence

    # -- rows -----------------------------------------------------------------------------------------------------

    def _new_rows(self, copies: Sequence[CopyOfReply]) -> None:
        found: dict[tuple[str, str], list[NewRow]] = {}
        for copy in copies:
            for row in copy.rows:
                found.setdefault((row.table, row.key), []).append(row)
        added: dict[str, int] = {}
        known, twins = tables(self.plan.definition), Twins(self.plan, self.aloud)
        for (code, key), rows in found.items():
            findings = [one for row in rows for one in row.findings]
            if RowKey(code, key) in self.numbers:  # taken over before: its cells are answers like any others
                self._cells_of_known_row(findings)
                continue
            made = ChangedRow(
                RowKey(code, key), rows[0].parent, f"row:{code}[{key}]", "", "new_row", rows[0].place,
                traces=tuple(row.trace for row in rows),
            )  # fmt: skip
            table = known.get(code)
            if table is not None:
                made.label = _("%(table)s: new line", table=self.aloud.title(code))
                made.cells = self._cells_of_new_row(findings)
            made.sentence = rows[0].sentence or self._no_place(made, added) or self._nothing_of(made)
            if made.sentence is not None:
                made.outcome = "refused"
            else:
                added[code] = added.get(code, 0) + 1
                made.twin = twins.of(made)
            self.plan.rows.append(made)

    def _nothing_of(self, made: ChangedRow) -> Speakable | None:
        """Say why a line that finds a place is not made all the same: there would be nothing in it, or around it."""
        refused = {row.row.key for row in self.plan.rows if row.outcome == "refused"}
        sentence: Speakable | None = None
        if made.parent and made.parent in refused:
            sentence = _l("The line in which it stands cannot be added, so it was not added either.")
        elif all(one.outcome == "refused" for one in made.cells):
            sentence = _l("None of its cells can be taken, so no empty line is added.")
        return sentence

    def _cells_of_known_row(self, findings: Sequence[Finding]) -> None:
        by_key: dict[AnswerKey, list[Finding]] = {}
        for one in findings:
            by_key.setdefault(one.key, []).append(one)
        for key, several in by_key.items():
            self._keep(key, several)

    def _no_place(self, made: ChangedRow, added: Mapping[str, int]) -> Speakable | None:
        table = tables(self.plan.definition).get(made.row.repeat)
        stored = self.plan.stored.rows.get(made.row)
        sentence: Speakable | None = None
        if table is None:
            sentence = _l("This table is no longer asked.")
        elif not may_change(self.plan.definition, table.code, self.plan.head.unlocked):
            sentence = ROWS_CLOSED
        elif stored is not None:
            sentence = _l("This line was taken over before and then removed. Put it back on the page of the reply.")
        else:
            here = sum(1 for row in table.rows(self.plan.standing) if row.parent == made.parent)
            if here + added.get(table.code, 0) >= table.most:
                sentence = _l(
                    "This table takes at most %(most)s rows. Please put less important ones together, or attach the whole list as a file.",  # noqa: E501 - a sentence stays in one piece
                    most=table.most,
                )
        return sentence

    def _cells_of_new_row(self, findings: Sequence[Finding]) -> list[ChangedAnswer]:
        by_key: dict[AnswerKey, list[Finding]] = {}
        for one in findings:
            by_key.setdefault(one.key, []).append(one)
        made = []
        for key, several in by_key.items():
            first = several[0]
            cell = ChangedAnswer(
                key, field_name(key), self.aloud.column(key), "new", "", 0, [], first.place, found=first.found
            )
            good = [one for one in several if one.sentence is None]
            if good:
                cell.options = self._options(key, good)
                cell.outcome = "copies" if len(cell.options) > 1 else "new"
            else:
                cell.outcome, cell.sentence = "refused", first.sentence
                cell.expected, cell.example = self.aloud.help(first)
            if any(one.full for one in several):
                cell.warning = FULL
            made.append(cell)
        return made

    def _copy_of(self, copy: CopyOfReply) -> str:
        return next((name for sheet, name, _department in self.sheets if sheet is copy.sheet), "")

    def _stale(self) -> None:
        """Tell how many answers were saved on the page since the download."""
        since = {sheet.mark.made[:10] for sheet, _copy, _department in self.sheets}
        count = sum(one.outcome == "conflict" for one in self.plan.answers)
        if count:
            day = "/".join(reversed(min(since).split("-")))
            sentence = _l(
                "This file is older than what stands in the portal: %(count)s of its answers were saved there after the download (%(day)s). Both texts are shown.",  # noqa: E501 - a sentence stays in one piece
                count=count, day=day,
            )  # fmt: skip
            sheet = self.sheets[0][0]
            self.plan.remarks.append(Problem(sentence, sheet.name, place=in_part(sheet.name, word=sheet.word)))


def _short(text: str) -> str:
    """Return as much of a title as a heading holds; the recommendation itself stands on the page of the reply."""
    return text if len(text) <= SUBJECT else text[:SUBJECT].rstrip() + "…"


def _stands(stored: StoredAnswer | None, parsed: Parsed) -> bool:
    """Tell whether an answer is already as it is meant to become."""
    if stored is None:
        return parsed.value is None and parsed.state == "answered" and parsed.typed is None
    return (
        stored.value == parsed.value
        and type(stored.value) is type(parsed.value)
        and stored.state == parsed.state
        and stored.typed == parsed.typed
    )
