"""What no single answer holds of an earlier reply: tables and files, looked at, then taken over or no longer true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import g, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from forms.question_types import question_type
from forms.tables import may_change
from portal.blueprints import receiving
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.posting import context_for, load
from portal.blueprints.reading import read_definition
from portal.blueprints.remember.door import blueprint
from portal.blueprints.respond.door import OnPage, own_page
from portal.blueprints.respond.section import page_of
from portal.database import write
from portal.errors import IllegalTransition, Invalid, NotFound
from portal.extensions import db
from portal.models import Recollection
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission
from portal.queries.evidence import evidence_of
from portal.queries.memory import Source, earlier_source, whole_verdicts
from portal.queries.submissions import standing_rows, stored_reply
from portal.services import audit, memory
from portal.services import earlier_tables as services
from portal.services import submissions as saving
from portal.services.attaching import Asked, name_all
from portal.services.events import locked
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from forms.definition.model import Definition, Item
    from forms.tables import Table
    from portal.models import Evidence
    from portal.queries.submissions import StoredReply, SubmissionHead
    from portal.services.submissions import Saved


@dataclass(frozen=True)
class Whole:
    """The newest earlier reply that has something in the tables or file questions of a page.

    ``files`` are those of questions outside tables, ``attached`` all of that reply where a table of the page takes any.
    """

    source: Source
    title: str
    old: StoredReply
    tables: Mapping[str, Sequence[Table]]
    files: Mapping[str, Sequence[Evidence]]
    attached: Sequence[Evidence]


def whole_of(head: SubmissionHead, definition: Definition, page: Item, ids: Mapping[str, int]) -> Whole | None:
    """Find what stands in the tables and file questions of a page in the newest earlier reply; None: nothing does."""
    families = services.family(definition, page)
    cells = [item for many in families.values() for table in many for item in table.asked]
    asked = services.file_questions(definition, page)
    source = earlier_source(db.session, head, services.whole_codes(definition, page))
    if source is None:
        return None
    takes = any(question_type(item.type).control == "file" for item in cells)
    there = evidence_of(db.session, source.id) if asked or takes else ()
    attached: dict[int | None, list[Evidence]] = {}
    for one in there:
        if one.sha256:
            attached.setdefault(one.question_id, []).append(one)
    return Whole(
        source,
        pick(source.round_titles, g.view.language, g.country.languages),
        stored_reply(db.session, source.id, definition),
        families,
        {code: attached[ids[code]] for code in asked if attached.get(ids[code])},
        there if takes else (),
    )


def views(
    head: SubmissionHead, definition: Definition, page: Item, now: StoredReply, ids: Mapping[str, int], *, open_: bool
) -> dict[str, Any] | None:
    """Return what the page of earlier answers shows of tables and files."""
    found = whole_of(head, definition, page, ids)
    if found is None:
        return None
    languages = tuple(g.country.languages)
    hidden: frozenset[str] = frozenset()
    read = read_definition(definition, found.old.answers, hidden, languages, rows=standing_rows(found.old.rows))
    lines = {row["code"]: row for one in read if one["code"] == page.code for row in one["rows"] if row.get("table")}
    context = context_for(who(), head, definition)
    standing = standing_rows(now.rows)
    verdicts = whole_verdicts(db.session, head.id)
    tables = []
    for code, many in found.tables.items():
        row = lines.get(code)
        if row is None or not services.says_anything(many, found.old):
            continue
        rows, changes = services.copied(head, found.source, many, found.old, now, context)
        in_cells = services.files_of_cells(head, found.source, many, found.old, now, found.attached)
        tables.append(
            {
                "code": code,
                "label": row["label"],
                "page": {"label": found.title, "url": "", "rows": [row]},
                "taken": not rows and not changes and not in_cells,
                "files": [(one.number, one.filename) for some in in_cells.values() for one in some],
                "gone": verdicts.get((found.source.id, code, "")) is Recollection.NO_LONGER_TRUE,
                "here": 0 if many[0].fixed else len(standing.get(code, ())),
                "open": open_ and may_change(definition, code, head.unlocked),
            }
        )
    here = {(one.question_id, one.sha256) for one in evidence_of(db.session, head.id)} if found.files else set()
    files = [
        {
            "public_id": one.public_id,
            "label": definition.question(code).text("label", g.view.language, languages),
            "name": one.filename,
            "caption": one.caption,
            "number": one.number,
            "taken": (ids[code], one.sha256) in here,
            "gone": verdicts.get((found.source.id, code, one.sha256 or "")) is Recollection.NO_LONGER_TRUE,
            "open": open_ and may_change(definition, code, head.unlocked),
        }
        for code, many in found.files.items()
        for one in many
    ]
    return {"round": found.title, "tables": tables, "files": files} if tables or files else None


@dataclass(frozen=True)
class Ticked:
    """Which tables (by code) and files (by public id) of an earlier reply are to be taken over."""

    tables: tuple[str, ...]
    files: frozenset[str]


def ticked() -> Ticked | None:
    """Return what a post ticks; None if nothing."""
    tables, files = tuple(dict.fromkeys(request.form.getlist("table"))), frozenset(request.form.getlist("file"))
    return Ticked(tables, files) if tables or files else None


def take(
    session: Session, head: SubmissionHead, definition: Definition, page: Item, ids: Mapping[str, int], asked: Ticked
) -> tuple[Saved, str]:
    """Take tables and files over within a transaction; return what was saved of the cells, and what to tell.

    Raises:
        NotFound: something ticked is not of the newest earlier reply, or not of this page.
        IllegalTransition: a question of a ticked file is closed.
    """
    found = whole_of(head, definition, page, ids)
    if found is None or not set(asked.tables) <= found.tables.keys():
        raise NotFound
    chosen = {code: [one for one in many if one.public_id in asked.files] for code, many in found.files.items()}
    if len([one for many in chosen.values() for one in many]) != len(asked.files):
        raise NotFound
    touched = [code for code, many in chosen.items() if many]
    if head.status not in EDITABLE or not all(may_change(definition, code, head.unlocked) for code in touched):
        raise IllegalTransition
    principal = who()
    context = context_for(principal, head, definition)
    tables = [table for code in asked.tables for table in found.tables[code]]
    locked(session, head.id)  # whoever attaches to a cell at once waits
    now = stored_reply(session, head.id, definition)
    rows, changes = services.copied(head, found.source, tables, found.old, now, context)
    in_cells = services.files_of_cells(head, found.source, tables, found.old, now, found.attached)
    cited_cells = services.cite_in_cells(
        session, head, in_cells, ids, round_title=found.title, by=principal, quota=receiving.quota()
    )
    saved = saving.save_answers(
        session, head, definition, ids, changes | cited_cells, context=context, by=principal, row_changes=rows
    )
    services.check_cited(cited_cells, saved)
    attached = sum(map(len, in_cells.values()))
    for code in touched:
        attached += services.cite_again(
            session, head, chosen[code], question_id=ids[code], round_title=found.title, by=principal
        )
        name_all(session, Asked(head, definition, ids, context), code, by=principal)
    cited = [(code, one.sha256 or "") for code in touched for one in chosen[code]]
    said = [*((code, "") for code in asked.tables), *cited]
    memory.judge_whole(session, head, found.source, said, Recollection.STILL_TRUE, by=principal)
    audit.record(
        session, "still_true", by=principal, kind="submission", thing=head.public_id,
        source=found.source.public_id, tables=list(asked.tables), rows=len(rows), cells=len(changes), files=attached,
    )  # fmt: skip
    told = [ngettext("%(num)s row was taken over.", "%(num)s rows were taken over.", len(rows))] if rows else []
    if changes and not rows:
        told.append(ngettext("%(num)s cell was filled in.", "%(num)s cells were filled in.", len(changes)))
    if attached:
        told.append(ngettext("%(num)s file is attached again.", "%(num)s files are attached again.", attached))
    return saved, " ".join(told) or _("Everything ticked stands here already.")


@blueprint.post("/replies/<public_id>/pages/<code>/earlier/gone")
@requires(Permission.ANSWER_SUBMISSION, on=own_page)
def no_longer_true(on: OnPage) -> ResponseReturnValue:
    """Note of an earlier table or file that it is no longer true: nothing is copied, and what stands here stays."""
    head = on.head
    definition, ids = load(head)
    page = page_of(definition, on.code)
    kind, _colon, named = request.form.get("gone", "").partition(":")
    if not kind:
        raise Invalid(_("Choose one of the earlier answers on the page."))
    found = whole_of(head, definition, page, ids)
    if found is None:
        raise NotFound
    thing: tuple[str, str] | None = (named, "") if kind == "table" and named in found.tables else None
    if kind == "file":
        thing = next(
            ((code, one.sha256 or "") for code, many in found.files.items() for one in many if one.public_id == named),
            None,
        )
    if thing is None:
        raise NotFound
    if head.status not in EDITABLE or not may_change(definition, thing[0], head.unlocked):
        raise IllegalTransition
    with write() as session:
        memory.judge_whole(session, head, found.source, [thing], Recollection.NO_LONGER_TRUE, by=who())
        audit.record(
            session, "no_longer_true", by=who(), kind="submission", thing=head.public_id,
            source=found.source.public_id, tables=[named] * (kind == "table"), files=[named] * (kind == "file"),
        )  # fmt: skip
    notice(_("Noted: the earlier answer is no longer true. Nothing was taken over."))
    return redirect(url_for("remember.look", public_id=head.public_id, code=page.code), code=303)
