"""The messages of the portal as they ship: English, the translations of ``portal/translations``, and where each stands.

A message is one sentence or word of pages, mails and workbooks. It is known by the hash of itself, so that a file made
from one version still finds it in the next.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.plurals import get_plural
from babel.messages.pofile import read_po

from portal.assets import TRANSLATIONS, ensure_places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from config import Settings

# numbers tried to tell which of them a plural form is for
TRIED = range(101)


@dataclass(frozen=True)
class Message:
    """One message: ``shipped`` holds its forms by language; ``plural`` is '' where it does not count anything."""

    key: str
    source: str
    plural: str = ""
    context: str = ""
    catalogues: tuple[str, ...] = ()
    shipped: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[str, ...]:
        """Return the English text, both forms of it where there are two."""
        return (self.source, self.plural) if self.plural else (self.source,)

    def text(self, language: str, form: int) -> str:
        """Return the shipped text of a form, '' where the language has none."""
        forms = self.shipped.get(language, ())
        return forms[form] if form < len(forms) else ""

    def entry(self, form: int) -> str | tuple[str, int]:
        """Return the name under which gettext keeps a form."""
        name = f"{self.context}\x04{self.source}" if self.context else self.source
        return (name, form) if self.plural else name


def key_of(source: str, context: str = "") -> str:
    """Return the key of a message: 24 hexadecimal digits of its sha256."""
    return hashlib.sha256(f"{context}\x04{source}".encode()).hexdigest()[:24]


@cache
def messages() -> Mapping[str, Message]:
    """Return every shipped message by key, in the order of the catalogues; read once per process.

    The union over all languages: a language that ships no catalogue can be written here all the same.
    """
    found: dict[str, Message] = {}
    for folder in sorted(path for path in TRANSLATIONS.glob("*") if path.is_dir()):
        for path in sorted(folder.glob("*.po")):
            with path.open("rb") as file:
                catalogue = read_po(file, locale=folder.name, charset="utf-8")
            for one in catalogue:
                if not one.id or one.fuzzy:
                    continue
                source, plural = (one.id, "") if isinstance(one.id, str) else (one.id[0], one.id[1])
                key = key_of(source, one.context or "")
                forms = (one.string,) if isinstance(one.string, str) else tuple(one.string or ())
                known = found.get(key) or Message(key, source, plural, one.context or "")
                shipped = {**known.shipped, folder.name: forms} if any(forms) else known.shipped
                where = tuple(dict.fromkeys([*known.catalogues, path.stem]))
                found[key] = Message(key, source, plural or known.plural, known.context, where, shipped)
    return found


def catalogue_names() -> tuple[str, ...]:
    """Return the names of all catalogues, in order."""
    return tuple(sorted({name for one in messages().values() for name in one.catalogues}))


@cache
def plural_rule(language: str) -> tuple[int, str]:
    """Return how many plural forms a language has, and gettext's expression that chooses one (CLDR, by Babel)."""
    rule = get_plural(language.replace("-", "_"))
    return int(rule.num_plurals), str(rule.plural_expr)


def forms_of(message: Message, language: str) -> int:
    """Return in how many forms a message is written in a language."""
    if not message.plural:
        return 1
    return len(message.shipped.get(language, ())) or plural_rule(language)[0]


@cache
def numbers_of(language: str, form: int) -> tuple[int, ...]:
    """Return the first numbers that take a plural form; empty where the language has one form for all."""
    import gettext

    count, expression = plural_rule(language)
    if count == 1:
        return ()
    choose = gettext.c2py(expression)
    return tuple(number for number in TRIED if choose(number) == form)[:4]


@cache
def _places(path: str) -> Mapping[str, tuple[str, ...]]:
    found = json.loads(Path(path).read_text(encoding="utf-8"))
    return {source: tuple(where) for source, where in found.items()}


def places(settings: Settings) -> Mapping[str, tuple[str, ...]]:
    """Return by English text the files that use it, such as ``templates/mail/issued.txt``.

    The first call of an installed version reads all source files (some seconds) and keeps the result in the cache.
    """
    return _places(str(ensure_places(settings)))
