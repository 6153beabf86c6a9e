"""What templates may use: filters and globals, and how their sentences are said."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from flask import has_app_context, url_for
from flask_babel import get_locale, gettext, ngettext
from jinja2 import pass_eval_context
from markupsafe import Markup, escape

from forms.wording import has_markup
from portal import assets, compiled, reader, wording
from portal.incoming import present
from portal.queries.register import CITED
from portal.reader import view

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from flask import Flask
    from jinja2.nodes import EvalContext


def citing(text: str, url: str, unknown: Collection[int] = ()) -> Markup | str:
    """Let [E12] in a text lead to its place in the register of evidence; "" as address leaves the text as it is.

    ``unknown`` are numbers that stand for no evidence: they lead nowhere.
    """
    if not url or "[E" not in text:
        return text
    out, at = Markup(), 0
    for found in CITED.finditer(text):
        if int(found[1]) in unknown:
            continue
        out += escape(text[at : found.start()])
        out += Markup('<a href="{}#e-{}">{}</a>').format(url, int(found[1]), found[0])
        at = found.end()
    return out + escape(text[at:])


def asset(name: str) -> str:
    """Return the address of a built asset ("css/portal.css")."""
    manifest = present().app.extensions.get("assets")
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
        found = kept[key] = _read_words(str(page.language))
    return found


def _read_words(language: str) -> SimpleNamespace:
    required = Markup('<span class="question-required">{}</span>').format(gettext("required"))
    return SimpleNamespace(
        language=language,
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
    app.jinja_env.filters.update(
        localized=reader.localized, text_language=reader.text_language, citing=citing, digits=reader.digits,
        number=reader.number, percent=reader.percent, date=reader.date_text, time=reader.time_text,
        datetime=reader.datetime_text, moment=reader.moment_text, iso=reader.iso,
    )  # fmt: skip
    app.jinja_env.globals.update(
        asset=asset, icon=icon, languages=reader.languages, current_language=reader.current_language,
        country=reader.country, portal_name=reader.portal_name, answer_words=answer_words, view=view,
        months=reader.months,
    )  # fmt: skip
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined] # given by its i18n extension
    app.jinja_env.globals.update(_=_said, gettext=_said, ngettext=_said_of)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    compiled.keep_compiled(app)
