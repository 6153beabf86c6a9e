"""Whose portal this is, and the vocabularies it knows: set up once, before anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from portal.errors import Conflict
from portal.models import Country, Mechanism, Tag, Vocabulary
from portal.permissions import Permission, require
from portal.services import audit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy.orm import Session

    from portal.permissions import Principal


def set_up_country(
    session: Session,
    *,
    code: str,
    names: Mapping[str, str],
    languages: Sequence[Mapping[str, Any]],
    time_zone: str,
    secretariat: Mapping[str, str],
    portal_name: Mapping[str, str],
    aliases: Sequence[str] = (),
    honorifics: Sequence[Mapping[str, Any]] = (),
    demo: bool = False,
    by: Principal,
) -> Country:
    """Say whose portal this is; ``languages`` in order of preference, the national one first (code, name, digits).

    Raises:
        Conflict: if the portal has a country.
    """
    require(by, Permission.OPERATE_PORTAL)
    if session.scalar(select(Country.id).limit(1)) is not None:
        raise Conflict(_l("This portal has its country already."))
    made = Country(
        code=code,
        aliases=list(aliases),
        names=dict(names),
        languages=[dict(language) for language in languages],
        time_zone=time_zone,
        secretariat=dict(secretariat),
        portal_name=dict(portal_name),
        honorifics=[dict(one) for one in honorifics],
        demo=demo,
    )
    session.add(made)
    session.flush()
    audit.record(session, "set_up_country", by=by, kind="country", thing=code)
    return made


def add_mechanisms(session: Session, rows: Iterable[Mapping[str, Any]], *, by: Principal) -> int:
    """Add mechanisms (``code``, ``names``, ``kind``, ``rank``) that are not known yet; return how many."""
    require(by, Permission.OPERATE_PORTAL)
    known = set(session.scalars(select(Mechanism.code)))
    made = [
        Mechanism(code=row["code"], names=dict(row["names"]), kind=row["kind"], rank=row["rank"])
        for row in rows
        if row["code"] not in known
    ]
    session.add_all(made)
    session.flush()
    if made:
        audit.record(session, "add_mechanisms", by=by, kind="mechanism", codes=[one.code for one in made])
    return len(made)


def add_labels(
    session: Session, vocabulary: Vocabulary, rows: Iterable[tuple[str, Mapping[str, str]]], *, by: Principal
) -> int:
    """Add labels (key, labels per language) of a vocabulary in their order; keys are the labels of imports (UHRI)."""
    require(by, Permission.OPERATE_PORTAL)
    known = set(session.scalars(select(Tag.key).where(Tag.vocabulary == vocabulary)))
    made = [
        Tag(vocabulary=vocabulary, key=key, labels=dict(labels), rank=number * 10)
        for number, (key, labels) in enumerate(rows, start=1)
        if key not in known
    ]
    session.add_all(made)
    session.flush()
    if made:
        audit.record(session, "add_labels", by=by, kind="vocabulary", thing=vocabulary.value, added=len(made))
    return len(made)
