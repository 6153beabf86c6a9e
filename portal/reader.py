"""The reader of the present page, and what is written as they read it: texts, numbers, dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal
from flask_babel import gettext

from portal import clock
from portal.incoming import present
from portal.page_views import Language, PageView
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Mapping

KHMER_DIGITS = str.maketrans("0123456789", "០១២៣៤៥៦៧៨៩")
DATE_PATTERNS = {
    "long": "d MMMM y", "short": "d MMM y", "day": "d MMM", "this_year": "d MMMM", "weekday": "EEEE d MMMM y",
}  # fmt: skip


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
    return tuple(Language(code, own_name(code), code == current) for code in codes)


@lru_cache(maxsize=64)
def own_name(code: str) -> str:
    """Name a language in itself."""
    name = Locale.parse(code.replace("-", "_")).get_language_name() or code
    return name[:1].upper() + name[1:]


@lru_cache(maxsize=64)
def _locale(code: str) -> Locale:
    return Locale.parse(code.replace("-", "_"))


def country() -> str:
    """Return the owner's name in the current language, never blank."""
    return localized(view().country) or gettext("Recommendation follow-up portal")


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
    """Write a date, or the local day of an instant: form is long, short, day, this_year or weekday."""
    if value is None:
        return ""
    day = _local(value).date() if isinstance(value, datetime) else value
    return digits(format_date(day, format=DATE_PATTERNS[form], locale=_locale(current_language())))


def months() -> tuple[str, ...]:
    """Name the twelve months as a short date does, for scripts: few browsers know the names of every language."""
    names: Mapping[int, str] = _locale(current_language()).months["format"]["abbreviated"]
    return tuple(names[number] for number in range(1, 13))


def time_text(value: datetime | time | None) -> str:
    """Write the local time of day as 14:02."""
    if value is None:
        return ""
    moment = _local(value) if isinstance(value, datetime) else value
    return digits(f"{moment.hour:02}:{moment.minute:02}")


def datetime_text(value: datetime | None, form: str = "short") -> str:
    """Write an instant as day and local time."""
    return "" if value is None else f"{date_text(value, form)} {time_text(value)}"


def moment_text(value: datetime | None) -> str:
    """Write an instant of today as 14:02, one of another day as 2 October, 14:02, in another year with the year."""
    if value is None:
        return ""
    at, now = _local(value), _local(clock.now())
    if at.date() == now.date():
        return time_text(at)
    return f"{date_text(at, 'this_year' if at.year == now.year else 'long')}, {time_text(at)}"


def iso(value: date | datetime | None) -> str:
    """Write a date or an instant for a `datetime` attribute."""
    return "" if value is None else value.isoformat()


def _local(value: datetime) -> datetime:
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    return aware.astimezone(_zone(str(view().time_zone)))


@lru_cache(maxsize=16)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
