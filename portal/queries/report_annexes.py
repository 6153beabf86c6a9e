"""The annexes of the consolidated workbook: evidence behind the answers, and the codebook that explains each column."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from flask_babel import gettext as _
from sqlalchemy import select

from forms.tables import table_of
from portal.models import Evidence, EvidenceKind, Question, Visibility
from portal.queries.answer_lines import labels
from portal.queries.report_words import visibility_words
from portal.queries.submissions import citation
from portal.table import Column, Link, Table, pick

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from forms.definition.model import Definition, Item
    from portal.queries.handed_in import Reply
    from portal.queries.report_words import Reader
    from portal.table import Cell


def evidence_rows(session: Session, round_id: int, replies: Iterable[Reply]) -> list[tuple[Reply, Row]]:  # type: ignore[type-arg] # rows of a select of many columns
    """List the evidence that belongs to what was handed in, by number; a draft's files are not among it."""
    shown = {reply.head.id: reply for reply in replies if reply.content is not None}
    rows = session.execute(
        select(Evidence.__table__, Question.code.label("question"))
        .outerjoin(Question, Question.id == Evidence.question_id)
        .where(Evidence.round_id == round_id)
        .order_by(Evidence.number, Evidence.id)
    )
    found = []
    for row in rows:
        reply = shown.get(row.submission_id)
        if reply is not None and reply.content is not None and row.public_id in reply.content.evidence:
            found.append((reply, row))
    return found


def evidence_numbers(rows: Iterable[tuple[Reply, Row]]) -> dict[tuple[int, str], list[int]]:  # type: ignore[type-arg] # rows of a select of many columns
    """Return the numbers of the evidence by reply and question code."""
    numbers: dict[tuple[int, str], list[int]] = defaultdict(list)
    for reply, row in rows:
        if row.question:
            numbers[reply.head.id, row.question].append(row.number)
    return dict(numbers)


def evidence_table(rows: Iterable[tuple[Reply, Row]], reader: Reader) -> Table:  # type: ignore[type-arg] # rows of a select of many columns
    """Return the index of evidence: what it is, whose, for which recommendation and question, and where to open it."""
    c = reader.column
    columns = (
        c("number", _("Number"), "integer", 10),
        c("file", _("File or link"), width=44, wrap=True),
        c("caption", _("Caption"), width=40, wrap=True),
        c("institution", _("Institution"), width=34, wrap=True),
        c("citation", _("Recommendation"), width=16),
        c("question", _("Question code"), width=14),
        c("visibility", _("Who may see it"), width=16),
        c("media_type", _("Kind of file"), width=26),
        c("size", _("Size in bytes"), "integer", 14),
        c("sha256", _("SHA-256"), width=68, about=_("Fingerprint of the file: the same file has the same one.")),
        c("added_at", _("Added"), "datetime", 18),
        c("removed", _("Removed since"), "datetime", 18,
          about=_("The institution took it off again while changing a reply that had been handed in.")),
        c("link", _("Open"), "link", 14),
    )  # fmt: skip
    made: list[Sequence[Cell]] = []
    for reply, row in rows:
        is_file = row.kind is EvidenceKind.FILE
        # what an institution keeps confidential is counted and can be opened by whoever may; it is not told here
        secret = row.visibility is Visibility.CONFIDENTIAL
        target = reader.evidence_url(row.public_id) if is_file or secret else row.url or ""
        named = _("(confidential: open it in the portal)") if secret else (row.filename if is_file else row.url) or ""
        made.append(
            (
                row.number, named, "" if secret else row.caption,
                reader.say(reply.head.institution_names), citation(reply.asked), row.question or "",
                visibility_words(row.visibility), row.media_type or "", row.size,
                "" if secret else row.sha256 or "", row.added_at,
                row.removed_at, None if row.removed_at else Link(target, _("Open")),
            )
        )
    return Table("Evidence", {reader.language: _("Evidence")}, columns, made)


def codebook_table(tables: Iterable[tuple[str, Table]], versions: Iterable[Definition], reader: Reader) -> Table:
    """Explain every column of every sheet, and every question of every version used, worded in each language."""
    c, wording = reader.column, _("Wording")  # a message inside an f-string would not be found by the extractor
    columns = (
        c("where", _("Sheet or questionnaire"), width=24),
        c("code", _("Code"), width=20),
        *(
            Column(f"wording_{language}", {reader.language: f"{wording} ({language})"}, width=46, wrap=True)
            for language in reader.languages
        ),
        c("type", _("Type"), width=16),
        c("choices", _("Choices"), width=44, wrap=True),
        c("required", _("Must be answered"), width=18, wrap=True),
        c("relevant", _("Asked only if"), width=30, wrap=True),
        c("constraint", _("Rule"), width=30, wrap=True),
        c("calculation", _("Computed as"), width=30, wrap=True),
        c("about", _("Explanation"), width=60, wrap=True),
    )
    rows: list[Sequence[Cell]] = []
    for sheet, table in tables:
        for column in table.columns:
            title = pick(column.title, reader.language)
            wordings = (title if language == reader.language else "" for language in reader.languages)
            about = pick(column.help, reader.language)
            rows.append((sheet, column.key, *wordings, column.kind, "", "", "", "", "", about))
    for version in sorted(versions, key=lambda one: (one.code, one.version or 0)):
        where = f"{version.code} v{version.version}"
        rows += [
            (where, *_question(item, version, reader))
            for item in version.items()
            if item.kind in {"question", "repeat", "matrix"}
        ]
    return Table("Codebook", {reader.language: _("Codebook")}, columns, rows)


def _question(item: Item, version: Definition, reader: Reader) -> tuple[Cell, ...]:
    worded = labels(item, reader.languages)
    retired = _("retired")
    choices = "\n".join(
        f"{choice.key} = {reader.say(choice.texts)}" + (f" ({retired})" if choice.retired else "")
        for choice in item.choices
    )
    hint = item.text("hint", reader.language, reader.languages)
    if (table := table_of(version, item.code)) is not None:
        hint = " ".join(filter(None, (_("Column of the table %(code)s.", code=table.code), hint)))
    return (
        item.code, *(worded.get(language, "") for language in reader.languages), item.type or item.kind, choices,
        item.required, item.relevant, item.constraint, item.calculation, hint,
    )  # fmt: skip


def versions_used(replies: Iterable[Reply], loaded: Mapping[int, Definition]) -> list[Definition]:
    """Return the versions that a round's replies are or were asked in."""
    wanted = {reply.head.version_id for reply in replies} | set(loaded)
    return [loaded[version_id] for version_id in sorted(wanted)]
