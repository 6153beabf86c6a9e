"""The words in force: the shipped catalogues with the secretariat's own words over them, in every process.

Each process asks at most every few seconds whether something changed, by one small query on a connection of its own,
and swaps the whole set at once. Words that could break a page are never put in force; should formatting fail all the
same, the shipped text is said instead and the fault is logged.
"""

from __future__ import annotations

import gettext as gnu
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from babel.support import Translations
from flask import has_app_context
from flask_babel import Domain, get_locale
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from forms.wording import faults
from portal import catalogues, incoming
from portal.extensions import babel, db
from portal.queries import wording as queries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from babel import Locale
    from flask import Flask

log = logging.getLogger("portal.wording")

# seconds between two looks of one process at the number of the newest change
EVERY = 3.0
UNFORMATTABLE = (KeyError, TypeError, ValueError)


@dataclass
class Words:
    """One set of words: ``mine`` by language and gettext name; what is made out of them is kept here, not longer."""

    version: int = 0
    mine: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    translations: dict[Any, Any] = field(default_factory=dict)
    # sentences and labels that templates keep (portal.templating)
    kept: dict[Any, Any] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)


class InForce:
    """The words of one application: ``app.extensions["wording"]``."""

    def __init__(self) -> None:
        self.words = Words()
        self.looked_at = float("-inf")
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Load the words again if they changed; at most one small query per ``EVERY`` seconds."""
        if time.monotonic() - self.looked_at < EVERY or not self._lock.acquire(blocking=False):
            return
        try:
            self.looked_at = time.monotonic()
            # a connection of its own: the reader's transaction stays as it is
            with db.engine.connect() as connection:
                version = queries.version(connection)
                if version != self.words.version:
                    self.words = Words(version, sound(queries.overrides(connection)))
        except (OperationalError, ProgrammingError, PoolTimeout) as error:
            # a database that is busy, or not migrated yet: the words of before hold
            log.debug("wording is not read: %s", type(error).__name__)
        finally:
            self._lock.release()

    def look_again(self) -> None:
        """Look before the next request, for whoever is about to change something (the commit comes last)."""
        self.looked_at = float("-inf")


def present() -> InForce:
    """Return the words of the present application."""
    return cast("InForce", incoming.present().app.extensions["wording"])


def refresh() -> None:
    """See whether words changed; called before each request, job and command."""
    present().refresh()


def sound(found: Iterable[queries.Override]) -> dict[str, dict[Any, str]]:
    """Return the overrides that can be said, by locale and gettext name; others are logged and left out.

    Whatever stands in the table - an older version's words, or a row changed by hand - is judged like an import.
    """
    known = catalogues.messages()
    made: dict[str, dict[Any, str]] = {}
    for one in found:
        message = known.get(one.message)
        if message is None:
            continue
        shipped = message.text(one.language, one.form)
        if faults(message.sources, one.text, language=one.language, shipped=shipped):
            log.warning("the words of %s.%s.%s are not used: they do not fit", one.language, one.message, one.form)
            continue
        made.setdefault(one.language.replace("-", "_"), {})[message.entry(one.form)] = one.text
    return made


class WordingDomain(Domain):
    """Flask-Babel's domain with the secretariat's words over the shipped ones, and the shipped ones to fall back on."""

    def get_translations(self) -> Any:
        """Return the translations in force for the present locale."""
        here = incoming.present().app.extensions.get("wording") if has_app_context() else None
        if here is None:
            return super().get_translations()
        words = here.words
        locale = get_locale()
        # Babel writes the name of a locale anew each time it is asked
        key = (locale.language, locale.script, locale.territory, locale.variant) if locale else None
        found = words.translations.get(key)
        if found is None:
            found = words.translations[key] = _over(self.shipped(), words.mine.get(str(locale)), locale)
        return found

    def shipped(self) -> Any:
        """Return the translations that ship for the present locale."""
        return super().get_translations()

    def gettext(self, string: str, **variables: Any) -> str:
        """Say a message."""
        return self._say(lambda texts: str(texts.ugettext(string)), string, variables)

    def ngettext(self, singular: str, plural: str, num: int, **variables: Any) -> str:
        """Say a message that counts."""
        variables.setdefault("num", num)
        return self._say(lambda texts: str(texts.ungettext(singular, plural, num)), singular, variables)

    def pgettext(self, context: str, string: str, **variables: Any) -> str:
        """Say a message that has a context."""
        return self._say(lambda texts: str(texts.upgettext(context, string)), string, variables)

    def npgettext(self, context: str, singular: str, plural: str, num: int, **variables: Any) -> str:
        """Say a message that counts and has a context."""
        variables.setdefault("num", num)
        return self._say(lambda texts: str(texts.unpgettext(context, singular, plural, num)), singular, variables)

    def unfilled(self, look: Callable[[Any], str]) -> tuple[str, str]:
        """Return a message in force and as shipped, both without their values."""
        return look(self.get_translations()), look(self.shipped())

    def _say(self, look: Callable[[Any], str], source: str, variables: dict[str, Any]) -> str:
        text = look(self.get_translations())
        if not variables:
            return text
        try:
            return text % variables
        except UNFORMATTABLE:
            shipped = look(self.shipped())
            if shipped == text:
                raise  # a mistake of the code, not of the words
            tell(source)
            return shipped % variables


def tell(source: str) -> None:
    """Log once per set of words that a message could not be filled in."""
    told = present().words.told
    if source not in told:
        told.add(source)
        log.error("the words set for %r cannot be filled in; the shipped text is used", source[:200])


def domain() -> WordingDomain:
    """Return the domain through which everything is said."""
    return cast("WordingDomain", babel.domain_instance)


def _over(shipped: Any, mine: Mapping[Any, str] | None, locale: Locale | None) -> Any:
    """Lay words over a catalogue: a new object, since the shipped one stays to fall back on."""
    if not mine:
        return shipped
    made = Translations()
    texts: dict[Any, str] = dict(getattr(shipped, "_catalog", {}))
    made._catalog = texts | dict(mine)  # noqa: SLF001 - gettext has no public way to add a text
    # a language that ships no catalogue has no rule of plurals there either
    choose: Any = shipped.plural if texts or locale is None else gnu.c2py(catalogues.plural_rule(str(locale))[1])
    made.plural = choose
    return made


def install(app: Flask) -> None:
    """Let everything that is said pass here; call it after Flask-Babel's ``init_app`` and before other hooks."""
    babel.domain_instance = WordingDomain()
    app.extensions["wording"] = InForce()
    app.before_request(refresh)


