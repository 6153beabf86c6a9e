"""What templates may use: filters, globals and the view of the present request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import cached_property, lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal
from flask import current_app, has_app_context, url_for
from flask.globals import app_ctx
from flask_babel import get_locale, gettext, ngettext
from jinja2 import pass_eval_context
from markupsafe import Markup, escape

from forms.wording import has_markup
from portal import assets, compiled, wording
from portal.queries.register import CITED
from portal.table import pick

if TYPE_CHECKING:
    from flask import Flask
    from flask.ctx import AppContext
    from jinja2.nodes import EvalContext

KHMER_DIGITS = str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩")
DATE_PATTERNS = {"long": "d MMMM y", "short": "d MMM y", "day": "d MMM", "weekday": "EEEE d MMMM y"}


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
    """One file already attached to an answer."""

    number: int
    title: str
    url: str
    detail: str = ""
    remove_url: str = ""


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


def present() -> AppContext:
    """Return the application's context: one way through Flask's proxies instead of one per thing asked of it."""
    return cast("AppContext", app_ctx._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 - no public way


def view() -> Any:
    """Return the view of the present request; a plain one where none was set (an error before sign-in)."""
    found = present().g.get("view")
    return PageView() if found is None else found


def current_language() -> str:
    """Return the language code of the present page."""
    return str(view().language)


def languages() -> tuple[Language, ...]:
    """List the portal's languages, each named in itself, in the order of the settings."""
    page = view()
    return _languages(tuple(page.languages), str(page.language))


@lru_cache(maxsize=64)
def _languages(codes: tuple[str, ...], current: str) -> tuple[Language, ...]:
    return tuple(Language(code, _own_name(code), code == current) for code in codes)


@lru_cache(maxsize=64)
def _own_name(code: str) -> str:
    name = Locale.parse(code.replace("-", "_")).get_language_name() or code
    return name[:1].upper() + name[1:]


@lru_cache(maxsize=64)
def _locale(code: str) -> Locale:
    return Locale.parse(code.replace("-", "_"))


def country() -> str:
    """Return the owner's name in the current language, never blank."""
    return localized(view().country) or gettext("Recommendation follow-up portal")


def citing(text: str, url: str) -> Markup | str:
    """Let [E12] in a text lead to its place in the register of evidence; "" as address leaves the text as it is."""
    if not url or "[E" not in text:
        return text
    out, at = Markup(), 0
    for found in CITED.finditer(text):
        out += escape(text[at : found.start()])
        out += Markup('<a href="{}#e-{}">{}</a>').format(url, int(found[1]), found[0])
        at = found.end()
    return out + escape(text[at:])


def portal_name() -> str:
    """Return the portal's own name in the current language."""
    return localized(getattr(view(), "portal_name", {})) or gettext("Recommendation follow-up portal")


def localized(texts: Mapping[str, str] | str | None, language: str | None = None) -> str:
    """Choose the text of a language map for the current language, else the first that is not blank."""
    if not texts:
        return ""
    if isinstance(texts, str):
        return texts
    page = view()
    return pick(texts, language or page.language, tuple(page.languages))


def text_language(texts: Mapping[str, str] | str | None) -> str:
    """Name the language that `localized` would show, for a `lang` attribute."""
    language = current_language()
    if not texts or isinstance(texts, str) or (texts.get(language) or "").strip():
        return language
    ordered = [*view().languages, *texts]
    return next((code for code in ordered if (texts.get(code) or "").strip()), language)


def digits(value: object) -> str:
    """Write the digits of a text as the reader prefers; separators stay as they are."""
    text = "" if value is None else str(value)
    return text.translate(KHMER_DIGITS) if view().digits == "khmr" else text


def number(value: float | Decimal | None, places: int | None = None) -> str:
    """Group and write a number in the reader's digits; blank for None.

    Babel swaps the separators with Khmer digits, so Latin digits are formatted and then replaced.
    """
    if value is None:
        return ""
    pattern = None if places is None else "#,##0" + ("." + "0" * places if places else "")
    return digits(format_decimal(value, format=pattern, locale=_locale(current_language()), numbering_system="latn"))


