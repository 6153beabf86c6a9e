"""Storing and publishing questionnaires: what a question is stays for ever, how it is worded belongs to a version."""

from __future__ import annotations

import itertools
import os
import secrets
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, insert, or_, select

from portal import clock
from portal.errors import Conflict, Invalid
from portal.models import (
    AttachedTable,
    ItemKind,
    Question,
    QuestionChoice,
    Questionnaire,
    QuestionnaireScope,
    QuestionnaireVersion,
    VersionItem,
    VersionStatus,
)
from portal.queries.questionnaire_versions import open_draft
from portal.queries.questionnaires import FRESH, SOURCE
from portal.services import audit
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import Row
    from sqlalchemy.orm import Session

    from forms.definition.model import Choice, Definition, Item
    from portal.permissions import Principal


BATCH = 2_000  # rows written by one statement


class OpenDraft(Conflict):
    """The questionnaire has an open draft already (409)."""

    code = "open_draft"


def store(
    session: Session,
    definition: Definition,
    *,
    source_sha256: str | None,
    scope: QuestionnaireScope,
    length: str,
    instead_of: QuestionnaireVersion | None = None,
    by: Principal,
) -> QuestionnaireVersion:
    """Store a judged questionnaire as a new draft version; the same source again gives the version it made before.

    ``length`` is "short" or "full" and counts for a new questionnaire only. ``instead_of`` is the open
    draft whose place it takes; that one is laid aside.

    Raises:
        Invalid: if a question changes its type, or a choice key comes back with another meaning.
        OpenDraft: if the questionnaire has an open draft, or one opened meanwhile.
    """
    questionnaire = session.scalar(
        select(Questionnaire).where(Questionnaire.code == definition.code).with_for_update()
    )
    if questionnaire is None:
        questionnaire = Questionnaire(code=definition.code, titles=dict(definition.titles), scope=scope, length=length)
        session.add(questionnaire)
        session.flush()
    elif questionnaire.scope != scope:
        raise Invalid(
            _l(
                "Questionnaire %(code)s exists already and is asked in another way. Give this one another form_id.",
                code=definition.code,
            )
        )
    elif source_sha256 is not None and (known := _version_of_source(session, questionnaire.id, source_sha256)):
        return known
    else:
        if instead_of is not None and instead_of.status is VersionStatus.DRAFT:
            lay_aside(session, instead_of, by=by)
        refuse_second_draft(session, questionnaire.id)
    questions = _register_questions(session, questionnaire.id, definition)
    version = _add_version(session, questionnaire, definition, source_sha256)
    _add_items(session, version.id, definition.pages, questions)
    _attach_tables(session, version.id, definition)
    questionnaire.titles = dict(definition.titles)
    session.flush()
    audit.record(
        session,
        "store_questionnaire",
        by=by,
        kind="questionnaire_version",
        thing=version.public_id,
        code=definition.code,
        number=version.number,
        source=source_sha256 or "",
    )
    return version


def refuse_second_draft(session: Session, questionnaire_id: int) -> None:
    """Let a questionnaire have one open draft; call it with the questionnaire locked.

    Raises:
        OpenDraft: if it has one; two would end in two truths.
    """
    if (there := open_draft(session, questionnaire_id)) is not None:
        raise OpenDraft(
            _l("Version %(number)s is an open draft already. Go on with it, or discard it first.", number=there.number)
        )


def lay_aside(session: Session, draft: QuestionnaireVersion, *, by: Principal) -> None:
    """Lay a draft aside, read for changing it: its words stay readable, and another draft can be begun from it."""
    draft.status = VersionStatus.RETIRED
    # until this is committed it may become a draft again: not to be kept as frozen
    session.info.setdefault(FRESH, set()).add(draft.id)
    audit.record(
        session, "discard_draft", by=by, kind="questionnaire_version", thing=draft.public_id, number=draft.number
    )


def publish(session: Session, version: QuestionnaireVersion, *, by: Principal) -> QuestionnaireVersion:
    """Freeze a version, so that it can be issued; publishing it again changes nothing.

    Raises:
        Conflict: if the version is retired.
    """
    if version.status == VersionStatus.PUBLISHED:
        return version
    if version.status != VersionStatus.DRAFT:
        raise Conflict
    version.status = VersionStatus.PUBLISHED
    version.published_at = clock.now()
    version.published_by = by.actor_id
    session.info.setdefault(FRESH, set()).add(version.id)
    _retire_what_is_gone(session, version)
    audit.record(
        session,
        "publish_questionnaire",
        by=by,
        kind="questionnaire_version",
        thing=version.public_id,
        number=version.number,
    )
    return version


