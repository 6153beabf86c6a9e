"""What all pages of the designer share: the draft they work on, the item an address names, how labels are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import current_app, redirect, url_for
from flask_babel import gettext as _

from forms.definition.spelling import judge
from portal.blueprints.page import notice
from portal.blueprints.questionnaires.room import reading_order, version_of
from portal.errors import NotFound
from portal.extensions import db
from portal.models import QuestionnaireVersion, VersionStatus
from portal.queries.questionnaires import definition

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from forms.definition.model import Definition, Item
    from forms.definition.report import Mistake
    from portal.queries.questionnaires import VersionHead

# what a place is: which kinds may stand in it
FOLDERS = frozenset({"section", "group", "repeat", "matrix"})
# pages that colleagues' rooms may have: (endpoint, how the link is called)
BESIDE = ("preview", "translations", "proof", "test_drive")


@dataclass(frozen=True)
class Spot:
    """An item of a version, as an address names it."""

    head: VersionHead
    code: str


def spot_of(public_id: str, code: str) -> Spot:
    """Load the version an address names; the item itself may be gone, and what was written for it is kept."""
    return Spot(version_of(public_id), code)


def is_draft(head: VersionHead) -> bool:
    """Tell whether the version may still be changed."""
    return head.status is VersionStatus.DRAFT


def not_a_draft(head: VersionHead) -> ResponseReturnValue:
    """Lead away from a page of the designer: this version is frozen."""
    notice(_("Version %(number)s does not change any more. Begin a draft to change it.", number=head.number), "warn")
    return redirect(url_for("questionnaires.overview", public_id=head.public_id), code=303)


def locked(session: Session, head: VersionHead) -> QuestionnaireVersion:
    """Return the stored version inside ``write()``; the verbs lock and judge it."""
    return session.get_one(QuestionnaireVersion, head.id, populate_existing=True)


def load(head: VersionHead) -> Definition:
    """Return the draft as it is now."""
    return definition(db.session, head.id)


def find(of: Definition, code: str) -> Item:
    """Return an item of a draft.

    Raises:
        NotFound: if it is not in it (any more).
    """
    found = next((item for item in of.items() if item.code == code), None)
    if found is None:
        raise NotFound
    return found


def parent_of(of: Definition, code: str) -> Item | None:
    """Return what an item stands in, None for a page."""
    return next((item for item in of.items() if any(child.code == code for child in item.children)), None)


def path_to(of: Definition, code: str) -> list[Item]:
    """Return what an item stands in, the page first; without the item itself."""
    found: list[Item] = []
    above = parent_of(of, code)
    while above is not None:
        found.insert(0, above)
        above = parent_of(of, above.code)
    return found


def siblings(of: Definition, code: str) -> Sequence[Item]:
    """Return the items among which one stands, itself included."""
    above = parent_of(of, code)
    return above.children if above is not None else of.pages


def place_after(of: Definition, code: str) -> tuple[str, str]:
    """Return (parent, before) of the place right behind an item."""
    above, around = parent_of(of, code), siblings(of, code)
    at = [item.code for item in around].index(code) + 1
    return above.code if above is not None else "", around[at].code if at < len(around) else ""


def label(item: Item) -> str:
    """Return how an item is called for this reader: its label, else its code."""
    order = reading_order()
    return " ".join(item.text("label", order[0], order).split()) or item.code


def mistakes(of: Definition) -> dict[str, list[Mistake]]:
    """Return what the checker says, by the code of the item; "" for the questionnaire as a whole."""
    found: dict[str, list[Mistake]] = {}
    for one in judge(of):
        found.setdefault(one.field or "", []).append(one)
    return found


def beside(head: VersionHead) -> list[tuple[str, str, str]]:
    """Return the other pages of this draft that the portal has: (name, address, icon)."""
    words: dict[str, tuple[Any, str]] = {
        "preview": (_("Preview"), "eye"),
        "translations": (_("Translations"), "translate"),
        "proof": (_("Proof sheet"), "printer"),
        "test_drive": (_("Test drive"), "play-circle"),
    }
    return [
        (words[name][0], url_for(f"questionnaires.{name}", public_id=head.public_id), words[name][1])
        for name in BESIDE
        if f"questionnaires.{name}" in current_app.view_functions
    ]


def first_free(stem: str, taken: Iterable[str]) -> str:
    """Return a code that is not taken: the stem itself, else with a number."""
    known, count, code = set(taken), 1, stem
    while code in known:
        count += 1
        code = f"{stem[:58]}_{count}"
    return code
