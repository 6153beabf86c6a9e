"""What a post without script left to be looked at: the page is shown again with it, and its writer decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from forms.answers import field_name
from forms.question_types import question_type
from portal.blueprints.file_places import anchor_of
from portal.blueprints.respond.conflicts import as_posted, beside_a_state, shown_conflicts
from portal.blueprints.respond.error_lines import error_lines
from portal.blueprints.respond.rows import people, row_conflicts
from portal.blueprints.typed_words import typed_words
from portal.extensions import db
from portal.incoming import asked
from portal.queries.actors import actor_names

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from forms.answers import AnswerKey
    from forms.definition.model import Definition
    from portal.errors import Invalid
    from portal.page_views import Posted
    from portal.services.submissions import RefusedAnswer, Saved


@dataclass(frozen=True)
class ToLookAt:
    """The lines of the error summary (id of a field, sentence), both texts of each conflict, and the status.

    ``typed`` is what was written in answers that were closed meanwhile, by question; the page shows what is saved.
    """

    errors: Sequence[tuple[str, str]] = ()
    typed: Sequence[tuple[str, str]] = ()
    conflicts: Sequence[dict[str, Any]] = ()
    row_conflicts: Sequence[dict[str, Any]] = ()
    mine: Mapping[AnswerKey, Posted] = field(default_factory=dict)  # stands in the fields in place of what is saved
    status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY
    state: str = ""  # what the bar says in place of "saved" (components/save_status.html): conflict, error or kept

    def __bool__(self) -> bool:
        """Tell whether there is anything."""
        return bool(self.errors)


NOTHING = ToLookAt()


def to_look_at(
    saved: Saved,
    definition: Definition,
    refused: Sequence[RefusedAnswer],
    here: Collection[str],
) -> ToLookAt:
    """Return what was overtaken or refused.

    ``refused`` are those of ``saved.refused`` that the page shows, and ``here`` the codes of what it shows.
    """
    # a page that was opened before a question was closed posts what stands in it, too
    refused = [one for one in refused if one.kept or not _untouched(one.key, saved, definition)]
    typed = _typed([one.key for one in refused if not one.kept], definition)
    if not (saved.stale or saved.stale_rows):
        return ToLookAt(
            error_lines(saved, definition, refused, here),
            typed,
            mine=beside_a_state(refused, definition),
            state=_state(refused),
        )
    names = actor_names(db.session, people(saved))
    return ToLookAt(
        error_lines(saved, definition, refused, here, names),
        typed,
        shown_conflicts(saved, definition, names),
        row_conflicts(saved, definition, names),
        beside_a_state(refused, definition) | as_posted(saved, definition),
        HTTPStatus.CONFLICT,
        "conflict",
    )


def refused_file(definition: Definition, key: AnswerKey, refused: Invalid) -> ToLookAt:
    """Return why a file or link is not taken, at the question or cell that it was sent from."""
    return ToLookAt([(anchor_of(definition, key).removeprefix("#"), str(refused))])


def _state(refused: Sequence[RefusedAnswer]) -> str:
    if not refused:
        return ""
    return "kept" if all(one.kept for one in refused) else "error"


def _untouched(key: AnswerKey, saved: Saved, definition: Definition) -> bool:
    """Tell whether a post says of an answer what is saved."""
    item, answer = definition.question(key.code), saved.answers.get(key)
    kind = question_type(item.type)
    if answer is None:
        stands: Sequence[str] = []
    else:
        stands = kind.raw_typed(answer.typed) if answer.typed is not None else kind.raw(answer.value, item)
    return [_plain(text) for text in stands if text] == [_plain(text) for text in _said(key) if text]


def _said(key: AnswerKey) -> list[str]:
    return asked().form.getlist(field_name(key))


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _typed(keys: Sequence[AnswerKey], definition: Definition) -> Sequence[tuple[str, str]]:
    return typed_words(definition, [(field_name(key), text) for key in keys for text in _said(key)]) if keys else ()
