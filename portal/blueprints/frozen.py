"""What was frozen - handed in, or printed to be signed - read aloud again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forms.answers import AnswerKey
from portal.blueprints.reading import read_definition
from portal.extensions import db
from portal.queries import submissions as queries
from portal.queries.questionnaires import definition as load_definition
from portal.queries.questionnaires import find_by_code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forms.definition.model import Definition


def asked_with(kept: Mapping[str, Any], definition: Definition) -> Definition:
    """Return the version the snapshot was answered in, if the reply has moved to another since."""
    number = kept["questionnaire"]["version"]
    if number == definition.version:
        return definition
    found = find_by_code(db.session, kept["questionnaire"]["code"], number)
    return load_definition(db.session, found.id) if found is not None else definition


def restored(kept: Mapping[str, Any]) -> dict[AnswerKey, queries.StoredAnswer]:
    """Return the answers of a snapshot by key."""
    return {
        AnswerKey(one["code"], one["row"], one["lang"]): queries.StoredAnswer(
            one["value"], one["state"], None, one["revision"]
        )
        for one in kept["answers"]
    }


def frozen_pages(kept: Mapping[str, Any], definition: Definition, languages: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return a snapshot as pages of questions and answers in words."""
    return read_definition(
        asked_with(kept, definition),
        restored(kept),
        frozenset(kept["hidden"]),
        languages,
        rows=queries.handed_in_rows(kept),
    )
