"""The fields of an item on its page: texts per language, settings and choices, each with what its writer saw."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flask_babel import gettext as _

from forms.question_types import question_type
from forms.reading import holdable
from forms.tables import MOST_ROWS
from forms.type_settings import settings_data, settings_form
from portal.services.questionnaire_drafts import Edit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from werkzeug.datastructures import MultiDict

    from forms.definition.model import Item
    from forms.type_settings import TypeSettingsForm

WINDOW = 60  # choices on one page of the editor
NUMBERS = frozenset({"integer", "decimal", "money", "calculate", "range"})
# settings that belong to no type: a flag, a line of text, or a whole number
FLAG, LINE, COUNT = "flag", "line", "count"


@dataclass
class Words:
    """One text in one language: its field, what stands in it, what its writer saw, what somebody else saved since."""

    name: str
    language: str
    value: str
    base: str
    theirs: str | None = None
    gone: bool = False


@dataclass
class Extra:
    """A setting beside those of the type."""

    name: str
    kind: str
    label: str
    hint: str
    value: Any


@dataclass
class ChoiceView:
    """One choice: its key, its words, whether it is still offered, its place in the list."""

    key: str
    words: list[Words]
    retired: bool
    number: int


@dataclass
class Texts:
    """One text role of an item: how it is called, how much room it takes, one field per language."""

    role: str
    label: str
    hint: str
    rows: int
    words: list[Words] = field(default_factory=list)


def roles_of(item: Item) -> list[Texts]:
    """Return the texts that an item of this kind can have."""
    label, hint = Texts("label", _("Wording"), "", 3), Texts("hint", _("Help below the question"), "", 2)
    if item.kind == "note":
        return [replace(label, hint=_("Markdown: **bold**, lists, links."), rows=6)]
    if item.kind in ("section", "group", "repeat", "matrix"):
        return [replace(label, label=_("Title"), rows=1), replace(hint, label=_("Words below the title"))]
    if not question_type(item.type).asks:
        return [replace(label, hint=_("Empty: it is computed and not shown.")), hint]
    return [
        label,
        hint,
        Texts("guidance", _("Longer guidance"), _("Folded away below the question until somebody wants it."), 4),
        Texts("required_message", _("Sentence when the answer is missing"), _("Empty: the portal's own sentence."), 1),
        Texts(
            "constraint_message",
            _("Sentence when the answer is refused"),
            _("Say what is expected, not what was wrong."),
            1,
        ),
        Texts("soft_constraint_message", _("Sentence when the answer is unusual"), "", 1),
    ]


class Fields:
    """The texts, settings and choices of one item, shown and posted; ``posted`` is None when the page is opened."""

    def __init__(
        self, item: Item, languages: Sequence[str], posted: MultiDict[str, str] | None, *, in_table: bool
    ) -> None:
        self.item, self.languages, self.posted, self.in_table = item, languages, posted, in_table
        self.texts = [self._texts(one) for one in roles_of(item)]
        self.base_settings: dict[str, Any] = self._base_settings()
        self.form = self._settings_form()
        self.extras = self._extras()

    def _words(self, name: str, language: str, stored: str) -> Words:
        if self.posted is None or name not in self.posted:
            return Words(name, language, stored, stored)
        value = holdable(self.posted[name]).replace("\r\n", "\n")
        return Words(name, language, value, self.posted.get(f"base:{name}", stored))

    def _texts(self, texts: Texts) -> Texts:
        stored = self.item.texts.get(texts.role) or {}
        texts.words = [self._words(f"{texts.role}@{one}", one, stored.get(one, "")) for one in self.languages]
        return texts

    def text_edits(self) -> list[Edit]:
        """Return what was typed into the texts, each with what its writer saw."""
        return [
            Edit(texts.role, one.base, one.value, one.language)
            for texts in self.texts
            for one in texts.words
            if not self.taken(one.name)
        ]

    def taken(self, name: str) -> bool:
        """Tell whether the writer gave way to what somebody else saved."""
        return self.posted is not None and bool(self.posted.get(f"take:{name}"))

    # settings

    def _base_settings(self) -> dict[str, Any]:
        if self.posted is None:
            return dict(self.item.settings)
        try:
            found = json.loads(self.posted.get("base:settings", "{}"))
        except (ValueError, RecursionError):
            found = {}
        return found if isinstance(found, dict) else {}

    def _settings_form(self) -> TypeSettingsForm | None:
        if self.item.kind != "question":
            return None
        kind = question_type(self.item.type)
        if not kind.all_settings():
            return None
        made = settings_form(kind, self.languages)
        data = settings_data(kind, self.base_settings, self.languages)
        posted = self.posted if self.posted is not None and "base:settings" in self.posted else None
        form: TypeSettingsForm = made(formdata=posted, data=data, prefix="set-", meta={"csrf": False})
        return form

    def _extras(self) -> list[Extra]:
        found = [Extra(*one, value=self.base_settings.get(one[0])) for one in self._extra_kinds()]
        if self.posted is not None and "base:settings" in self.posted:
            for one in found:
                said = holdable(self.posted.get(f"more:{one.name}", "")).strip()
                if one.kind != FLAG:
                    one.value = said
                elif one.name == "total":
                    one.value = "sum" if said else None
                elif not isinstance(self.base_settings.get(one.name), str):  # a rule of a file is left alone
                    one.value = bool(said) or None
        return found

    def _extra_kinds(self) -> list[tuple[str, str, str, str]]:
        item = self.item
        if item.kind == "repeat":
            return [
                (
                    "max_rows", COUNT, _("At most this many rows"), _("Empty: as many as the portal allows."),
                ),
                (
                    "repeat_count", LINE, _("Number of rows, computed"),
                    _("An expression such as ${members}: so many rows stand there from the start."),
                ),
            ]  # fmt: skip
        if item.kind != "question":
            return []
        found = []
        if self.in_table and item.type in NUMBERS:
            found.append(("total", FLAG, _("Show the sum below the column"), ""))
        if not question_type(item.type).asks:
            return found
        return [
            *found,
            ("evidence_required", FLAG, _("Evidence must be attached"), ""),
            (
                "soft_constraint", LINE, _("Should hold, or be kept with a reason"),
                _("An expression such as . <= 1000; unlike a rule that must hold it only warns."),
            ),
            ("part_of", LINE, _("Part of"), _("The code of the question that holds the total of these parts.")),
            ("sensitive", FLAG, _("Sensitive"), ""),
            ("indicator", LINE, _("Indicator"), _("The number of an SDG or national indicator.")),
            ("owner_unit", LINE, _("Unit that knows the answer"), _("Which unit of an institution is likely to know.")),
        ]

    def settings_edits(self) -> list[Edit]:
        """Return the settings that were changed, each with what its writer saw."""
        if self.posted is None or "base:settings" not in self.posted:
            return []
        new = self.new_settings()
        names = [*self.base_settings, *(name for name in new if name not in self.base_settings)]
        return [
            Edit(name, self.base_settings.get(name), new.get(name))
            for name in names
            if name != "type" and self.base_settings.get(name) != new.get(name) and not self.taken(f"setting:{name}")
        ]

    def new_settings(self) -> dict[str, Any]:
        """Return the settings as the page says them."""
        new = self.form.to_settings(self.base_settings) if self.form is not None else dict(self.base_settings)
        for one in self.extras:
            if one.value in (None, "", False):
                new.pop(one.name, None)
            else:
                new[one.name] = one.value
        return new

    def settings_wrong(self) -> list[tuple[str, str]]:
        """Return (field id, sentence) of the settings that cannot be taken."""
        wrong = []
        if self.form is not None and self.posted is not None and "base:settings" in self.posted:
            self.form.validate()
            wrong = self.form.summary()
        for one in self.extras:
            if one.kind == COUNT and one.value and not (str(one.value).isdecimal() and 0 < int(one.value) <= MOST_ROWS):
                sentence = _("Please write a number from %(low)s to %(high)s.", low=1, high=MOST_ROWS)
                wrong.append((f"more-{one.name}", sentence))
        return wrong

    # choices

    def choices(self, start: int) -> list[ChoiceView]:
        """Return a window of the choices with what was typed over them."""
        return [
            ChoiceView(
                one.key,
                [self._words(f"choice:{one.key}@{lang}", lang, one.texts.get(lang, "")) for lang in self.languages],
                one.retired,
                number,
            )
            for number, one in enumerate(self.item.choices[start : start + WINDOW], start=start + 1)
        ]

    def choice_edits(self) -> dict[str, list[Edit]]:
        """Return the words that were typed over choices, by key."""
        edits: dict[str, list[Edit]] = {}
        for name in self.posted or ():
            if not name.startswith("choice:") or self.taken(name):
                continue
            key, at, language = name.removeprefix("choice:").rpartition("@")
            posted: Any = self.posted
            if at and language in self.languages and posted[name] != posted.get(f"base:{name}"):
                edits.setdefault(key, []).append(
                    Edit("label", posted.get(f"base:{name}", ""), posted[name], language)
                )
        return edits

    def typed(self) -> Item:
        """Return the item as the page says it, for showing and judging what is not saved yet."""
        texts: dict[str, Mapping[str, str]] = dict(self.item.texts)
        for one in self.texts:
            texts[one.role] = {words.language: words.value for words in one.words if words.value.strip()}
        edits = self.choice_edits()
        choices = tuple(
            replace(one, texts={**one.texts, **{edit.language: str(edit.new) for edit in edits.get(one.key, ())}})
            for one in self.item.choices
        )
        settings = self.item.settings
        if self.posted is not None and not self.settings_wrong():
            settings = self.new_settings()
        return replace(self.item, texts=texts, choices=choices, settings=settings)


