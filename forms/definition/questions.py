"""The rows of questions: one row to one question (or two, with "other, please specify")."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from forms.definition.model import Choice, Item
from forms.definition.reading import good_name, in_languages
from forms.definition.searching import Sieve, sieve_of
from forms.definition.settings import inherited, item_settings, parameters_of
from forms.definition.tables import choices_from, table_name
from forms.definition.types import METADATA, TypeWord, read_type
from forms.question_types import question_types

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forms.definition.reading import Reading
    from forms.definition.rows import RawRow

OTHER = {"en": "Other", "km": "ផ្សេងទៀត", "fr": "Autre"}
SPECIFY = {"en": "Please specify", "km": "សូមបញ្ជាក់", "fr": "Veuillez préciser"}
LISTED = ("select_one", "select_multiple", "rank")
_SILENT = ("calculate", "hidden")


class Questions:
    """Makes the items of question rows; what is wrong is noted and the row left out or mended."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        self.headers = reading.headers
        self.findings = reading.findings

    def read(self, row: RawRow, word: TypeWord, around: Mapping[str, Any], siblings: set[str]) -> list[Item]:
        """Return the items of one row; `around` are the settings of its group, `siblings` the names in that group."""
        written = self.headers.get(row, "type")
        code = self.named(row, word, siblings)
        if not code:
            return []
        word, kept = self._as_it_is_asked(row, written, word)
        texts = self.reading.texts(row)
        settings = inherited(around, item_settings(self.headers, row, word.type, self.findings))
        sieve = self._search(row, word, settings)
        if sieve is not None:
            word, kept = TypeWord("question", "text"), written
            if sieve.table in self.reading.tables:
                word, kept = TypeWord("question", read_type(written).type, file=f"{sieve.table}.csv"), ""
                del settings["appearance"]
                settings |= sieve.settings
        choices = self._choices(row, word, settings)
        if word.file and not choices:
            word, kept = TypeWord("question", "text"), written
        if kept:
            settings["written_type"] = kept
        rules = {
            role: self.reading.rule(row, role)
            for role in ("required", "relevant", "constraint", "calculation", "default", "choice_filter")
        }
        if word.calculation:
            rules["calculation"] = word.calculation
        if sieve is not None and word.file:
            rules["choice_filter"] = sieve.choice_filter
        self._labelled(row, word, texts)
        self._kept_only(row, settings)
        item = Item(
            id=None,
            kind="note" if word.type == "note" else "question",
            code=code,
            type=word.type,
            texts=texts,
            settings=settings,
            choices=choices,
            required=rules["required"],
            relevant=rules["relevant"],
            constraint=rules["constraint"],
            calculation=rules["calculation"],
            default=rules["default"],
            choice_filter=rules["choice_filter"],
        )
        specify = self._specify(row, item, around) if word.or_other and choices else None
        return [item, specify] if specify else [item]

    def _as_it_is_asked(self, row: RawRow, written: str, word: TypeWord) -> tuple[TypeWord, str]:
        """Return the type as it is asked here, and the written one where the export has to give it back."""
        own = self.headers.get(row, "own_type").lower()
        if own and own in question_types() and not word.warned:
            word = TypeWord("question", own, word.list_name, word.or_other, file=word.file)
        elif own:
            self.findings.warn(
                _l("The type “%(type)s” is not known.", type=own[:60]),
                row,
                self.reading.at("own_type"),
                _l("It is asked as “%(type)s”.", type=word.type),
            )
        calculation = self.reading.rule(row, "calculation")
        if word.type == "calculate" and not calculation and not word.calculation:
            if not self.headers.get(row, "default"):
                self.findings.error(
                    _l("This question computes nothing."),
                    row,
                    self.reading.at("calculation"),
                    _l("Write an expression in the column calculation, for example ${men} + ${women}"),
                )
            return TypeWord("question", "hidden"), written
        if word.calculation:
            return word, next((name for name, source in METADATA.items() if source == word.calculation), written)
        silent = not self.reading.texts(row).keys() & {"label", "hint"}
        if calculation and silent and word.type not in (*_SILENT, "note") and not word.list_name:
            # computed and without a text: XLSForm shows it to nobody
            return TypeWord("question", "calculate"), written
        if word.type in LISTED and "label" in self.headers.get(row, "appearance").split():
            # only the head of a table of choices as it was made by hand: the rows below it are asked
            self.reading.warn_type(row, written, _l("It is shown as a note."))
            return TypeWord("question", "note"), written
        if "${" in word.list_name:
            self.reading.warn_type(row, written, _l("It is asked as “%(type)s”.", type="text"))
            return TypeWord("question", "text"), written
        if word.warned:
            mend = _l("It is asked as “%(type)s”.", type=word.type)
            self.reading.warn_type(row, written, _l("It is kept and not asked.") if word.type == "hidden" else mend)
        return word, written if word.warned else ""

    def named(self, row: RawRow, word: TypeWord, siblings: set[str]) -> str:
        """Return the name of a question, mended where XLSForm allows what we do not; "" when it cannot be kept."""
        name = self.headers.get(row, "name")
        if not name and (word.type == "note" or word.calculation or word.warned):
            first = self.headers.get(row, "type").split()[0].lower()
            name = f"note_{row.row}" if word.type == "note" else first if good_name(first) else f"meta_{row.row}"
            name = self.reading.free(name)
            self.findings.warn(
                _l("This row has no name; it was given “%(name)s”.", name=name), row, self.reading.at("name")
            )
        if not name:
            self.findings.error(
                _l("This question has no name."),
                row,
                self.reading.at("name"),
                _l("Write a short name that never changes, for example B1 or measures_taken."),
            )
            return ""
        if not good_name(name):
            self.reading.bad_name(row, name)
        places = self.reading.places
        if name in siblings:
            self.findings.error(
                _l("The name “%(name)s” stands twice; first in row %(row)s.", name=name, row=places[name].row),
                row,
                self.reading.at("name"),
                _l("Give each question its own name."),
            )
            return ""
        code = self.reading.free(name)
        if code != name:
            self.findings.warn(
                _l(
                    "The name “%(name)s” stands in row %(row)s already; here it was changed to “%(code)s”.",
                    name=name,
                    row=places[name].row,
                    code=code,
                ),
                row,
                self.reading.at("name"),
                _l("Give each question and each group its own name."),
            )
        siblings.add(name)
        places[code] = row
        return code

    def _labelled(self, row: RawRow, word: TypeWord, texts: Mapping[str, Mapping[str, str]]) -> None:
        if word.type in _SILENT:
            return
        if not texts.get("label") and not texts.get("hint"):
            media = any(role.startswith("media::") and row.get(header) for role, header in self._others().items())
            (self.findings.warn if media else self.findings.error)(
                _l("This question has no label."),
                row,
                self.reading.at("label"),
                _l("Write the question as people should read it."),
            )
            return
        self.reading.warn_untranslated(row, texts)

    def _others(self) -> Mapping[str, str]:
        return self.headers.others(())

    def _kept_only(self, row: RawRow, settings: Mapping[str, Any]) -> None:
        """Say what is kept and has no effect here."""
        if "randomize=true" in str(settings.get("parameters", "")).lower():
            self.findings.warn(
                _l("The choices are not shuffled; everybody sees them in the order of the list."),
                row,
                self.reading.at("parameters"),
            )
        if settings.get("trigger"):
            self.findings.warn(
                _l("The trigger is kept; the value is computed whenever an answer it reads changes."),
                row,
                self.reading.at("trigger"),
            )

        if isinstance(settings.get("read_only"), str):
            self.findings.warn(
                _l("Read only by a condition is kept; the answer can be changed at any time."),
                row,
                self.reading.at("read_only"),
            )

    # choices

    def _search(self, row: RawRow, word: TypeWord, settings: Mapping[str, Any]) -> Sieve | None:
        """Return what search() in the appearance looks up; what it means is said in the report."""
        sieve = sieve_of(str(settings.get("appearance", ""))) if word.type in LISTED and not word.file else None
        if sieve is None:
            return None
        wanted = self.reading.lists.get(word.list_name, ())
        key = wanted[0].key if wanted else "name"
        label = next((text for text in wanted[0].texts.values()), "label") if wanted else "label"
        at = self.reading.at("appearance")
        if sieve.table in self.reading.tables:
            self.findings.warn(
                _l("search() is written as choices from the attached table “%(name)s”.", name=sieve.table[:60]), row, at
            )
        else:
            self.findings.warn(
                _l("The table “%(name)s” with the choices is not attached.", name=sieve.table[:60]),
                row,
                at,
                _l("Until then it is asked as text. Add the table as a sheet of that name with the columns name and "
                   "label, or upload it together with the questionnaire."),
            )  # fmt: skip
        named = {"parameters": f"value={key} label={label}"} if (key, label) != ("name", "label") else {}
        return replace(sieve, settings=named | ({"appearance": sieve.rest} if sieve.rest else {}))

    def _choices(self, row: RawRow, word: TypeWord, settings: dict[str, Any]) -> tuple[Choice, ...]:
        if word.type not in LISTED:
            return ()
        if word.file:
            return self._choices_of_file(row, word, settings)
        settings["list_name"] = word.list_name
        lists = self.reading.lists
        choices = lists.get(word.list_name, ())
        self.reading.used_lists.add(word.list_name)
        if not choices:
            self._no_list(row, word.list_name)
        elif word.type != "select_one":
            self._spaces(row, choices)
        if word.or_other and choices:
            settings["or_other"] = True
            if not any(choice.key == "other" for choice in choices):
                # A copy of the list: other questions that share it must not get the extra choice.
                texts = in_languages(OTHER, self.reading.wording)
                choices = (*choices, Choice("other", texts))
                name = f"{word.list_name}_or_other"
                while lists.get(name, choices) != choices:
                    name += "_"
                lists[name] = choices
                settings["list_name"] = name
                self.reading.used_lists.add(name)
        return choices

    def _no_list(self, row: RawRow, name: str) -> None:
        known = ", ".join(sorted(self.reading.lists)[:8])
        self.findings.error(
            _l("The list “%(name)s” does not exist or is empty.", name=name)
            if name
            else _l("This question names no list of choices."),
            row,
            self.reading.at("type"),
            _l("Write the name of a list of the sheet choices; there are: %(known)s.", known=known or "–"),
        )

    def _spaces(self, row: RawRow, choices: tuple[Choice, ...]) -> None:
        spaced = next((choice.key for choice in choices if len(choice.key.split()) > 1), "")
        if spaced:
            self.findings.error(
                _l("Several choices can be chosen here, and the name “%(key)s” of one holds a space.", key=spaced[:40]),
                row,
                self.reading.at("type"),
                _l("Write the names of the choices without spaces, for example in_progress."),
            )

    def _choices_of_file(self, row: RawRow, word: TypeWord, settings: dict[str, Any]) -> tuple[Choice, ...]:
        settings["file"] = word.file
        wording = self.reading.wording
        table = self.reading.tables.get(table_name(word.file))
        parameters = parameters_of(str(settings.get("parameters", "")))
        choices = choices_from(table, parameters, wording.default_language) if table else []
        if choices:
            if word.type != "select_one":
                self._spaces(row, tuple(choices))
            return tuple(choices)
        self.findings.warn(
            _l("The table “%(name)s” with the choices is not attached.", name=table_name(word.file)[:60]),
            row,
            self.reading.at("type"),
            _l(
                "Until then it is asked as text. Add the table as a sheet of that name with the columns name and "
                "label, or upload it together with the questionnaire."
            ),
        )
        return ()

    def _specify(self, row: RawRow, item: Item, around: Mapping[str, Any]) -> Item | None:
        code = f"{item.code}_other"
        if code in self.reading.places:
            return None
        self.reading.places[code] = row
        return Item(
            id=None,
            kind="question",
            code=code,
            type="text",
            texts={"label": in_languages(SPECIFY, self.reading.wording)},
            relevant=f"selected(${{{item.code}}}, 'other')",
            settings=inherited(around, {"specifies": item.code}),
        )
