"""What differs between two versions, told in sentences that somebody who was not there understands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from forms.definition.changes import Aspect, Difference
from forms.definition.word_diff import Piece, compare_words, tokens
from forms.question_types import question_types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from forms.definition.model import Definition, Item

LONGEST_NAME = 60  # words or clusters of a question's label in a sentence


@dataclass(frozen=True)
class Line:
    """One sentence; ``pieces`` show the words that changed, in ``lang`` ("" = a rule, no language)."""

    difference: Difference
    page: str
    sentence: str
    pieces: tuple[Piece, ...] = ()
    lang: str = ""


class Letter:
    """Tells differences in the reader's language; ``kept`` counts the answers to what was taken out."""

    def __init__(
        self,
        old: Definition,
        new: Definition,
        languages: Sequence[str],
        kept: Mapping[tuple[str, str], int] | None = None,
        number: Callable[[int], str] = str,
    ) -> None:
        self.languages = tuple(languages)
        self.kept = kept or {}
        # writes a count in the reader's digits; codes keep theirs
        self.number = number
        self.items: dict[str, Item] = {}
        self.pages: dict[str, Item] = {}
        for of in (old, new):
            for page in of.pages:
                for item in page.items():
                    self.items[item.code], self.pages[item.code] = item, page
        self.old_pages = {item.code: page.code for page in old.pages for item in page.items()}

    def lines(self, found: Iterable[Difference]) -> list[Line]:
        """Return one sentence for each difference, in their order."""
        return [self._line(one) for one in found]

    def page_name(self, code: str) -> str:
        """Return the title of the page an item stands on, "" for the questionnaire itself."""
        page = self.pages.get(code)
        return self._label(page) if page is not None else ""

    def _line(self, one: Difference) -> Line:
        sentence, shown = _TELL[one.aspect](self, one)
        pieces = compare_words(one.old, one.new) if shown else ()
        return Line(one, self.page_name(one.code), sentence, pieces, one.language)

    def thing(self, one: Difference) -> str:
        """Name an item by kind, code and the beginning of its label."""
        item = self.items.get(one.code)
        if item is None:
            return one.code
        words = {
            "section": _("Page %(code)s “%(label)s”"),
            "group": _("Group %(code)s “%(label)s”"),
            "repeat": _("Table %(code)s “%(label)s”"),
            "matrix": _("Table %(code)s “%(label)s”"),
            "note": _("Note %(code)s “%(label)s”"),
        }.get(item.kind) or _("Question %(code)s “%(label)s”")
        return str(words) % {"code": one.code, "label": _short(self._label(item))}

    def _label(self, item: Item) -> str:
        language = self.languages[0] if self.languages else "en"
        return item.text("label", language, self.languages) or item.code

    def answers(self, code: str, key: str = "") -> int:
        """Return how many replies keep an answer to a question, or to one of its choices."""
        return self.kept.get((code, key), 0)

    def moved(self, one: Difference) -> str:
        """Say where an item went."""
        page = self.pages.get(one.code)
        if page is not None and self.old_pages.get(one.code) != page.code:
            said = _("%(thing)s now stands on the page “%(page)s”.", thing=self.thing(one), page=self._label(page))
        else:
            said = _("%(thing)s has another place on its page.", thing=self.thing(one))
        return str(said)


def _short(text: str) -> str:
    plain = " ".join(text.split())
    parts = tokens(plain)
    return plain if len(parts) <= LONGEST_NAME else "".join(parts[:LONGEST_NAME]).rstrip() + "…"


def language_name(code: str) -> str:
    """Name a language in the reader's own."""
    locale = get_locale()
    return str(locale.languages.get(code, code)) if locale is not None else code


Told = tuple[str, bool]  # the sentence, and whether old and new stand below it


def _title(_letter: Letter, one: Difference) -> Told:
    return _("The title reads differently in %(language)s:", language=language_name(one.language)), True


def _language_added(_letter: Letter, one: Difference) -> Told:
    return _("The questionnaire can now be read in %(language)s too.", language=language_name(one.language)), False


