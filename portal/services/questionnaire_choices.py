"""The choices of a question in a draft: added, reworded, reordered, retired; a key never changes what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.errors import Conflict, DuplicateCode, Invalid
from portal.models import QuestionChoice, QuestionnaireVersion, VersionItem
from portal.services import audit
from portal.services.questionnaire_drafts import TEXT_LIMIT, Edit, Edited, StaleEdit, find_item
from portal.services.questionnaire_drafts import _settle as settle
from portal.services.questionnaire_drafts import _text as clean
from portal.services.questionnaire_versions import lock_draft, reused, same_meaning
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from portal.permissions import Principal

MAX_CHOICES = 10_000
LONGEST_KEY = 100


def add_choice(
    session: Session,
    draft: QuestionnaireVersion,
    code: str,
    key: str,
    texts: Mapping[str, str],
    *,
    before: str = "",
    extra: Mapping[str, str] | None = None,
    by: Principal,
) -> VersionItem:
    """Add a choice in front of another one ("" = as the last); a key that was retired comes back if it says the same.

    Raises:
        DuplicateCode: if the key stands in the list.
        Invalid: if the key was used for something else, holds a space, or has no words.
    """
    draft = lock_draft(session, draft.id, by=by)
    item = _with_choices(session, draft, code)
    key = key.strip()
    said = {language: text for language, text in ((one, texts[one].strip()) for one in texts) if text}
    _check(key, said, item)
    kept = [dict(one) for one in item.choices]
    standing = next((one for one in kept if one["key"] == key), None)
    if standing is not None and not standing.get("retired"):
        raise DuplicateCode("key", _l("“%(key)s” stands in this list already.", key=key))
    known = dict(standing["texts"]) if standing is not None else _retired_texts(session, item, key)
    if known is not None and not same_meaning(known, said):
        raise Invalid(problems=[reused(code, key, known)], code="key_reused")
    kept = [one for one in kept if one["key"] != key]
    keys = [one["key"] for one in kept]
    if before and before not in keys:
        raise Conflict(_l("“%(code)s” does not stand there any more. Look at the draft again, then choose the place.",
                          code=before))  # fmt: skip
    made: dict[str, Any] = {"key": key, "texts": said}
    if extra:
        made["extra"] = dict(extra)
    kept.insert(keys.index(before) if before else len(kept), made)
    _write(session, draft, item, kept, "add_choice", by=by, key=key, texts=said)
    return item


def reword_choice(
    session: Session, draft: QuestionnaireVersion, code: str, key: str, edits: Iterable[Edit], *, by: Principal
) -> Edited:
    """Word a choice, per language (``field`` is "label"); it goes on meaning what it meant.

    A choice or question that is gone meanwhile gives the words back as stale.
    """
    draft = lock_draft(session, draft.id, by=by)
    item = session.scalar(select(VersionItem).where(VersionItem.version_id == draft.id, VersionItem.code == code))
    done = Edited()
    kept = [dict(one) for one in item.choices] if item is not None else []
    choice = next((one for one in kept if one["key"] == key), None)
    if item is None or choice is None:
        done.stale = [StaleEdit(edit, None, gone=True) for edit in edits]
        return done
    texts = dict(choice["texts"])
    for edit in edits:
        settle(done, edit, texts, edit.language, clean(edit))
    if done.saved:
        choice["texts"] = {language: text for language, text in texts.items() if text}
        if not choice["texts"]:
            raise Invalid(_l("A choice needs words in at least one language."))
        _write(
            session, draft, item, kept, "reword_choice", by=by, key=key,
            edits=[[edit.language, edit.base, edit.new] for edit in done.saved],
        )  # fmt: skip
    return done


def order_choices(
    session: Session,
    draft: QuestionnaireVersion,
    code: str,
    keys: Sequence[str],
    *,
    was: Sequence[str],
    by: Principal,
) -> VersionItem:
    """Put the choices in another order; ``was`` is the order its writer saw.

    Raises:
        Conflict: if the list changed meanwhile, or the two orders hold different choices.
    """
    draft = lock_draft(session, draft.id, by=by)
    item = _with_choices(session, draft, code)
    standing = {one["key"]: one for one in item.choices}
    if list(standing) == list(keys):
        return item
    if list(standing) != list(was) or sorted(standing) != sorted(keys):
        raise Conflict(_l("Somebody else changed this list meanwhile; look at it again."))
    _write(session, draft, item, [dict(standing[key]) for key in keys], "order_choices", by=by, keys=list(keys))
    return item


def retire_choice(session: Session, draft: QuestionnaireVersion, code: str, key: str, *, by: Principal) -> VersionItem:
    """Offer a choice no longer; where it was chosen it is still shown. One that never went out is taken away.

    Raises:
        Invalid: if no choice would be left.
    """
    draft = lock_draft(session, draft.id, by=by)
    item = _with_choices(session, draft, code)
    kept = [dict(one) for one in item.choices]
    choice = next((one for one in kept if one["key"] == key), None)
    if choice is None or choice.get("retired"):
        return item
    if sum(1 for one in kept if not one.get("retired")) == 1:
        raise Invalid(_l("This is the last choice. Add another one first, or take the question out."))
    if item.question_id is None or _known(session, item, key):
        choice["retired"] = True
    else:
        kept.remove(choice)
    _write(session, draft, item, kept, "retire_choice", by=by, key=key, texts=choice["texts"])
    return item


def bring_choice_back(
    session: Session, draft: QuestionnaireVersion, code: str, key: str, *, by: Principal
) -> VersionItem:
    """Offer a retired choice again, as it was worded."""
    draft = lock_draft(session, draft.id, by=by)
    item = _with_choices(session, draft, code)
    kept = [dict(one) for one in item.choices]
    choice = next((one for one in kept if one["key"] == key), None)
    if choice is None:
        raise Conflict(_l("“%(key)s” is not in this list any more.", key=key))
    if choice.pop("retired", False):
        _write(session, draft, item, kept, "bring_choice_back", by=by, key=key)
    return item


def _with_choices(session: Session, draft: QuestionnaireVersion, code: str) -> VersionItem:
    item = find_item(session, draft, code)
    if not item.choices:
        raise Invalid(_l("“%(code)s” has no choices.", code=code))
    return item


def _check(key: str, said: Mapping[str, str], item: VersionItem) -> None:
    problems = []
    if not key or len(key.split()) != 1 or len(key) > LONGEST_KEY:
        sentence = _l("Write a short name without spaces, for example in_progress; the label may be as long as needed.")
        problems.append(Problem(sentence, field="key"))
    if not said:
        problems.append(Problem(_l("A choice needs words in at least one language."), field="label"))
    if any(len(text) > TEXT_LIMIT for text in said.values()):
        problems.append(
            Problem(_l("This text is longer than %(limit)s characters. Shorten it.", limit=TEXT_LIMIT), field="label")
        )
    if len(item.choices) >= MAX_CHOICES:
        problems.append(Problem(_l("A list holds at most %(limit)s choices.", limit=MAX_CHOICES), field="key"))
    if problems:
        raise Invalid(problems=problems)


def _known(session: Session, item: VersionItem, key: str) -> QuestionChoice | None:
    return session.scalar(
        select(QuestionChoice).where(QuestionChoice.question_id == item.question_id, QuestionChoice.key == key)
    )


def _retired_texts(session: Session, item: VersionItem, key: str) -> dict[str, str] | None:
    """Return what a key that is not in this list stood for in another version."""
    found = _known(session, item, key) if item.question_id is not None else None
    return dict(found.texts) if found is not None else None


def _write(
    session: Session,
    draft: QuestionnaireVersion,
    item: VersionItem,
    choices: list[dict[str, Any]],
    action: str,
    *,
    by: Principal,
    **details: Any,
) -> None:
    item.choices = choices
    session.flush()
    audit.record(
        session, action, by=by, kind="questionnaire_version", thing=draft.public_id, code=item.code, **details
    )
