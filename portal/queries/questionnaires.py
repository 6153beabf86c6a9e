"""Questionnaires as stored: lists, and the compiled definition of a version, cached once it is frozen."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from sqlalchemy import event, func, or_, select
from sqlalchemy.orm import Session, aliased

from forms.definition.model import Choice, Definition, Item, Table
from portal.errors import NotFound
from portal.models import (
    Assignment,
    AttachedTable,
    ItemKind,
    Question,
    Questionnaire,
    QuestionnaireVersion,
    VersionItem,
    VersionStatus,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Engine, Row, Select
    from sqlalchemy.orm import SessionTransaction

    from portal.models import QuestionnaireScope

# a definition of 150 questions takes about 1 MB; a portal works with a handful of versions at a time
KEPT = 64
FRESH = "portal_fresh_versions"
SOURCE = "source_version"


@dataclass(frozen=True)
class _Kept:
    definition: Definition
    question_ids: Mapping[str, int]


_kept: WeakKeyDictionary[Engine, OrderedDict[int, _Kept]] = WeakKeyDictionary()
_guard = Lock()


@event.listens_for(Session, "after_transaction_end")
def _settled(session: Session, transaction: SessionTransaction) -> None:
    # the end of a savepoint settles nothing: what is around it may still be rolled back
    if transaction.parent is None:
        session.info.pop(FRESH, None)


def definition(session: Session, version_id: int) -> Definition:
    """Return a version compiled, with ``Item.id`` its place in the version; published ones are kept per process.

    Raises:
        NotFound: if there is no such version.
    """
    return _load(session, version_id).definition


def question_ids(session: Session, version_id: int) -> Mapping[str, int]:
    """Return the question behind each code of a version.

    Raises:
        NotFound: if there is no such version.
    """
    return _load(session, version_id).question_ids


def _load(session: Session, version_id: int) -> _Kept:
    engine = session.get_bind().engine
    with _guard:
        shelf = _kept.setdefault(engine, OrderedDict())
        if found := shelf.get(version_id):
            shelf.move_to_end(version_id)
            return found
    head = session.execute(
        select(QuestionnaireVersion.__table__, Questionnaire.code)
        .join(Questionnaire, Questionnaire.id == QuestionnaireVersion.questionnaire_id)
        .where(QuestionnaireVersion.id == version_id)
    ).first()
    if head is None:
        raise NotFound
    rows = session.execute(
        select(VersionItem.__table__, Question.type)
        .outerjoin(Question, Question.id == VersionItem.question_id)
        .where(VersionItem.version_id == version_id)
        .order_by(VersionItem.position, VersionItem.id)
    ).all()
    tables = session.execute(
        select(AttachedTable.name, AttachedTable.columns, AttachedTable.rows)
        .where(AttachedTable.version_id == version_id)
        .order_by(AttachedTable.id)
    ).all()
    ids = {row.code: row.question_id for row in rows if row.question_id is not None}
    made = _Kept(_definition(head, rows, tables), ids)
    # what this very transaction publishes may still be rolled back, and its number be given to another version
    if head.status != VersionStatus.DRAFT and version_id not in session.info.get(FRESH, ()):
        with _guard:
            shelf[version_id] = made
            while len(shelf) > KEPT:
                shelf.popitem(last=False)
    return made


def _definition(head: Row[Any], rows: Sequence[Row[Any]], tables: Sequence[Row[Any]]) -> Definition:
    inside: dict[int | None, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        inside[row.parent_id].append(row)

    def items(parent: int | None) -> tuple[Item, ...]:
        return tuple(_item(row, items(row.id)) for row in inside.get(parent, ()))

    return Definition(
        id=head.id,
        code=head.code,
        version=head.number,
        titles=head.titles,
        languages=tuple(head.languages),
        default_language=head.default_language,
        pages=items(None),
        settings=head.settings,
        tables={row.name: Table(tuple(row.columns), tuple(row.rows)) for row in tables},
    )


def _item(row: Row[Any], children: tuple[Item, ...]) -> Item:
    settings = dict(row.settings)
    # notes keep their type among the settings: only questions have one for ever
    type_ = settings.pop("type", "")
    return Item(
        id=row.id,
        kind=str(row.kind),  # type: ignore[arg-type] # a checked column
        code=row.code,
        type=row.type or type_,
        texts=row.texts,
        required=row.required,
        relevant=row.relevant,
        constraint=row.constraint,
        calculation=row.calculation,
        default=row.default,
        choice_filter=row.choice_filter,
        settings=settings,
        choices=tuple(
            Choice(one["key"], one.get("texts", {}), one.get("extra", {}), bool(one.get("retired", False)))
            for one in row.choices
        ),
        children=children,
    )


def is_frozen(session: Session, version_id: int) -> bool:
    """Tell whether there is such a version and its wording can no longer change."""
    status = session.scalar(select(QuestionnaireVersion.status).where(QuestionnaireVersion.id == version_id))
    return status is not None and status != VersionStatus.DRAFT


def is_asked_of(session: Session, version_id: int, institution_id: int) -> bool:
    """Tell whether anything was ever issued to an institution with this version."""
    asked = select(Assignment.id).where(
        Assignment.version_id == version_id,
        Assignment.institution_id == institution_id,
        Assignment.issued_at.is_not(None),
    )
    return bool(session.scalar(select(asked.exists())))


@dataclass(frozen=True)
class VersionHead:
    """One version of a questionnaire, with the number of questions somebody is asked; a table counts as one."""

    id: int
    public_id: str
    code: str
    number: int
    status: VersionStatus
    titles: Mapping[str, str]
    languages: tuple[str, ...]
    scope: QuestionnaireScope
    length: str
    source_sha256: str | None
    published_at: datetime | None
    created_at: datetime
    questions: int


_FOLDER = aliased(VersionItem)
_TABLES = (ItemKind.REPEAT, ItemKind.MATRIX)
_COUNT = (
    select(func.count(VersionItem.id))
    .outerjoin(_FOLDER, _FOLDER.id == VersionItem.parent_id)
    .where(
        VersionItem.version_id == QuestionnaireVersion.id,
        VersionItem.kind.in_((ItemKind.QUESTION, *_TABLES)),
        VersionItem.calculation == "",
        or_(_FOLDER.id.is_(None), _FOLDER.kind.not_in(_TABLES)),
    )
    .correlate(QuestionnaireVersion)
    .scalar_subquery()
)
_HEAD: Select[*tuple[Any, ...]] = select(
    QuestionnaireVersion.id,
    QuestionnaireVersion.public_id,
    Questionnaire.code,
    QuestionnaireVersion.number,
    QuestionnaireVersion.status,
    QuestionnaireVersion.titles,
    QuestionnaireVersion.languages,
    Questionnaire.scope,
    Questionnaire.length,
    QuestionnaireVersion.source_sha256,
    QuestionnaireVersion.published_at,
    QuestionnaireVersion.created_at,
    _COUNT.label("questions"),
).join(Questionnaire, Questionnaire.id == QuestionnaireVersion.questionnaire_id)


def versions(session: Session, *, published: bool = False) -> list[VersionHead]:
    """List the versions of all questionnaires, newest first within each; on demand only those that may be issued."""
    wanted = _HEAD.order_by(Questionnaire.code, QuestionnaireVersion.number.desc(), QuestionnaireVersion.id)
    if published:
        wanted = wanted.where(QuestionnaireVersion.status == VersionStatus.PUBLISHED)
    return [_head(row) for row in session.execute(wanted)]


def find_version(session: Session, public_id: str) -> VersionHead | None:
    """Find one version by its public id."""
    row = session.execute(_HEAD.where(QuestionnaireVersion.public_id == public_id)).first()
    return _head(row) if row else None


def find_by_code(session: Session, code: str, number: int | None = None) -> VersionHead | None:
    """Find a version by questionnaire code: the number given, else the newest."""
    wanted = _HEAD.where(Questionnaire.code == code).order_by(QuestionnaireVersion.number.desc()).limit(1)
    if number is not None:
        wanted = wanted.where(QuestionnaireVersion.number == number)
    row = session.execute(wanted).first()
    return _head(row) if row else None


def _head(row: Row[*tuple[Any, ...]]) -> VersionHead:
    found = dict(row._mapping)  # noqa: SLF001 - the documented way to a mapping
    found["languages"] = tuple(found["languages"])
    return VersionHead(**found)
