"""Answering what is shared, page by page: the same forms and the same gate as everybody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from forms.answers import field_name, parse_field_name
from forms.quoting import telling_defaults
from forms.tables import may_change
from portal.blueprints.guard import by_link, repeats, wants_json
from portal.blueprints.holding import last_day
from portal.blueprints.page import notice
from portal.blueprints.posting import context_for, load, read_changes
from portal.blueprints.respond.conflicts import with_joined
from portal.blueprints.respond.rows import (
    anchor,
    posted,
    read_row_changes,
    row_act,
)
from portal.blueprints.respond.section import counts, offered, saved_json
from portal.blueprints.respond.to_look_at import NOTHING, ToLookAt, to_look_at
from portal.blueprints.returning import copy_secret
from portal.blueprints.shared.door import Ended, Shared, blueprint, shared
from portal.blueprints.shared.shown import SharedPage, closed_of, readable_of
from portal.blueprints.tables import takes_files
from portal.database import write
from portal.errors import NotFound
from portal.extensions import db
from portal.models.base import uuid7
from portal.queries.submissions import stored_reply
from portal.services import submissions as services
from portal.services.answer_storing import says_nothing
from portal.services.delegated import ShareEnded
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from forms.answers import AnswerKey
    from forms.definition.model import Item
    from portal.services.submissions import Change, Saved


def page_of(on: Shared) -> Item:
    """Return the page asked for, if a shared question stands on it."""
    page = SharedPage(on, stored_reply(db.session, on.head.id, on.definition))
    found = next((one for one in on.definition.pages if one.code == on.code and page.counted(one)), None)
    if found is None:
        raise NotFound
    return found


@blueprint.get("/work/<public_id>/pages/<code>")
@by_link(shared)
def section(on: Shared) -> ResponseReturnValue:
    """Show the shared questions of one page, filled in."""
    return section_page(on, page_of(on))


def section_page(on: Shared, page: Item, look: ToLookAt = NOTHING) -> str:
    """Draw one page of what is shared, with what a post left to be looked at."""
    shown = SharedPage(on, stored_reply(db.session, on.head.id, on.definition))
    codes = [one.code for one in shown.pages()]
    number = codes.index(page.code) if page.code in codes else 0
    questions, items = shown.drawn(page, shown.evidence(), look.mine)
    return render_template(
        "shared/section.html",
        title=shown.page_title(page),
        institution=pick(on.head.institution_names, g.view.language, g.country.languages),
        delegation=on.delegation,
        until=last_day(on.delegation.expires_at),
        page_number=number + 1,
        page_total=len(codes),
        recommendation=shown.recommendation(),
        items=items,
        questions=questions,
        readonly=shown.readonly,
        closed=closed_of(on),
        look=look,
        wide=any(item.table is not None for item in items),
        cell_files=takes_files(items),
        steps=shown.steps(page.code),
        answered=len(shown.done_codes()),
        total=len(shown.asked_codes()),
        saved_at=on.head.saved_at if shown.done_codes() else None,
        previous_url=shown.page_url(codes[number - 1]) if number else "",
        next_url=shown.page_url(codes[number + 1]) if number + 1 < len(codes) else "",
        finish_url=url_for("shared.finish_page", public_id=on.delegation.public_id),
        request_key=uuid7(),
        today=shown.context.today.isoformat(),
        keeps=copy_secret(on.principal),
        **beside(on, page),
    )


def beside(on: Shared, page: Item) -> dict[str, str]:
    """Return the addresses beside the questions: who else is here, how to come in again, where pieces of files go."""
    public_id = on.delegation.public_id
    account = on.delegation.user_id is not None
    return {
        "here_url": url_for("shared.here", public_id=public_id, code=page.code),
        "keys_url": url_for("returning.keys") if account else url_for("shared.keys", public_id=public_id),
        "again_url": url_for("accounts.login", next=url_for("returning.back"))
        if account
        else url_for("shared.again", public_id=public_id),
        "pieces_url": url_for("shared.upload_piece", public_id=public_id, identifier="-").removesuffix("-"),
    }


@blueprint.post("/work/<public_id>/pages/<code>")
@by_link(shared)
@repeats("answers are told apart by request_key and the revisions their writer saw")
def save_section(on: Shared) -> ResponseReturnValue:
    """Save the answers of a post; it may speak of shared questions only."""
    page = page_of(on)
    definition, ids = load(on.head)
    _refuse_others(on)
    context = context_for(on.principal, on.head, definition)
    changes = _unspoken(on, read_changes(definition, page, context, with_joined(posted())))
    stored = stored_reply(db.session, on.head.id, definition) if row_act() else None
    row_changes = read_row_changes(definition, changes, stored)
    try:
        with write() as session:
            saved = services.save_answers(
                session, on.head, definition, ids, changes, context=context, by=on.principal,
                request_key=request.form.get("request_key", "")[:64] or None, row_changes=row_changes,
            )  # fmt: skip
    except ShareEnded as error:
        return Ended(on.delegation, str(error)).ended()
    if wants_json():
        told = _narrowed(on, saved, page, offered(saved, changes, definition, page))
        clash = told["stale"] or saved.stale_rows
        return told, 409 if clash else 422 if told["refused"] or saved.refused_rows else 200
    return _after_save(on, saved, page)


def _unspoken(on: Shared, changes: Mapping[AnswerKey, Change]) -> dict[AnswerKey, Change]:
    """Return the changes without fields that are empty since what they begin with is not shown: nobody emptied them."""
    telling = telling_defaults(on.definition, readable_of(on))
    return {
        key: one for key, one in changes.items() if one.base or key.code not in telling or not says_nothing(one.parsed)
    }


def _refuse_others(on: Shared) -> None:
    """Refuse a post that speaks of a question, or a row of a table, that is not shared."""
    codes = on.principal.delegation.codes if on.principal.delegation else frozenset()
    for name in request.form:
        _kind, colon, rest = name.partition(":")
        key = parse_field_name(rest if colon else name)
        if name == "row-act":
            key = parse_field_name(request.form[name].partition(":")[2])
        known = key is not None and key.code in on.definition.compiled.by_code
        if key is not None and known and not may_change(on.definition, key.code, codes):
            raise NotFound


def _narrowed(on: Shared, saved: Saved, page: Item, more: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a script is told, as far as it concerns the shared questions; ``more`` is what they now offer."""
    told = saved_json(saved, on.definition, page)
    shown = SharedPage(on, stored_reply(db.session, on.head.id, on.definition))
    said = {field_name(key): text for key, text in shown.evaluation.refused.items()}
    untold = {field_name(one.key) for one in saved.refused if not shown.told(saved, one.key)}
    told["refused"] = [one for one in told["refused"] if one["name"] not in untold]
    for one in told["refused"]:
        one["message"] = said.get(one["name"], one["message"])
    # a save also settles what other questions begin with
    for which in ("saved", "refused", "stale"):
        told[which] = [one for one in told[which] if may_change(on.definition, _code(one["name"]), shown.codes)]
    always = shown.silent("relevant")
    for which in ("shown", "hidden"):
        told[which] = [code for code in told[which] if _code(code) in shown.readable - always]
    asked, done = shown.asked_codes(), shown.done_codes()
    told["missing"] = len(asked) - len(done)
    here = [code for code in shown.counted(page) if code not in shown.evaluation.hidden]
    told["counts"] = counts(done, here, (len(done), len(asked)))
    whole = shown.silent("choice_filter")
    offer = {name: keys for name, keys in more.get("offered", {}).items() if _code(name) in shown.codes - whole}
    told |= {"offered": offer} if offer else {}
    if on.beyond_reach:
        told["aside"] = _("The reply is closed: this does not go into it.")
    for which in ("computed", "totals"):
        if which in told:
            told[which] = {
                name: text for name, text in told[which].items() if _code(name) in shown.readable - shown.untold
            }
    return told


