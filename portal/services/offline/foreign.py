"""Sheets that are not to be read where they were sent: of another institution or round, or of nothing any more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from portal.permissions import Permission, can
from portal.services.offline.plan import OtherRound, in_part
from portal.table import Problem, pick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead
    from portal.table import Speakable
    from portal.workbooks.offline.found import FoundSheet


@dataclass
class _Told:
    sentence: Speakable
    mend: Speakable | None
    sheets: list[FoundSheet] = field(default_factory=list)


class ForeignSheets:
    """Sets foreign sheets aside, and tells each reason once for all of them: a file has forty sheets."""

    def __init__(self, *, by: Principal, round_slug: str, language: str, languages: tuple[str, ...]) -> None:
        self.by, self.round_slug, self.language, self.languages = by, round_slug, language, languages
        self.found: dict[tuple[str, str], _Told] = {}
        self.rounds: dict[str, OtherRound] = {}

    def takes(self, head: SubmissionHead | None, sheet: FoundSheet) -> bool:
        """Set a sheet aside if it is none of this person's business here; tell whether it was."""
        key, told = self._why(head)
        if told is not None:
            self.found.setdefault(key, told).sheets.append(sheet)
        return told is not None

    def _why(self, head: SubmissionHead | None) -> tuple[tuple[str, str], _Told | None]:
        if head is None:
            return ("gone", ""), _Told(_l("The reply to which this belongs is no longer in the portal."), None)
        if not can(self.by, Permission.ANSWER_SUBMISSION, head):
            sentence = _l(
                "This belongs to another institution (%(institution)s), not to yours.",
                institution=self._named(head.institution_names, head.institution_code),
            )
            mend = _l("Send it back signed in for that institution, or ask its focal point to.")
            return ("institution", head.institution_code), _Told(sentence, mend)
        if self.round_slug and head.round_slug != self.round_slug:
            title = self._named(head.round_titles, head.round_slug)
            self.rounds.setdefault(head.round_slug, OtherRound(head.round_slug, title))
            sentence = _l("This belongs to another round (%(round)s).", round=title)
            mend = _l("Choose that round on the page “What I owe” and send the file from there.")
            return ("round", head.round_slug), _Told(sentence, mend)
        return ("", ""), None

    def _named(self, names: Mapping[str, str], code: str) -> str:
        return pick(names, self.language, self.languages) or code

    def problems(self) -> list[Problem]:
        """Return what is told of them."""
        return [_problem(one) for one in self.found.values()]


def _problem(told: _Told) -> Problem:
    names = ", ".join(dict.fromkeys(sheet.name for sheet in told.sheets))
    return Problem(told.sentence, names, mend=told.mend, place=in_part(names, word=told.sheets[0].word))
