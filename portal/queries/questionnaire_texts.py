"""The texts of a version one by one: what a translator sees, how much is done per language, who checked what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from forms.definition.changes import ROLES
from forms.evaluation import NAME
from forms.question_types import question_types
from portal.table import digest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from forms.definition.model import Definition, Item

TITLE, CHOICE, SETTING = "title", "choice", "setting"
CHECKED = "checked"  # the setting that holds who checked which text of an item


class TextPlace(NamedTuple):
    """Where a text stands: the title ("" as code), a role of an item, a choice, or a setting that is worded (unit).

    ``key`` names the choice or the setting.
    """

    code: str
    role: str
    key: str = ""

    def spelled(self) -> str:
        """Return the place as one word, for fields of forms and cells of workbooks."""
        return ":".join(self).rstrip(":")


def read_place(spelled: str) -> TextPlace | None:
    """Read a spelled place back; None where it is none."""
    code, _sign, rest = spelled.partition(":")
    role, _sign, key = rest.partition(":")
    return TextPlace(code, role, key) if role in {*ROLES, TITLE, CHOICE, SETTING} else None


@dataclass(frozen=True)
class TextLine:
    """One text in all its languages.

    ``kind`` is the kind of its item, ``page`` the code of the page it stands on, ``also`` the other questions that
    offer the same choice of the same list: one translation serves them all. ``checked`` says per language who compared
    the text as it stands now.
    """

    place: TextPlace
    texts: Mapping[str, str]
    kind: str = ""
    page: str = ""
    also: tuple[str, ...] = ()
    checked: Mapping[str, str] | None = None

    @property
    def placeholders(self) -> frozenset[str]:
        """The names in ``${...}`` that stand in any language: each translation has to keep them."""
        return frozenset(name for text in self.texts.values() for name in placeholders(text))

    def missing(self, language: str) -> bool:
        """Tell whether there is no text in a language."""
        return not (self.texts.get(language) or "").strip()

    def checked_by(self, language: str) -> str:
        """Return who checked the text in a language, "" for nobody."""
        return (self.checked or {}).get(language, "")


@dataclass(frozen=True)
class Completeness:
    """How many of the texts there are in a language, and how many of these somebody checked."""

    language: str
    there: int
    checked: int
    of: int

    @property
    def missing(self) -> int:
        """How many are not there."""
        return self.of - self.there


def placeholders(text: str) -> frozenset[str]:
    """Return the names of the answers that a text speaks of."""
    return frozenset(NAME.findall(text))


def lines_of(definition: Definition) -> list[TextLine]:
    """List the texts of a version in the order of its pages; a choice that questions share stands once."""
    found = [TextLine(TextPlace("", TITLE), dict(definition.titles))]
    shared: dict[tuple[str, str, tuple[tuple[str, str], ...]], int] = {}
    for page in definition.pages:
        for item in page.items():
            found.extend(_own_texts(item, page.code))
            for key, texts in _choices(item):
                name = str(item.settings.get("list_name") or item.settings.get("matrix_rows") or item.code)
                at = shared.setdefault((name, key, tuple(sorted(texts.items()))), len(found))
                if at < len(found):
                    first = found[at]
                    found[at] = TextLine(
                        first.place, first.texts, first.kind, first.page, (*first.also, item.code), first.checked
                    )
                else:
                    place = TextPlace(item.code, CHOICE, key)
                    found.append(TextLine(place, texts, item.kind, page.code, (), _checked(item, place, texts)))
    return found


def _own_texts(item: Item, page: str) -> Iterator[TextLine]:
    kind = question_types().get(item.type) if item.type else None
    asked = item.kind != "question" or (kind is not None and kind.asks)
    for role in ROLES:
        texts = {language: text for language, text in (item.texts.get(role) or {}).items() if text.strip()}
        # whatever is shown needs a label; the other roles are there when somebody wrote one
        if texts or (role == "label" and asked and item.kind != "section"):
            place = TextPlace(item.code, role)
            yield TextLine(place, texts, item.kind, page, (), _checked(item, place, texts))
    if kind is None:
        return
    for setting in kind.all_settings():
        value = item.settings.get(setting.name)
        if setting.kind == "texts" and isinstance(value, dict) and any(value.values()):
            place = TextPlace(item.code, SETTING, setting.name)
            texts = {str(language): str(text) for language, text in value.items()}
            yield TextLine(place, texts, item.kind, page, (), _checked(item, place, texts))


def _choices(item: Item) -> Iterator[tuple[str, dict[str, str]]]:
    if item.settings.get("file"):
        return  # they stand in an attached table
    seen: set[str] = set()
    for choice in item.choices:
        if not choice.retired and choice.key not in seen:
            seen.add(choice.key)
            yield choice.key, {language: text for language, text in choice.texts.items() if text.strip()}


def _checked(item: Item, place: TextPlace, texts: Mapping[str, str]) -> dict[str, str]:
    kept = item.settings.get(CHECKED)
    if not isinstance(kept, dict):
        return {}
    found: dict[str, str] = {}
    for language, text in texts.items():
        # a text that was changed since has been checked by nobody
        seal, _space, name = str(kept.get(check_name(place, language)) or "").partition(" ")
        if name and seal == digest(text):
            found[language] = name
    return found


def check_name(place: TextPlace, language: str) -> str:
    """Return under which name an item keeps who checked a text of it."""
    return f"{place.spelled().partition(':')[2]}@{language}"


def completeness(lines: Sequence[TextLine], languages: Sequence[str]) -> list[Completeness]:
    """Count, per language, the texts that are there and those that somebody checked."""
    return [
        Completeness(
            language,
            sum(1 for line in lines if not line.missing(language)),
            sum(1 for line in lines if line.checked_by(language)),
            len(lines),
        )
        for language in languages
    ]
