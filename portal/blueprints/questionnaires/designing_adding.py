"""Adding to a draft: a type picked from pictures, then its words; or a copy of what another questionnaire asks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask import redirect, render_template, request, url_for
from flask_babel import gettext as _

from forms.definition.model import Choice, Item
from forms.pasted_choices import with_keys
from forms.question_types import question_types
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.questionnaires.designing import new_codes, own_names
from portal.blueprints.questionnaires.designing_item import pasted
from portal.blueprints.questionnaires.designing_room import first_free, is_draft, label, load, locked, not_a_draft
from portal.blueprints.questionnaires.room import blueprint, row_of, version_of
from portal.database import write
from portal.errors import Conflict, Invalid
from portal.extensions import db
from portal.permissions import Permission
from portal.queries import questionnaire_versions as look
from portal.queries.questionnaire_shelf import parts
from portal.queries.questionnaires import definition, find_version
from portal.services.questionnaire_places import Place, add_item, copy_item
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

    from forms.definition.model import Definition, ItemKind
    from portal.queries.questionnaires import VersionHead

_NOT_A_CODE = re.compile(r"[^a-z0-9]+")
# what stands on a page beside questions, and what may stand where
STRUCTURE = ("section", "group", "repeat", "matrix", "note")
WITH_CHOICES = frozenset({"select_one", "select_multiple", "rank", "matrix"})


@blueprint.get("/questionnaires/<public_id>/design/add")
@requires(Permission.EDIT_QUESTIONNAIRE, on=version_of)
def add(head: VersionHead) -> ResponseReturnValue:
    """Pick what is added; once it is picked, word it."""
    if not is_draft(head):
        return not_a_draft(head)
    return _add_page(head, request.args)


def _add_page(
    head: VersionHead, asked: Mapping[str, str], problems: list[Problem] | None = None, status: int = 200
) -> ResponseReturnValue:
    of = load(head)
    parent, before, what = (asked.get(name, "") for name in ("parent", "before", "what"))
    folder = next((item for item in of.items() if item.code == parent), None)
    offered = _offered(folder)
    if what not in offered["questions"] + offered["structure"]:
        what = ""
    behind = next((item for item in of.items() if item.code == before), None)
    return (
        render_template(
            "questionnaires/design_word.html" if what else "questionnaires/design_add.html",
            head=head, definition=of, parent=parent, before=before, what=what, offered=offered,
            folder=label(folder) if folder else "", behind=label(behind) if behind else "",
            titles={name: kind.title for name, kind in question_types().items()},
            with_choices=what in WITH_CHOICES, asked=asked, problems=problems or [], own_names=own_names(),
        ),
        status,
    )  # fmt: skip


def _offered(folder: Item | None) -> dict[str, list[str]]:
    """Return what may stand at a place: question types, and what gives structure."""
    if folder is None:
        return {"questions": [], "structure": ["section"]}
    questions = [name for name in question_types() if name != "note"]
    if folder.kind == "matrix":
        return {"questions": questions, "structure": []}
    inside = folder.kind == "repeat"
    return {
        "questions": questions,
        "structure": [one for one in STRUCTURE if one != "section" and not (inside and one == "matrix")],
    }


@blueprint.post("/questionnaires/<public_id>/design/add")
@requires(Permission.EDIT_QUESTIONNAIRE, on=version_of)
def place_item(head: VersionHead) -> ResponseReturnValue:
    """Add what was picked and worded, and go on with it on its own page."""
    asked = request.form
    of = load(head)
    try:
        made = _made(of, asked, head)
        with write() as database:
            at = Place(asked.get("parent", ""), asked.get("before", ""))
            code = add_item(database, locked(database, head), made, at, by=who()).code
    except (Invalid, Conflict) as error:
        problems = error.problems if isinstance(error, Invalid) else Invalid(error.message).problems
        return _add_page(head, asked, list(problems), error.status)
    if made.kind in ("section", "group"):
        return redirect(url_for("questionnaires.design", public_id=head.public_id, _anchor=f"i-{code}"), code=303)
    return redirect(url_for("questionnaires.item", public_id=head.public_id, code=code), code=303)


def _made(of: Definition, asked: Mapping[str, str], head: VersionHead) -> Item:
    """Return what was picked and worded as an item.

    Raises:
        Invalid: with every word that is missing.
    """
    what = asked.get("what", "")
    texts = {one: text for one in of.languages if (text := asked.get(f"label@{one}", "").strip())}
    problems = []
    if what not in {*question_types(), *STRUCTURE}:
        problems.append(Problem(_("Choose what should be added.")))
    if not texts and what not in ("calculate", "hidden"):
        problems.append(Problem(_("Write the words in at least one language."), field="label"))
    choices: tuple[Choice, ...] = ()
    if what in WITH_CHOICES:
        try:
            choices = tuple(
                Choice(one.key, one.texts) for one in with_keys(pasted(asked.get("lines", ""), of.languages), ())
            )
        except Invalid as error:
            problems += error.problems
        else:
            problems += _wrong_choices(choices, what)
    if problems:
        raise Invalid(problems=problems)
    question = what in question_types() and what != "note"
    kind: Any = "question" if question else what
    return Item(
        None,
        kind,
        asked.get("code", "").strip() or _suggested(of, texts, kind, head),
        what if question or what == "note" else "",
        texts={"label": texts} if texts else {},
        choices=choices,
    )


def _wrong_choices(choices: tuple[Choice, ...], what: str) -> list[Problem]:
    if not choices:
        row, choice = _("Write at least one row, a line each."), _("Write at least one choice, a line each.")
        return [Problem(row if what == "matrix" else choice, field="lines")]
    keys = [one.key for one in choices]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    return [Problem(_("“%(key)s” stands in this list already.", key=key), field="lines") for key in twice]


def _suggested(of: Definition, texts: Mapping[str, str], kind: ItemKind, head: VersionHead) -> str:
    """Return a code made from the words where they are Latin, else a plain number."""
    taken = {item.code for item in of.items()} | set(look.published_codes(db.session, row_of(head).questionnaire_id))
    latin = (_NOT_A_CODE.sub("_", text.lower()).strip("_") for text in texts.values())
    stem = next((text for text in latin if text and text[0].isalpha()), "")
    if stem:
        return first_free("_".join(stem[:32].split("_")[:5]).strip("_"), taken)
    short = {"section": "page", "group": "group", "repeat": "table", "matrix": "table", "note": "note"}.get(kind, "q")
    return next(code for number in range(1, len(taken) + 2) if (code := f"{short}{number}") not in taken)


@blueprint.get("/questionnaires/<public_id>/design/shelf")
@requires(Permission.EDIT_QUESTIONNAIRE, on=version_of)
def shelf(head: VersionHead) -> ResponseReturnValue:
    """Search the questions and whole parts of all questionnaires for something worth copying here."""
    return _shelf(head, request.args) if is_draft(head) else not_a_draft(head)


def _shelf(
    head: VersionHead, asked: Mapping[str, str], problems: list[Problem] | None = None, status: int = 200
) -> ResponseReturnValue:
    words = asked.get("q", "")[:200]
    parent = asked.get("parent", "")
    questions, many = look.library(db.session, words, limit=60) if parent else ([], 0)
    whole, some = parts(db.session, words, limit=60)
    fitting = [one for one in whole if (one.kind == "section") is (parent == "")]
    of = load(head)
    folder = next((item for item in of.items() if item.code == parent), None)
    return (
        render_template(
            "questionnaires/design_shelf.html",
            head=head, words=words, questions=questions, many=many, parts=fitting, some=some, parent=parent,
            before=asked.get("before", ""), folder=label(folder) if folder else "", problems=problems or [],
            titles={name: kind.title for name, kind in question_types().items()}, own_names=own_names(),
        ),
        status,
    )  # fmt: skip


@blueprint.post("/questionnaires/<public_id>/design/shelf")
@requires(Permission.EDIT_QUESTIONNAIRE, on=version_of)
def copy_in(head: VersionHead) -> ResponseReturnValue:
    """Copy a question, or a whole part, of any questionnaire to a place of the draft."""
    asked = request.form
    chosen, _sign, code = asked.get("copy", "").partition("|")
    source = find_version(db.session, chosen)
    if source is None:
        return _shelf(head, asked, [Problem(_("Choose what should be copied."))], 422)
    inside = next((one for one in definition(db.session, source.id).items() if one.code == code), None)
    try:
        with write() as database:
            draft = locked(database, head)
            codes = new_codes(load(head), [one.code for one in inside.items()] if inside else [], draft)
            at = Place(asked.get("parent", ""), asked.get("before", ""))
            made = copy_item(database, draft, row_of(source), code, at, codes=codes, by=who()).code
    except (Invalid, Conflict) as error:
        problems = error.problems if isinstance(error, Invalid) else Invalid(error.message).problems
        return _shelf(head, asked, list(problems), error.status)
    renamed = [(old, new) for old, new in codes.items() if old != new]
    if renamed:
        told = ", ".join(f"{old} → {new}" for old, new in renamed[:8])
        notice(_("Copied. These codes were taken, so the copies have others: %(codes)s", codes=told), "info")
    else:
        notice(_("Copied."))
    return redirect(url_for("questionnaires.design", public_id=head.public_id, _anchor=f"i-{made}"), code=303)
