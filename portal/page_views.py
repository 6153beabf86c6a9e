"""What a page shows, as plain values already in the reader's language: the view of its reader, items, tables, files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from markupsafe import Markup


class NavigationItem(NamedTuple):
    """One entry of the main navigation."""

    label: str
    url: str
    icon: str
    current: bool = False


class Language(NamedTuple):
    """A language of the portal, named in itself."""

    code: str
    name: str
    current: bool


@dataclass(frozen=True, slots=True)
class Account:
    """What the menu of one's own account says: the person, their institution or roles, where the account is."""

    name: str = ""
    detail: str = ""
    url: str = ""


@dataclass
class PageView:
    """What every page knows about its reader; a `before_request` puts it at `g.view`.

    `country` is the language map of the owner's name (ministry, committee, council), `portal_name` the map of the
    portal's own name. `digits` is "latn" or "khmr". `notice` is a (kind, text) pair, kind one of info, good, warn, bad.
    """

    language: str = "en"
    languages: Sequence[str] = ("en",)
    digits: str = "latn"
    time_zone: str = "UTC"
    country: Mapping[str, str] = field(default_factory=dict)
    portal_name: Mapping[str, str] = field(default_factory=dict)
    principal: object | None = None
    make_navigation: Callable[[], Sequence[NavigationItem]] = tuple
    notice: tuple[str, str] | None = None
    make_account: Callable[[], Account] = Account
    demo: bool = False

    @cached_property
    def navigation(self) -> Sequence[NavigationItem]:
        """Return the main navigation, made when a page is drawn (autosaves draw none)."""
        return self.make_navigation()

    @cached_property
    def account(self) -> Account:
        """Return the words of one's own account, made as late as the navigation."""
        return self.make_account()


class Posted(NamedTuple):
    """An answer as its writer posted it, which is not saved: what the control shows, its state, the revision seen."""

    raw: Sequence[str]
    state: str
    base: int


@dataclass(slots=True)
class TextInLanguage:
    """One language of a text answer: its own HTML field, value and revision."""

    language: str
    name: str
    value: str = ""
    revision: int = 0
    label: str = ""


@dataclass(slots=True)
class FileView:
    """One file or link already attached to an answer; ``number`` is that by which a text cites it, 0 for none."""

    number: int
    title: str
    url: str
    detail: str = ""
    remove_url: str = ""
    is_link: bool = False


@dataclass(slots=True)
class ColumnView:
    """One column of a table: its heading, and `total`, the sum in the table's foot (None: no sum is shown).

    `labels` is JSON: the keys of its choices by their labels in every language, so that pasted labels are understood.
    `wording` and `hint_wording` are as in `ItemView`.
    """

    code: str
    label: str
    hint: str = ""
    unit: str = ""
    required: bool = False
    kind: str = "text"
    total: str | None = None
    hidden: bool = False
    labels: str = ""
    wording: str = ""
    hint_wording: str = ""


@dataclass(slots=True)
class RowView:
    """One row of a table: `name` is `REPEAT[key]`, `label` its number or the label of a fixed row.

    `cells` are drawn one by one into `drawn`; `inner` are the tables that stand in this row.
    """

    key: str
    name: str
    label: str
    position: int = 0
    revision: int = 0
    parent: str = ""
    cells: Sequence[ItemView] = ()
    drawn: Sequence[Markup] = ()
    inner: Sequence[ItemView] = ()
    removable: bool = True


@dataclass(slots=True)
class TableView:
    """A table as its control draws it; `blank` is the row that a script copies, `removed` lists (name, words)."""

    code: str
    parent: str = ""
    fixed: bool = False
    columns: Sequence[ColumnView] = ()
    rows: Sequence[RowView] = ()
    blank: RowView | None = None
    most: int = 0
    can_add: bool = False
    removed: Sequence[tuple[str, str]] = ()

    @property
    def has_totals(self) -> bool:
        """True when a sum stands in the foot."""
        return any(column.total is not None for column in self.columns)


@dataclass(slots=True)
class ItemView:
    """One item of a questionnaire page, as the control macros draw it (plain values, already in the reader's language).

    `control` is text, choice, choices, table, file, date, rank or note; a heading of a group is control "group".
    `raw` is what the fields show (one string, or the chosen keys). `choices` are (key, label, selected). `variant`
    narrows a control (see `variant` of the question types): line, long, integer, decimal for text; search, likert,
    minimal, columns, table-list for choices; time, datetime, period, period-year for date; value for note. `how_to`
    says the form of an answer, `html` is the wording of a note. `state` is
    answered, not_applicable or not_available; `states` are the (key, label) pairs besides answered that may be chosen.
    `texts` replaces `raw` where a text is held in several languages, the national one first. `error` blocks, `message`
    is what a draft keeps beside an answer that could not be read. `table` feeds the table control; the item of a cell
    has its `row`, the ids of its headings in `labels` and control "computed" where nobody fills it in. `filtered` says
    that other answers decide which choices are on offer, `places` how many places a ranking then has at the most.
    `wording` and `hint_wording` are label and hint with `${name}` in them where answers are spoken there, else "";
    `choice_words` are such labels of choices by key.
    `memory` are the earlier answers that stand beside it. `untouched` marks a view that is shared between readers: of a
    question on which nothing was said yet, the same on every reply.
    """

    code: str
    name: str
    id: str
    label: str
    control: str = "text"
    number: str = ""
    hint: str = ""
    guidance: str = ""
    required: bool = False
    error: str = ""
    message: str = ""
    variant: str = "long"
    raw: Sequence[str] = ()
    choices: Sequence[tuple[str, str, bool]] = ()
    rows: int = 4
    word_budget: int = 0
    unit: str = ""
    placeholder: str = ""
    state: str = "answered"
    states: Sequence[tuple[str, str]] = ()
    revision: int = 0
    texts: Sequence[TextInLanguage] = ()
    files: Sequence[FileView] = ()
    upload_url: str = ""
    link: str | None = None
    accept: str = ""
    table: TableView | None = None
    row: str = ""
    labels: str = ""
    readonly: bool = False
    missing: bool = False
    hidden: bool = False
    history_url: str = ""
    who: str = ""
    how_to: str = ""
    html: str = ""
    filtered: bool = False
    places: int = 0
    wording: str = ""
    hint_wording: str = ""
    memory: Sequence[Mapping[str, Any]] = ()
    untouched: bool = False
    choice_words: Mapping[str, str] = field(default_factory=dict)
