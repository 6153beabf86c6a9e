"""One item of a draft through HTTP: shown, saved, its choices arranged; a look at it as institutions see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _

from forms.pasted_choices import NewChoice, read_lines
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.questionnaires.designing_outline import APART
from portal.blueprints.questionnaires.designing_page import ItemPage, written
from portal.blueprints.questionnaires.designing_room import (
    Spot,
    find,
    is_draft,
    label,
    load,
    locked,
    not_a_draft,
    spot_of,
)
from portal.blueprints.questionnaires.room import blueprint
from portal.database import write
from portal.errors import Conflict, Invalid
from portal.permissions import Permission
from portal.services.questionnaire_choices import bring_choice_back, order_choices, retire_choice
from portal.services.questionnaire_lists import add_choices, let_add_another
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from forms.definition.model import Item
    from portal.models import QuestionnaireVersion
    from portal.queries.questionnaires import VersionHead


@blueprint.get("/questionnaires/<public_id>/design/items/<code>")
@requires(Permission.EDIT_QUESTIONNAIRE, on=spot_of)
def item(spot: Spot) -> ResponseReturnValue:
    """Show one item with everything that can be set."""
    if not is_draft(spot.head):
        return not_a_draft(spot.head)
    of = load(spot.head)
    return render_template("questionnaires/design_item.html", **ItemPage(spot.head, of, find(of, spot.code)).context())


@blueprint.get("/questionnaires/<public_id>/design/items/<code>/look")
@requires(Permission.EDIT_QUESTIONNAIRE, on=spot_of)
def look(spot: Spot) -> ResponseReturnValue:
    """Show one item as an institution will see it, in every language."""
    of = load(spot.head)
    page = ItemPage(spot.head, of, find(of, spot.code))
    return render_template(
        "questionnaires/design_look.html",
        head=spot.head,
        code=spot.code,
        title=label(page.item),
        looks=page.looks(page.item),
    )


@blueprint.post("/questionnaires/<public_id>/design/items/<code>")
@requires(Permission.EDIT_QUESTIONNAIRE, on=spot_of)
def save_item(spot: Spot) -> ResponseReturnValue:
    """Save what was written, then do what the button says; ``refresh`` saves nothing and shows the page anew."""
    of = load(spot.head)
    found = next((one for one in of.items() if one.code == spot.code), None)
    if found is None:
        return _gone(spot.head, spot.code)
    page = ItemPage(spot.head, of, found, request.form)
    act, *words = request.form.get("do", "save").split(APART)
    if act == "refresh":
        return render_template("questionnaires/design_item.html", **page.context())
    if wrong := page.wrong():
        return _again(page, wrong, 422)
    return _saved(spot, page, act, words)


def _saved(spot: Spot, page: ItemPage, act: str, words: Sequence[str]) -> ResponseReturnValue:
    """Save a page and do what its button says, in one transaction."""
    try:
        with write() as database:
            draft = locked(database, spot.head)
            code = page.save(database, draft, by=who())
            where = _act(database, draft, page, code, act, words)
    except Invalid as error:
        return _again(page, [(_field(one.field), str(one.message)) for one in error.problems], error.status)
    except Conflict as error:
        return _again(page, [("", str(error.message))], error.status)
    if page.stale:
        return _stale(spot, code, page)
    notice(_("Saved."))
    return redirect(where or url_for("questionnaires.item", public_id=spot.head.public_id, code=code), code=303)


def _gone(head: VersionHead, code: str) -> ResponseReturnValue:
    """Show what was written for an item that somebody took out meanwhile."""
    kept = written(request.form)
    return render_template("questionnaires/design_gone.html", head=head, code=code, written=kept), 409


def _again(page: ItemPage, problems: Sequence[tuple[str, str]], status: int) -> ResponseReturnValue:
    """Show the page with what was typed and why it was not saved."""
    return render_template("questionnaires/design_item.html", **page.context(problems)), status


def _stale(spot: Spot, code: str, page: ItemPage) -> ResponseReturnValue:
    """Show both texts where somebody else was first; the rest is saved."""
    of = load(spot.head)
    found = next((one for one in of.items() if one.code == code), None)
    if found is None:
        return _gone(spot.head, code)
    anew = ItemPage(spot.head, of, found, request.form)
    drawn = anew.context(stale=page.stale)
    anew.meet_choices(drawn["choices"], page.stale)
    return render_template("questionnaires/design_item.html", **drawn), 409


def _field(name: str | None) -> str:
    """Return the id of the field that a sentence of a verb is about."""
    known = {"code": "code", "lines": "lines", "key": "new-key", "label": "lines"}
    return known.get(name or "", "")


def _act(
    database: Session,
    draft: QuestionnaireVersion,
    page: ItemPage,
    code: str,
    act: str,
    words: Sequence[str],
) -> str:
    """Do what the button says besides saving; returns where to go, "" for the same page."""
    found = page.item
    here: Any = {"public_id": draft.public_id}
    if act == "column":
        return url_for("questionnaires.add", parent=code, **here)
    if act == "outline":
        return url_for("questionnaires.design", _anchor=f"i-{code}", **here)
    if act == "go" and words and any(one.code == words[0] for one in page.of.items()):
        return url_for("questionnaires.item", code=words[0], **here)
    acts: Mapping[str, Callable[[Session, QuestionnaireVersion, Item, str, Sequence[str]], None]] = {
        "up": _order, "down": _order, "out": _out, "back": _back, "choices": _add, "other": _other,
    }  # fmt: skip
    if act in acts:
        acts[act](database, draft, found, code, [act, *words])
        return url_for("questionnaires.item", code=code, _anchor="choices", **here, **_window())
    if act == "save" and request.form.get("lines", "").strip():
        # whoever typed choices and pressed the large button means them too
        _add(database, draft, found, code, [])
    return ""


def _window() -> dict[str, Any]:
    start = request.args.get("from", 0, type=int)
    return {"from": start} if start else {}


def _order(
    database: Session, draft: QuestionnaireVersion, found: Item, code: str, words: Sequence[str]
) -> None:
    """Move a choice one place; a list too long to be carried by the page is taken as it was read before the write."""
    carried = request.form.get("order", "").split("\n")
    seen = [one.strip() for one in carried] if any(carried) else [one.key for one in found.choices]
    key = words[1] if len(words) > 1 else ""
    if key not in seen:
        raise Conflict(_("“%(key)s” is not in this list any more.", key=key))
    at = seen.index(key)
    to = at - 1 if words[0] == "up" else at + 1
    if 0 <= to < len(seen):
        keys = list(seen)
        keys[at], keys[to] = keys[to], keys[at]
        order_choices(database, draft, code, keys, was=seen, by=who())


def _out(database: Session, draft: QuestionnaireVersion, found: Item, code: str, words: Sequence[str]) -> None:
    del found
    retire_choice(database, draft, code, words[1] if len(words) > 1 else "", by=who())


def _back(database: Session, draft: QuestionnaireVersion, found: Item, code: str, words: Sequence[str]) -> None:
    del found
    bring_choice_back(database, draft, code, words[1] if len(words) > 1 else "", by=who())


def _add(database: Session, draft: QuestionnaireVersion, found: Item, code: str, words: Sequence[str]) -> None:
    """Add the choices that were typed or pasted, a line each."""
    del found, words
    new = pasted(request.form.get("lines", ""), draft.languages)
    if not new:
        raise Invalid(problems=[Problem(_("Write at least one choice, a line each."), field="lines")])
    add_choices(database, draft, code, new, by=who())


def pasted(text: str, languages: Sequence[str]) -> list[NewChoice]:
    """Return pasted lines as choices.

    Raises:
        Invalid: with a sentence for each wrong line.
    """
    new, wrong = read_lines(text, languages)
    if wrong:
        raise Invalid(problems=[Problem(sentence, field="lines") for sentence in wrong])
    return new


def _other(database: Session, draft: QuestionnaireVersion, found: Item, code: str, words: Sequence[str]) -> None:
    del found, words
    let_add_another(database, draft, code, by=who())
