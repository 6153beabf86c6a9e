"""Editing a draft's words, rules and settings: each edit says what it replaces, so two writers never lose a text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from forms.definition.changes import ROLES, SOURCES
from forms.definition.reading import good_name
from forms.reading import holdable
from portal.errors import Conflict, DuplicateCode, Invalid
from portal.models import Question, QuestionnaireVersion, VersionItem
from portal.queries.questionnaire_versions import published_codes
from portal.services import audit
from portal.services.questionnaire_versions import lock_draft
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sqlalchemy.orm import Session

    from portal.permissions import Principal

TEXT_LIMIT = 20_000
TITLE_LIMIT = 500
TITLE = "title"


@dataclass(frozen=True)
class Edit:
    """What somebody wants one thing to become; ``base`` is what they saw ("" or None: there was nothing).

    ``field`` is a text role (with a ``language``), a rule, or a setting (whose values are plain JSON).
    """

    field: str
    base: Any
    new: Any
    language: str = ""


@dataclass(frozen=True)
class StaleEdit:
    """An edit of something that somebody else changed meanwhile: both texts. ``gone``: its item was taken out."""

    edit: Edit
    stored: Any
    gone: bool = False


@dataclass
class Edited:
    """What came of some edits: what was saved, what was stale; neither costs the other."""

    saved: list[Edit] = field(default_factory=list)
    stale: list[StaleEdit] = field(default_factory=list)


def set_titles(session: Session, draft: QuestionnaireVersion, edits: Iterable[Edit], *, by: Principal) -> Edited:
    """Word the title of the questionnaire, per language (``field`` is "title")."""
    draft = lock_draft(session, draft.id, by=by)
    titles = dict(draft.titles)
    done = Edited()
    for edit in edits:
        _settle(done, edit, titles, edit.language, _text(edit, title=True))
    if done.saved:
        draft.titles = {language: text for language, text in titles.items() if text}
        _record(session, draft, "", done, by=by)
    return done


def set_wording(
    session: Session, draft: QuestionnaireVersion, code: str, edits: Iterable[Edit], *, by: Principal
) -> Edited:
    """Word an item's label, hint, guidance or messages, per language.

    Raises:
        Invalid: if a text is too long, or a field is no text.
    """
    return _edit(session, draft, code, edits, _wording, by=by)


def set_rules(
    session: Session, draft: QuestionnaireVersion, code: str, edits: Iterable[Edit], *, by: Principal
) -> Edited:
    """Set an item's rules: required, relevant, constraint, calculation, default, choice_filter; "" takes one away.

    A rule that cannot be parsed is kept: the draft is judged as a whole, with all mistakes at once.
    """
    return _edit(session, draft, code, edits, _rules, by=by)


def set_settings(
    session: Session, draft: QuestionnaireVersion, code: str, edits: Iterable[Edit], *, by: Principal
) -> Edited:
    """Set what the type and our own columns say of an item; None or "" takes a setting away."""
    return _edit(session, draft, code, edits, _settings, by=by)


def rename_item(session: Session, draft: QuestionnaireVersion, code: str, new: str, *, by: Principal) -> VersionItem:
    """Give an item another code while it has never gone out; rules and texts that name it follow.

    Raises:
        Invalid: if it went out (its answers are kept under the code), or the new code cannot be a name.
        DuplicateCode: if the new code is or was in use.
    """
    draft = lock_draft(session, draft.id, by=by)
    found = find_item(session, draft, code)
    if new == code:
        return found
    out = published_codes(session, draft.questionnaire_id)
    if code in out:
        raise Invalid(
            _l(
                "“%(code)s” went out with version %(number)s: answers are kept under this code, so it stays. Take the "
                "question out and add another one instead.",
                code=code,
                number=out[code],
            ),
            code="code_is_fixed",
        )
    check_code(session, draft, new, out)
    if found.question_id is not None:
        old = session.get_one(Question, found.question_id)
        found.question_id = question_for(session, draft.questionnaire_id, new, old.type).id
    found.code = new
    for one in session.scalars(_items(draft)):
        _follow(one, code, new)
    session.flush()
    audit.record(
        session, "rename_item", by=by, kind="questionnaire_version", thing=draft.public_id, code=code, new=new
    )
    return found


def _items(draft: QuestionnaireVersion) -> Any:
    return select(VersionItem).where(VersionItem.version_id == draft.id).order_by(VersionItem.position, VersionItem.id)


def find_item(session: Session, draft: QuestionnaireVersion, code: str) -> VersionItem:
    """Return an item of a draft by its code.

    Raises:
        Conflict: if there is none (any more).
    """
    found = session.scalar(select(VersionItem).where(VersionItem.version_id == draft.id, VersionItem.code == code))
    if found is None:
        raise Conflict(_l("“%(code)s” is not in this draft any more; somebody took it out or renamed it.", code=code))
    return found


def check_code(session: Session, draft: QuestionnaireVersion, code: str, out: Mapping[str, int]) -> None:
    """Refuse a code that cannot be a name, stands in the draft already, or went out before.

    Raises:
        Invalid, DuplicateCode: with the sentence.
    """
    if not code or not good_name(code):
        sentence = _l(
            "A name starts with a letter and holds letters, digits, hyphens, points and underscores, no spaces, "
            "at most 64 signs."
        )
        raise Invalid(sentence, problems=[Problem(sentence, field="code")])
    if code in out:
        raise DuplicateCode(
            "code",
            _l(
                "“%(code)s” was asked in version %(number)s; its answers are kept under this code. Bring that question "
                "back, or choose another code.",
                code=code,
                number=out[code],
            ),
        )
    taken = session.scalar(
        select(VersionItem.id).where(VersionItem.version_id == draft.id, VersionItem.code == code)
    )
    if taken is not None:
        raise DuplicateCode("code", _l("“%(code)s” stands in this draft already. Choose another code.", code=code))


def question_for(session: Session, questionnaire_id: int, code: str, type_: str) -> Question:
    """Return the question of a code that never went out: a new one, or one that a discarded draft left behind."""
    found = session.scalar(
        select(Question).where(Question.questionnaire_id == questionnaire_id, Question.code == code)
    )
    if found is None:
        found = Question(questionnaire_id=questionnaire_id, code=code, type=type_)
        session.add(found)
    elif found.type != type_:
        found.type = type_
    session.flush()
    return found


def _edit(
    session: Session,
    draft: QuestionnaireVersion,
    code: str,
    edits: Iterable[Edit],
    write: Callable[[VersionItem, Iterable[Edit], Edited], None],
    *,
    by: Principal,
) -> Edited:
    draft = lock_draft(session, draft.id, by=by)
    found = session.scalar(select(VersionItem).where(VersionItem.version_id == draft.id, VersionItem.code == code))
    done = Edited()
    if found is None:
        # what somebody wrote for an item that is gone is theirs to keep
        done.stale = [StaleEdit(edit, None, gone=True) for edit in edits]
        return done
    write(found, edits, done)
    if done.saved:
        _record(session, draft, code, done, by=by)
    return done


def _record(session: Session, draft: QuestionnaireVersion, code: str, done: Edited, *, by: Principal) -> None:
    audit.record(
        session, "edit_questionnaire", by=by, kind="questionnaire_version", thing=draft.public_id, code=code,
        edits=[[edit.field, edit.language, edit.base, edit.new] for edit in done.saved],
    )  # fmt: skip


def _wording(item: VersionItem, edits: Iterable[Edit], done: Edited) -> None:
    texts = {role: dict(said) for role, said in item.texts.items()}
    for edit in edits:
        if edit.field not in ROLES or not edit.language:
            raise Invalid(_l("“%(field)s” is no text of a question.", field=edit.field))
        _settle(done, edit, texts.setdefault(edit.field, {}), edit.language, _text(edit))
    if done.saved:
        kept = {role: {language: text for language, text in said.items() if text} for role, said in texts.items()}
        item.texts = {role: said for role, said in kept.items() if said}


def _rules(item: VersionItem, edits: Iterable[Edit], done: Edited) -> None:
    for edit in edits:
        if edit.field not in SOURCES:
            raise Invalid(_l("“%(field)s” is no rule of a question.", field=edit.field))
        rules = {edit.field: str(getattr(item, edit.field))}
        _settle(done, edit, rules, edit.field, _text(edit))
        setattr(item, edit.field, rules[edit.field])


def _settings(item: VersionItem, edits: Iterable[Edit], done: Edited) -> None:
    settings = dict(item.settings)
    for edit in edits:
        if edit.field == "type" or not edit.field:
            raise Invalid(_l("The type of a question is fixed. Add another question instead."))
        new = holdable(edit.new).strip() if isinstance(edit.new, str) else edit.new
        _settle(done, edit, settings, edit.field, None if _nothing(new) else new)
    if done.saved:
        item.settings = {name: value for name, value in settings.items() if not _nothing(value)}


def _settle(done: Edited, edit: Edit, kept: dict[str, Any], name: str, new: Any) -> None:
    """Write one thing if it still is what the writer saw; else keep both."""
    stored = kept.get(name)
    if _same(stored, new):
        return
    if not _same(stored, edit.base):
        done.stale.append(StaleEdit(edit, stored))
        return
    kept[name] = new
    done.saved.append(edit)


def _nothing(value: Any) -> bool:
    return value is None or value is False or value == ""


def _same(one: Any, other: Any) -> bool:
    """Compare as a person would: nothing is nothing, and line ends are the browser's business."""
    if _nothing(one) or _nothing(other):
        return _nothing(one) and _nothing(other)
    if isinstance(one, str) and isinstance(other, str):
        return one.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()
    return type(one) is type(other) and bool(one == other)


def cleaned(text: object) -> str:
    """Return a text as it is kept: line ends of Unix, no blanks around it, nothing that a database cannot hold."""
    return holdable(str(text or "")).replace("\r\n", "\n").strip()


def _text(edit: Edit, *, title: bool = False) -> str:
    new = cleaned(edit.new)
    limit = TITLE_LIMIT if title else TEXT_LIMIT
    if len(new) > limit:
        sentence = _l("This text is longer than %(limit)s characters. Shorten it.", limit=limit)
        raise Invalid(sentence, problems=[Problem(sentence, field=edit.field)])
    return new


def _follow(item: VersionItem, code: str, new: str) -> None:
    """Let rules and texts name an item by its new code."""
    name = re.compile(r"\$\{\s*" + re.escape(code) + r"\s*\}")
    put = f"${{{new}}}"
    for rule in SOURCES:
        if "${" in (source := getattr(item, rule)):
            setattr(item, rule, name.sub(lambda _found: put, source))
    item.texts = {
        role: {language: name.sub(lambda _found: put, text) for language, text in said.items()}
        for role, said in item.texts.items()
    }
    item.settings = {
        key: name.sub(lambda _found: put, value) if isinstance(value, str) else value
        for key, value in item.settings.items()
    }
