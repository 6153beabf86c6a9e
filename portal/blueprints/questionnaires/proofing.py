"""The proof sheet: a version on paper, every question, rule and choice, to be read and initialled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import g, render_template
from flask_babel import gettext as _

from forms.definition.changes import ROLES
from forms.definition.compiled import ALWAYS, NEVER
from forms.definition.said import said
from forms.question_types import question_types
from portal import clock
from portal.blueprints.guard import requires
from portal.blueprints.questionnaires.room import blueprint, reading_order, version_of
from portal.extensions import db
from portal.permissions import Permission
from portal.queries.questionnaires import definition
from portal.queries.version_letters import language_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flask.typing import ResponseReturnValue

    from forms.definition.model import Choice, Definition, Item
    from portal.queries.questionnaires import VersionHead

# what the sheet says in its own words, or what says nothing to a reader
_TOLD = frozenset(
    {"list_name", "matrix_rows", "parameters", "written_type", "columns", "kept_rules", "type", "checked",
     "not_available",
     "not_applicable", "repeat_count", "total", "specifies", "or_other", "scope", "soft_constraint"}
)  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One rule: what it does, in words ("" where it cannot be said), and as it is written ("" for always)."""

    does: str
    words: str
    source: str


@dataclass
class Printed:
    """One item of the sheet; ``texts`` are (what, language map); ``columns`` those of a table, ``level`` its depth."""

    code: str
    kind: str
    type: str
    level: int
    texts: list[tuple[str, Mapping[str, str]]]
    rules: list[Rule]
    facts: list[tuple[str, str]]
    choices: Sequence[Choice]
    choices_are: str = ""
    from_table: str = ""
    columns: list[Printed] = field(default_factory=list)


@blueprint.get("/questionnaires/<public_id>/proof")
@requires(Permission.VIEW_QUESTIONNAIRE, on=version_of)
def proof(head: VersionHead) -> ResponseReturnValue:
    """Print a version: every question with its words in all languages, its choices, limits and rules."""
    of = definition(db.session, head.id)
    printing = _Printing(of)
    return render_template(
        "questionnaires/proof.html",
        head=head,
        of=of,
        spoken=[(code, language_name(code)) for code in of.languages],
        pages=[(printing.item(page, 0), list(printing.inside(page, 1))) for page in of.pages],
        questions=head.questions,
        tables=[(name, len(table.rows), table.columns) for name, table in of.tables.items()],
        printed_at=clock.now(),
    )


class _Printing:
    """Makes the items of one sheet."""

    def __init__(self, of: Definition) -> None:
        self.of, self.order = of, reading_order()
        # not the compiled look-up: the rules of a draft may not be parsable yet
        self.items = {item.code: item for item in of.items()}

    def inside(self, parent: Item, level: int) -> Iterator[Printed]:
        """Yield what stands in a page or group, in order; a table holds its own columns."""
        for child in parent.children:
            printed = self.item(child, level)
            yield printed
            if child.kind in {"repeat", "matrix"}:
                printed.columns = list(self.inside(child, 0))
            elif child.children:
                yield from self.inside(child, level + 1)

    def item(self, item: Item, level: int) -> Printed:
        """Return one item as it is printed."""
        kind = question_types().get(item.type)
        return Printed(
            item.code,
            item.kind,
            str(kind.title) if kind is not None and item.kind == "question" else self._kind(item),
            level,
            [(self._role(role), item.texts[role]) for role in ROLES if any((item.texts.get(role) or {}).values())],
            list(self._rules(item)),
            list(self._facts(item)),
            () if item.settings.get("file") else item.choices,
            str(_("Rows") if item.kind == "matrix" else _("Choices")),
            str(item.settings.get("file") or ""),
        )

    def _kind(self, item: Item) -> str:
        words = {
            "section": _("Page"), "group": _("Group"), "note": _("Note"),
            "repeat": _("Table, rows are added"), "matrix": _("Table with fixed rows"),
        }  # fmt: skip
        return str(words.get(item.kind, item.kind))

    def _role(self, role: str) -> str:
        return str({
            "label": "", "hint": _("Hint"), "guidance": _("How to answer"),
            "required_message": _("Said when it is left empty"),
            "constraint_message": _("Said when an answer does not fit"),
            "soft_constraint_message": _("Said when an answer is unusual"),
        }[role])  # fmt: skip

    def _rules(self, item: Item) -> Iterator[Rule]:
        required = item.required.strip()
        if required.lower() in ALWAYS:
            yield Rule(str(_("Must be answered")), "", "")
        elif required.lower() not in NEVER:
            yield self._rule(_("Must be answered if"), required)
        named: list[tuple[str, str]] = [
            (_("Asked only if"), item.relevant), (_("Must hold"), item.constraint),
            (_("Computed as"), item.calculation), (_("Begins with"), item.default),
            (_("Offers the choices for which"), item.choice_filter),
            (_("Should hold (may be kept with a reason)"), str(item.settings.get("soft_constraint") or "")),
            (_("Number of rows"), str(item.settings.get("repeat_count") or "")),
        ]  # fmt: skip
        for does, source in named:
            if source.strip():
                yield self._rule(does, source.strip())

    def _rule(self, does: str, source: str) -> Rule:
        words = said(source, self.items, g.view.language, self.order)
        return Rule(str(does), "" if words == source else words, source)

    def _facts(self, item: Item) -> Iterator[tuple[str, str]]:
        kind = question_types().get(item.type)
        if kind is None or item.kind != "question":
            return
        if how := str(kind.how_to(item)):
            yield str(_("Takes")), how
        if unit := kind.unit(item, g.view.language):
            yield str(_("Unit")), unit
        states = [
            str(words)
            for state, words in (("not_available", _("not available")), ("not_applicable", _("not applicable")))
            if item.settings.get(state)
        ]
        if states:
            yield str(_("May also be answered")), ", ".join(states)
        if item.settings.get("total"):
            yield str(_("Total below the column")), str(_("sum"))
        if (accept := kind.accept(item)) and not how:  # else it is said above
            yield str(_("Files")), accept
        names = {setting.name: str(setting.label) for setting in kind.all_settings()} | {
            "word_budget": _("About so many words"), "owner_unit": _("Unit of the institution"),
            "evidence_required": _("Evidence required"), "indicator": _("Indicator"), "sensitive": _("Sensitive"),
            "part_of": _("Part of"),
            "appearance": _("Drawn as"),
        }  # fmt: skip
        options = {key: str(label) for setting in kind.all_settings() for key, label in setting.options if key}
        flags = {setting.word for setting in kind.all_settings() if setting.word}
        for name, kept in item.settings.items():
            # words of the appearance that say the same as a flag are told by the flag
            words = [options.get(word, word) for word in str(kept).split() if word not in flags]
            value = ", ".join(words) if name == "appearance" else kept
            if name not in _TOLD and name not in {"unit", "file"} and value not in (None, "", False, {}, []):
                yield str(names.get(name, name)), options.get(str(value)) or _plain(value)


def _plain(value: Any) -> str:
    if value is True:
        return str(_("yes"))
    if isinstance(value, dict):
        return " / ".join(f"{text} ({code})" for code, text in value.items())
    return str(value)
