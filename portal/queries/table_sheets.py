"""The data annexes of the consolidated workbook: a sheet per table of a questionnaire, a line per row, typed cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from forms.question_types import question_type
from portal.queries.report_words import role_words, signature_words, state_words
from portal.queries.reports import content_words
from portal.queries.submissions import citation
from portal.table import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forms.definition.model import Item
    from portal.queries.answer_lines import Line
    from portal.queries.handed_in import Reply
    from portal.queries.report_words import Reader
    from portal.table import Cell, Kind

WIDTHS = {"text": 44.0, "date": 13.0, "datetime": 18.0, "time": 10.0}
KINDS: Mapping[str, Kind] = {
    "integer": "integer", "year": "year", "decimal": "decimal", "percent": "percent", "money": "money", "date": "date",
    "datetime": "datetime", "time": "time",
}  # fmt: skip


@dataclass
class Annex:
    """What is known of one table of one questionnaire over all replies: its columns, and its rows of cells."""

    questionnaire: str
    code: str
    titles: Mapping[str, str]
    columns: dict[tuple[str, str], Item] = field(default_factory=dict)
    rows: dict[tuple[int, str], AnnexRow] = field(default_factory=dict)

    @property
    def name(self) -> tuple[str, str]:
        """Which table it is: code of the questionnaire and of the table."""
        return self.questionnaire, self.code


@dataclass
class AnnexRow:
    """One row of a table in one reply; ``cells`` by (question, language)."""

    reply: Reply
    first: Line
    parent: str
    cells: dict[tuple[str, str], Line] = field(default_factory=dict)
    asked: bool = False


def annexes(lines: Iterable[Line]) -> list[Annex]:
    """Gather the tables of all replies as they are first met; a row of which nothing is asked is none."""
    found: dict[tuple[str, str], Annex] = {}
    for line in lines:
        table = line.table
        if table is None or line.reply.content is None:
            continue
        name = (line.version.code, table.code)
        annex = found.get(name)
        if annex is None:
            annex = found[name] = Annex(*name, dict(table.item.texts.get("label") or {}))
        annex.columns.setdefault((line.key.code, line.key.lang), line.item)
        if not line.key.row:
            continue
        at = (line.reply.head.id, line.key.row)
        row = annex.rows.get(at)
        if row is None:
            rows = line.reply.content.rows.get(table.code, ())
            parent = next((one.parent for one in rows if one.key == line.key.row), "")
            row = annex.rows[at] = AnnexRow(line.reply, line, parent)
        row.cells[line.key.code, line.key.lang] = line
        row.asked = row.asked or line.state != "not_asked"
    for annex in found.values():
        annex.rows = {at: row for at, row in annex.rows.items() if row.asked}
        _tidy(annex)
    return list(found.values())


def _tidy(annex: Annex) -> None:
    """Keep a column without language only for questions that were answered in none: the states stand there."""
    spoken = {code for code, lang in annex.columns if lang}
    order = list(dict.fromkeys(code for code, _lang in annex.columns))
    kept = [name for name in annex.columns if name[1] or name[0] not in spoken]
    kept.sort(key=lambda name: (order.index(name[0]), name[1]))
    annex.columns = {name: annex.columns[name] for name in kept}


def annex_table(annex: Annex, title: str, reader: Reader) -> Table:
    """Return a table's sheet: where each row comes from, its place and label, then one typed column per column.

    Sums are not among the rows. What is not answered, not asked, not available or not applicable says so in its cell.
    """
    c = reader.column
    columns = (
        c("document", _("Document"), width=22),
        c("citation", _("Recommendation"), width=16),
        c("institution_code", _("Institution code"), width=16),
        c("institution", _("Institution"), width=34),
        c("role", _("Part"), width=13),
        c("row_number", _("Row"), "integer", 8, about=_("Place of the row when it was handed in.")),
        c("row_label", _("Row label"), width=24, wrap=True, about=_("What a fixed row is called.")),
        *(_column(code, lang, item, reader) for (code, lang), item in annex.columns.items()),
        c("row", _("Row: key"), width=18, about=_("Names the row for ever, together with the reply.")),
        c("parent", _("Row in which it stands: key"), width=18, about=_("Blank unless the table stands in a row.")),
        c("reply", _("Reply ID"), width=36),
        c("signature", _("Signature"), width=22),
        c("content", _("Content shown"), width=22),
    )
    rows: list[Sequence[Cell]] = [_row(row, annex, reader) for row in annex.rows.values()]
    return Table(title, {reader.language: reader.say(annex.titles) or annex.code}, columns, rows)


def _column(code: str, lang: str, item: Item, reader: Reader) -> Column:
    kind = KINDS.get(question_type(item.type).cell(None, item, reader.language).kind, "text")
    if item.calculation and kind == "text":
        kind = "decimal"
    label = item.text("label", reader.language, reader.languages)
    key, title = (f"{code}_{lang}", f"{label} ({lang})") if lang else (code, label)
    width = WIDTHS.get(kind, 15.0)
    if question_type(item.type).has_choices:
        width = 26.0
    about = _("Question %(code)s of the table.", code=code)
    return Column(key, {reader.language: title or code}, kind, width, kind == "text", {reader.language: about})


def _row(row: AnnexRow, annex: Annex, reader: Reader) -> Sequence[Cell]:
    head, asked = row.reply.head, row.reply.asked
    return (
        "; ".join(dict.fromkeys(one.symbol for one in asked)),
        citation(asked),
        head.institution_code,
        reader.say(head.institution_names),
        role_words(head.role) if asked else "",
        row.first.number,
        row.first.row_label(reader.language, reader.languages),
        *(_cell(row, name, reader) for name in annex.columns),
        row.first.key.row,
        row.parent,
        head.public_id,
        signature_words(head.signature),
        content_words(row.reply),
    )


def _cell(row: AnnexRow, name: tuple[str, str], reader: Reader) -> Cell:
    """Return a typed value, or the state in words; in a language in which nothing was written, nothing."""
    line = row.cells.get(name)
    if line is None and name[1]:
        other = row.cells.get((name[0], ""))
        return f"({state_words(other.state)})" if other is not None else None
    if line is None:
        return None
    if line.state != "answered":
        return f"({state_words(line.state)})"
    typed = line.typed(reader.language)
    for value in (typed.figure, typed.day, typed.label, typed.text):
        if value is not None:
            return value
    return None
