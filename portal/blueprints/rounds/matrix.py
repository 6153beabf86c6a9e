"""The assignment matrix: rows recommendations, columns institutions; saved by one post, with or without script."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _

from forms.rounds import PasteForm
from portal.blueprints.guard import requires, who
from portal.blueprints.rounds.door import blueprint, round_of, tell
from portal.database import write
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.models import ReportingRound, RoundStatus, Status
from portal.permissions import Permission
from portal.queries import rounds as look
from portal.services import assignment_lines, assignments
from portal.services.assignments import CellChange, cell_value, read_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

FEW_COLUMNS = 6


@dataclass(frozen=True)
class Cell:
    """One cell as the page draws it."""

    name: str
    value: str
    issued: bool
    code: str


@dataclass(frozen=True)
class Row:
    """One row as the page draws it; ``part`` is a sub-item shown by itself under its paragraph."""

    key: str
    label: str
    paragraph: look.Paragraph
    item: look.AskedItem | None
    cells: Sequence[Cell]
    lead: Sequence[str]
    contributing: Sequence[str]
    split: bool = False


@dataclass(frozen=True)
class Filter:
    """What of the matrix is shown; it stays in the address."""

    document: int | None
    theme: int | None
    institutions: tuple[int, ...]
    only: str

    @property
    def any(self) -> bool:
        """Return whether something is left out."""
        return bool(self.document or self.theme or self.institutions or self.only)


def _filter() -> Filter:
    return Filter(
        request.args.get("document", type=int),
        request.args.get("theme", type=int),
        tuple(request.args.getlist("institution", type=int)),
        request.args.get("only", ""),
    )


class View:
    """A round's matrix read for a page: rows and columns as filtered, and what each cell holds."""

    def __init__(self, of: ReportingRound) -> None:
        self.round = of
        self.filter = _filter()
        self.all_rows = look.paragraphs(db.session, of.id)
        self.all_columns = look.institutions(db.session, of.id)
        self.themes = look.themes(db.session, of.id)
        self.documents = look.documents(db.session, of.id)
        chosen = set(self.filter.institutions)
        self.columns = [one for one in self.all_columns if not chosen or one.id in chosen]
        self.codes = {one.id: one.code.upper() for one in self.all_columns}
        self.asks = [ask for ask in look.asks(db.session, of.id) if ask.recommendation_ids]
        self.at = {(ask.institution_id, one): ask for ask in self.asks for one in ask.recommendation_ids}
        self.rows = [row for paragraph in self.all_rows if self._shown(paragraph) for row in self._rows(paragraph)]
        self.was = {cell.name: cell.value for row in self.rows for cell in row.cells if cell.value}

    def there(self, institution_id: int, ids: Sequence[int]) -> list[look.Ask]:
        """Return the assignments a cell shows."""
        found = {ask.id: ask for one in ids if (ask := self.at.get((institution_id, one)))}
        return list(found.values())

    def _shown(self, paragraph: look.Paragraph) -> bool:
        wanted = self.filter
        if wanted.document and paragraph.first.document_id != wanted.document:
            return False
        if wanted.theme and wanted.theme not in paragraph.tags:
            return False
        if wanted.only:
            words = {ask.role for ask in self.asks if ask.standing and set(ask.recommendation_ids) & set(paragraph.ids)}
            return not words if wanted.only == "empty" else bool(words) and "lead" not in words
        return True

    def _rows(self, paragraph: look.Paragraph) -> list[Row]:
        uneven = len(paragraph.items) > 1 and (
            str(paragraph.first.id) in request.args.getlist("split")
            or any(
                cell_value(self.round, self.there(one.id, paragraph.ids), paragraph.ids) == "mixed"
                for one in self.all_columns
            )
        )
        whole = self._row(f"p{paragraph.first.id}", paragraph.label, paragraph, None, paragraph.ids, split=uneven)
        if not uneven:
            return [whole]
        return [whole] + [
            self._row(f"s{item.id}", look.citation("", [item.sub_item]).strip(), paragraph, item, (item.id,))
            for item in paragraph.items
        ]

    def _row(
        self,
        key: str,
        label: str,
        paragraph: look.Paragraph,
        item: look.AskedItem | None,
        ids: Sequence[int],
        *,
        split: bool = False,
    ) -> Row:
        cells = []
        for column in () if split else self.columns:
            asks = self.there(column.id, ids)
            value = cell_value(self.round, asks, ids)
            cells.append(Cell(f"{key}-{column.id}", value, any(ask.issued for ask in asks), self.codes[column.id]))
        parts: dict[str, list[str]] = {"lead": [], "contributing": []}
        for column in self.all_columns:
            for ask in self.there(column.id, ids)[:1]:
                if ask.status is not Status.WITHDRAWN:
                    parts[ask.role].append(self.codes[column.id])
        return Row(key, label, paragraph, item, cells, parts["lead"], parts["contributing"], split)


@blueprint.get("/rounds/<slug>/matrix")
@requires(Permission.VIEW_ROUND, on=round_of)
def matrix(of: ReportingRound) -> ResponseReturnValue:
    """Show who is asked about what."""
    return _page(of)


