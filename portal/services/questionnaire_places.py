"""The places of a draft: items are added, moved, copied, taken out of this version and brought back."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, delete, select, update

from forms.definition.changes import SOURCES
from portal.errors import Conflict, Invalid
from portal.models import ItemKind, Question, QuestionnaireVersion, VersionItem
from portal.queries.questionnaire_versions import published_codes
from portal.queries.questionnaires import definition
from portal.services import audit
from portal.services.questionnaire_drafts import check_code, find_item, question_for
from portal.services.questionnaire_versions import lock_draft
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from forms.definition.model import Choice, Item
    from portal.permissions import Principal

FOLDERS = frozenset({ItemKind.SECTION, ItemKind.GROUP, ItemKind.REPEAT, ItemKind.MATRIX})
MAX_ITEMS = 5_000


@dataclass(frozen=True)
class Place:
    """Where an item stands: in ``parent`` ("" = a page of its own), right before ``before`` ("" = as the last)."""

    parent: str = ""
    before: str = ""


class _Plan:
    """The items of a draft in their order, read once while they are being rearranged."""

    def __init__(self, session: Session, draft: QuestionnaireVersion) -> None:
        self.session, self.draft = session, draft
        rows = session.scalars(
            select(VersionItem)
            .where(VersionItem.version_id == draft.id)
            .order_by(VersionItem.position, VersionItem.id)
            .execution_options(populate_existing=True)
        ).all()
        self.items = {item.code: item for item in rows}
        self.inside: dict[int | None, list[VersionItem]] = {}
        for item in rows:
            self.inside.setdefault(item.parent_id, []).append(item)

    def find(self, code: str) -> VersionItem:
        if code not in self.items:
            raise Conflict(
                _l("“%(code)s” is not in this draft any more; somebody took it out or renamed it.", code=code)
            )
        return self.items[code]

    def parent(self, at: Place, kind: ItemKind) -> VersionItem | None:
        """Return the folder of a place, or refuse what cannot stand there."""
        if not at.parent:
            if kind is not ItemKind.SECTION:
                raise Invalid(_l("Questions, tables and notes stand on a page: choose one."))
            return None
        folder = self.find(at.parent)
        if folder.kind not in FOLDERS:
            raise Invalid(_l("“%(code)s” is no page, group or table; nothing can stand in it.", code=at.parent))
        if kind is ItemKind.SECTION:
            raise Invalid(_l("A page cannot stand inside something else."))
        if folder.kind is ItemKind.MATRIX and kind in FOLDERS:
            raise Invalid(_l("A table with fixed rows holds questions only."))
        return folder

    def put(self, item: VersionItem, at: Place) -> None:
        """Put an item, which may stand nowhere yet, at a place, and number everything again."""
        folder = self.parent(at, item.kind)
        for siblings in self.inside.values():
            if item in siblings:
                siblings.remove(item)
        target = self.inside.setdefault(folder.id if folder else None, [])
        places = [one.code for one in target]
        if at.before and at.before not in places:
            raise Conflict(
                _l("“%(code)s” does not stand there any more. Look at the draft again, then choose the place.",
                   code=at.before)
            )  # fmt: skip
        target.insert(places.index(at.before) if at.before else len(target), item)
        item.parent_id = folder.id if folder else None
        self.items[item.code] = item

    def place_of(self, item: VersionItem) -> Place:
        siblings = self.inside[item.parent_id]
        at = siblings.index(item)
        parent = next((one.code for one in self.items.values() if one.id == item.parent_id), "")
        return Place(parent, siblings[at + 1].code if at + 1 < len(siblings) else "")

    def subtree(self, item: VersionItem) -> list[VersionItem]:
        found = [item]
        for child in self.inside.get(item.id, []):
            found += self.subtree(child)
        return found

    def number(self) -> None:
        """Give all items their positions from top to bottom; what stays where it was is not written."""
        self.session.flush()
        moved: list[dict[str, int]] = []
        position = 0

        def walk(parent: int | None) -> None:
            nonlocal position
            for item in self.inside.get(parent, []):
                position += 1
                if item.position != position:
                    moved.append({"item": item.id, "place": position})
                walk(item.id)

        walk(None)
        if moved:
            self.session.connection().execute(
                update(VersionItem.__table__)  # type: ignore[arg-type] # __table__ is a Table
                .where(VersionItem.id == bindparam("item"))
                .values(position=bindparam("place")),
                moved,
            )
            self.session.expire_all()


def add_item(
    session: Session, draft: QuestionnaireVersion, item: Item, at: Place, *, by: Principal
) -> VersionItem:
    """Add a page, group, table, matrix, question or note, with all that stands in it, at a place of a draft.

    Raises:
        Invalid: if it cannot stand there, or a code cannot be a name; with every code at once.
        DuplicateCode: if a code is or was in use.
        Conflict: if the place is gone.
    """
    draft = lock_draft(session, draft.id, by=by)
    return _add(session, draft, item, at, "add_item", by=by)


def copy_item(
    session: Session,
    draft: QuestionnaireVersion,
    source: QuestionnaireVersion,
    code: str,
    at: Place,
    *,
    codes: Mapping[str, str],
    by: Principal,
) -> VersionItem:
    """Copy an item of any version of any questionnaire, with all that stands in it.

    ``codes`` gives new codes to what would clash; rules inside the copy that name a renamed item follow.

    Raises:
        Invalid: as :func:`add_item`; or if there is no such item.
    """
    draft = lock_draft(session, draft.id, by=by)
    original = next((item for item in definition(session, source.id).items() if item.code == code), None)
    if original is None:
        raise Invalid(_l("“%(code)s” is not in that version.", code=code))
    copied = _renamed(original, codes)
    return _add(session, draft, copied, at, "copy_item", by=by, source=source.public_id, original=code)


def bring_back(
    session: Session, draft: QuestionnaireVersion, code: str, at: Place, *, by: Principal
) -> VersionItem:
    """Ask a question again that an earlier version asked, as it was worded last; its answers count again.

    Raises:
        Invalid: if it never went out.
        DuplicateCode: if it stands in the draft.
    """
    draft = lock_draft(session, draft.id, by=by)
    number = published_codes(session, draft.questionnaire_id).get(code)
    if number is None:
        raise Invalid(_l("“%(code)s” never went out with this questionnaire.", code=code))
    source = session.scalars(
        select(QuestionnaireVersion).where(
            QuestionnaireVersion.questionnaire_id == draft.questionnaire_id, QuestionnaireVersion.number == number
        )
    ).one()
    original = definition(session, source.id).compiled.by_code[code]
    return _add(session, draft, original, at, "bring_back", by=by, back=True)


def move_item(
    session: Session, draft: QuestionnaireVersion, code: str, to: Place, *, was: Place | None, by: Principal
) -> VersionItem:
    """Move an item with all that stands in it; ``was`` is the place its mover saw (None: wherever it is).

    Raises:
        Conflict: if somebody else moved it meanwhile, or the new place is gone.
        Invalid: if it cannot stand there.
    """
    draft = lock_draft(session, draft.id, by=by)
    plan = _Plan(session, draft)
    item = plan.find(code)
    before = plan.place_of(item)
    if before == to:
        return item
    if was is not None and before != was:
        raise Conflict(_l("Somebody else moved “%(code)s” meanwhile; it was left where they put it.", code=code))
    inside = {one.code for one in plan.subtree(item)}
    if to.parent in inside or to.before == code:
        raise Invalid(_l("“%(code)s” cannot stand inside or before itself.", code=code))
    plan.put(item, to)
    plan.number()
    _record(session, draft, "move_item", by=by, code=code, old=vars(before), new=vars(to))
    return find_item(session, draft, code)


def retire_item(session: Session, draft: QuestionnaireVersion, code: str, *, by: Principal) -> list[str]:
    """Take an item, and all that stands in it, out of this version; answers and earlier versions keep it.

    Returns the codes taken out; done again, none.
    """
    draft = lock_draft(session, draft.id, by=by)
    plan = _Plan(session, draft)
    item = plan.items.get(code)
    if item is None:
        return []
    out = plan.subtree(item)
    codes = [one.code for one in out]
    kept = [
        {"code": one.code, "kind": str(one.kind), "texts": one.texts, **{rule: getattr(one, rule) for rule in SOURCES}}
        for one in out
    ]
    for level in _levels(plan, item):
        session.execute(delete(VersionItem).where(VersionItem.id.in_([one.id for one in level])))
    session.expire_all()
    _record(session, draft, "retire_item", by=by, code=code, items=kept)
    return codes


def _levels(plan: _Plan, item: VersionItem) -> list[list[VersionItem]]:
    """Return an item and what stands in it, level by level, the innermost first."""
    levels = [[item]]
    while below := [child for one in levels[-1] for child in plan.inside.get(one.id, [])]:
        levels.append(below)
    return levels[::-1]


def _record(session: Session, draft: QuestionnaireVersion, action: str, *, by: Principal, **details: Any) -> None:
    audit.record(session, action, by=by, kind="questionnaire_version", thing=draft.public_id, **details)


def _renamed(item: Item, codes: Mapping[str, str]) -> Item:
    """Return an item under new codes, rules and texts inside it following."""
    if not codes:
        return item
    name = re.compile(r"\$\{\s*(" + "|".join(re.escape(code) for code in codes) + r")\s*\}")

    def follow(source: str) -> str:
        return name.sub(lambda found: f"${{{codes[found[1]]}}}", source)

    def walk(one: Item) -> Item:
        return replace(
            one,
            code=codes.get(one.code, one.code),
            texts={
                role: {language: follow(text) for language, text in said.items()} for role, said in one.texts.items()
            },
            settings={key: follow(value) if isinstance(value, str) else value for key, value in one.settings.items()},
            children=tuple(walk(child) for child in one.children),
            required=follow(one.required),
            relevant=follow(one.relevant),
            constraint=follow(one.constraint),
            calculation=follow(one.calculation),
            default=follow(one.default),
            choice_filter=follow(one.choice_filter),
        )

    return walk(item)


def _add(
    session: Session,
    draft: QuestionnaireVersion,
    item: Item,
    at: Place,
    action: str,
    *,
    by: Principal,
    back: bool = False,
    **details: Any,
) -> VersionItem:
    plan = _Plan(session, draft)
    new = list(item.items())
    if len(plan.items) + len(new) > MAX_ITEMS:
        raise Invalid(_l("A questionnaire holds at most %(limit)s items.", limit=MAX_ITEMS))
    _check_codes(session, draft, new, {} if back else published_codes(session, draft.questionnaire_id))
    plan.parent(at, ItemKind(item.kind))
    made = _store(session, plan, draft, [(item, None)], back=back)
    plan.put(made, at)
    plan.number()
    _record(session, draft, action, by=by, code=item.code, kind_of_item=item.kind, at=vars(at), **details)
    return find_item(session, draft, item.code)


def _check_codes(
    session: Session, draft: QuestionnaireVersion, new: Sequence[Item], out: Mapping[str, int]
) -> None:
    problems: list[Problem] = []
    seen: set[str] = set()
    for one in new:
        try:
            check_code(session, draft, one.code, out)
        except Invalid as error:
            problems += [replace(problem, field=one.code or "code") for problem in error.problems]
        if one.code in seen:
            problems.append(
                Problem(_l("“%(code)s” stands twice in what is added.", code=one.code), field=one.code)
            )
        seen.add(one.code)
    if problems:
        raise Invalid(problems=problems, code="duplicate")


def _store(
    session: Session,
    plan: _Plan,
    draft: QuestionnaireVersion,
    items: Iterable[tuple[Item, int | None]],
    *,
    back: bool,
) -> VersionItem:
    """Write an item and what stands in it; positions are given afterwards. Returns the outermost."""
    first: VersionItem | None = None
    for item, parent in items:
        row = _row(session, draft, item, parent, back=back)
        session.add(row)
        session.flush()
        first = first or row
        plan.items[row.code] = row
        if parent is not None:
            plan.inside.setdefault(parent, []).append(row)
        if item.children:
            _store(session, plan, draft, [(child, row.id) for child in item.children], back=back)
    if first is None:
        message = "nothing to store"
        raise RuntimeError(message)
    return first


def _row(
    session: Session, draft: QuestionnaireVersion, item: Item, parent: int | None, *, back: bool
) -> VersionItem:
    settings = dict(item.settings)
    question = None
    if item.kind == "question":
        if back:
            question = session.scalars(
                select(Question).where(
                    Question.questionnaire_id == draft.questionnaire_id, Question.code == item.code
                )
            ).one()
        else:
            question = question_for(session, draft.questionnaire_id, item.code, item.type)
    elif item.type:
        settings["type"] = item.type
    return VersionItem(
        version_id=draft.id,
        parent_id=parent,
        position=0,
        kind=ItemKind(item.kind),
        code=item.code,
        question_id=question.id if question else None,
        texts={role: dict(texts) for role, texts in item.texts.items()},
        settings=settings,
        choices=[stored_choice(choice) for choice in item.choices],
        **{rule: getattr(item, rule) for rule in SOURCES},
    )


def stored_choice(choice: Choice) -> dict[str, Any]:
    """Return a choice as a version keeps it."""
    stored: dict[str, Any] = {"key": choice.key, "texts": dict(choice.texts)}
    if choice.extra:
        stored["extra"] = dict(choice.extra)
    if choice.retired:
        stored["retired"] = True
    return stored
