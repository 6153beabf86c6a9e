"""The translation table: every text of a version side by side, edited in place; only wording changes here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.questionnaires.room import blueprint, reading_order, row_of, version_of
from portal.database import write
from portal.errors import Conflict
from portal.extensions import db
from portal.models import QuestionnaireVersion, VersionStatus
from portal.permissions import Permission, may
from portal.queries.questionnaire_texts import CHOICE, SETTING, TITLE, completeness, lines_of, read_place
from portal.queries.questionnaire_versions import open_draft
from portal.queries.questionnaires import definition
from portal.queries.version_letters import language_name
from portal.reader import digits, number
from portal.services.questionnaire_texts import TextEdit, draft_for, plan, save_texts
from portal.table import digest, pick

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flask.typing import ResponseReturnValue

    from forms.definition.model import Definition
    from portal.queries.questionnaire_texts import TextLine
    from portal.queries.questionnaires import VersionHead
    from portal.services.questionnaire_texts import TextPlan

SHOWN = 20  # texts on a page of the table: two languages of each are 300 px high on a phone
WIDE = 34  # characters that fit in a line of a field, on a phone, where the browser does not fit it to its text
MOST_LINES = 14


@dataclass
class FieldView:
    """One text in one language: what stands there, or what somebody wrote and could not save, with the reason."""

    language: str
    id: str
    text: str
    base: str
    rows: int
    checked_by: str = ""
    may_check: bool = False
    error: str = ""
    theirs: str | None = None


@dataclass
class RowView:
    """One text in all languages of the questionnaire."""

    spelled: str
    code: str
    words: str
    also: Sequence[str]
    heading: str = ""
    fields: list[FieldView] = field(default_factory=list)


def words_of(line: TextLine) -> str:
    """Say what a text is: the label of a question, a choice..."""
    place = line.place
    if place.role == CHOICE:
        return str(_("Row “%(key)s”", key=place.key) if line.kind == "matrix" else _("Choice “%(key)s”", key=place.key))
    if place.role == SETTING:
        return str({"unit": _("Unit"), "statement": _("Words beside the box")}.get(place.key, place.key))
    if place.role == "label":
        return str({
            "section": _("Title of the page"), "group": _("Heading of the group"), "repeat": _("Title of the table"),
            "matrix": _("Title of the table"), "note": _("Note"),
        }.get(line.kind) or _("Question"))  # fmt: skip
    return str({
        TITLE: _("Title of the questionnaire"), "hint": _("Hint"), "guidance": _("How to answer"),
        "required_message": _("Said when it is left empty"),
        "constraint_message": _("Said when an answer does not fit"),
        "soft_constraint_message": _("Said when an answer is unusual"),
    }[place.role])  # fmt: skip


@blueprint.get("/questionnaires/<public_id>/translations")
@requires(Permission.VIEW_QUESTIONNAIRE, on=version_of)
def translations(head: VersionHead) -> ResponseReturnValue:
    """Show the texts of a version in all its languages, a page of them at a time."""
    return _table(head)


def _table(head: VersionHead, made: TextPlan | None = None, status: int = 200) -> ResponseReturnValue:
    of = definition(db.session, head.id)
    lines = lines_of(of)
    troubled = {one.edit.place for one in (*made.stale, *made.refused)} if made is not None else set()
    wanted, on_page = request.args.get("missing", ""), request.args.get("page", "")
    found = [
        line
        for line in lines
        if (line.place in troubled if troubled else _wanted(line, wanted, on_page, of.languages))
    ]
    pages = max(1, -(-len(found) // SHOWN))
    at = 1 if troubled else min(max(request.args.get("n", 1, type=int), 1), pages)
    draft = open_draft(db.session, row_of(head).questionnaire_id)
    editable = may(who(), Permission.EDIT_QUESTIONNAIRE) and (
        head.status is VersionStatus.DRAFT or (draft is None and head.published_at is not None)
    )
    rows = list(_rows(of, found if troubled else found[(at - 1) * SHOWN : at * SHOWN], made))
    return (
        render_template(
            "questionnaires/translations.html",
            head=head,
            spoken=[(code, language_name(code)) for code in of.languages],
            done=completeness(lines, of.languages),
            names={code: language_name(code) for code in of.languages},
            rows=rows,
            troubled=bool(troubled),
            errors=[(one.id, one.error) for row in rows for one in row.fields if one.error],
            editable=editable,
            may_edit=may(who(), Permission.EDIT_QUESTIONNAIRE),
            draft=draft if draft is not None and draft.id != head.id else None,
            filters=_filters(of, wanted, on_page),
            kept=_kept(),
            address=lambda n: url_for(
                "questionnaires.translations", public_id=head.public_id, missing=wanted or None, page=on_page or None,
                n=n if n > 1 else None,
            ),
            at=at, pages=pages, total=len(found),
        ),
        status,
    )  # fmt: skip


def _wanted(line: TextLine, missing: str, page: str, languages: Sequence[str]) -> bool:
    if page and line.page != page:
        return False
    if missing == "any":
        return any(line.missing(language) for language in languages)
    return not missing or line.missing(missing)


def _filters(of: Definition, missing: str, page: str) -> list[dict[str, Any]]:
    order = reading_order()
    each = [(code, _("Missing in %(language)s", language=language_name(code))) for code in of.languages]
    return [
        {
            "name": "missing", "label": _("Which texts"), "kind": "select", "value": missing,
            "choices": [("any", _("Missing in any language")), *each], "none": _("All texts"),
        },
        {
            "name": "page", "label": _("Page"), "kind": "select", "value": page, "none": _("All pages"),
            "choices": [(one.code, one.text("label", order[0], order) or one.code) for one in of.pages],
        },
    ]  # fmt: skip


def _rows(of: Definition, lines: Sequence[TextLine], made: TextPlan | None) -> Iterator[RowView]:
    order = reading_order()
    titles = {page.code: page.text("label", order[0], order) or page.code for page in of.pages}
    found = (*made.stale, *made.refused) if made is not None else ()
    trouble = {(judged.edit.place, judged.edit.language): judged for judged in found}
    last = ""
    for number_, line in enumerate(lines, start=1):
        row = RowView(line.place.spelled(), line.place.code, words_of(line), line.also)
        if line.page != last:
            row.heading = titles.get(line.page, "")
            last = line.page
        for language in of.languages:
            stored = line.texts.get(language, "")
            one = trouble.get((line.place, language))
            text = stored if one is None else one.edit.new
            view = FieldView(language, f"t{number_}-{language}", text, digest(stored), _height(line.texts, text))
            view.checked_by = line.checked_by(language)
            view.may_check = bool(stored.strip()) and language != of.default_language and line.place.role != TITLE
            if one is not None:
                view.error = str(one.reason or _("Somebody else changed this text meanwhile; both are shown."))
                view.theirs = stored if one.reason is None else None
            row.fields.append(view)
        yield row


def _height(texts: Mapping[str, str], own: str) -> int:
    """Return how many lines a field gets: those of the longest language, so that a row stays in step."""
    def needed(text: str) -> int:
        return sum(1 + len(line) // WIDE for line in text.split("\n"))

    return min(MOST_LINES, max(needed(text) for text in (own, *texts.values())))


@blueprint.post("/questionnaires/<public_id>/translations")
@requires(Permission.EDIT_QUESTIONNAIRE, on=version_of)
def save_translations(head: VersionHead) -> ResponseReturnValue:
    """Save the texts of a page of the table; on a published version a draft is begun for them."""
    of = definition(db.session, head.id)
    edits = list(_posted(of.languages))
    made = plan(lines_of(of), of.languages, edits)
    if not made.written:
        if made.stale or made.refused:
            return _table(head, made, 409 if made.stale else 422)
        notice(_("Nothing was changed."), "info")
        return _back(head.public_id)
    try:
        with write() as database:
            version = database.get_one(QuestionnaireVersion, head.id, populate_existing=True)
            draft = draft_for(database, version, by=who())
            made = save_texts(database, draft, edits, by=who())
            target, begun = draft.public_id, draft.id != head.id
            number_ = draft.number
    except Conflict as error:
        notice(str(error.message), "warn")
        return _back(head.public_id)
    count = len(made.written)
    told = digits(ngettext("%(num)s text was saved.", "%(num)s texts were saved.", count))
    if begun:
        told = f"{told} {_('They stand in version %(number)s, a draft.', number=number(number_))}"
    if made.stale or made.refused:
        return _table(version_of(target), made, 409 if made.stale else 422)
    notice(told)
    return _back(target)


def _posted(languages: Sequence[str]) -> Iterator[TextEdit]:
    """Yield what a post changes: a text that is another one than its writer saw, or one that they checked."""
    name = pick(getattr(who(), "names", {}), g.view.language, reading_order()) or who().login
    for field_name, new in request.form.items():
        kind, _sign, rest = field_name.partition(":")
        language, _sign, spelled = rest.partition(":")
        place = read_place(spelled)
        if kind != "text" or place is None or language not in languages:
            continue
        base = request.form.get(f"base:{rest}", "")
        checked = name if request.form.get(f"check:{rest}") is not None else None
        if digest(new) != base or checked is not None:
            yield TextEdit(place, language, base, new, checked)


def _kept() -> dict[str, Any]:
    """Return which part of the table the reader was looking at."""
    return {key: request.args[key] for key in ("missing", "page", "n") if request.args.get(key)}


def _back(public_id: str) -> ResponseReturnValue:
    return redirect(url_for("questionnaires.translations", public_id=public_id, **_kept()), code=303)
