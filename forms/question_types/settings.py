"""What a designer may set for a question: named values with a label, a hint and bounds, said by each question type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from flask_babel import lazy_gettext as _l

if TYPE_CHECKING:
    from forms.answers import Text

SettingKind: TypeAlias = Literal["flag", "count", "number", "line", "texts", "choice", "appearance", "day"]


@dataclass(frozen=True)
class Setting:
    """One setting of a question; `name` is its key in `item.settings` (the name of the XLSForm column or parameter).

    A flag is true or absent; a count is a whole number from `least` to `most`; a number is stored as plain text; texts
    are a language map; a choice is one of `options` ((value, label), "" = not set); an appearance is likewise one of
    `options` but stands as one word among others in `settings["appearance"]`; a day is stored as ISO text. `word` names
    a word of the appearance that means the same as a flag.
    """

    name: str
    kind: SettingKind
    label: Text
    hint: Text = ""
    least: int = 0
    most: int = 0
    options: tuple[tuple[str, Text], ...] = ()
    word: str = ""


NOT_AVAILABLE = Setting(
    "not_available",
    "flag",
    _l("May be answered “not available”"),
    _l("For figures that nobody collects: said on purpose, unlike an empty field."),
)
NOT_APPLICABLE = Setting(
    "not_applicable",
    "flag",
    _l("May be answered “not applicable”"),
    _l("For questions that do not concern every institution."),
)
UNIT = Setting("unit", "texts", _l("Unit"), _l("Stands after the field, for example persons or hectares."))
