"""Translating a draft: each text says what it replaces, so two translators never lose one; only wording changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.models import QuestionnaireVersion, VersionItem
from portal.queries.questionnaire_texts import (
    CHECKED,
    CHOICE,
    SETTING,
    TITLE,
    TextLine,
    TextPlace,
    check_name,
    lines_of,
    placeholders,
)
from portal.queries.questionnaire_versions import open_draft
from portal.queries.questionnaires import definition
from portal.services import audit
from portal.services.questionnaire_drafts import TEXT_LIMIT, TITLE_LIMIT, cleaned
from portal.services.questionnaire_versions import begin_draft, lock_draft, lock_questionnaire
from portal.table import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.orm import Session

    from forms.answers import Text
    from portal.permissions import Principal

LONGEST_NAME = 120


@dataclass(frozen=True)
class TextEdit:
    """What somebody wants one text to become; ``base`` is the digest of what they saw.

    ``checked`` names who compared it, "" takes the name away, None says nothing about it.
    """

    place: TextPlace
    language: str
    base: str
    new: str
    checked: str | None = None


@dataclass(frozen=True)
class Judged:
    """An edit with the text that stands there now ("" = none) and why it is refused (None: it is not)."""

    edit: TextEdit
    stored: str
    reason: Text | None = None


@dataclass
class TextPlan:
    """What some edits come to, each in one of the lists; ``marked``: only who checked the text changes."""

    added: list[Judged] = field(default_factory=list)
    changed: list[Judged] = field(default_factory=list)
    marked: list[Judged] = field(default_factory=list)
    unchanged: int = 0
    stale: list[Judged] = field(default_factory=list)
    refused: list[Judged] = field(default_factory=list)

    @property
    def written(self) -> list[Judged]:
        """What carrying this out would write."""
        return [*self.added, *self.changed, *self.marked]


def plan(lines: Iterable[TextLine], languages: Iterable[str], edits: Iterable[TextEdit]) -> TextPlan:
    """Hold edits against the texts as they stand; nothing is written."""
    by_place = {line.place: line for line in lines}
    edits, spoken = list(edits), set(languages)
    # taking away every language at once leaves none, though each alone would leave another
    emptied = {(edit.place, edit.language) for edit in edits if not cleaned(edit.new)}
    made = TextPlan()
    for edit in edits:
        line = by_place.get(edit.place)
        if line is None:
            gone = _l("This text is not in the questionnaire any more; somebody took its question or choice out.")
            made.refused.append(Judged(edit, "", gone))
            continue
        stored = line.texts.get(edit.language, "")
        if digest(stored) == digest(edit.new):
            _mark(made, line, Judged(edit, stored))
        elif (reason := _refusal(line, edit, spoken, emptied)) is not None:
            made.refused.append(Judged(edit, stored, reason))
        elif digest(stored) != edit.base:
            made.stale.append(Judged(edit, stored))
        else:
            (made.changed if stored.strip() else made.added).append(Judged(edit, stored))
    return made


def _mark(made: TextPlan, line: TextLine, one: Judged) -> None:
    edit = one.edit
    same = edit.checked is None or edit.checked.strip() == line.checked_by(edit.language)
    # a name beside nothing says nothing; the title has no place for one
    if same or not one.stored.strip() or edit.place.role == TITLE:
        made.unchanged += 1
    else:
        made.marked.append(one)


def _refusal(
    line: TextLine, edit: TextEdit, languages: set[str], emptied: set[tuple[TextPlace, str]]
) -> Text | None:
    new = cleaned(edit.new)
    limit = TITLE_LIMIT if edit.place.role == TITLE else TEXT_LIMIT
    if edit.language not in languages:
        return _l("The questionnaire is not asked in this language (%(language)s).", language=edit.language)
    if len(new) > limit:
        return _l("This text is longer than %(limit)s characters. Shorten it.", limit=limit)
    if not new:
        others = any(text.strip() for one, text in line.texts.items() if (edit.place, one) not in emptied)
        needed = edit.place.role in {CHOICE, TITLE, "label"}
        return None if others or not needed else _l("This text is needed in at least one language.")
    wanted, found = line.placeholders, placeholders(new)
    if missing := sorted(wanted - found):
        return _l(
            "The text has to keep %(names)s: there the answer to another question is put in.",
            names=", ".join(f"${{{name}}}" for name in missing),
        )
    if strange := sorted(found - wanted):
        return _l(
            "%(names)s stands in no other language of this text. Take it out, or have the question changed first.",
            names=", ".join(f"${{{name}}}" for name in strange),
        )
    return None


def draft_for(session: Session, version: QuestionnaireVersion, *, by: Principal) -> QuestionnaireVersion:
    """Return the draft in which a version's wording is changed: itself, the open one, or one begun from it.

    Raises:
        Conflict: if the version is a draft that was laid aside meanwhile.
    """
    if version.published_at is None:
        return lock_draft(session, version.id, by=by)
    lock_questionnaire(session, version.questionnaire_id)
    return open_draft(session, version.questionnaire_id) or begin_draft(session, version, by=by)


def save_texts(
    session: Session, draft: QuestionnaireVersion, edits: Iterable[TextEdit], *, by: Principal
) -> TextPlan:
    """Write the texts whose base still stands; stale and refused ones come back with both texts, and cost no other.

    Raises:
        NotAllowed: if ``by`` may not edit questionnaires. Conflict: if it is no draft any more.
    """
    draft = lock_draft(session, draft.id, by=by)
    found = definition(session, draft.id)
    lines = {line.place: line for line in lines_of(found)}
    made = plan(lines.values(), found.languages, edits)
    if not made.written:
        return made
    codes = {code for one in made.written for code in _codes(lines[one.edit.place])}
    items = {item.code: item for item in _items(session, draft, codes)}
    for one in made.written:
        for code in _codes(lines[one.edit.place]):
            _write(draft if one.edit.place.role == TITLE else items[code], one.edit)
    session.flush()
    audit.record(
        session, "translate_questionnaire", by=by, kind="questionnaire_version", thing=draft.public_id,
        texts=[[one.edit.place.spelled(), one.edit.language, one.stored, cleaned(one.edit.new)]
               for one in (*made.added, *made.changed)],
        checked=[[one.edit.place.spelled(), one.edit.language, one.edit.checked]
                 for one in made.written if one.edit.checked is not None],
    )  # fmt: skip
    return made


def _codes(line: TextLine) -> tuple[str, ...]:
    return (line.place.code, *line.also)


def _items(session: Session, draft: QuestionnaireVersion, codes: set[str]) -> list[VersionItem]:
    found: list[VersionItem] = []
    wanted = sorted(codes)
    for start in range(0, len(wanted), 500):
        query = select(VersionItem).where(
            VersionItem.version_id == draft.id, VersionItem.code.in_(wanted[start : start + 500])
        )
        found.extend(session.scalars(query.execution_options(populate_existing=True)))
    return found


def _write(thing: VersionItem | QuestionnaireVersion, edit: TextEdit) -> None:
    new, place = cleaned(edit.new), edit.place
    if isinstance(thing, QuestionnaireVersion):
        thing.titles = _with(thing.titles, edit.language, new)
        return
    if place.role == CHOICE:
        thing.choices = [
            one | {"texts": _with(one.get("texts") or {}, edit.language, new)}
            if one["key"] == place.key and not one.get("retired")
            else one
            for one in thing.choices
        ]
    elif place.role == SETTING:
        thing.settings = thing.settings | {place.key: _with(thing.settings.get(place.key) or {}, edit.language, new)}
    else:
        texts = thing.texts | {place.role: _with(thing.texts.get(place.role) or {}, edit.language, new)}
        thing.texts = {role: said for role, said in texts.items() if said}
    _seal(thing, edit, new)


def _seal(item: VersionItem, edit: TextEdit, new: str) -> None:
    """Keep who checked the text as it stands now; a mark on an earlier wording goes with that wording."""
    kept = item.settings.get(CHECKED)
    marks: dict[str, Any] = dict(kept) if isinstance(kept, dict) else {}
    name = " ".join((edit.checked or "").split())[:LONGEST_NAME]
    # the mark belongs to the place in this very item, also where questions share a choice
    place = check_name(edit.place, edit.language)
    if name and new:
        marks[place] = f"{digest(new)} {name}"
    else:
        marks.pop(place, None)
    settings = {name_: value for name_, value in item.settings.items() if name_ != CHECKED}
    item.settings = settings | ({CHECKED: marks} if marks else {})


def _with(texts: Mapping[str, str], language: str, new: str) -> dict[str, str]:
    said = {**texts, language: new}
    return {one: text for one, text in said.items() if text}
