"""The life of a version: a draft begun from any version, judged, published (frozen), retired; nothing is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, insert, select

from forms.definition.spelling import judge
from portal.errors import Conflict, Invalid
from portal.models import (
    AttachedTable,
    Question,
    QuestionChoice,
    Questionnaire,
    QuestionnaireVersion,
    VersionItem,
    VersionStatus,
)
from portal.permissions import Permission, require
from portal.queries.questionnaires import SOURCE, definition, question_ids
from portal.services import audit, questionnaires
from portal.table import Problem, pick

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from forms.definition.model import Definition, Item
    from portal.permissions import Principal


def lock_questionnaire(session: Session, questionnaire_id: int) -> Questionnaire:
    """Read a questionnaire again inside ``write()``, locked on PostgreSQL (SQLite has one writer)."""
    return session.scalars(
        select(Questionnaire)
        .where(Questionnaire.id == questionnaire_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def lock_draft(session: Session, version_id: int, *, by: Principal) -> QuestionnaireVersion:
    """Read a draft again inside ``write()`` for changing it.

    Raises:
        NotAllowed: if ``by`` may not edit questionnaires.
        Conflict: if it is no draft (any more).
    """
    require(by, Permission.EDIT_QUESTIONNAIRE)
    version = session.scalars(
        select(QuestionnaireVersion)
        .where(QuestionnaireVersion.id == version_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if version.status is VersionStatus.PUBLISHED:
        raise Conflict(_l("This version is published and does not change any more. Begin a draft from it."))
    if version.status is VersionStatus.RETIRED:
        raise Conflict(_l("This version is laid aside and does not change any more. Begin a draft from it."))
    return version


def begin_draft(session: Session, version: QuestionnaireVersion, *, by: Principal) -> QuestionnaireVersion:
    """Begin a draft with everything that a version holds; the version itself stays as it is.

    Raises:
        OpenDraft: if the questionnaire has an open draft.
    """
    require(by, Permission.EDIT_QUESTIONNAIRE)
    of = lock_questionnaire(session, version.questionnaire_id)
    questionnaires.refuse_second_draft(session, of.id)
    last = session.scalar(
        select(func.max(QuestionnaireVersion.number)).where(QuestionnaireVersion.questionnaire_id == of.id)
    )
    draft = QuestionnaireVersion(
        questionnaire_id=of.id,
        number=(last or 0) + 1,
        titles=dict(version.titles),
        languages=list(version.languages),
        default_language=version.default_language,
        settings={**version.settings, SOURCE: version.number},
    )
    session.add(draft)
    session.flush()
    _copy_items(session, version.id, draft.id)
    for table in session.scalars(
        select(AttachedTable).where(AttachedTable.version_id == version.id).order_by(AttachedTable.id)
    ):
        session.add(AttachedTable(version_id=draft.id, name=table.name, columns=table.columns, rows=table.rows))
    audit.record(
        session, "begin_draft", by=by, kind="questionnaire_version", thing=draft.public_id,
        code=of.code, number=draft.number, begun_from=version.number,
    )  # fmt: skip
    return draft


_COPIED = tuple(
    column.key for column in VersionItem.__table__.columns if column.key not in {"id", "version_id", "parent_id"}
)


def _copy_items(session: Session, source_id: int, target_id: int) -> None:
    """Copy all places of a version, level by level, so that each finds its parent: two statements a level."""
    rows = session.execute(
        select(VersionItem.__table__)
        .where(VersionItem.version_id == source_id)
        .order_by(VersionItem.position, VersionItem.id)
    ).all()
    codes = {row.id: row.code for row in rows}
    made: dict[str, int] = {}
    level = [row for row in rows if row.parent_id is None]
    while level:
        session.execute(
            insert(VersionItem.__table__),  # type: ignore[arg-type] # __table__ is a Table
            [
                {name: getattr(row, name) for name in _COPIED}
                | {
                    "version_id": target_id,
                    "parent_id": made[codes[row.parent_id]] if row.parent_id is not None else None,
                }
                for row in level
            ],
        )
        made = {
            row.code: row.id
            for row in session.execute(
                select(VersionItem.code, VersionItem.id).where(VersionItem.version_id == target_id)
            )
        }
        above = {row.id for row in level}
        level = [row for row in rows if row.parent_id in above]


def discard_draft(session: Session, draft: QuestionnaireVersion, *, by: Principal) -> QuestionnaireVersion:
    """Lay a draft aside; its words stay readable, and another draft can be begun from it. Done again, nothing changes.

    Raises:
        Conflict: if it was published.
    """
    if draft.status is VersionStatus.RETIRED and draft.published_at is None:
        return draft
    draft = lock_draft(session, draft.id, by=by)
    questionnaires.lay_aside(session, draft, by=by)
    return draft


def what_is_wrong(session: Session, draft: QuestionnaireVersion) -> tuple[Sequence[Problem], Sequence[Problem]]:
    """Return everything that keeps a draft from being published, and what its author should know."""
    found = definition(session, draft.id)
    judged = judge(found)
    errors = [Problem(one.message, field=one.field, mend=one.mend) for one in judged if one.severity == "error"]
    warnings = [Problem(one.message, field=one.field, mend=one.mend) for one in judged if one.severity != "error"]
    errors += _keys_reused(_register(session, draft.questionnaire_id), found)
    return errors, warnings


def publish_draft(session: Session, draft: QuestionnaireVersion, *, by: Principal) -> QuestionnaireVersion:
    """Judge a draft as a file would be judged, and freeze it; publishing it again changes nothing.

    Raises:
        Invalid: with every mistake at once.
        Conflict: if it was laid aside.
    """
    require(by, Permission.EDIT_QUESTIONNAIRE)
    of = lock_questionnaire(session, draft.questionnaire_id)
    session.refresh(draft)
    if draft.status is VersionStatus.PUBLISHED:
        return draft
    draft = lock_draft(session, draft.id, by=by)
    errors, _warnings = what_is_wrong(session, draft)
    if errors:
        raise Invalid(problems=errors, code="not_publishable")
    _enter_choices(session, draft.questionnaire_id, definition(session, draft.id), question_ids(session, draft.id))
    of.titles = dict(draft.titles)
    return questionnaires.publish(session, draft, by=by)


def retire_version(session: Session, version: QuestionnaireVersion, *, by: Principal) -> QuestionnaireVersion:
    """Offer a published version to no further round; where it is in use it goes on.

    Raises:
        Conflict: if it is a draft (discard it instead).
    """
    require(by, Permission.EDIT_QUESTIONNAIRE)
    lock_questionnaire(session, version.questionnaire_id)
    session.refresh(version)
    if version.status is VersionStatus.DRAFT:
        raise Conflict(_l("A draft is discarded, not retired."))
    return questionnaires.retire(session, version, by=by)


def _register(session: Session, questionnaire_id: int) -> dict[tuple[str, str], QuestionChoice]:
    return {
        (code, choice.key): choice
        for code, choice in session.execute(
            select(Question.code, QuestionChoice)
            .join(Question, Question.id == QuestionChoice.question_id)
            .where(Question.questionnaire_id == questionnaire_id)
        )
    }


def same_meaning(known: Mapping[str, str], texts: Mapping[str, str]) -> bool:
    """Tell whether a choice that comes back still says what it said: one language word for word is enough."""
    return any(known.get(language, "").strip() == text.strip() for language, text in texts.items() if text.strip())


def reused(code: str, key: str, known: Mapping[str, str]) -> Problem:
    """Return the sentence that refuses a key with another meaning."""
    return Problem(
        _l(
            "Choice %(key)s of question %(code)s stood for “%(text)s” before; a key is never reused.",
            key=key,
            code=code,
            text=pick(known, ""),
        ),
        field=code,
        mend=_l("Give the new choice another name."),
    )


def _keys_reused(register: Mapping[tuple[str, str], QuestionChoice], found: Definition) -> list[Problem]:
    problems = []
    for item in _with_choices(found):
        for choice in item.choices:
            entry = register.get((item.code, choice.key))
            # one that is not offered here keeps its words too: answers that hold it are read by this version
            if entry is not None and entry.retired and not same_meaning(entry.texts, choice.texts):
                problems.append(reused(item.code, choice.key, entry.texts))
    return problems


def _with_choices(found: Definition) -> Iterable[Item]:
    # not questions(): the rules of a draft may not be parsable yet
    return (item for item in found.items() if item.kind == "question" and item.choices)


def _enter_choices(
    session: Session, questionnaire_id: int, found: Definition, ids: Mapping[str, int]
) -> None:
    """Enter the keys that go out for the first time, and keep the wording under which each is known now."""
    register = _register(session, questionnaire_id)
    for item in _with_choices(found):
        # with allow_choice_duplicates a key may stand several times; the register holds it once
        for position, choice in enumerate(item.choice_by_key.values()):
            entry = register.get((item.code, choice.key))
            texts: dict[str, Any] = dict(choice.texts)
            if entry is None:
                session.add(
                    QuestionChoice(question_id=ids[item.code], key=choice.key, position=position, texts=texts)
                )
            elif entry.texts != texts and not choice.retired:
                entry.texts = texts
    session.flush()
