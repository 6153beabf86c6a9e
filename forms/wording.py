"""What the words of a message must keep: its placeholders, its language, and no markup that the original has not."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, NamedTuple

from flask_babel import lazy_gettext as _l
from wtforms import DateField, HiddenField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from forms.base import PortalForm

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 4_000
LONGEST_NAME = 200
LONGEST_NOTE = 2_000
# printf as Python spells it: %(name)s, or a percent sign that stands for itself
_NAMED = r"%\(\w+\)[#0\- +]*\d*(?:\.\d+)?[a-zA-Z]"
_PIECE = re.compile(rf"{_NAMED}|%%|%")
_MARKUP = re.compile(r"</?[A-Za-z!][^>]*>?|&(?:#\w+|[A-Za-z]\w*);")
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufffe\uffff]")
# how Unicode's names of letters begin, by the script codes of ISO 15924 that CLDR gives for a language
_SCRIPTS = {
    "Khmr": "KHMER", "Latn": "LATIN", "Laoo": "LAO", "Thai": "THAI", "Mymr": "MYANMAR", "Cyrl": "CYRILLIC",
    "Arab": "ARABIC", "Deva": "DEVANAGARI", "Beng": "BENGALI", "Ethi": "ETHIOPIC", "Grek": "GREEK", "Hebr": "HEBREW",
    "Geor": "GEORGIAN", "Armn": "ARMENIAN", "Hans": "CJK", "Hant": "CJK", "Kore": "HANGUL", "Sinh": "SINHALA",
    "Taml": "TAMIL", "Telu": "TELUGU", "Tibt": "TIBETAN", "Mong": "MONGOLIAN", "Thaa": "THAANA",
}  # fmt: skip


class Fault(NamedTuple):
    """One reason why words cannot be taken, and how to mend it."""

    message: Any
    mend: Any


class WordingForm(PortalForm):
    """The words of one message in one language, and who checked them."""

    text = TextAreaField(_l("Words"), validators=[Length(max=LONGEST)])
    checked_by = StringField(_l("Checked by a native reader: name"), validators=[Optional(), Length(max=LONGEST_NAME)])
    checked_on = DateField(_l("Checked on"), validators=[Optional()])
    note = StringField(_l("Note"), validators=[Optional(), Length(max=LONGEST_NOTE)])
    revision = HiddenField(default="0")


def placeholders(*texts: str) -> tuple[str, ...]:
    """Return what the portal fills in, such as ``%(name)s``, each once and in order."""
    return tuple(dict.fromkeys(piece for text in texts for piece in _PIECE.findall(text) if len(piece) > 2))


def has_markup(text: str) -> bool:
    """Tell whether a text holds HTML."""
    return _MARKUP.search(text) is not None


def plain(text: str) -> str:
    """Return words as they are kept: one kind of line end, no blanks around."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def faults(sources: Sequence[str], text: str, *, language: str, shipped: str = "") -> list[Fault]:
    """Return every reason why ``text`` cannot stand for a message; empty when it can.

    ``sources`` is the English text, or its two forms where the message counts something; ``shipped`` is the text that
    the portal brings in this language ('' = none).
    """
    found: list[Fault] = []
    if len(text) > LONGEST:
        found.append(
            Fault(_l("The words are longer than %(limit)s characters.", limit=LONGEST), _l("Shorten them."))
        )
    if _CONTROL.search(text) or ("\n" in text and not any("\n" in one for one in sources)):
        found.append(
            Fault(
                _l("There is a line break or a control character where the English has none."),
                _l("Write the words on one line."),
            )
        )
    found += _misplaced(sources, text)
    known = {piece for one in sources for piece in _MARKUP.findall(one)}
    if foreign := [piece for piece in _MARKUP.findall(text) if piece not in known]:
        found.append(
            Fault(
                _l("There is markup that the English has not: %(pieces)s", pieces=" ".join(foreign)[:80]),
                _l("Write words only; the portal sets the type."),
            )
        )
    if _foreign_script(sources, text, language, shipped):
        found.append(
            Fault(
                _l("These words are not in the language of their column (%(language)s).", language=language),
                _l("Look whether two columns were mixed up."),
            )
        )
    return found


def _misplaced(sources: Sequence[str], text: str) -> list[Fault]:
    wanted = {piece for one in sources for piece in _PIECE.findall(one)}
    given = set(_PIECE.findall(text))
    # a message that counts may leave out its number where the form is for one number alone ("one day")
    needed = {piece for piece in wanted if len(piece) > 2 and not (len(sources) > 1 and piece.startswith("%(num)"))}
    found = []
    if missing := sorted(needed - given):
        found.append(
            Fault(
                _l("A placeholder is missing: %(pieces)s", pieces=" ".join(missing)),
                _l("Put it where the portal shall fill in the name or number."),
            )
        )
    if foreign := sorted(given - wanted):
        found.append(
            Fault(
                _l("There is a placeholder that the English has not: %(pieces)s", pieces=" ".join(foreign)),
                _l("Take it out; write “percent” in words where the English has no percent sign."),
            )
        )
    return found


def _foreign_script(sources: Sequence[str], text: str, language: str, shipped: str) -> bool:
    """Tell whether words that should be in the language's script hold no letter of it."""
    script = _script(language)
    if not script or not _letters(text) or _written_in(script, text):
        return script == "LATIN" and bool(shipped) and text != shipped and text in sources
    # names such as UHRI stay as they are; where the shipped text has the script, the new one must too
    return _written_in(script, shipped) if shipped else text not in sources


def _script(language: str) -> str:
    from babel.core import get_global

    likely = str(get_global("likely_subtags").get(language.replace("-", "_")) or "")
    parts = [*language.replace("-", "_").split("_"), *likely.split("_")]
    return next((_SCRIPTS[part] for part in parts if part in _SCRIPTS), "")


def _letters(text: str) -> str:
    return "".join(letter for letter in _PIECE.sub("", text) if letter.isalpha())


def _written_in(script: str, text: str) -> bool:
    return any(unicodedata.name(letter, "").startswith(script) for letter in _letters(text))
