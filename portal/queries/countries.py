"""Whose portal this is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from portal.models import Country

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class CountryFacts:
    """The country row, as pages, imports and exports need it; a fresh database has an English nowhere."""

    code: str = ""
    aliases: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    languages: tuple[str, ...] = ("en",)
    language_facts: tuple[Mapping[str, Any], ...] = ()
    time_zone: str = "UTC"
    secretariat: Mapping[str, str] = field(default_factory=dict)
    portal_name: Mapping[str, str] = field(default_factory=dict)
    honorifics: tuple[Mapping[str, Any], ...] = ()
    demo: bool = False

    @property
    def national(self) -> str:
        """Return the language that institutions see first."""
        return self.languages[0]


def country_facts(session: Session) -> CountryFacts:
    """Read the one country row."""
    row = session.execute(select(Country.__table__).order_by(Country.id).limit(1)).first()
    if row is None:
        return CountryFacts()
    return CountryFacts(
        code=row.code,
        aliases=tuple(row.aliases),
        names=row.names,
        languages=tuple(language["code"] for language in row.languages),
        language_facts=tuple(row.languages),
        time_zone=row.time_zone,
        secretariat=row.secretariat,
        portal_name=row.portal_name,
        honorifics=tuple(row.honorifics),
        demo=row.demo,
    )
