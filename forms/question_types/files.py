"""Files: evidence is kept elsewhere; the answer holds the public ids of the files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from flask_babel import lazy_gettext as _l

from forms.answers import CellValue
from forms.question_types.base import Question, QuestionType
from forms.reading import Unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from forms.answers import Json
    from forms.context import Context

_PUBLIC_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
MAX_FILES = 100


class FileType(QuestionType):
    """One or more uploaded files, stored as a list of public ids; reading aloud gives their number."""

    name = "file"
    control = "file"
    several = True
    settings_keys: ClassVar[tuple[str, ...]] = ("accept", "max_files")

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read public ids of files that were uploaded before."""
        del item, context, lang
        ids: list[Json] = [*dict.fromkeys(part.strip() for part in raw if part.strip())]
        if len(ids) > MAX_FILES or any(not _PUBLIC_ID.fullmatch(str(part)) for part in ids):
            raise Unreadable(_l("This is not a file of this reply. Please upload the file again."))
        return ids or None

    def typed(self, raw: Sequence[str]) -> str:
        """Keep what was posted."""
        return " ".join(raw)

    def text(self, json: Json, item: Question, language: str) -> str:
        """Return the number of files; their names stand with the evidence."""
        del item, language
        return str(len(json)) if isinstance(json, list) else ""

    def cell(self, json: Json, item: Question, language: str) -> CellValue:
        """Return the number of files."""
        del item, language
        return CellValue("integer", len(json) if isinstance(json, list) else None)

    def raw(self, json: Json, item: Question) -> list[str]:
        """Return the public ids."""
        del item
        return [str(part) for part in json] if isinstance(json, list) else []

    def expression(self, json: Json) -> str:
        """Return the public ids separated by spaces: empty when there is no file."""
        return " ".join(self.raw(json, None))  # type: ignore[arg-type] # raw() asks nothing of the item


class ImageType(FileType):
    """A picture, taken as a file."""

    name = "image"


TYPES = (FileType(), ImageType())
