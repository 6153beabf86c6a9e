"""Numbers and dates that one language of an answer has and the other has not: precise, and quiet where in doubt.

Digits of any script, thousands by comma, point or space, months by name (as in CLDR), years of the Buddhist era
(543 or 544 more, by the day of the year), magnitudes ("2.5 million", ២,៥ លាន) and number words are read alike. A text
much shorter than the other is taken for its summary: what it leaves out is no difference.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import permutations
from typing import TYPE_CHECKING

from babel import Locale, UnknownLocaleError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SUMMARY = 0.5  # a text of less than this share of the other is a summary
MOST = 20_000  # characters compared; beyond, nobody mends by such a list
MOST_NUMBERS = 300  # of one text: a table in prose, each number of which would be held against each of the other
TOLD = 6  # differences told of one answer
BUDDHIST = (543, 544)
BUDDHIST_FROM, BUDDHIST_TO = 2400, 2750

_INVISIBLE = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad]")
_ASIDE = re.compile(r"https?://\S+|www\.\S+|\S+@\S+\.\S+|\[E\d+\]|(?:COVID|កូវីដ)[\s\u2010-\u2013-]?19", re.IGNORECASE)
_LISTED = re.compile(r"(?m)^\s*\(?\d{1,2}\s*[.)។]\s+")
_NUMBER = re.compile(r"\d+(?:[.,\u00a0\u202f ]\d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)?")
_NUMERIC_DATE = re.compile(
    r"(?<![\d/.-])(?:(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})|(?P<d2>\d{1,2})[/.-](?P<m2>\d{1,2})[/.-](?P<y2>\d{4})"
    r"|(?P<d3>\d{1,2})/(?P<m3>\d{1,2})/(?P<y3>\d{2}))"
    r"(?![\d/.-])"
)
_ERA = r"(?:ឆ្នាំ|[ពគ]\.?\s?ស\.?)"
# "ថ្ងៃទី៥ ខែ៦ ឆ្នាំ២០២៤"; "៦ ខែ ៥ ថ្ងៃ" is a time, not a month
_NUMBERED_MONTH = re.compile(
    r"(?:ថ្ងៃទី\s*(?P<d>\d{1,2})\s*|(?<!\d)(?<!\d\s))ខែ(?:ទី)?\s?(?P<m>1[0-2]|0?[1-9])(?!\d)(?![.,]\d)"
    rf"(?:\s*{_ERA}\s*(?:{_ERA}\s*)*(?P<y>\d{{4}}))?"
)
_SPAN = re.compile(r"(?<!\d)((?:19|20)\d\d)\s?[-–/]\s?(\d\d)(?!\d)")
_WORDS: Mapping[str, tuple[str, ...]] = {
    "en": (
        "zero none no", "one first once single a an", "two second twice both", "three third", "four fourth",
        "five fifth", "six sixth", "seven seventh", "eight eighth", "nine ninth", "ten tenth", "eleven eleventh",
        "twelve twelfth",
    ),
    "km": (
        "សូន្យ គ្មាន", "មួយ ទីមួយ", "ពីរ ទីពីរ ទាំងពីរ", "បី ទីបី", "បួន", "ប្រាំ", "ប្រាំមួយ", "ប្រាំពីរ", "ប្រាំបី", "ប្រាំបួន", "ដប់", "ដប់មួយ",
        "ដប់ពីរ",
    ),
}  # fmt: skip
_TENS: Mapping[str, tuple[str, ...]] = {
    "en": ("twenty", "thirty", "forty", "fifty half", "sixty", "seventy", "eighty", "ninety"),
    "km": ("ម្ភៃ", "សាមសិប", "សែសិប", "ហាសិប ពាក់កណ្តាល ពាក់កណ្ដាល", "ហុកសិប", "ចិតសិប", "ប៉ែតសិប", "កៅសិប"),
}
_TEENS: Mapping[str, tuple[str, ...]] = {
    "en": ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
    "km": ("ដប់បី", "ដប់បួន", "ដប់ប្រាំ", "ដប់ប្រាំមួយ", "ដប់ប្រាំពីរ", "ដប់ប្រាំបី", "ដប់ប្រាំបួន"),
}
_TIMES: Mapping[str, Decimal] = {
    "hundred": Decimal(100), "thousand": Decimal(1000), "million": Decimal(10**6), "billion": Decimal(10**9),
    "រយ": Decimal(100), "ពាន់": Decimal(1000), "ម៉ឺន": Decimal(10**4), "សែន": Decimal(10**5), "លាន": Decimal(10**6),
    "កោដិ": Decimal(10**7), "ប៊ីលាន": Decimal(10**9), "ប៊ីលីយន": Decimal(10**9), "ពាន់លាន": Decimal(10**9),
}  # fmt: skip
_MAGNITUDE = re.compile(
    r"\s?(" + "|".join(re.escape(word) for word in sorted(_TIMES, key=len, reverse=True)) + r")(?!ៈ)", re.IGNORECASE
)


@dataclass(frozen=True)
class Differs:
    """Something written in one language of an answer that the other language has not."""

    language: str
    written: str


@dataclass(frozen=True)
class _Fact:
    """A number or a date: every value it may stand for, and how it was written."""

    values: frozenset[Decimal | tuple[int, int, int]]
    written: str
    # the numbers of a group that may as well be several ("in 2022 345 persons")
    parts: tuple[_Fact, ...] = ()
    # its values where it says its magnitude ("2.5 million"): of two that both do, only these agree
    scaled: frozenset[Decimal] = frozenset()


def differing(texts: Mapping[str, str]) -> tuple[Differs, ...]:
    """Return what the texts of one answer have that another of them has not, in the order of the languages."""
    said = {language: text for language, text in texts.items() if text.strip() and len(text) <= MOST}
    found: list[Differs] = []
    for one, other in permutations(said, 2):
        if len(said[other]) < SUMMARY * len(said[one]):
            continue
        found.extend(
            Differs(one, written)
            for written in _missing(said[one], one, said[other], other)
            if Differs(one, written) not in found
        )
    return tuple(found[:TOLD])


def _missing(text: str, language: str, other_text: str, other_language: str) -> Iterator[str]:
    here, there = _facts(text, language), _facts(other_text, other_language)
    if max(len(here), len(there)) > MOST_NUMBERS:
        return
    plain = _plain(other_text).lower()
    for fact in here:
        if _found(fact, there) or (fact.parts and all(_found(part, there) for part in fact.parts)):
            continue
        if _in_words(fact, plain, other_language):
            continue
        yield fact.written


def _found(fact: _Fact, there: Sequence[_Fact]) -> bool:
    return any(_agree(fact, other) or any(_agree(fact, part) for part in other.parts) for other in there)


def _agree(one: _Fact, other: _Fact) -> bool:
    if one.scaled and other.scaled:
        return bool(one.scaled & other.scaled)
    if one.values & other.values:
        return True
    # a year may stand in a date there: "in 2024, on 5 March"
    if one.values & {Decimal(value[0]) for value in other.values if isinstance(value, tuple) and value[0]}:
        return True
    # of two dates, what both of them say must agree: a day or a year may be left out
    return any(
        isinstance(mine, tuple) and isinstance(theirs, tuple) and _alike(mine, theirs)
        for mine in one.values
        for theirs in other.values
    )


def _alike(mine: tuple[int, int, int], theirs: tuple[int, int, int]) -> bool:
    return all(not left or not right or left == right for left, right in zip(mine, theirs, strict=True))


def _in_words(fact: _Fact, plain: str, language: str) -> bool:
    words = _words(language)
    for value in fact.values:
        if isinstance(value, Decimal) and value == value.to_integral_value() and 0 <= value < len(words):
            for word in words[int(value)]:
                if (word in plain) if language == "km" else re.search(rf"\b{re.escape(word)}\b", plain):
                    return True
    return False


@lru_cache(maxsize=16)
def _words(language: str) -> tuple[tuple[str, ...], ...]:
    """Return the words of the numbers from 0 to 99, as far as a language has them here."""
    if language not in _WORDS:
        return ()
    found = [tuple(words.split()) for words in (*_WORDS[language], *_TEENS[language])]
    for ten in (words.split() for words in _TENS[language]):
        found.append(tuple(ten))
        for unit in found[1:10]:
            joints = ("",) if language == "km" else ("-", " ")
            found.append(tuple(ten[0] + joint + word for word in unit for joint in joints))
    return tuple(found)


def _plain(text: str) -> str:
    """Return a text with Latin digits, without what nobody sees, and without addresses, citations and list numbers."""
    seen = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    latin = "".join(str(unicodedata.digit(sign)) if sign.isdecimal() and not sign.isascii() else sign for sign in seen)
    return _LISTED.sub(" ", _ASIDE.sub(" ", latin))


@lru_cache(maxsize=512)
def _facts(text: str, language: str) -> tuple[_Fact, ...]:
    left = _plain(text)
    found: list[_Fact] = []
    for reader in (_numeric_dates, _written_dates):
        left, dates = reader(left, language)
        found.extend(dates)
    left = _SPAN.sub(lambda span: f"{span[1]} {span[1][:2]}{span[2]}", left)
    found.extend(_summed(left))
    return tuple(found)


def _summed(text: str) -> Iterator[_Fact]:
    """Yield the numbers of a text; one that goes on after its magnitude is their sum: ១ម៉ឺន ៥ពាន់, 2 thousand 500."""
    run: list[_Fact] = []
    least, end = Decimal(0), 0
    for match in _NUMBER.finditer(text):
        fact = _number(match, text)
        magnitude = _MAGNITUDE.match(text, match.end())
        size = _TIMES[magnitude[1].lower()] if magnitude else Decimal(1)
        if run and not (size < least and text[end : match.start()].strip() == "" and _below(fact, least)):
            yield _sum(run)
            run = []
        run.append(fact)
        least, end = size, magnitude.end() if magnitude else match.end()
        if size == 1:
            yield _sum(run)
            run = []
    if run:
        yield _sum(run)


def _below(fact: _Fact, least: Decimal) -> bool:
    return any(value < least for value in fact.scaled or fact.values if isinstance(value, Decimal))


def _sum(run: Sequence[_Fact]) -> _Fact:
    if len(run) == 1:
        return run[0]
    whole = sum((min(fact.scaled or _plainly(fact)) for fact in run), Decimal(0))
    return _Fact(frozenset({whole}), " ".join(fact.written for fact in run), tuple(run))


def _plainly(fact: _Fact) -> frozenset[Decimal]:
    return frozenset(value for value in fact.values if isinstance(value, Decimal))


def _numeric_dates(text: str, _language: str) -> tuple[str, list[_Fact]]:
    found: list[_Fact] = []

    def read(match: re.Match[str]) -> str:
        year = int(match["y"] or match["y2"] or f"20{match['y3']}")
        month, day = int(match["m"] or match["m2"] or match["m3"]), int(match["d"] or match["d2"] or match["d3"])
        if not (1 <= month <= 12 and 1 <= day <= 31):
            return match[0]
        found.append(_Fact(_dated(year, month, day), match[0]))
        return " "

    return _NUMERIC_DATE.sub(read, text), found


def _written_dates(text: str, language: str) -> tuple[str, list[_Fact]]:
    """Take out the days and months with a month's name; the name alone, without day or year, is no date."""
    months = _months(language)
    if not months:
        return text, []
    found: list[_Fact] = []
    names = "|".join(re.escape(name) for name in sorted(months, key=len, reverse=True))
    edge = r"\b" if language != "km" else ""
    pattern = re.compile(
        rf"(?:(?P<d>\d{{1,2}})(?:st|nd|rd|th)?[\s-]*(?:of\s+)?)?(?:ខែ\s*)?{edge}(?P<name>{names}){edge}\.?"
        rf"(?:\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?(?!\d),?)?(?:[\s-]*,?\s*(?:{_ERA}\s*)*(?P<y>\d{{4}}))?",
        re.IGNORECASE,
    )

    def read(match: re.Match[str]) -> str:
        day, year = match["d"] or match["d2"], match["y"]
        if not day and not year:
            return match[0]
        month = months[match["name"].lower()]
        found.append(_Fact(_dated(int(year or 0), month, int(day or 0)), " ".join(match[0].split())))
        return " "

    def numbered(match: re.Match[str]) -> str:
        day, year = match["d"], match["y"]
        if day or year:
            found.append(_Fact(_dated(int(year or 0), int(match["m"]), int(day or 0)), " ".join(match[0].split())))
        return " "

    text = pattern.sub(read, text)
    return (_NUMBERED_MONTH.sub(numbered, text) if language == "km" else text), found


