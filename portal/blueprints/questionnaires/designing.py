"""The designer: a questionnaire begun or changed, its outline, and the places of its items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _

from forms.designing import new_questionnaire_form
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.questionnaires.designing_outline import APART, flat, outline
from portal.blueprints.questionnaires.designing_room import (
    beside,
    find,
    first_free,
    is_draft,
    label,
    load,
    locked,
    not_a_draft,
    place_after,
)
from portal.blueprints.questionnaires.room import blueprint, row_of, version_of
from portal.database import write
from portal.errors import Conflict, Invalid, NotFound
from portal.extensions import db
from portal.models import QuestionnaireScope
from portal.permissions import Permission
from portal.queries.questionnaire_places import former_neighbours
from portal.queries.questionnaire_versions import open_draft, published_codes
from portal.reader import languages as portal_languages
from portal.services import questionnaire_versions
from portal.services.questionnaire_drafts import Edit, set_titles
from portal.services.questionnaire_places import Place, bring_back, copy_item, move_item, retire_item
from portal.services.questionnaire_starts import begin_questionnaire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from forms.definition.model import Definition
    from portal.models import QuestionnaireVersion
    from portal.queries.questionnaires import VersionHead
    from portal.table import Problem


def own_names() -> Mapping[str, str]:
    """Return the portal's languages, each named in itself."""
    return {one.code: one.name for one in portal_languages()}


@blueprint.get("/questionnaires/new")
@requires(Permission.EDIT_QUESTIONNAIRE)
def new() -> ResponseReturnValue:
    """Ask what a new questionnaire is called and whom it asks."""
    return render_template("questionnaires/design_new.html", form=new_questionnaire_form(own_names())())


@blueprint.post("/questionnaires/new")
@requires(Permission.EDIT_QUESTIONNAIRE)
def create() -> ResponseReturnValue:
    """Begin a questionnaire from nothing."""
    form = new_questionnaire_form(own_names())()
    if form.validate():
        languages = list(g.country.languages)
        page = {}
        for language in languages:
            with force_locale(language):
                page[language] = _("First page")
        try:
            with write() as database:
                version = begin_questionnaire(
                    database, form.code.data or "", form.texts("titles", languages), languages=languages, page=page,
                    scope=QuestionnaireScope(form.scope.data), length=form.length.data, by=who(),
                )  # fmt: skip
                public_id = version.public_id
        except Invalid as error:
            form.place(error.problems)
        else:
            notice(_("The questionnaire is begun. Add its first question."))
            return redirect(url_for("questionnaires.design", public_id=public_id), code=303)
    return render_template("questionnaires/design_new.html", form=form), 422


@blueprint.post("/questionnaires/<public_id>/change")
@requires(Permission.EDIT_QUESTIONNAIRE, on=version_of)
def change(head: VersionHead) -> ResponseReturnValue:
    """Open the draft of a questionnaire; begin one from this version where there is none."""
    with write() as database:
        version = locked(database, head)
        of = questionnaire_versions.lock_questionnaire(database, version.questionnaire_id)
        draft = open_draft(database, of.id)
        if draft is None:
            draft = questionnaire_versions.begin_draft(database, version, by=who())
            notice(
                _(
                    "Version %(number)s is begun as a draft; nobody is asked by it before it is published.",
                    number=draft.number,
                )
            )
        public_id = draft.public_id
    return redirect(url_for("questionnaires.design", public_id=public_id), code=303)


@blueprint.get("/questionnaires/<public_id>/design")
@requires(Permission.EDIT_QUESTIONNAIRE, on=version_of)
def design(head: VersionHead) -> ResponseReturnValue:
    """Show a draft in order, each line with what the checker says about it."""
    return _outline(head) if is_draft(head) else not_a_draft(head)


def _outline(
    head: VersionHead, problems: Sequence[Problem] = (), status: int = 200, titles: Mapping[str, Any] | None = None
) -> ResponseReturnValue:
    of = load(head)
    shown = outline(of)
    out = published_codes(db.session, row_of(head).questionnaire_id)
    present = {line.item.code for line in flat(shown.lines)}
    return (
        render_template(
            "questionnaires/design.html",
            head=head,
            definition=of,
            outline=shown,
            problems=problems,
            gone=sorted((number, code) for code, number in out.items() if code not in present)[::-1],
            beside=beside(head),
            own_names=own_names(),
            titles=titles or {},
        ),
        status,
    )


@blueprint.post("/questionnaires/<public_id>/titles")
@requires(Permission.EDIT_QUESTIONNAIRE, on=version_of)
def save_titles(head: VersionHead) -> ResponseReturnValue:
    """Word the title of the questionnaire."""
    names = [name for name in request.form if name.startswith("title@")]
    edits = [
        Edit("title", request.form.get(f"base:{name}", ""), request.form[name], name.removeprefix("title@"))
        for name in names
        if not request.form.get(f"take:{name}")
    ]
    titles = {edit.language: {"value": edit.new, "theirs": None} for edit in edits}
    try:
        with write() as database:
            done = set_titles(database, locked(database, head), edits, by=who())
    except (Invalid, Conflict) as error:
        problems = error.problems if isinstance(error, Invalid) else Invalid(error.message).problems
        return _outline(head, problems, error.status, titles)
    if done.stale:
        for one in done.stale:
            titles[one.edit.language]["theirs"] = one.stored or ""
        return _outline(head, (), 409, titles)
    notice(_("Saved."))
    return redirect(url_for("questionnaires.design", public_id=head.public_id), code=303)


