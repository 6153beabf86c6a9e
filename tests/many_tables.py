"""A page of many tables, each asked only where a question before says so: seven with fixed rows, five that grow."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from portal.models import ItemKind, Role
from tests import factories

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

FIXED, GROWING = 7, 5
ABOUT = ("Complaints", "Victims by age", "Victims by nationality", "Convictions", "Prisons", "Training", "Budget",
         "Places", "Seats", "Shelters", "Circulars", "Visits")  # fmt: skip
YEARS = [
    {"key": f"y{year}", "texts": {"en": str(year), "km": f"ឆ្នាំ {year}"}} for year in range(2021, 2026)
]
COUNTED = (("women", "Women", "ស្ត្រី"), ("men", "Men", "បុរស"), ("girls", "Girls", "ក្មេងស្រី"), ("boys", "Boys", "ក្មេងប្រុស"))


def scene(session: Session, language: str = "en") -> Any:
    """Return a focal point who owes one reply with a page of twelve tables, and a focal point of somewhere else."""
    version = factories.questionnaire_version(session)
    page = factories.item(session, version, "figures", kind=ItemKind.SECTION, label="Figures")
    codes = [f"t{number}" for number in range(1, FIXED + GROWING + 1)]
    choices = [
        {"key": code, "texts": {"en": about, "km": f"{about} តារាង"}} for code, about in zip(codes, ABOUT, strict=True)
    ]
    factories.question(session, version, "which", "select_multiple", parent=page, choices=choices, label="Which figures?")
    for number, (code, about) in enumerate(zip(codes, ABOUT, strict=True)):
        fixed = number < FIXED
        more: dict[str, Any] = {"choices": YEARS} if fixed else {}
        table = factories.item(
            session, version, code, kind=ItemKind.MATRIX if fixed else ItemKind.REPEAT, parent=page, label=about,
            relevant=f"selected(${{which}}, '{code}')", **more,
        )  # fmt: skip
        for name, english, khmer in COUNTED:
            factories.question(
                session, version, f"{code}_{name}", "integer", parent=table,
                texts={"label": {"en": english, "km": khmer}}, settings={"total": "sum", "not_available": True},
            )  # fmt: skip
        factories.question(
            session, version, f"{code}_remark", "text", parent=table, settings={"one_language": True},
            texts={"label": {"en": "Remarks", "km": "កំណត់សម្គាល់"}},
        )  # fmt: skip
    institution = factories.institution(session)
    reply = factories.submission(session, factories.assignment(session, to=institution, version=version))
    made = SimpleNamespace(
        reply=reply,
        codes=codes,
        path=f"/replies/{reply.public_id}/pages/figures",
        focal=factories.person(session, institution, Role.FOCAL_POINT, language=language),
        reader=factories.person(session, institution, Role.READER, language=language),
        stranger=factories.person(session, factories.institution(session), Role.FOCAL_POINT),
    )
    session.commit()
    return made
