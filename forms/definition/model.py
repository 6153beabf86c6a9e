"""The compiled questionnaire: frozen values built from plain rows; a published version is cached per process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from forms.definition.compiled import Compiled

if TYPE_CHECKING:
    from collections.abc import Iterator

ItemKind: TypeAlias = Literal["section", "group", "repeat", "matrix", "question", "note"]


@dataclass(frozen=True)
class Choice:
    """One choice of a list; its key is never reused, a retired one is shown only where it was chosen before."""

    key: str
    texts: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)
    retired: bool = False


@dataclass(frozen=True)
class Table:
    """An attached table that questions look up or take their choices from: columns in order, cells as text."""

    columns: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class Item:
    """One line of a questionnaire: a page, a group, a question or a note.

    `texts` maps a role (label, hint, guidance, required_message, constraint_message,
    soft_constraint_message) to a language map. The
    expressions are source strings, "" = none. `settings` keeps what the type and the own columns say.
    """

    id: int | None
    kind: ItemKind
    code: str
    type: str = ""
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    required: str = ""
    relevant: str = ""
    constraint: str = ""
    calculation: str = ""
    default: str = ""
    choice_filter: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    children: tuple[Item, ...] = ()

    def text(self, role: str, language: str, languages: tuple[str, ...] = ()) -> str:
        """Return the text of a role in that language, else in the first of `languages`, else any, else ""."""
        return pick_text(self.texts.get(role) or {}, language, languages)

    def items(self) -> Iterator[Item]:
        """Yield this item and everything in it, depth first."""
        return iter(self._all)

    @cached_property
    def _all(self) -> tuple[Item, ...]:
        # a page is walked several times for every answer that is saved; groups may stand in hundreds of groups
        found: list[Item] = []
        waiting: list[Item] = [self]
        while waiting:
            found.append(waiting.pop())
            waiting += reversed(found[-1].children)
        return tuple(found)

    @cached_property
    def codes(self) -> frozenset[str]:
        """The codes of this item and of everything in it."""
        return frozenset(item.code for item in self._all)

    @cached_property
    def choice_by_key(self) -> Mapping[str, Choice]:
        """The choices by key."""
        found: dict[str, Choice] = {}
        for choice in self.choices:
            found.setdefault(choice.key, choice)  # with allow_choice_duplicates the first one gives the label
        return found


@dataclass(frozen=True)
class Definition:
    """A questionnaire version; `pages` are its top items, `languages` in the order of the file's columns.

    `tables` are the attached tables by name.
    """

    id: int | None
    code: str
    version: int | None
    titles: Mapping[str, str]
    languages: tuple[str, ...]
    default_language: str
    pages: tuple[Item, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)

    def items(self) -> Iterator[Item]:
        """Yield every item depth first, pages included."""
        for page in self.pages:
            yield from page.items()

    def questions(self) -> tuple[Item, ...]:
        """Return the items of kind question, in order."""
        return tuple(item for item in self.compiled.by_code.values() if item.kind == "question")

    @cached_property
    def table_rows(self) -> Mapping[str, tuple[Mapping[str, str], ...]]:
        """The rows of the attached tables by name, as a context takes them."""
        return {name: table.rows for name, table in self.tables.items()}

    @cached_property
    def spare_lists(self) -> Mapping[str, tuple[Choice, ...]]:
        """The lists of choices that no question offers, by name; a rule may look them up by instance('name')."""
        return {
            name: tuple(
                Choice(one["key"], one.get("texts", {}), one.get("extra", {}), bool(one.get("retired"))) for one in kept
            )
            for name, kept in (self.settings.get("lists") or {}).items()
        }

    @cached_property
    def reads_email(self) -> bool:
        """True when a question reads the mail address of whoever answers (XLSForm's metadata "email")."""
        return any("'person'" in item.calculation and "'email'" in item.calculation for item in self.items())

    def question(self, code: str) -> Item:
        """Return the item with that code. Raises: KeyError."""
        return self.compiled.by_code[code]

    def page_of(self, code: str) -> Item:
        """Return the page an item stands on. Raises: KeyError."""
        return self.compiled.page_by_code[code]

    @cached_property
    def compiled(self) -> Compiled:
        """Everything derived once: items by code, order of evaluation, compiled expressions."""
        return Compiled(self)


def pick_text(texts: Mapping[str, str], language: str, languages: tuple[str, ...] = ()) -> str:
    """Return the text in `language`, else the first non-blank of `languages`, else any non-blank, else ""."""
    for candidate in (language, *languages, *texts):
        text = texts.get(candidate)
        if text and text.strip():
            return text
    return ""