def percent(value: float | Decimal | None, places: int = 0) -> str:
    """Write a share (0.72) as a percentage (72%); blank for None."""
    return "" if value is None else f"{number(Decimal(str(value)) * 100, places)}%"


def date_text(value: date | datetime | None, form: str = "long") -> str:
    """Write a date, or the local day of an instant: form is long, short, day or weekday."""
    if value is None:
        return ""
    day = _local(value).date() if isinstance(value, datetime) else value
    return digits(format_date(day, format=DATE_PATTERNS[form], locale=_locale(current_language())))


def time_text(value: datetime | time | None) -> str:
    """Write the local time of day as 14:02."""
    if value is None:
        return ""
    moment = _local(value) if isinstance(value, datetime) else value
    return digits(f"{moment.hour:02}:{moment.minute:02}")


def datetime_text(value: datetime | None, form: str = "short") -> str:
    """Write an instant as day and local time."""
    return "" if value is None else f"{date_text(value, form)} {time_text(value)}"


def iso(value: date | datetime | None) -> str:
    """Write a date or an instant for a `datetime` attribute."""
    return "" if value is None else value.isoformat()


def _local(value: datetime) -> datetime:
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.astimezone(_zone(str(view().time_zone)))


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def asset(name: str) -> str:
    """Return the address of a built asset ("css/portal.css")."""
    manifest = current_app.extensions.get("assets")
    return url_for("static", filename=name) if manifest is None else str(manifest.url(name))


def icon(name: str, label: str = "", css: str = "") -> Markup:
    """Draw an icon in the colour of its text; without a label it is hidden from screen readers.

    A page points at the one file of icons, which a browser keeps; what does not stand there is drawn in the page.

    Raises:
        KeyError: no such icon in Bootstrap Icons.
    """
    manifest = present().app.extensions.get("assets") if has_app_context() else None
    return _icon(name, label, css, manifest.url(assets.ICONS) if manifest is not None else "")


@lru_cache(maxsize=512)
def _icon(name: str, label: str, css: str, address: str) -> Markup:
    inner = assets.icons()[name]
    if address and name in assets.icons_named():
        inner = Markup('<use href="{}#{}"></use>').format(address, name)
    role = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon{}" viewBox="0 0 16 16" fill="currentColor" focusable="false" {}>{}</svg>').format(
        f" {escape(css)}" if css else "", role, Markup(inner)  # noqa: S704 - our own wheel's file, read at start
    )


def answer_words() -> SimpleNamespace:
    """Return the fixed words of the answering page, kept per language: drawing a question translates nothing."""
    page = view()
    kept = wording.present().words.kept
    key = ("answer", str(page.language), str(page.digits))
    found: SimpleNamespace | None = kept.get(key)
    if found is None:
        found = kept[key] = _read_words()
    return found


def _read_words() -> SimpleNamespace:
    required = Markup('<span class="question-required">{}</span>').format(gettext("required"))
    return SimpleNamespace(
        required=required,
        alarm=icon("exclamation-circle-fill"),
        guidance=gettext("How to answer"),
        words=gettext("About %(count)s words", count="{n}"),
        cannot=gettext("Cannot answer this?"),
        answered=gettext("I answer the question"),
        history=gettext("Earlier versions"),
        other_language=gettext("The same answer in another language"),
        choose=gettext("Choose one"),
        clear_choice=gettext("Clear my choice"),
        remove=gettext("Remove"),
        files=gettext("Files attached"),
        period_from=gettext("From"),
        period_to=gettext("to (included)"),
        narrow=gettext("Search the list"),
        none_found=gettext("Nothing found. Try a shorter word."),
        some_found=gettext("%(found)s of %(all)s choices", found="{found}", all="{all}"),
        none_offered=gettext("No choice fits your other answers yet."),
        show_choices=gettext("Show the %(count)s choices", count="{n}"),
        row=gettext("Row"),
        total=gettext("Total"),
        add_row=gettext("Add a row"),
        add_in_row=gettext("Add a row here"),
        later=gettext("This table has not arrived yet: it comes when the line is back. Saving the page brings it too."),
        remove_row=gettext("Remove this row"),
        move_up=gettext("Move up"),
        move_down=gettext("Move down"),
        row_acts=gettext("Move or remove row"),
        full=gettext("This table is full: it takes at most %(most)s rows.", most="{n}"),
        none_yet=gettext("There is no row yet."),
        paste=gettext("You can copy cells in Excel and paste them here."),
        removed_rows=gettext("Removed rows"),
        restore=gettext("Put back"),
        gone=gettext("The row was removed; its answers are kept."),
        figure=gettext("If no answer…"),
        yes=gettext("Yes"),
        calendar=gettext("Calendar"),
        stored=gettext("What you typed is kept, but it cannot be read yet."),
    )