def _language_gone(_letter: Letter, one: Difference) -> Told:
    return _("The questionnaire can no longer be read in %(language)s.", language=language_name(one.language)), False


def _added(letter: Letter, one: Difference) -> Told:
    thing = letter.thing(one)
    if not one.questions:
        return _("%(thing)s is new.", thing=thing), False
    return _("%(thing)s is new and optional.", thing=thing), False


def _added_required(letter: Letter, one: Difference) -> Told:
    return _("%(thing)s is new and must be answered.", thing=letter.thing(one)), False


def _gone(letter: Letter, one: Difference) -> Told:
    count, thing = letter.answers(one.code), letter.thing(one)
    if not count:
        return _("%(thing)s was taken out.", thing=thing), False
    return (
        ngettext(
            "%(thing)s was taken out; %(count)s answer is kept.",
            "%(thing)s was taken out; %(count)s answers are kept.",
            count,
            thing=thing,
            count=letter.number(count),
        ),
        False,
    )


def _type(letter: Letter, one: Difference) -> Told:
    thing = letter.thing(one)
    return _("%(thing)s was of type %(old)s and is now of type %(new)s.", thing=thing, old=one.old, new=one.new), False


def _moved(letter: Letter, one: Difference) -> Told:
    return letter.moved(one), False


def _table(letter: Letter, one: Difference) -> Told:
    if not one.new:
        return _("%(thing)s no longer stands in the table %(table)s.", thing=letter.thing(one), table=one.old), False
    return _("%(thing)s now stands in the table %(table)s, one answer per row.", thing=letter.thing(one),
             table=one.new), False  # fmt: skip


def _wording(letter: Letter, one: Difference) -> Told:
    thing, language = letter.thing(one), language_name(one.language)
    if one.detail == "label":
        if not one.old:
            return _("%(thing)s can now be read in %(language)s:", thing=thing, language=language), True
        return _("%(thing)s has new wording in %(language)s:", thing=thing, language=language), True
    said = {
        "hint": _("%(thing)s has another hint in %(language)s:"),
        "guidance": _("%(thing)s has other guidance in %(language)s:"),
        "required_message": _("%(thing)s says something else in %(language)s when it is left empty:"),
        "constraint_message": _("%(thing)s says something else in %(language)s when an answer does not fit:"),
        "soft_constraint_message": _("%(thing)s says something else in %(language)s when an answer is unusual:"),
    }[one.detail]
    return said % {"thing": thing, "language": language}, True


def _looser(letter: Letter, one: Difference) -> Told:
    said = {
        "relevant": _("%(thing)s is asked of everybody now; before, only if:")
        if not one.new
        else _("%(thing)s is asked of more people:"),
        "required": _("%(thing)s may be left empty now.")
        if not one.new
        else _("%(thing)s must be answered in fewer cases:"),
        "constraint": _("%(thing)s takes any answer now; before, the rule was:")
        if not one.new
        else _("%(thing)s takes more answers than before:"),
        "choice_filter": _("%(thing)s offers more of its choices:"),
    }[one.detail]
    return said % {"thing": letter.thing(one)}, not (one.detail == "required" and not one.new)


def _stricter(letter: Letter, one: Difference) -> Told:
    always = one.detail == "required" and one.new == "true()"
    said = {
        "relevant": _("%(thing)s is asked of everybody now, and must be answered; before, only if:")
        if not one.new
        else _("%(thing)s is asked only if:")
        if not one.old
        else _("%(thing)s is asked under another condition:"),
        "required": _("%(thing)s must be answered now.") if always else _("%(thing)s must be answered if:"),
        "constraint": _("%(thing)s takes only answers that fit a rule:")
        if not one.old
        else _("%(thing)s has another rule for its answers:"),
        "choice_filter": _("%(thing)s offers its choices by a rule:")
        if not one.old
        else _("%(thing)s offers its choices by another rule:"),
    }[one.detail]
    return said % {"thing": letter.thing(one)}, not always