def retire(session: Session, version: QuestionnaireVersion, *, by: Principal) -> QuestionnaireVersion:
    """Offer a version to no further round; where it is in use it goes on."""
    if version.status != VersionStatus.RETIRED:
        version.status = VersionStatus.RETIRED
        audit.record(session, "retire_questionnaire", by=by, kind="questionnaire_version", thing=version.public_id)
    return version


def keep_source(folder: Path, sha256: str, content: bytes) -> Path:
    """Keep the file a version was made from under its hash, written so that a power cut leaves all of it or none."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{sha256}.xlsx"
    if path.exists():
        return path
    draft = folder / f".{sha256}.{secrets.token_hex(4)}"
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return path


def _version_of_source(session: Session, questionnaire_id: int, source: str) -> QuestionnaireVersion | None:
    """Return the version that a file made before; a draft that was laid aside since does not come back by itself."""
    return session.scalar(
        select(QuestionnaireVersion)
        .where(
            QuestionnaireVersion.questionnaire_id == questionnaire_id,
            QuestionnaireVersion.source_sha256 == source,
            or_(QuestionnaireVersion.status != VersionStatus.RETIRED, QuestionnaireVersion.published_at.is_not(None)),
        )
        .order_by(QuestionnaireVersion.number.desc())
        .limit(1)
    )


def _add_version(
    session: Session, questionnaire: Questionnaire, definition: Definition, source: str | None
) -> QuestionnaireVersion:
    last = session.scalar(
        select(func.max(QuestionnaireVersion.number)).where(QuestionnaireVersion.questionnaire_id == questionnaire.id)
    )
    settings = dict(definition.settings)
    if definition.version is not None:
        settings[SOURCE] = definition.version
    version = QuestionnaireVersion(
        questionnaire_id=questionnaire.id,
        number=(last or 0) + 1,
        titles=dict(definition.titles),
        languages=list(definition.languages),
        default_language=definition.default_language,
        settings=settings,
        source_sha256=source,
    )
    session.add(version)
    session.flush()
    session.info.setdefault(FRESH, set()).add(version.id)
    return version


def _register_questions(session: Session, questionnaire_id: int, definition: Definition) -> dict[str, Question]:
    """Return the question of every code, new ones made; refuse all changes of type at once."""
    # not Definition.questions(): to store a version nothing need be compiled
    asked = [item for item in definition.items() if item.kind == "question"]
    known = {
        question.code: question
        for question in session.scalars(
            select(Question).where(Question.questionnaire_id == questionnaire_id).order_by(Question.id)
        )
    }
    problems = [
        Problem(
            _l(
                "Question %(code)s was of type %(old)s and cannot become %(new)s: answers are kept under it.",
                code=item.code,
                old=known[item.code].type,
                new=item.type,
            ),
            sheet="survey",
            field=item.code,
            mend=_l("Give the new question another name and leave the old one out."),
        )
        for item in asked
        if item.code in known and known[item.code].type != item.type
    ]
    for item in asked:
        if item.code not in known:
            known[item.code] = Question(questionnaire_id=questionnaire_id, code=item.code, type=item.type)
            session.add(known[item.code])
    session.flush()
    problems += _register_choices(session, questionnaire_id, known, asked)
    if problems:
        raise Invalid(problems=problems, code="fixed_for_ever")
    return known


def _register_choices(
    session: Session, questionnaire_id: int, questions: dict[str, Question], items: Sequence[Item]
) -> list[Problem]:
    """Enter new keys in the register; report keys that were given up and come back with another meaning."""
    register = {
        (choice.question_id, choice.key): choice
        for choice in session.execute(
            select(QuestionChoice.question_id, QuestionChoice.key, QuestionChoice.retired, QuestionChoice.texts)
            .join(Question, Question.id == QuestionChoice.question_id)
            .where(Question.questionnaire_id == questionnaire_id)
        )
    }
    problems = []
    new: list[dict[str, Any]] = []
    for item in items:
        question = questions[item.code]
        # with allow_choice_duplicates a key may stand several times; the register holds it once
        for position, choice in enumerate(item.choice_by_key.values()):
            entry = register.get((question.id, choice.key))
            if entry is None:
                new.append(
                    {
                        "question_id": question.id,
                        "key": choice.key,
                        "position": position,
                        "texts": dict(choice.texts),
                        "retired": False,
                    }
                )
            elif entry.retired and not _same_meaning(entry, choice):
                problems.append(
                    Problem(
                        _l(
                            "Choice %(key)s of question %(code)s stood for “%(text)s” before; a key is never reused.",
                            key=choice.key,
                            code=item.code,
                            text=next(iter(entry.texts.values()), ""),
                        ),
                        sheet="choices",
                        field=item.code,
                        mend=_l("Give the new choice another name."),
                    )
                )
    for start in range(0, len(new), BATCH):  # rows, not objects: a long list of places makes tens of thousands
        session.execute(insert(QuestionChoice), new[start : start + BATCH])
    return problems


def _same_meaning(entry: Row[int, str, bool, dict[str, str]], choice: Choice) -> bool:
    return any(entry.texts.get(language) == text for language, text in choice.texts.items())


def _add_items(session: Session, version_id: int, pages: Sequence[Item], questions: dict[str, Question]) -> None:
    """Write the items level by level, parents first; positions count through the whole questionnaire in its order."""
    order = itertools.count(1)
    position = {item.code: next(order) for page in pages for item in page.items()}
    level: list[tuple[Item, int | None]] = [(page, None) for page in pages]
    while level:
        made = [_version_item(version_id, item, position[item.code], parent, questions) for item, parent in level]
        session.add_all(made)
        session.flush()
        below = [(child, one.id) for one, (item, _) in zip(made, level, strict=True) for child in item.children]
        for one in made:
            session.expunge(one)  # a long questionnaire need not stay in memory twice
        level = list(below)


def _attach_tables(session: Session, version_id: int, definition: Definition) -> None:
    for name, table in definition.tables.items():
        session.add(
            AttachedTable(
                version_id=version_id, name=name, columns=list(table.columns), rows=[dict(row) for row in table.rows]
            )
        )
    session.flush()


def _version_item(
    version_id: int, item: Item, position: int, parent: int | None, questions: dict[str, Question]
) -> VersionItem:
    question = questions[item.code] if item.kind == "question" else None
    settings: dict[str, Any] = dict(item.settings)
    if question is None and item.type:
        settings["type"] = item.type
    return VersionItem(
        version_id=version_id,
        parent_id=parent,
        position=position,
        kind=ItemKind(item.kind),
        code=item.code,
        question_id=question.id if question else None,
        texts={role: dict(texts) for role, texts in item.texts.items()},
        required=item.required,
        relevant=item.relevant,
        constraint=item.constraint,
        calculation=item.calculation,
        default=item.default,
        choice_filter=item.choice_filter,
        choices=[_stored_choice(choice) for choice in item.choices],
        settings=settings,
    )


def _stored_choice(choice: Choice) -> dict[str, Any]:
    stored: dict[str, Any] = {"key": choice.key, "texts": dict(choice.texts)}
    if choice.extra:
        stored["extra"] = dict(choice.extra)
    if choice.retired:
        stored["retired"] = True
    return stored


def _retire_what_is_gone(session: Session, version: QuestionnaireVersion) -> None:
    """Mark the questions and choices that the newly published version no longer holds, and those it holds again."""
    held = {
        row.question_id: {choice["key"] for choice in row.choices if not choice.get("retired")}
        for row in session.execute(
            select(VersionItem.question_id, VersionItem.choices).where(
                VersionItem.version_id == version.id, VersionItem.question_id.is_not(None)
            )
        )
    }
    for question in session.scalars(
        select(Question).where(Question.questionnaire_id == version.questionnaire_id).order_by(Question.id)
    ):
        question.retired = question.id not in held
    for choice in session.scalars(
        select(QuestionChoice)
        .join(Question, Question.id == QuestionChoice.question_id)
        .where(Question.questionnaire_id == version.questionnaire_id)
        .order_by(QuestionChoice.id)
    ):
        choice.retired = choice.key not in held.get(choice.question_id, set())
    session.flush()
