"""The tables of the consolidated workbook: what stands in each column is said here, and nowhere else.

Every function takes what was loaded once (replies, lines, rates) and a reader; none asks the database for answers.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from portal.models import Signature, Status
from portal.models.lifecycle import RECEIVED
from portal.queries.report_words import (
    STATES,
    example_words,
    role_words,
    signature_words,
    state_words,
    text_status_words,
)
from portal.queries.status_words import To, status_words
from portal.queries.submissions import citation
from portal.table import Anew, Link, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from portal.queries.answer_lines import Line
    from portal.queries.examples import ExampleLine
    from portal.queries.handed_in import Reply
    from portal.queries.rates import Count, Rates
    from portal.queries.report_words import Reader
    from portal.queries.submissions import SubmissionHead
    from portal.table import Cell, Column

GOOD_PRACTICE_CODE = "b8"


def rate_table(found: Rates, reader: Reader) -> Table:
    """Return the response rates: overall, by institution in protocol order, by recommendation."""
    c = reader.column
    columns = (
        c("scope", _("Counted by"), width=18),
        c("code", _("Code or citation"), width=24),
        c("name", _("Name or heading"), width=46, wrap=True),
        c("issued", _("Issued"), "integer", 11, about=_("Questionnaires sent out; withdrawn ones are not counted.")),
        c(
            "received",
            _("Received"),
            "integer",
            11,
            about=_("Replies handed in, returned for correction or cleared, and those confirmed to be not theirs."),
        ),
        c("rate", _("Response rate"), "percent", 12, about=_("Received divided by issued.")),
        c(
            "on_time",
            _("On time"),
            "integer",
            11,
            about=_("Received replies first handed in on or before the due date in force, by the country's calendar."),
        ),
        c("on_time_rate", _("On time, share of issued"), "percent", 14),
        c("late", _("Late"), "integer", 10, about=_("Received replies first handed in after the due date in force.")),
        c("not_ours", _("Confirmed not theirs"), "integer", 14),
        c("outstanding", _("Outstanding"), "integer", 13, about=_("Issued and not received.")),
        c("overdue", _("Overdue"), "integer", 11, about=_("Outstanding although the due date in force is past.")),
        c(
            "unsigned",
            _("Unsigned"),
            "integer",
            11,
            about=_("Received replies whose signature is to follow; they are among the received ones."),
        ),
        c("withdrawn", _("Withdrawn"), "integer", 12, about=_("Taken back by the secretariat; in no other figure.")),
    )
    rows: list[Sequence[Cell]] = [
        (_("All together"), "", _("All questionnaires of the round"), *_figures(found.overall)),
        *((_("Institution"), one.code, reader.say(one.names), *_figures(one.count)) for one in found.institutions),
        *(
            (_("Recommendation"), f"{one.symbol} {one.citation}", reader.say(one.heading), *_figures(one.count))
            for one in found.recommendations
        ),
    ]
    note = _(
        "A questionnaire about several sub-items counts once in all, and under each of its recommendations; "
        "the questions about the institution itself are not counted."
    )
    return Table("Response rate", {reader.language: _("Response rate")}, columns, rows, {reader.language: note})


def _figures(found: Count) -> tuple[Cell, ...]:
    not_ours = found.of(Status.NOT_OURS)
    return (
        found.issued, found.received, found.rate, found.on_time, found.on_time_rate,
        found.received - found.on_time - not_ours, not_ours, found.outstanding, found.late, found.unsigned,
        found.of(Status.WITHDRAWN),
    )  # fmt: skip


def was_on_time(head: SubmissionHead, time_zone: str) -> bool | None:
    """Tell whether the first hand-in that counts was in time; None if there is none."""
    if head.handed_in_at is None or head.status not in RECEIVED:
        return None
    return head.handed_in_at.astimezone(ZoneInfo(time_zone)).date() <= head.due_on


def reply_state(reply: Reply, reader: Reader) -> tuple[Cell, ...]:
    """Return status, due date, hand-in, "late?" and signature of a reply."""
    head = reply.head
    in_time = was_on_time(head, reader.time_zone)
    if head.status in {Status.WITHDRAWN, Status.NOT_OURS}:
        late: str = ""
    elif in_time is not None:
        late = _("on time") if in_time else _("late")
    else:
        late = _("overdue") if reader.today > head.due_on else _("not due yet")
    received = head.status in RECEIVED and head.handed_in_at is not None
    return (
        status_words(head.status, To.REPORT),
        head.due_on,
        head.handed_in_at if received else None,
        late,
        signature_words(head.signature) if received or head.signature is Signature.VOID else "",
    )


def _state_columns(reader: Reader) -> tuple[Column, ...]:
    c = reader.column
    return (
        c("status", _("Status"), width=22),
        c("due_on", _("Due"), "date", 13, about=_("The due date in force, extensions included.")),
        c("handed_in_at", _("Handed in"), "datetime", 18, about=_("First hand-in that counts, local time.")),
        c("late", _("Late?"), width=14),
        c("signature", _("Signature"), width=26, about=_("Replies whose signature is to follow are marked unsigned.")),
    )


def recommendation_table(
    replies: Iterable[Reply], lines: Iterable[Line], reader: Reader, sheets: Mapping[int, Link], order: Sequence[int]
) -> Table:
    """Return one row per recommendation and institution.

    ``sheets`` leads to each recommendation's reading sheet; ``order`` lists the recommendations as their documents do.
    """
    c = reader.column
    columns = (
        c("sheet", _("Reading sheet"), "link", 14),
        c("document", _("Document"), width=22),
        c("citation", _("Recommendation"), width=16),
        c("heading", _("Heading"), width=34, wrap=True),
        c("text_status", _("National text"), width=20),
        c("institution_code", _("Institution code"), width=16),
        c("institution", _("Institution"), width=38, wrap=True),
        c("role", _("Part"), width=14, about=_("Lead or contributing institution.")),
        *_state_columns(reader),
        c("state", _("State of implementation, institution's answer"), width=26, about=_("Answer to question B1.")),
        c("unanswered", _("Questions not answered"), "integer", 14,
          about=_("Questions that were asked and carry no answer in what was handed in; blank while nothing is.")),
        c("together_with", _("Answered together"), width=20,
          about=_("All recommendations that this one reply answers.")),
        c("content", _("Content shown"), width=26,
          about=_("While a reply is being changed again, its last handed-in version is shown.")),
        c("link", _("Reply in the portal"), "link", 20),
        c("recommendation_id", _("Recommendation ID"), width=36),
        c("reply_id", _("Reply ID"), width=36),
    )  # fmt: skip
    unanswered: dict[int, int] = defaultdict(int)
    states: dict[int, str] = {}
    for line in lines:
        unanswered[line.reply.head.id] += line.state == "not_answered"
        if line.key.code.lower() == "b1" and line.state != "not_asked":
            states[line.reply.head.id] = line.text(reader.language) or state_words(line.state)
    rows: list[tuple[tuple[int, ...], Sequence[Cell]]] = []
    for number, reply in enumerate(replies):
        head = reply.head
        for one in reply.asked:
            row = (
                sheets.get(one.id), one.symbol, one.citation, reader.say(one.heading),
                text_status_words(one.text_status), head.institution_code, reader.say(head.institution_names),
                role_words(head.role), *reply_state(reply, reader), states.get(head.id),
                unanswered[head.id] if reply.content else None, citation(reply.asked), content_words(reply),
                Link(reader.reply_url(head.public_id), _("Open")), one.public_id, head.public_id,
            )
            rows.append(((one.id, head.role != "lead", number), row))
    places = {recommendation_id: place for place, recommendation_id in enumerate(order)}
    rows.sort(key=lambda pair: (places[pair[0][0]], *pair[0][1:]))
    return Table(
        "Recommendations", {reader.language: _("Recommendations")}, columns, [row for _order, row in rows]
    )


def content_words(reply: Reply) -> str:
    """Say which answers of a reply are shown."""
    if reply.content is None:
        return "" if reply.head.status in {Status.NOT_OURS, Status.WITHDRAWN} else str(_("none"))
    shown = _("last handed-in version") if reply.content.frozen else _("as handed in")
    if reply.head.from_paper:
        shown = _("%(shown)s; entered by the secretariat from paper", shown=shown)
    return str(shown)


def answer_table(lines: Collection[Line], evidence: Mapping[tuple[int, str], Sequence[int]], reader: Reader) -> Table:
    """Return one row per answer cell, made when it is asked for.

    ``evidence`` gives the numbers of the files by reply and question.
    """
    c = reader.column
    columns = (
        c("row_key", _("Row key"), width=44, about=_("Names this cell in every workbook of the round, for ever.")),
        c("round", _("Round"), width=16),
        c("document", _("Document"), width=22),
        c("citation", _("Recommendation"), width=16, about=_("Blank for questions about the institution itself.")),
        c("institution_code", _("Institution code"), width=16),
        c("institution", _("Institution"), width=34),
        c("role", _("Part"), width=13),
        c("questionnaire", _("Questionnaire"), width=18, about=_("Code and version in which the question was asked.")),
        c("question", _("Question code"), width=15),
        c("wording", _("Question"), width=44, wrap=True),
        c("row", _("Table row"), width=18, about=_("Names a row of a table for ever; blank outside tables.")),
        c("row_number", _("Table row, number"), "integer", 10, about=_("Place of the row when it was handed in.")),
        c("row_label", _("Table row, label"), width=24, wrap=True, about=_("What a fixed row is called.")),
        c("lang", _("Language"), width=10, about=_("Language of a text; blank for answers without a language.")),
        c(
            "state", _("State"), width=16,
            about=_("Answered, not answered, not asked, not applicable or not available."),
        ),
        c("value_text", _("Answer: text"), width=60, wrap=True),
        c("value_number", _("Answer: number"), "decimal", 16),
        c("value_date", _("Answer: date"), "date", 13),
        c("choice_key", _("Answer: choice, key"), width=20),
        c("choice_label", _("Answer: choice"), width=30, wrap=True),
        c("evidence", _("Evidence numbers"), width=14),
        c("revision", _("Revision"), "integer", 10, about=_("How many times this answer was saved.")),
        c("answered_at", _("Answered"), "datetime", 18),
        c("signature", _("Signature"), width=22),
        c("content", _("Content shown"), width=22),
    )

    def rows() -> Iterator[Sequence[Cell]]:
        wordings: dict[tuple[object, str], str] = {}
        words = {state: state_words(state) for state in STATES}
        kept_id = 0
        common: tuple[str, ...] = ()
        tail: tuple[str, ...] = ()
        for line in lines:
            head = line.reply.head
            if head.id != kept_id:
                asked = line.reply.asked
                kept_id = head.id
                common = (
                    head.round_slug, "; ".join(dict.fromkeys(one.symbol for one in asked)), citation(asked),
                    head.institution_code, reader.say(head.institution_names),
                    role_words(head.role) if asked else "",
                )  # fmt: skip
                tail = (signature_words(head.signature), content_words(line.reply))
            wording = wordings.get(place := (line.version.id, line.key.code))
            if wording is None:
                wording = wordings[place] = line.item.text("label", reader.language, reader.languages)
            typed = line.typed(reader.language)
            numbers = evidence.get((head.id, line.key.code), ()) if line.state == "answered" else ()
            yield (
                line.row_key, *common, f"{line.version.code} v{line.version.version}", line.key.code, wording,
                line.key.row, line.number, line.row_label(reader.language, reader.languages) if line.key.row else "",
                line.key.lang, words[line.state], typed.text, typed.figure, typed.day, typed.key,
                typed.label, ", ".join(map(str, numbers)), line.entry.revision if line.entry else None,
                line.entry.answered_at if line.entry else None, *tail,
            )

    return Table("Answers", {reader.language: _("Answers")}, columns, Anew(rows, len(lines)))


def is_good_practice(line: Line) -> bool:
    """Tell whether a question asks for an example fit for the national report."""
    return line.key.code.lower() == GOOD_PRACTICE_CODE or bool(line.item.settings.get("good_practice"))


def practice_table(
    lines: Iterable[Line], reader: Reader, sheets: Mapping[int, Link], examples: Iterable[ExampleLine] = ()
) -> Table:
    """Return the good practices that institutions gave in their replies, and the examples cleared for publication."""
    c = reader.column
    columns = (
        c("sheet", _("Reading sheet"), "link", 14),
        c("citation", _("Recommendation"), width=16),
        c("heading", _("Heading"), width=34, wrap=True),
        c("institution", _("Institution"), width=34, wrap=True),
        c("lang", _("Language"), width=10),
        c("practice", _("Good practice or example"), width=90, wrap=True),
        c("signature", _("Signature"), width=22),
        c("row_key", _("Row key"), width=44),
    )
    rows: list[Sequence[Cell]] = []
    for line in lines:
        if not is_good_practice(line) or line.state != "answered":
            continue
        head, asked = line.reply.head, line.reply.asked
        rows.append(
            (
                sheets.get(asked[0].id) if asked else None, citation(asked),
                reader.say(asked[0].heading) if asked else "", reader.say(head.institution_names), line.key.lang,
                line.text(reader.language), signature_words(head.signature), line.row_key,
            )
        )
    rows += [
        (
            sheets.get(one.recommendation_id), one.citation, reader.say(one.heading), reader.say(one.institution_names),
            reader.language if one.texts.get(reader.language) else next(iter(one.texts), ""),
            f"{reader.say(one.titles)}\n{reader.say(one.texts)}", example_words(one.state), f"example:{one.public_id}",
        )
        for one in examples
    ]
    return Table("Good practices", {reader.language: _("Good practices")}, columns, rows)


def institution_table(replies: Iterable[Reply], lines: Iterable[Line], reader: Reader) -> Table:
    """Return one row per reply about an institution itself, with its answers side by side."""
    about = [reply for reply in replies if reply.head.about_institution]
    questions: dict[str, str] = {}
    answers: dict[tuple[int, str], list[str]] = defaultdict(list)
    for line in lines:
        if not line.reply.head.about_institution:
            continue
        questions.setdefault(line.key.code, line.item.text("label", reader.language, reader.languages))
        shown = line.text(reader.language) if line.state == "answered" else f"({state_words(line.state)})"
        if line.number is not None:
            shown = f"{line.row_label(reader.language, reader.languages) or line.number}: {shown}"
        answers[line.reply.head.id, line.key.code].append(shown)
    c = reader.column
    columns = (
        c("institution_code", _("Institution code"), width=16),
        c("institution", _("Institution"), width=38, wrap=True),
        *_state_columns(reader),
        c("link", _("Reply in the portal"), "link", 20),
        *(c(code, f"{code}. {wording}", width=30, wrap=True) for code, wording in questions.items()),
    )
    rows: list[Sequence[Cell]] = [
        (
            reply.head.institution_code,
            reader.say(reply.head.institution_names),
            *reply_state(reply, reader),
            Link(reader.reply_url(reply.head.public_id), _("Open")),
            *("\n".join(answers[reply.head.id, code]) for code in questions),
        )
        for reply in about
    ]
    note = _("Questions asked once per institution and round; they are not part of the response rate.")
    return Table("Institutions", {reader.language: _("Institutions")}, columns, rows, {reader.language: note})