@pass_eval_context
def _said(context: EvalContext, message: str, **values: Any) -> str:
    """Say a sentence of a template in the locale in force; in HTML, sentence and values are escaped.

    Each sentence is looked up once per locale and set of words: Flask-Babel asks its context several times for each,
    and a page has some fifty. The locale is Flask-Babel's, not the page's, so that mails are written in their reader's.
    """
    here = present()
    locale = getattr(here.g.get("_flask_babel"), "babel_locale", None) or get_locale()
    kept = here.app.extensions["wording"].words.kept
    key = (locale.language, locale.territory, context.autoescape) if locale else ("", None, context.autoescape)
    sentences: dict[str, str] | None = kept.get(key)
    if sentences is None:
        sentences = kept[key] = {}
    found = sentences.get(message)
    if found is None:
        found = sentences[message] = _safe(gettext(message), message) if context.autoescape else gettext(message)
    if not values and "%" not in found:
        return found
    try:
        return found % values
    except wording.UNFORMATTABLE:
        return _shipped(lambda texts: str(texts.ugettext(message)), found, message, values, html=context.autoescape)


@pass_eval_context
def _said_of(context: EvalContext, singular: str, plural: str, num: int, **values: Any) -> str:
    """Say a sentence of a template that counts."""
    values.setdefault("num", num)

    def look(texts: Any) -> str:
        return str(texts.ungettext(singular, plural, num))

    text = look(wording.domain().get_translations())
    found = _safe(text, singular) if context.autoescape else text
    try:
        return found % values
    except wording.UNFORMATTABLE:
        return _shipped(look, found, singular, values, html=context.autoescape)


def _safe(text: str, message: str) -> Markup:
    """Return words as HTML: only a message that is written with markup keeps it."""
    return Markup(text) if has_markup(message) else escape(text)  # noqa: S704 - the markup of the message is ours, other is refused


def _shipped(look: Callable[[Any], str], said: str, message: str, values: Mapping[str, Any], *, html: bool) -> str:
    """Say the shipped text where the words that were set cannot be filled in.

    Raises:
        KeyError, TypeError, ValueError: the shipped text is the one that cannot (a mistake of the template).
    """
    text = look(wording.domain().shipped())
    shipped = _safe(text, message) if html else text
    if shipped != said:
        wording.tell(message)
    return shipped % values


def install(app: Flask) -> None:
    """Add the filters and globals to the templates of an application."""
    assets.icons()
    app.jinja_env.template_class = compiled.PortalTemplate
    app.add_template_filter(localized, "localized")
    app.add_template_filter(text_language, "text_language")
    app.add_template_filter(citing, "citing")
    app.add_template_filter(digits, "digits")
    app.add_template_filter(number, "number")
    app.add_template_filter(percent, "percent")
    app.add_template_filter(date_text, "date")
    app.add_template_filter(time_text, "time")
    app.add_template_filter(datetime_text, "datetime")
    app.add_template_filter(iso, "iso")
    app.jinja_env.globals.update(
        asset=asset, icon=icon, languages=languages, current_language=current_language, country=country,
        portal_name=portal_name, answer_words=answer_words, view=view,
    )  # fmt: skip
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined] # given by its i18n extension
    app.jinja_env.globals.update(_=_said, gettext=_said, ngettext=_said_of)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    compiled.keep_compiled(app)
