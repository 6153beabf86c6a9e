"""The page of one item: what it shows, what a post of it means, what somebody else saved meanwhile."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask import request, url_for

from forms.question_types import question_type
from forms.reading import holdable
from portal.blueprints.questionnaires.designing_fields import WINDOW, Fields
from portal.blueprints.questionnaires.designing_preview import drawn
from portal.blueprints.questionnaires.designing_room import beside, label, mistakes, path_to
from portal.blueprints.questionnaires.designing_rules import RuleReader, RuleView, columns_of, rules_of
from portal.blueprints.questionnaires.room import reading_order, row_of
from portal.extensions import db
from portal.queries.questionnaire_versions import published_codes
from portal.services.questionnaire_choices import reword_choice
from portal.services.questionnaire_drafts import Edit, rename_item, set_rules, set_settings, set_wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session
    from werkzeug.datastructures import MultiDict

    from forms.definition.model import Definition, Item
    from portal.models import QuestionnaireVersion
    from portal.permissions import Principal
    from portal.queries.questionnaires import VersionHead
    from portal.services.questionnaire_drafts import StaleEdit

TABLES = frozenset({"repeat", "matrix"})


@dataclass(frozen=True)
class Stale:
    """What somebody else saved meanwhile: the field it concerns ("" = it has no place any more), both texts."""

    name: str
    what: str
    mine: str
    theirs: str


class ItemPage:
    """One item of a draft on its page; ``posted`` is what came from it, None when it is opened."""

    def __init__(
        self, head: VersionHead, of: Definition, item: Item, posted: MultiDict[str, str] | None = None
    ) -> None:
        self.head, self.of, self.item, self.posted = head, of, item, posted
        self.path = path_to(of, item.code)
        in_table = any(one.kind in TABLES for one in self.path)
        self.fields = Fields(item, of.languages, posted, in_table=in_table)
        self.reader = RuleReader(of, item, posted)
        self.stale: list[Stale] = []

    # what was posted

    def wrong(self) -> list[tuple[str, str]]:
        """Return (field id, sentence) of what cannot be saved as it was posted."""
        found = self.fields.settings_wrong()
        for rule in rules_of(self.item):
            _source, error = self.reader.said(rule)
            if error:
                found.append((f"rule-{rule}-source", error))
        return found

    def save(self, session: Session, draft: QuestionnaireVersion, *, by: Principal) -> str:
        """Save all that was posted, each edit against what its writer saw; returns the code the item has now.

        What somebody else changed meanwhile stays theirs and is told by ``stale``.
        """
        posted: Any = self.posted
        code = self.item.code
        if (wanted := posted.get("code", code).strip()) != code:
            code = rename_item(session, draft, code, wanted, by=by).code
        self._note(set_wording(session, draft, code, self.fields.text_edits(), by=by).stale)
        self._note(set_rules(session, draft, code, self._rule_edits(), by=by).stale, "rule:")
        self._note(set_settings(session, draft, code, self.fields.settings_edits(), by=by).stale, "setting:")
        for key, edits in self.fields.choice_edits().items():
            self._note(reword_choice(session, draft, code, key, edits, by=by).stale, f"choice:{key}")
        return code

    def _rule_edits(self) -> list[Edit]:
        posted: Any = self.posted
        return [
            Edit(rule, posted.get(f"base:rule:{rule}", ""), self.reader.said(rule)[0])
            for rule in rules_of(self.item)
            if f"rule:{rule}" in posted and not self.fields.taken(f"rule:{rule}")
        ]

    def _note(self, stale: Iterable[StaleEdit], kind: str = "") -> None:
        for one in stale:
            if kind.startswith("choice:"):
                name = f"{kind}@{one.edit.language}"
            else:
                name = f"{kind}{one.edit.field}" + (f"@{one.edit.language}" if one.edit.language else "")
            self.stale.append(
                Stale("" if one.gone else name, name, _spoken(one.edit.new), _spoken(one.stored))
            )

    # what is shown

    def typed(self) -> Item:
        """Return the item as the page says it now."""
        rules: dict[str, Any] = {rule: self.reader.said(rule)[0] for rule in rules_of(self.item)}
        return replace(self.fields.typed(), **rules)

    def context(self, problems: Sequence[tuple[str, str]] = (), stale: Sequence[Stale] = ()) -> dict[str, Any]:
        """Return what the template draws; ``stale`` are the fields that meet what somebody else saved."""
        typed = self.typed() if self.posted is not None else self.item
        now = replace(self.of, pages=tuple(_with(page, typed) for page in self.of.pages))
        said = mistakes(now).get(self.item.code, [])
        rules = [self.reader.view(rule, said) for rule in rules_of(self.item)]
        self._meet(stale, rules)
        out = published_codes(db.session, row_of(self.head).questionnaire_id)
        start = max(0, request.args.get("from", 0, type=int))
        placed = {rule.name for rule in rules}
        around = [one.code for one in self.of.items()]
        at = around.index(self.item.code)
        return {
            "head": self.head,
            "definition": self.of,
            "item": self.item,
            "typed": typed,
            "code": self.posted.get("code", self.item.code) if self.posted is not None else self.item.code,
            "title": label(typed),
            "path": [(one.code, label(one)) for one in self.path],
            "kind": question_type(self.item.type) if self.item.kind == "question" else None,
            "out": out.get(self.item.code, 0),
            "fields": self.fields,
            "base_settings": json.dumps(self.fields.base_settings, ensure_ascii=False, sort_keys=True),
            "rules": rules,
            "subjects": {rule.name: self.reader.offered(rule.name) for rule in rules},
            "columns": columns_of(self.item),
            "choices": self.fields.choices(start),
            "choices_from": start,
            "window": WINDOW,
            "told": [one for one in said if one.column not in placed],
            "problems": problems,
            "stale": stale,
            "looks": self.looks(typed),
            "previous": around[at - 1] if at else "",
            "next": around[at + 1] if at + 1 < len(around) else "",
            "beside": beside(self.head),
            "look_url": url_for("questionnaires.look", public_id=self.head.public_id, code=self.item.code),
        }

    def looks(self, typed: Item) -> list[tuple[str, Any]]:
        """Return the item as an institution will see it, per language; nothing for pages and tables."""
        if typed.kind not in ("question", "note"):
            return []
        order = [one for one in reading_order() if one in self.of.languages] or list(self.of.languages)
        return [(one, drawn(self.of, typed, one, order)) for one in order]

    def _meet(self, stale: Sequence[Stale], rules: Sequence[RuleView]) -> None:
        """Put what somebody else saved beside the fields it concerns; saving once more then means "keep mine"."""
        by_name = {one.name: one for one in stale if one.name}
        for texts in self.fields.texts:
            for words in texts.words:
                if found := by_name.get(words.name):
                    words.theirs = words.base = found.theirs
        for rule in rules:
            if found := by_name.get(f"rule:{rule.name}"):
                rule.theirs = rule.base = found.theirs
        for one in stale:
            if one.name.startswith("setting:"):
                name = one.name.removeprefix("setting:")
                if name in self.item.settings:
                    self.fields.base_settings[name] = self.item.settings[name]
                else:
                    self.fields.base_settings.pop(name, None)

    def meet_choices(self, choices: Sequence[Any], stale: Sequence[Stale]) -> None:
        """Put what somebody else saved beside the words of the choices it concerns."""
        by_name = {one.name: one for one in stale if one.name}
        for choice in choices:
            for words in choice.words:
                if found := by_name.get(words.name):
                    words.theirs = words.base = found.theirs


def _spoken(value: Any) -> str:
    if value is None or value == "":
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _with(item: Item, new: Item) -> Item:
    """Return a page with one of its items put in anew."""
    if item.code == new.code:
        return new
    if not item.children:
        return item
    return replace(item, children=tuple(_with(child, new) for child in item.children))


def written(posted: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what somebody wrote into a page whose item is gone: (field, text), to be copied elsewhere."""
    kept = []
    for name, text in posted.items():
        kind, colon, rest = name.partition(":")
        if text.strip() and ("@" in name if not colon else kind in ("rule", "choice")):
            kept.append((rest or name, holdable(text)))
    return kept
