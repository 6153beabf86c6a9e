"""How what a person typed becomes a text or a number: explicit rules, never a guess (domain rules for Khmer).

Each reader returns the value or raises `Unreadable` with the sentence that stands beside the field. Nothing here drops
the typed text: the caller keeps it.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forms.answers import Text

MAX_TEXT = 200_000  # characters of one text answer
THOUSANDS = 3  # digits between two separators
MAX_DIGITS = 30  # of a number, on both sides of the decimal point together

_KHMER_DIGITS = {0x17E0 + digit: str(digit) for digit in range(10)}
_INVISIBLE = dict.fromkeys((0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF))
_DASHES = dict.fromkeys((*range(0x2010, 0x2016), 0x2212, 0xFF0D), "-")
_CONTROLS = {code: None for code in (*range(1, 32), *range(127, 160)) if code not in (9, 10, 11, 12, 13, 0x85)}
_LINE_ENDS = re.compile("\r\n|\r|\x0b|\x0c|\x85")
_UNHOLDABLE = re.compile("[\x00\ud800-\udfff]")
_KHMER = re.compile("[\u1780-\u17ff\u19e0-\u19ff]")
_ADDRESS = re.compile(r"\S+://\S+|\S+@\S+\.\S+|www\.\S+")

# what stands around the digits of a number: anything but digits, signs and separators
_DIGITS_AND_DOTS = "0-9\u17e0-\u17e9+\u2010-\u2015\u2212.,-"
_WITH_SIGN = re.compile(f"([^{_DIGITS_AND_DOTS}]*)([ {_DIGITS_AND_DOTS}]*)([^{_DIGITS_AND_DOTS}]*)")
MAX_WITH_SIGN = 100
_PLAIN = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_LEADING_POINT = re.compile(r"[+-]?\.\d+", re.ASCII)
_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?", re.ASCII)
_MAYBE_GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)


class Unreadable(ValueError):
    """What was typed cannot be read; `sentence` says what is wrong and how to mend it."""

    def __init__(self, sentence: Text) -> None:
        self.sentence = sentence
        super().__init__("unreadable")


def holdable(text: str) -> str:
    """Return the text as any database can hold it: NUL becomes its symbol, broken surrogates U+FFFD."""
    return _UNHOLDABLE.sub(lambda found: "\u2400" if found[0] == "\x00" else "\ufffd", text)


def latin_digits(text: str) -> str:
    """Return the text with Khmer digits written as 0-9."""
    return text.translate(_KHMER_DIGITS)


def plain_line(typed: str) -> str:
    """Return what was typed with 0-9 for Khmer digits, without invisible signs, every space and dash a plain one."""
    return " ".join(latin_digits(typed.translate(_INVISIBLE)).translate(_DASHES).split())


def read_text(typed: str, *, lang: str = "", limit: int = MAX_TEXT) -> str | None:
    r"""Read a text: line ends become \\n, other control characters go, the rest is stored as typed; blank is None.

    Raises: Unreadable for NUL and broken characters, for more than `limit` characters, and for Khmer typed in a
    legacy font (`lang` "km" only), which is not text at all for any other reader.
    """
    if _UNHOLDABLE.search(typed):
        raise Unreadable(
            _l(
                "This text holds a character that is not text (shown as ␀ or �), often from a damaged file. "
                "Please delete it, or copy the passage again from the original."
            )
        )
    text = _LINE_ENDS.sub("\n", typed).translate(_CONTROLS)
    if not text.translate(_INVISIBLE).strip():
        return None
    if len(text) > limit:
        raise Unreadable(
            _l(
                "This text has %(length)s characters; at most %(limit)s fit. "
                "Please shorten it, or attach the long text as a file.",
                length=len(text),
                limit=limit,
            )
        )
    if lang == "km" and legacy_khmer(text):
        raise Unreadable(
            _l(
                "This looks like Khmer typed in an old font (such as Limon): other computers show only Latin signs. "
                "Please convert it to Khmer Unicode, for example កម្ពុជា, or write English in the English field."
            )
        )
    return text


def legacy_khmer(text: str) -> bool:
    """Say whether a text meant as Khmer is the Latin gibberish of a legacy font (Limon, ABC Zoom...).

    Such text has no Khmer code point and many signs that Latin prose hardly knows: Latin-1 symbols and letters, signs
    inside words, capitals after small letters. Plain English or French written in a Khmer field stays far below.
    """
    if _KHMER.search(text):
        return False
    text = _ADDRESS.sub(" ", text)
    signs = [sign for sign in text if not sign.isspace()]
    letters = sum(1 for sign in signs if sign.isalpha())
    if letters < 6:
        return False
    return _odd(text) >= max(3, 0.1 * len(signs))


def _odd(text: str) -> int:
    """Count the signs that Latin prose hardly knows in their place."""
    odd = 0
    before = " "
    for place, sign in enumerate(text):
        after = text[place + 1] if place + 1 < len(text) else " "
        if sign in "§¤¦©¬®¯°±²³´µ¶·¸¹º¼½¾¿¡¢£¥×÷ƒ†‡•‰Š‹ŒŽ™š›œžŸ^`~{}|<>[]" or (
            sign in ';:@#$%*+=!?"' and before.isalpha() and after.isalpha()
        ):
            odd += 1
        elif "À" <= sign <= "ÿ":
            # Accents live between small letters in French; in Limon beside capitals, signs and each other.
            odd += not ((before.islower() or before in " '’-«(") and (after.islower() or after in " ,.;:'’-)»"))
        elif sign.isupper() and before.islower():
            odd += 1
        before = sign
    return odd


def without_sign(typed: str, allowed: Iterable[str], meant: str = "") -> str:
    """Return a number without what stands before or after its digits: a unit, a currency, a percent sign.

    Only what is `allowed` goes (compared without case and invisible signs). Raises: Unreadable for anything else, with
    `meant` (the unit asked for, "" for none) in the sentence.
    """
    text = " ".join(typed.translate(_INVISIBLE).split())
    if not text or len(text) > MAX_WITH_SIGN:
        return typed
    text = _stripped(text, allowed)
    found = _WITH_SIGN.fullmatch(text)
    if found is None or not any(sign.isdigit() for sign in found[2]):
        return typed
    signs = [sign for sign in (found[1], found[3]) if sign.strip()]
    if not signs:
        return text
    sign = signs[0].strip()
    if meant:
        raise Unreadable(
            _l(
                "The answer is counted in %(unit)s; “%(sign)s” does not fit. "
                "Please write digits only, for example 1234",
                unit=meant,
                sign=sign[:40],
            )
        )
    raise Unreadable(_l("Please write digits only, without “%(sign)s”, for example 1234", sign=sign[:40]))


def read_decimal(typed: str) -> Decimal | None:
    """Read a number: Khmer or Latin digits, "1,234.5" grouped by commas, a point before decimals; blank is None.

    The separators of Khmer and Latin writing are swapped, so what could mean two numbers is never guessed.
    Raises: Unreadable.
    """
    bare = "".join(typed.translate(_INVISIBLE).split())
    if not bare:
        return None
    khmer = bool(_KHMER.search(bare))
    text = latin_digits(bare).replace("\u2212", "-")
    if len(text) > MAX_DIGITS + 12 or sum(sign.isdigit() for sign in text) > MAX_DIGITS:
        raise Unreadable(_l("This number is too long. Please write at most %(count)s digits.", count=MAX_DIGITS))
    if _MAYBE_GROUPED.fullmatch(text):
        raise Unreadable(_two_readings(text.replace(".", ""), text + "0"))
    if _PLAIN.fullmatch(text) or _LEADING_POINT.fullmatch(text):
        return Decimal(text)
    if _GROUPED.fullmatch(text):
        if khmer:
            raise Unreadable(_two_readings(text.replace(",", ""), text.replace(".", "").replace(",", ".", 1) + "0"))
        return Decimal(text.replace(",", ""))
    if re.fullmatch(r"[\d.,]+[-\u2010-\u2015~][\d.,]+", text, re.ASCII):
        raise Unreadable(_l("Please write one number, not two. If the number is not exact, write the best estimate."))
    if text[0] in "\u2010\u2011\u2012\u2013\u2014\u2015" and _PLAIN.fullmatch(text[1:]):
        raise Unreadable(_l("Please write a number below zero with a hyphen, for example -%(number)s", number=text[1:]))
    if re.fullmatch(r"[+-]?[\d.,]*\d[\d.,]*", text, re.ASCII):
        raise Unreadable(
            _l(
                "Commas and points can be read in more than one way here. Please write the number plainly, without "
                "separators between thousands and with a point before decimals, for example 1234.5"
            )
        )
    raise Unreadable(_not_a_number())


def read_integer(typed: str) -> int | None:
    """Read a whole number (see `read_decimal`); "12.0" is 12. Raises: Unreadable."""
    number = read_decimal(typed)
    if number is None:
        return None
    if number != number.to_integral_value():
        raise Unreadable(
            _l("Please write a whole number, without decimals, for example %(example)s", example=int(number))
        )
    return int(number)


def _stripped(text: str, allowed: Iterable[str]) -> str:
    """Return the text without one of the allowed signs at its end or begin; a sign may hold a digit (m2)."""
    folded = text.casefold()
    if len(folded) != len(text):
        return text
    signs = {" ".join(one.translate(_INVISIBLE).split()).casefold() for one in allowed} - {""}
    for sign in sorted(signs, key=len, reverse=True):
        if folded.endswith(sign):
            return text[: -len(sign)].strip()
        if folded.startswith(sign):
            return text[len(sign) :].strip()
    return text


def plain(number: Decimal) -> str:
    """Write a decimal without exponent and without a trailing point: the stored form; minus zero is zero."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def readable(text: str) -> str:
    """Return a stored number as `read_decimal` takes it back: 12.345 as 12.3450 (it could be thousands)."""
    whole, _point, decimals = text.partition(".")
    return text + "0" if len(decimals) == THOUSANDS and whole.lstrip("-") != "0" else text


def _not_a_number() -> Text:
    return _l("This is not a number. Please write digits only, for example 1234 or 12.5 (Khmer digits will do).")


def _two_readings(whole: str, decimals: str) -> Text:
    return _l(
        "This can be read as two different numbers. Please write %(whole)s if you mean thousands, or %(decimals)s if "
        "you mean decimals.",
        whole=whole,
        decimals=decimals,
    )
