"""The history of one answer, for the institution that gave it: every save with its difference, and a way back.

The secretariat reads what was handed in and nothing else: these pages are not for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from forms.answers import PRESENT_SUFFIX, STATE_SUFFIX, AnswerKey, field_name
from forms.definition.word_diff import compare_words
from forms.question_types import question_type
from forms.tables import may_change, tables
from portal.blueprints.answering import AnsweringPage
from portal.blueprints.changes import said
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.posting import context_for, load, read_changes
from portal.blueprints.remember.door import blueprint
from portal.blueprints.respond.door import OnPage, own_page
from portal.blueprints.respond.section import show_saved
from portal.database import write
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.permissions import Permission
from portal.queries import history as queries
from portal.queries import submissions as replies
from portal.reader import digits
from portal.services import submissions as services
from portal.services.answer_rows import RowChange
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask.typing import ResponseReturnValue

    from forms.definition.model import Definition, Item
    from forms.tables import Table
    from portal.queries.history import SavedAnswer

BRIEF = 60  # characters of a row's first answer that name it


def _asked_about(definition: Definition, code: str) -> tuple[Item, list[Item]]:
    """Return what the page is about, and the questions whose saves it shows: a question, or the columns of a table."""
    item = next((one for one in definition.items() if one.code == code), None)
    if item is None or item.kind in {"section", "group", "note"}:
        raise NotFound
    return item, list(tables(definition)[code].asked) if code in tables(definition) else [item]


@blueprint.get("/replies/<public_id>/history/<code>")
@requires(Permission.VIEW_ANSWERS, on=own_page)
def history(on: OnPage) -> ResponseReturnValue:
    """Show every save of an answer, or of a table cell by cell, with who, when and what changed."""
    definition, _ids = load(on.head)
    item, columns = _asked_about(definition, on.code)
    language, languages = g.view.language, tuple(g.country.languages)
    reply = replies.stored_reply(db.session, on.head.id, definition)
    answering = AnsweringPage(on.head, reply, who(), definition)
    open_ = not answering.readonly and may_change(definition, on.code, on.head.unlocked)
    saves = queries.answer_saves(db.session, on.head.id, [one.code for one in columns])
    rows = queries.row_saves(db.session, on.head.id, on.code) if on.code in tables(definition) else []
    names = _row_names(definition, on.code, reply, [*saves, *rows])
    return render_template(
        "remember/history.html",
        head=on.head,
        code=on.code,
        title=item.text("label", language, languages),
        back_url=url_for("respond.check", public_id=on.head.public_id),
        saves=[
            _save(one, before, definition, reply.answers, open_=open_) | {"place": names.get(one.row, "")}
            for one, before in zip(saves, _before(saves), strict=True)
        ],
        rows=[_row(one, names, _can_come_back(reply, on.code, one.key, open_=open_)) for one in rows],
        open=open_,
        table=len(columns) > 1 or on.code in tables(definition),
    )


def _before(saves: Sequence[SavedAnswer]) -> list[SavedAnswer | None]:
    """Return to each save, newest first, the one before it of the same answer."""
    by_place = {(one.code, one.row, one.lang, one.revision): one for one in saves}
    return [by_place.get((one.code, one.row, one.lang, one.revision - 1)) for one in saves]


def _save(
    one: SavedAnswer,
    before: SavedAnswer | None,
    definition: Definition,
    stored: Mapping[AnswerKey, replies.StoredAnswer],
    *,
    open_: bool,
) -> dict[str, Any]:
    language, languages = g.view.language, tuple(g.country.languages)
    item = definition.question(one.code)
    now = stored.get(AnswerKey(one.code, one.row, one.lang))
    words = said(item, one.value, one.state, one.typed)
    earlier = said(item, before.value, before.state, before.typed) if before else ""
    stands = now is not None and now.revision == one.revision
    computed = bool(item.calculation) or question_type(item.type).control == "file"
    return {
        "label": item.text("label", language, languages),
        "lang": one.lang,
        "row": one.row,
        "code": one.code,
        "revision": one.revision,
        "pieces": compare_words(earlier, words),
        "empty": not words,
        "who": pick(one.by, language, languages),
        "at": one.at,
        "stands": stands,
        "base": now.revision if now else 0,
        "restorable": open_ and not stands and not computed,
    }


def _row_names(
    definition: Definition, code: str, reply: replies.StoredReply, saves: Sequence[SavedAnswer | queries.SavedRow]
) -> dict[str, str]:
    """Return how the rows of a table are called: by their number and what stands first in them."""
    table = tables(definition).get(code)
    if table is None:
        return {}
    language, languages = g.view.language, tuple(g.country.languages)
    standing = [row.key for row in table.rows(replies.standing_rows(reply.rows))]
    keys = {one.row if isinstance(one, queries.SavedAnswer) else one.key for one in saves}
    names = {}
    for key in keys:
        number = digits(standing.index(key) + 1) if key in standing else ""
        place = _("row %(number)s", number=number) if number else _("removed row")
        first = _first_words(table, key, reply.answers)
        names[key] = table.row_label(key, language, languages) or (f"{place}: {first}" if first else str(place))
    return names


def _first_words(table: Table, row: str, stored: Mapping[AnswerKey, replies.StoredAnswer]) -> str:
    """Return what stands first in a row, in a few words; a removed row keeps its answers."""
    for item in table.asked:
        for key in question_type(item.type).keys(item, tuple(g.country.languages)):
            one = stored.get(key._replace(row=row))
            words = said(item, one.value, one.state, one.typed) if one is not None and not one.blank else ""
            if words:
                return words if len(words) <= BRIEF else words[:BRIEF].rstrip() + "…"
    return ""


def _can_come_back(reply: replies.StoredReply, code: str, key: str, *, open_: bool) -> int | None:
    """Return the revision of a removed row that may be put back, else None; a row within a removed one waits for it."""
    row = reply.rows.get(replies.RowKey(code, key))
    if not open_ or row is None or not row.removed:
        return None
    inside = any(name.key == row.parent and around.removed for name, around in reply.rows.items())
    return None if inside else row.revision


def _row(one: queries.SavedRow, names: Mapping[str, str], back: int | None) -> dict[str, Any]:
    words = _("Row added") if one.revision == 1 else _("Row removed") if one.removed else _("Row moved or put back")
    return {
        "words": words,
        "key": one.key,
        "name": names.get(one.key, ""),
        "who": pick(one.by, g.view.language, g.country.languages),
        "at": one.at,
        "base": one.revision if back == one.revision else None,
    }


@blueprint.post("/replies/<public_id>/history/<code>")
@requires(Permission.ANSWER_SUBMISSION, on=own_page)
def restore(on: OnPage) -> ResponseReturnValue:
    """Save an earlier answer anew, against the revision that this person saw; nothing is taken out of the history."""
    head, principal = on.head, who()
    definition, ids = load(head)
    _item, columns = _asked_about(definition, on.code)
    given = request.form
    if "row-back" in given:
        return _put_back(on, definition, ids, replies.RowKey(on.code, given["row-back"]))
    if "revision" not in given:
        raise Invalid(_("Choose one of the earlier answers on the page."))
    item = next((one for one in columns if one.code == given.get("question", on.code)), None)
    wanted = (given.get("row", ""), given.get("lang", ""), given.get("revision", type=int))
    saves = queries.answer_saves(db.session, head.id, [item.code]) if item is not None else []
    one = next((one for one in saves if (one.row, one.lang, one.revision) == wanted), None)
    if item is None or one is None or item.calculation or question_type(item.type).control == "file":
        raise NotFound
    context = context_for(principal, head, definition)
    page = definition.page_of(item.code)
    changes = read_changes(definition, page, context, _as_posted(item, one, given.get("base", 0, type=int)))
    with write() as session:
        saved = services.save_answers(session, head, definition, ids, changes, context=context, by=principal)
    if saved.http_status != 200:
        return show_saved(saved, head, definition, page)
    notice(_("Restored: the earlier answer stands again, as a new save."))
    return redirect(url_for("remember.history", public_id=head.public_id, code=on.code), code=303)


def _put_back(on: OnPage, definition: Definition, ids: Mapping[str, int], name: replies.RowKey) -> ResponseReturnValue:
    """Put a removed row back with all that stood in it, if nobody did so or changed it since."""
    head, principal, seen = on.head, who(), request.form.get("base", 0, type=int)
    context = context_for(principal, head, definition)
    before = replies.stored_reply(db.session, head.id, definition).rows.get(name)
    if before is None:
        raise NotFound
    change = RowChange(name.repeat, name.key, before.parent, base=seen)
    with write() as session:
        saved = services.save_answers(
            session, head, definition, ids, {}, row_changes=[change], context=context, by=principal
        )
    if saved.http_status != 200:
        return show_saved(saved, head, definition, definition.page_of(on.code))
    if not before.removed or before.revision != seen:
        notice(_("Somebody changed this row meanwhile; look at it again."))
    else:
        notice(_("The row stands in the table again, with all that was in it."))
    return redirect(url_for("remember.history", public_id=head.public_id, code=on.code), code=303)


def _as_posted(item: Item, one: SavedAnswer, base: int) -> MultiDict[str, str]:
    """Return a save as a page would post it."""
    kind, name = question_type(item.type), field_name(AnswerKey(one.code, one.row, one.lang))
    raw = kind.raw_typed(one.typed) if one.typed is not None else kind.raw(one.value, item)
    post: MultiDict[str, str] = MultiDict()
    post.setlist(name, raw if one.state == "answered" else [])
    post[name + PRESENT_SUFFIX] = "1"
    post[name + STATE_SUFFIX] = one.state
    post[f"base:{name}"] = str(base)
    return post
