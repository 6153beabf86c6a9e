"""Files: evidence is kept elsewhere; the answer holds the public ids of the files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

from flask_babel import lazy_gettext as _l

from forms.answers import CellValue
from forms.question_types.base import Question, QuestionType
from forms.question_types.settings import Setting
from forms.reading import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from forms.answers import Json, Text
    from forms.context import Context

_PUBLIC_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
MAX_FILES = 100


class FileType(QuestionType):
    """One or more uploaded files, stored as a list of public ids; reading aloud gives their number."""

    name = "file"
    title = _l("Files")
    control = "file"
    several = True
    settings: ClassVar[tuple[Setting, ...]] = (
        Setting(
            "accept",
            "line",
            _l("Kinds of file"),
            _l("Endings with commas, for example .pdf,.docx. Empty: all safe kinds."),
        ),
        Setting("max_files", "count", _l("At most this many files"), _l("Empty: as many as needed."), 1, MAX_FILES),
    )
    accepted: ClassVar[tuple[str, ...]] = (
        ".pdf", ".docx", ".doc", ".xlsx", ".xls", ".pptx", ".odt", ".ods", ".jpg", ".jpeg", ".png", ".txt", ".csv",
    )  # fmt: skip

    def kinds(self, item: Question) -> tuple[str, ...]:
        """Return the endings that may be attached: those of the setting that are safe, else all safe ones.

        A photo is one kind under both of its endings.
        """
        asked = _endings(item.settings.get("accept"))
        photo = {".jpg", ".jpeg"}
        if photo.intersection(asked):
            asked += photo
        return tuple(one for one in self.accepted if one in asked) or self.accepted

    def accept(self, item: Question) -> str:
        """Return these endings as HTML writes them."""
        return ",".join(self.kinds(item))

    def how_to(self, item: Question) -> Text:
        """Say which kinds of file are taken, where it is not every safe one."""
        kinds = self.kinds(item)
        if kinds == FileType.accepted:
            return ""
        return _l("Kinds of file taken here: %(kinds)s.", kinds=", ".join(kinds))

    def check_settings(self, settings: Mapping[str, Any]) -> Mapping[str, Text]:
        """Refuse an ending that no file here may have."""
        unknown = [one for one in _endings(settings.get("accept")) if one not in self.accepted]
        if not unknown:
            return {}
        return {
            "accept": _l(
                "Files ending in %(ending)s cannot be attached. Please choose among %(known)s.",
                ending=unknown[0][:20],
                known=", ".join(self.accepted),
            )
        }

    def read(self, raw: Sequence[str], item: Question, context: Context, lang: str) -> Json:
        """Read public ids of files that were uploaded before."""
        del item, context, lang
        ids: list[Json] = [*dict.fromkeys(part.strip() for part in raw if part.strip())]
        if len(ids) > MAX_FILES or any(not _PUBLIC_ID.fullmatch(str(part)) for part in ids):
            raise Unreadable(_l("This is not a file of this reply. Please upload the file again."))
        return ids or None

    def validate(self, value: Json, item: Question) -> Text | None:
        """Hold the number of files against the setting."""
        most = str(item.settings.get("max_files") or "")
        if isinstance(value, list) and most.isdecimal() and len(value) > int(most) > 0:
            return _l("At most %(count)s files can be attached here. Please remove some.", count=most)
        return None

    def typed(self, raw: Sequence[str]) -> str:
        """Keep what was posted."""
        return " ".join(raw)

    def raw_typed(self, typed: str) -> list[str]:
        """Return the parts."""
        return typed.split(" ")

    def text(self, json: Json, item: Question, language: str) -> str:
        """Return the number of files; their names stand with the evidence."""
        del item, language
        return str(len(json)) if isinstance(json, list) else ""

    def cell(self, json: Json, item: Question, language: str) -> CellValue:
        """Return the number of files."""
        del item, language
        return CellValue("integer", len(json) if isinstance(json, list) else None)

    def tally(self, values: Iterable[Json], item: Question) -> dict[str, Any]:
        """Count replies with files, and the files."""
        del item
        kept = [value for value in values if isinstance(value, list) and value]
        return {"answered": len(kept), "files": sum(len(value) for value in kept)}

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
    title = _l("Pictures")
    accepted = (".jpg", ".jpeg", ".png")


def _endings(setting: object) -> list[str]:
    return [f".{part.strip().lstrip('.').lower()}" for part in str(setting or "").split(",") if part.strip()]


TYPES = (FileType(), ImageType())
