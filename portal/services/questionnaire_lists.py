"""Whole lists of choices in a draft: many added at once, and "other, please specify" as one act."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from forms.definition.model import Item
from forms.definition.questions import OTHER as OTHER_WORDS
from forms.definition.questions import SPECIFY
from forms.pasted_choices import with_keys
from portal.errors import Invalid
from portal.models import VersionItem
from portal.queries.questionnaire_versions import published_codes
from portal.services.questionnaire_choices import MAX_CHOICES, add_choice
from portal.services.questionnaire_drafts import Edit, find_item, set_settings
from portal.services.questionnaire_places import Place, add_item, bring_back
from portal.services.questionnaire_versions import lock_draft

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session

    from forms.pasted_choices import NewChoice
    from portal.models import QuestionnaireVersion
    from portal.permissions import Principal

OTHER = "other"


def add_choices(
    session: Session, draft: QuestionnaireVersion, code: str, new: Iterable[NewChoice], *, by: Principal
) -> VersionItem:
    """Add several choices at the end of a list, all or none.

    Raises:
        Invalid: with every choice that cannot be added.
    """
    draft = lock_draft(session, draft.id, by=by)
    item = find_item(session, draft, code)
    made = with_keys(new, [one["key"] for one in item.choices])
    if len(item.choices) + len(made) > MAX_CHOICES:
        raise Invalid(_l("A list holds at most %(limit)s choices.", limit=MAX_CHOICES))
    problems = []
    for one in made:
        try:
            item = add_choice(session, draft, code, one.key, one.texts, by=by)
        except Invalid as error:
            problems += [
                replace(problem, message=f"{one.key}: {problem.message}", field="lines") for problem in error.problems
            ]
    if problems:
        raise Invalid(problems=problems)
    return item


def let_add_another(session: Session, draft: QuestionnaireVersion, code: str, *, by: Principal) -> VersionItem:
    """Let people answer "other" to a list, and say what: a last choice, and a text question asked when it is chosen.

    A list that has the choice already keeps it; the question comes back with its answers if it was asked before.
    """
    draft = lock_draft(session, draft.id, by=by)
    item = find_item(session, draft, code)
    if not any(one["key"] == OTHER and not one.get("retired") for one in item.choices):
        standing = next((one for one in item.choices if one["key"] == OTHER), None)
        add_choice(session, draft, code, OTHER, standing["texts"] if standing else _said(OTHER_WORDS, draft), by=by)
    set_settings(session, draft, code, [Edit("or_other", item.settings.get("or_other"), new=True)], by=by)
    name = f"{code}_{OTHER}"
    standing_item = session.query(VersionItem).filter_by(version_id=draft.id, code=name).one_or_none()
    if standing_item is not None:
        return standing_item
    at = _after(session, draft, item)
    if name in published_codes(session, draft.questionnaire_id):
        return bring_back(session, draft, name, at, by=by)
    asked = Item(
        None, "question", name, "text", texts={"label": _said(SPECIFY, draft)},
        relevant=f"selected(${{{code}}}, '{OTHER}')", settings={"specifies": code},
    )  # fmt: skip
    return add_item(session, draft, asked, at, by=by)


def _said(texts: Mapping[str, str], draft: QuestionnaireVersion) -> dict[str, str]:
    """Return words of ours in the languages of the questionnaire that we have."""
    return {one: texts[one] for one in draft.languages if one in texts} or {draft.default_language: texts["en"]}


def _after(session: Session, draft: QuestionnaireVersion, item: VersionItem) -> Place:
    """Return the place right behind an item."""
    rows = (
        session.query(VersionItem)
        .filter_by(version_id=draft.id, parent_id=item.parent_id)
        .order_by(VersionItem.position, VersionItem.id)
        .all()
    )
    parent = session.get(VersionItem, item.parent_id) if item.parent_id is not None else None
    later = [one.code for one in rows if one.position > item.position]
    return Place(parent.code if parent else "", later[0] if later else "")