@lru_cache(maxsize=64)
def own_name(language: str) -> str:
    """Return the name of a language in itself, its code where none is known."""
    return name_in(language, language)


@lru_cache(maxsize=64)
def name_in(language: str, reader: str) -> str:
    """Return the name of a language as a reader of another one calls it, its code where none is known."""
    try:
        return str(Locale.parse(language.replace("-", "_")).get_display_name(reader.replace("-", "_")) or language)
    except (UnknownLocaleError, ValueError):
        return language


@lru_cache(maxsize=16)
def _months(language: str) -> Mapping[str, int]:
    try:
        locale = Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return {}
    return {
        name.lower().rstrip("."): number
        for form in ("wide", "abbreviated")
        for number, name in locale.months["format"][form].items()
        if not name.isdecimal()
    }


def _dated(year: int, month: int, day: int) -> frozenset[Decimal | tuple[int, int, int]]:
    return frozenset((one, month, day) for one in _years(year))


def _years(year: int) -> tuple[int, ...]:
    return (year, *(year - era for era in BUDDHIST)) if BUDDHIST_FROM <= year <= BUDDHIST_TO else (year,)


def _number(match: re.Match[str], text: str) -> _Fact:
    written = match[0]
    values = set(_readings(written))
    magnitude = _MAGNITUDE.match(text, match.end())
    scaled: frozenset[Decimal] = frozenset()
    if magnitude:
        scaled = frozenset(value * _TIMES[magnitude[1].lower()] for value in values)
        values |= scaled
        written += magnitude[0]
    whole = [value for value in values if value == value.to_integral_value()]
    values |= {Decimal(year) for value in whole for year in _years(int(value))}
    parts: tuple[_Fact, ...] = ()
    if not magnitude and re.search(r"[\u00a0\u202f ,.]", match[0]):
        parts = tuple(_Fact(frozenset({Decimal(part)}), part) for part in re.split(r"[\u00a0\u202f ,.]", match[0]))
    return _Fact(frozenset(values), written, parts, scaled)


def _readings(written: str) -> Iterator[Decimal]:
    """Yield what a number with separators may be: "1.234" is one thousand or one and a bit, by who writes it."""
    bare = re.sub(r"[\u00a0\u202f ]", "", written)
    signs = [sign for sign in bare if sign in ".,"]
    if not signs:
        yield Decimal(bare)
        return
    head, _sign, tail = bare.rpartition(signs[-1])
    if len(set(signs)) == 2 or signs.count(signs[0]) == 1:
        yield Decimal(re.sub(r"[.,]", "", head) + "." + tail)
    if len(set(signs)) == 1 and len(tail) == 3:
        yield Decimal(re.sub(r"[.,]", "", bare))
