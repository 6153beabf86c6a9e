"""The blueprint of examples, what loads one, and the words of states and acts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint
from flask_babel import gettext as _

from portal.blueprints.guard import who
from portal.errors import NotFound
from portal.extensions import db
from portal.models import ExampleAct, ExampleState
from portal.queries.examples import find_example

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.models import Example

blueprint = Blueprint("examples", __name__)
STATE_KINDS: Mapping[ExampleState, str] = {
    ExampleState.CANDIDATE: "warn",
    ExampleState.CHECKED: "info",
    ExampleState.CLEARED: "good",
    ExampleState.USED: "strong",
    ExampleState.REFUSED: "quiet",
}


def load(public_id: str) -> Example:
    """Load an example; another institution's does not exist for people of institutions."""
    found = find_example(db.session, public_id)
    if found is None or (not who().staff and found.institution_id != who().institution_id):
        raise NotFound
    return found


def state_names() -> dict[ExampleState, str]:
    """Return the names of the states."""
    return {
        ExampleState.CANDIDATE: _("Waits to be checked"),
        ExampleState.CHECKED: _("Checked"),
        ExampleState.CLEARED: _("Cleared for publication"),
        ExampleState.USED: _("Used"),
        ExampleState.REFUSED: _("Not taken"),
    }


def act_names() -> dict[ExampleAct, tuple[str, str, str]]:
    """Return how an act is told: (words, icon, kind)."""
    return {
        ExampleAct.SEND: (_("Sent by the institution"), "send", "info"),
        ExampleAct.CHECK: (_("Checked by the secretariat"), "check2", "info"),
        ExampleAct.CLEAR: (_("Cleared for publication"), "eye", "good"),
        ExampleAct.USE: (_("Used"), "journal-text", "good"),
        ExampleAct.REFUSE: (_("Not taken"), "x-circle", "warn"),
        ExampleAct.TAKE_BACK: (_("Publication taken back"), "eye-slash", "warn"),
    }
