"""What the tables of a report share: the reader they are made for, and the words of states, roles and signatures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from portal.models import AssignmentRole, ExampleState, Signature, TextStatus, Visibility
from portal.table import Column, pick

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from portal.table import Kind

STATES = ("answered", "not_answered", "not_asked", "not_applicable", "not_available")


@dataclass(frozen=True)
class Reader:
    """For whom a report is made: language, the portal's languages (the national one first), time zone, today.

    ``reply_url`` and ``evidence_url`` turn a public id into an address of the portal.
    """

    language: str
    languages: tuple[str, ...]
    time_zone: str
    today: date
    reply_url: Callable[[str], str]
    evidence_url: Callable[[str], str]

    def say(self, texts: Mapping[str, str] | None) -> str:
        """Choose a text of a language map."""
        return pick(texts, self.language, self.languages)

    def column(
        self, key: str, title: str, kind: Kind = "text", width: float = 16, *, wrap: bool = False, about: str = ""
    ) -> Column:
        """Make a column whose title and explanation are in this reader's language."""
        return Column(key, {self.language: title}, kind, width, wrap, {self.language: about} if about else {})


def state_words(state: str) -> str:
    """Return the name of a cell's state; the five are never collapsed."""
    words: dict[str, str] = {
        "answered": _("answered"),
        "not_answered": _("not answered"),
        "not_asked": _("not asked"),
        "not_applicable": _("not applicable"),
        "not_available": _("not available"),
    }
    return words[state]


def role_words(role: AssignmentRole) -> str:
    """Return an institution's part in a recommendation."""
    return str(_("lead") if role is AssignmentRole.LEAD else _("contributing"))


def signature_words(signature: Signature | None) -> str:
    """Return how a reply is signed; a signature that is to follow is said to be missing."""
    if signature is None:
        return ""
    words: dict[str, str] = {
        Signature.SIGNED: _("signed"),
        Signature.PAPER: _("signed on paper"),
        Signature.PENDING: _("UNSIGNED: signature to follow"),
        Signature.VOID: _("signature void"),
    }
    return words[signature]


def text_status_words(status: str) -> str:
    """Return the standing of the national text."""
    words: dict[str, str] = {
        TextStatus.NONE: _("no translation"),
        TextStatus.WORKING: _("working translation"),
        TextStatus.OFFICIAL: _("official translation"),
    }
    return words[TextStatus(status)]


def visibility_words(visibility: Visibility) -> str:
    """Return who may see a piece of evidence."""
    words: dict[str, str] = {
        Visibility.PUBLIC: _("public"),
        Visibility.INTERNAL: _("internal"),
        Visibility.CONFIDENTIAL: _("confidential"),
    }
    return words[visibility]


def example_words(state: ExampleState) -> str:
    """Return where an example stands that was sent outside a reply."""
    return str(_("Example, used") if state is ExampleState.USED else _("Example, cleared for publication"))
