"""What the rules of a questionnaire say about a set of answers: what is asked, computed, required, refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from forms.answers import AnswerKey, Json
from forms.context import Context

if TYPE_CHECKING:
    from forms.answers import Given
    from forms.definition.model import Definition

__all__ = ["Context", "Evaluation", "evaluate"]


@dataclass(frozen=True)
class Evaluation:
    """The verdict on a set of answers.

    `hidden` holds codes of items (pages and groups too) that are not asked. `required` and `missing` name questions:
    their keys have no language, since an answer in any language will do. `refused` maps the very answer (language
    included) to its sentence. `unreadable` are answers whose typed text could not be read: neither missing nor given.
    `offered` maps questions with a choice filter to the keys on offer. `values` is what expressions read.
    """

    hidden: frozenset[str]
    calculated: Mapping[AnswerKey, Json]
    required: frozenset[AnswerKey]
    missing: tuple[AnswerKey, ...]
    refused: Mapping[AnswerKey, str]
    unreadable: tuple[AnswerKey, ...] = ()
    offered: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """True when nothing keeps the reply from being completed."""
        return not (self.missing or self.refused or self.unreadable)


def evaluate(definition: Definition, answers: Mapping[AnswerKey, Given], context: Context) -> Evaluation:
    """Apply relevant, calculation, required and constraint to the answers; total, bounded, never raises."""
    raise NotImplementedError