@blueprint.post("/questionnaires/<public_id>/design")
@requires(Permission.EDIT_QUESTIONNAIRE, on=version_of)
def arrange(head: VersionHead) -> ResponseReturnValue:
    """Move, copy, take out or put back one item."""
    act, *words = request.form.get("do", "").split(APART)
    acts: Mapping[str, tuple[int, Callable[..., str]]] = {
        "move": (5, _move), "copy": (1, _copy), "out": (1, _take_out), "back": (1, _put_back),
    }  # fmt: skip
    count, work = acts.get(act, (-1, _move))
    if len(words) != count:
        return _outline(head, Invalid(_("Choose what should happen, by one of the buttons.")).problems, 422)
    if act == "out" and (lost := _lost(head, words[0])) and not request.form.get("sure"):
        return render_template("questionnaires/design_sure.html", head=head, code=words[0], lost=lost)
    try:
        with write() as database:
            there = work(database, locked(database, head), head, *words)
    except (Invalid, Conflict) as error:
        if not is_draft(version_of(head.public_id)):
            raise
        problems = error.problems if isinstance(error, Invalid) else Invalid(error.message).problems
        return _outline(head, problems, error.status)
    return redirect(
        url_for("questionnaires.design", public_id=head.public_id, _anchor=f"i-{there}" if there else None), code=303
    )


def _lost(head: VersionHead, code: str) -> list[tuple[str, str]]:
    """Return what is lost when an item is taken out: (code, label) of all in it that never went out."""
    of = load(head)
    item = next((one for one in of.items() if one.code == code), None)
    out = published_codes(db.session, row_of(head).questionnaire_id)
    return [(one.code, label(one)) for one in item.items() if one.code not in out] if item is not None else []


def _move(
    database: Session, draft: QuestionnaireVersion, head: VersionHead, code: str, *places: str
) -> str:
    del head
    parent, before, was_parent, was_before = places
    move_item(database, draft, code, Place(parent, before), was=Place(was_parent, was_before), by=who())
    return code


def _copy(database: Session, draft: QuestionnaireVersion, head: VersionHead, code: str) -> str:
    of = load(head)
    codes = new_codes(of, [one.code for one in find_or_conflict(of, code).items()], draft)
    copy_item(database, draft, draft, code, Place(*place_after(of, code)), codes=codes, by=who())
    notice(_("“%(code)s” is copied as “%(new)s”.", code=code, new=codes[code]))
    return codes[code]


def find_or_conflict(of: Definition, code: str) -> Any:
    """Return an item of a draft.

    Raises:
        Conflict: if somebody took it out meanwhile.
    """
    try:
        return find(of, code)
    except NotFound:
        sentence = _("“%(code)s” is not in this draft any more; somebody took it out or renamed it.", code=code)
        raise Conflict(sentence) from None


def new_codes(of: Definition, wanted: Sequence[str], draft: QuestionnaireVersion) -> dict[str, str]:
    """Return codes for a copy: each as it is where that is free in this questionnaire, else with a number."""
    taken = {item.code for item in of.items()} | set(published_codes(db.session, draft.questionnaire_id))
    codes = {}
    for code in wanted:
        codes[code] = first_free(code, taken)
        taken.add(codes[code])
    return codes


def _take_out(database: Session, draft: QuestionnaireVersion, head: VersionHead, code: str) -> str:
    of = load(head)
    around = place_after(of, code) if any(one.code == code for one in of.items()) else ("", "")
    retire_item(database, draft, code, by=who())
    notice(_("“%(code)s” is taken out of this draft.", code=code))
    return around[1] or around[0]


def _put_back(database: Session, draft: QuestionnaireVersion, head: VersionHead, code: str) -> str:
    of = load(head)
    bring_back(database, draft, code, _former_place(database, draft, of, code), by=who())
    notice(_("“%(code)s” is put back, with the answers it had.", code=code))
    return code


def _former_place(database: Session, draft: QuestionnaireVersion, of: Definition, code: str) -> Place:
    """Return where an item stood when it went out last: in the same folder, else at the end of the last page."""
    kind, parents, followers = former_neighbours(database, draft.questionnaire_id, code)
    if kind == "section" or not of.pages:
        return Place("", next((one for one in followers if one in {page.code for page in of.pages}), ""))
    here = {item.code: item for item in of.items()}
    parent = next((here[one] for one in parents if one in here), of.pages[-1])
    inside = {child.code for child in parent.children}
    return Place(parent.code, next((one for one in followers if one in inside), ""))