def _computed(letter: Letter, one: Difference) -> Told:
    return _("%(thing)s is computed in another way:", thing=letter.thing(one)), True


def _default(letter: Letter, one: Difference) -> Told:
    return _("%(thing)s starts with another value:", thing=letter.thing(one)), True


def _choice_added(letter: Letter, one: Difference) -> Told:
    return _("%(thing)s offers a new choice: “%(choice)s”.", thing=letter.thing(one), choice=one.new), False


def _choice_wording(letter: Letter, one: Difference) -> Told:
    return (
        _(
            "%(thing)s words its choice %(key)s differently in %(language)s:",
            thing=letter.thing(one),
            key=one.detail,
            language=language_name(one.language),
        ),
        True,
    )


def _choice_gone(letter: Letter, one: Difference) -> Told:
    count = letter.answers(one.code, one.detail)
    told = {"thing": letter.thing(one), "choice": one.old}
    if not count:
        return _("%(thing)s no longer offers the choice “%(choice)s”.", **told), False
    return (
        ngettext(
            "%(thing)s no longer offers the choice “%(choice)s”; %(count)s answer with it is kept.",
            "%(thing)s no longer offers the choice “%(choice)s”; %(count)s answers with it are kept.",
            count,
            count=letter.number(count),
            **told,
        ),
        False,
    )


def _choice_order(letter: Letter, one: Difference) -> Told:
    return _("%(thing)s lists its choices in another order.", thing=letter.thing(one)), False


def _setting(letter: Letter, one: Difference) -> Told:
    said = {
        "word_budget": _("%(thing)s has another length in words:"),
        "unit": _("%(thing)s is asked in another unit:"),
        "not_available": _("%(thing)s can be answered “not available”:"),
        "not_applicable": _("%(thing)s can be answered “not applicable”:"),
        "evidence_required": _("%(thing)s asks for evidence:"),
        "start": _("%(thing)s begins at another number:"),
        "end": _("%(thing)s ends at another number:"),
        "soft_constraint": _("%(thing)s warns of other answers:"),
        "part_of": _("%(thing)s is a part of another total:"),
        "sensitive": _("%(thing)s is marked as sensitive:"),
        "owner_unit": _("%(thing)s belongs to another unit:"),
        "indicator": _("%(thing)s belongs to another indicator:"),
    }.get(one.detail)
    if said is None:
        name = _setting_names().get(one.detail, one.detail)
        return _("%(thing)s has another setting “%(name)s”:", thing=letter.thing(one), name=name), True
    return said % {"thing": letter.thing(one)}, True


def _setting_names() -> dict[str, str]:
    """Return what the settings of all question types are called in the designer, by their code."""
    names = {one.name: str(one.label) for kind in question_types().values() for one in kind.all_settings()}
    return names | {"appearance": _("Drawn as"), "parameters": _("Parameters"), "repeat_count": _("Number of rows")}


_TELL: Mapping[Aspect, Callable[[Letter, Difference], Told]] = {
    Aspect.TITLE: _title,
    Aspect.LANGUAGE_ADDED: _language_added,
    Aspect.LANGUAGE_GONE: _language_gone,
    Aspect.ADDED: _added,
    Aspect.ADDED_REQUIRED: _added_required,
    Aspect.GONE: _gone,
    Aspect.TYPE: _type,
    Aspect.MOVED: _moved,
    Aspect.TABLE: _table,
    Aspect.WORDING: _wording,
    Aspect.LOOSER: _looser,
    Aspect.STRICTER: _stricter,
    Aspect.COMPUTED: _computed,
    Aspect.DEFAULT: _default,
    Aspect.CHOICE_ADDED: _choice_added,
    Aspect.CHOICE_WORDING: _choice_wording,
    Aspect.CHOICE_GONE: _choice_gone,
    Aspect.CHOICE_ORDER: _choice_order,
    Aspect.SETTING: _setting,
    Aspect.SETTING_NARROWED: _setting,
}