def _page(of: ReportingRound, status: int = 200, **more: Any) -> ResponseReturnValue:
    view = View(of)
    both = of.short_version_id is not None and of.full_version_id is not None
    shown = {
        "round": of,
        "matrix": view,
        "words": _words(both=both),
        "was": json.dumps(view.was, separators=(",", ":")),
        "editable": of.status in {RoundStatus.DRAFT, RoundStatus.OPEN},
        "few": len(view.columns) <= FEW_COLUMNS,
        "earlier": look.rounds_before(db.session, of),
        "here": request.full_path.rstrip("?") if request.method == "GET" else url_for("rounds.matrix", slug=of.slug),
        "waiting": sum(1 for ask in view.asks if not ask.issued),
        "total": len(view.asks),
        "lines": "",
        "problems": (),
    }
    return render_template("rounds/matrix.html", **shown | more), status


def _words(*, both: bool) -> list[tuple[str, str, str]]:
    """Return what a cell may hold: (word, sign in the cell, name)."""
    words = [("", "·", _("not asked")), ("lead", _("L"), _("lead")), ("contributing", _("C"), _("contributing"))]
    if both:
        words[2:2] = [("lead/full", _("L+"), _("lead, full questionnaire"))]
        words.append(("contributing/full", _("C+"), _("contributing, full questionnaire")))
    return words


@blueprint.post("/rounds/<slug>/matrix")
@requires(Permission.EDIT_ROUND, on=round_of)
def save_matrix(of: ReportingRound) -> ResponseReturnValue:
    """Save the cells changed on the page; those that somebody else changed since are told, not overwritten."""
    try:
        was = json.loads(request.form.get("was") or "{}")
    except ValueError:
        was = {}
    was = was if isinstance(was, dict) else {}
    rows = {f"p{row.first.id}": row.ids for row in look.paragraphs(db.session, of.id)}
    rows |= {f"s{one}": (one,) for ids in list(rows.values()) for one in ids}
    cells = []
    for name, word in request.form.items():
        key, _dash, column = name.partition("-")
        before = str(was.get(name, ""))
        if key in rows and column.isdecimal() and word != before:
            try:
                cells.append(CellChange(rows[key], int(column), read_word(word), before))
            except ValueError as error:
                raise Invalid from error
    with write() as database:
        done = assignments.change_cells(
            database, of, cells, by=who(), separately=request.form.get("separately") is not None
        )
    tell(done)
    return redirect(_back(of), code=303)


def _back(of: ReportingRound) -> str:
    from portal.blueprints.guard import local_path

    here = url_for("rounds.matrix", slug=of.slug)
    target = local_path(request.form.get("next")) or here
    return target if target.startswith(here) else here


@blueprint.post("/rounds/<slug>/matrix/fill")
@requires(Permission.EDIT_ROUND, on=round_of)
def fill(of: ReportingRound) -> ResponseReturnValue:
    """Fill many cells at once: all rows shown, those of a theme or a document, or one; one institution or several."""
    paragraphs = look.paragraphs(db.session, of.id)
    kind, _dash, number = request.form.get("rows", "").partition("-")
    rows = [
        row
        for row in paragraphs
        if kind == "all"
        or (kind == "theme" and number.isdecimal() and int(number) in row.tags)
        or (kind == "document" and str(row.first.document_id) == number)
        or (kind == "paragraph" and str(row.first.id) == number)
    ]
    columns = request.form.getlist("column", type=int)
    if not rows or not columns:
        raise Invalid(_("Choose recommendations and at least one institution."))
    try:
        wants = read_word(request.form.get("wants", ""))
    except ValueError as error:
        raise Invalid from error
    only_empty = request.form.get("only_empty") is not None
    with write() as database:
        desk = assignments.Desk(database, of, who())
        cells = [
            CellChange(row.ids, column, wants)
            for row in rows
            for column in columns
            if not (only_empty and desk.there(column, row.ids))
        ]
        done = assignments.change_cells(database, of, cells, by=who())
    tell(done)
    return redirect(_back(of), code=303)


@blueprint.post("/rounds/<slug>/matrix/paste")
@requires(Permission.EDIT_ROUND, on=round_of)
def paste(of: ReportingRound) -> ResponseReturnValue:
    """Take assignments pasted from Excel; every bad line is told, and then nothing is taken."""
    form = PasteForm()
    if not form.validate():
        return _page(of, 422, lines=form.lines.data or "", problems=[(None, one) for _id, one in form.summary()])
    try:
        with write() as database:
            done = assignment_lines.paste(database, of, form.lines.data or "", by=who())
    except Invalid as error:
        problems = [(problem.row, problem.message) for problem in error.problems]
        return _page(of, 422, lines=form.lines.data, problems=problems)
    tell(done)
    return redirect(_back(of), code=303)


@blueprint.post("/rounds/<slug>/matrix/copy")
@requires(Permission.EDIT_ROUND, on=round_of)
def copy(of: ReportingRound) -> ResponseReturnValue:
    """Assign as in an earlier round."""
    source = look.find_round(db.session, request.form.get("round", ""))
    if source is None or source.id == of.id:
        raise NotFound
    with write() as database:
        done = assignment_lines.copy_round(database, source, of, by=who())
    tell(done)
    return redirect(_back(of), code=303)