def _code(name: str) -> str:
    return name.partition("[")[0].partition("@")[0]


def _after_save(on: Shared, saved: Saved, page: Item) -> ResponseReturnValue:
    """Answer a post without script: go on, or show the page again with what needs a look."""
    on = fresh(on)
    definition = on.definition
    codes = on.principal.delegation.codes if on.principal.delegation else frozenset()
    shown = SharedPage(on, stored_reply(db.session, on.head.id, definition))
    mine_refused = [
        one for one in saved.refused if may_change(definition, one.key.code, codes) and shown.told(saved, one.key)
    ]
    look = to_look_at(saved, definition, mine_refused, page.codes)
    if not look:
        return _go_on(on, saved, page)
    return section_page(on, page, look), look.status


def _go_on(on: Shared, saved: Saved, page: Item) -> ResponseReturnValue:
    shown = SharedPage(on, stored_reply(db.session, on.head.id, on.definition))
    if row_act():
        return redirect(shown.page_url(page.code) + anchor(saved, on.definition), code=303)
    if request.form.get("action") != "next":
        notice(_("Saved."))
        return redirect(shown.page_url(page.code), code=303)
    codes = [one.code for one in shown.pages()]
    after = codes.index(page.code) + 1 if page.code in codes else 0
    if after < len(codes):
        return redirect(shown.page_url(codes[after]), code=303)
    return redirect(url_for("shared.finish_page", public_id=on.delegation.public_id), code=303)


def fresh(on: Shared) -> Shared:
    """Return what was shared as it stands after a save."""
    again = shared(on.delegation.public_id, code=on.code)
    if isinstance(again, Ended):
        raise ShareEnded(again.sentence)
    if not isinstance(again, Shared):
        raise NotFound
    return again
