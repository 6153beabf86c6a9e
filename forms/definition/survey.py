"""The survey sheet: rows to pages, groups and questions; what is wrong with a row is noted and the rest read on."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from forms.definition.headers import Headers
from forms.definition.lists import YES
from forms.definition.model import Choice, Item
from forms.definition.settings import inherited, item_settings
from forms.definition.types import TypeWord, read_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forms.definition.report import Findings
    from forms.definition.rows import RawRow

MAX_DEPTH = 20  # groups in groups
MAX_NAME = 64
ROLES = {
    "label": "label",
    "hint": "hint",
    "guidance_hint": "guidance",
    "required_message": "required_message",
    "constraint_message": "constraint_message",
}
OTHER = {"en": "Other", "km": "ផ្សេងទៀត", "fr": "Autre"}
SPECIFY = {"en": "Please specify", "km": "សូមបញ្ជាក់", "fr": "Veuillez préciser"}


@dataclass
class _Folder:
    """A group (or a table not yet shown as one) while its rows are read; the outermost has no row."""

    row: RawRow | None
    code: str = ""
    children: list[Item] = field(default_factory=list)
    repeat: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Wording:
    """The languages of a questionnaire, the one that columns without a language stand for, and its titles."""

    languages: tuple[str, ...]
    default_language: str
    titles: Mapping[str, str]


class Survey:
    """Reads the rows of the survey sheet; `pages` is the result, `places` the row of each item."""

    def __init__(
        self,
        rows: Sequence[RawRow],
        lists: Mapping[str, tuple[Choice, ...]],
        wording: Wording,
        findings: Findings,
    ) -> None:
        self.headers = Headers(rows)
        self.lists = lists
        self.languages = wording.languages
        self.default_language = wording.default_language
        self.titles = wording.titles
        self.findings = findings
        self.places: dict[str, RawRow] = {}
        self.lost: set[str] = set()  # names inside tables, which no rule can read yet
        self.unknown: set[str] = set()  # names of rows whose type is not known
        self.used_lists: set[str] = set()
        self._stack = [_Folder(None)]
        for row in rows:
            self._read(row)
        self._close_all()
        self.pages = self._paged(self._stack[0].children)

    def _read(self, row: RawRow) -> None:
        get = self.headers.get
        written = get(row, "type")
        if get(row, "disabled").lower() in YES:
            return
        if not written:
            if get(row, "name") or self.headers.texts(row, "label", self.default_language):
                self.findings.error(
                    _l("This row has no type."), row, self._at("type"), _l("Write a type, for example text or integer.")
                )
            return
        word = read_type(written)
        match word.meaning:
            case "begin" | "repeat":
                self._begin(row, repeat=word.meaning == "repeat")
            case "end" | "end_repeat":
                self._end(row, repeat=word.meaning == "end_repeat")
            case "skip":
                self._warn_type(row, written, _l("This row is left out: attached files come with their own upload."))
            case "refused":
                self.findings.error(
                    _l("The type “%(type)s” cannot be used here.", type=written),
                    row,
                    self._at("type"),
                    _l("Please replace it, for example by begin_repeat, select_one or text."),
                )
            case "unknown":
                self._unknown(row, written, word)
            case "question":
                self._question(row, written, word)

    def _unknown(self, row: RawRow, written: str, word: TypeWord) -> None:
        mend = _l("Use one of: text, integer, decimal, select_one, select_multiple, date, file, note, calculate.")
        if word.nearest:
            mend = _l("Did you mean “%(nearest)s”?", nearest=word.nearest)
        self.findings.error(_l("The type “%(type)s” is not known.", type=written[:60]), row, self._at("type"), mend)
        if name := self.headers.get(row, "name"):
            self.unknown.add(name)  # its readers need no second sentence

    def _warn_type(self, row: RawRow, written: str, sentence: Any) -> None:
        self.findings.warn(
            _l("The type “%(type)s” is not shown as such yet.", type=written[:60]), row, self._at("type"), sentence
        )

    # groups

    def _begin(self, row: RawRow, *, repeat: bool) -> None:
        code = self._folder_code(row)
        if len(self._stack) > MAX_DEPTH:
            self.findings.error(
                _l("Groups stand in groups more than %(limit)s deep.", limit=MAX_DEPTH),
                row,
                self._at("type"),
                _l("Please take some of the outer groups away."),
            )
        if repeat and not self._inside_repeat():
            self._warn_type(
                row,
                self.headers.get(row, "type"),
                _l("It is asked as one long text whose help names the columns."),
            )
        settings = inherited(self._stack[-1].settings, item_settings(self.headers, row, "", self.findings))
        self._stack.append(_Folder(row, code, repeat=repeat, settings=settings))

    def _folder_code(self, row: RawRow) -> str:
        name = self.headers.get(row, "name")
        if not name:
            self.findings.warn(
                _l("This group has no name; it was given one."),
                row,
                self._at("name"),
                _l("Write a short name, so that it stays the same in later versions."),
            )
        elif not good_name(name):
            self._bad_name(row, name)
        code, count = name or f"group_{row.row}", 1
        while code in self.places:
            # Names of groups are unique only in their parent (XLSForm), ours are unique in the questionnaire.
            count += 1
            code = f"{name or 'group'}_{count}"
        self.places[code] = row
        return code

    def _end(self, row: RawRow, *, repeat: bool) -> None:
        folder = self._stack[-1]
        if folder.row is None:
            self.findings.error(
                _l("A group ends here that never began."), row, self._at("type"), _l("Delete this row.")
            )
            return
        if folder.repeat != repeat:
            self.findings.error(
                _l("This row ends something else than what began in row %(row)s.", row=folder.row.row),
                row,
                self._at("type"),
                _l("A begin_group ends with end_group, a begin_repeat with end_repeat."),
            )
        self._close()

    def _close(self) -> None:
        folder = self._stack.pop()
        parent = self._stack[-1]
        row = folder.row
        if row is None:
            return
        if folder.repeat:
            self.lost.update(item.code for child in folder.children for item in child.items())
            for code in self.lost & self.places.keys():
                if code != folder.code and self.places[code].row > row.row:
                    self.places.pop(code)
            if not self._inside_repeat():
                parent.children.append(self._table_as_text(row, folder))
            return
        if not folder.children:
            self.findings.warn(_l("This group is empty and is left out."), row, self._at("type"))
            return
        kind = "section" if len(self._stack) == 1 else "group"
        parent.children.append(
            Item(
                id=None,
                kind=kind,  # type: ignore[arg-type] # checked by the table of kinds just above
                code=folder.code,
                texts=self._texts(row),
                relevant=self.headers.get(row, "relevant"),
                settings=folder.settings,
                children=tuple(folder.children),
            )
        )

    def _close_all(self) -> None:
        while len(self._stack) > 1:
            folder = self._stack[-1]
            if folder.row is not None:
                self.findings.error(
                    _l("This group is never closed."),
                    folder.row,
                    self._at("type"),
                    _l("Write a row with end_group (or end_repeat) where it ends."),
                )
            self._close()

    def _inside_repeat(self) -> bool:
        return any(folder.repeat for folder in self._stack)

    def _table_as_text(self, row: RawRow, folder: _Folder) -> Item:
        texts = self._texts(row)
        columns: dict[str, list[str]] = {}
        for child in folder.children:
            for language, label in (child.texts.get("label") or {}).items():
                columns.setdefault(language, []).append(label)
        guidance = dict(texts.get("guidance") or {})
        for language, labels in columns.items():
            guidance[language] = "\n".join(part for part in (guidance.get(language), " | ".join(labels)) if part)
        return Item(
            id=None,
            kind="question",
            code=folder.code,
            type="text",
            texts={**texts, "guidance": guidance},
            relevant=self.headers.get(row, "relevant"),
            settings={**folder.settings, "multiline": True, "rows": 6, "written_type": self.headers.get(row, "type")},
        )

    # questions

    def _question(self, row: RawRow, written: str, word: TypeWord) -> None:
        get = self.headers.get
        name = get(row, "name")
        if not self._named(row, name):
            return
        if word.warned:
            self._warn_type(row, written, _l("It is asked as “%(type)s”.", type=word.type))
        texts = self._texts(row)
        self._labelled(row, word, texts)
        settings = item_settings(self.headers, row, word.type, self.findings)
        settings = inherited(self._stack[-1].settings, settings)
        if word.warned:
            settings["written_type"] = written
        choices = self._choices(row, word, settings)
        calculation = get(row, "calculation")
        if written.strip().lower() == "today":
            calculation = "today()"
        if word.type == "calculate" and not calculation:
            self.findings.error(
                _l("This question computes nothing."),
                row,
                self._at("calculation"),
                _l("Write an expression in the column calculation, for example ${men} + ${women}"),
            )
        item = Item(
            id=None,
            kind="note" if word.type == "note" else "question",
            code=name,
            type=word.type,
            texts=texts,
            required=get(row, "required"),
            relevant=get(row, "relevant"),
            constraint=get(row, "constraint"),
            calculation=calculation,
            default=get(row, "default"),
            choice_filter=get(row, "choice_filter"),
            settings=settings,
            choices=choices,
        )
        self._stack[-1].children.append(item)
        if word.or_other and choices:
            self._specify(row, item)

    def _named(self, row: RawRow, name: str) -> bool:
        if not name:
            self.findings.error(
                _l("This question has no name."),
                row,
                self._at("name"),
                _l("Write a short name that never changes, for example B1 or measures_taken."),
            )
            return False
        if not good_name(name):
            self._bad_name(row, name)
        if name in self.places:
            self.findings.error(
                _l("The name “%(name)s” stands twice; first in row %(row)s.", name=name, row=self.places[name].row),
                row,
                self._at("name"),
                _l("Give each question its own name."),
            )
            return False
        self.places[name] = row
        return True

    def _bad_name(self, row: RawRow, name: str) -> None:
        self.findings.error(
            _l("“%(name)s” cannot be a name.", name=name[:40]),
            row,
            self._at("name"),
            _l(
                "A name starts with a letter and holds letters, digits, hyphens, points and underscores, no spaces, "
                "at most 64 signs."
            ),
        )

    def _labelled(self, row: RawRow, word: TypeWord, texts: Mapping[str, Mapping[str, str]]) -> None:
        if word.type in ("calculate", "hidden"):
            return
        if not texts.get("label") and not texts.get("hint"):
            self.findings.error(
                _l("This question has no label."),
                row,
                self._at("label"),
                _l("Write the question as people should read it."),
            )
            return
        for header_role, role in ROLES.items():
            columns = self.headers.by_role.get(header_role, {})
            said = texts.get(role) or {}
            for language in self.languages:
                if said and language not in said and language in columns:
                    self.findings.warn(
                        _l("The text is not translated into “%(language)s”.", language=language),
                        row,
                        columns[language],
                    )

    def _choices(self, row: RawRow, word: TypeWord, settings: dict[str, Any]) -> tuple[Choice, ...]:
        if word.type not in ("select_one", "select_multiple"):
            return ()
        settings["list_name"] = word.list_name
        choices = self.lists.get(word.list_name, ())
        self.used_lists.add(word.list_name)
        if not choices:
            known = ", ".join(sorted(self.lists)[:8])
            self.findings.error(
                _l("The list “%(name)s” does not exist or is empty.", name=word.list_name)
                if word.list_name
                else _l("This question names no list of choices."),
                row,
                self._at("type"),
                _l("Write the name of a list of the sheet choices; there are: %(known)s.", known=known or "–"),
            )
        if word.or_other:
            settings["or_other"] = True
            if not any(choice.key == "other" for choice in choices):
                texts = {one: OTHER[one] for one in self.languages if one in OTHER} or {"en": OTHER["en"]}
                # A copy of the list: other questions that share it must not get the extra choice.
                choices = (*choices, Choice("other", texts))
        return choices

    def _specify(self, row: RawRow, item: Item) -> None:
        code = f"{item.code}_other"
        if code in self.places:
            return
        self.places[code] = row
        texts = {one: SPECIFY[one] for one in self.languages if one in SPECIFY} or {"en": SPECIFY["en"]}
        self._stack[-1].children.append(
            Item(
                id=None,
                kind="question",
                code=code,
                type="text",
                texts={"label": texts},
                relevant=f"selected(${{{item.code}}}, 'other')",
                settings=inherited(self._stack[-1].settings, {"specifies": item.code}),
            )
        )

    # pages

    def _paged(self, items: list[Item]) -> tuple[Item, ...]:
        """Return the top-level groups as pages; questions that stand loose between them form pages of their own."""
        pages: list[Item] = []
        loose: list[Item] = []

        def flush() -> None:
            if not loose:
                return
            count = 1
            while (code := f"page_{count}") in self.places or any(page.code == code for page in pages):
                count += 1
            pages.append(
                Item(id=None, kind="section", code=code, texts={"label": dict(self.titles)}, children=tuple(loose))
            )
            loose.clear()

        for item in items:
            if item.kind == "section":
                flush()
                pages.append(item)
            else:
                loose.append(replace(item, kind="group") if item.children else item)
        flush()
        return tuple(pages)

    def _texts(self, row: RawRow) -> dict[str, Mapping[str, str]]:
        found: dict[str, Mapping[str, str]] = {}
        for header_role, role in ROLES.items():
            if texts := self.headers.texts(row, header_role, self.default_language):
                found[role] = texts
        return found

    def _at(self, role: str) -> str:
        return self.headers.header(role) or role


def good_name(name: str) -> bool:
    """Say whether a name may stand in ${...}: XLSForm's rule, Khmer letters and their marks included."""
    if len(name) > MAX_NAME or not (name[0].isalpha() or name[0] == "_"):
        return False
    return all(sign in "_-." or sign.isdigit() or unicodedata.category(sign)[0] in "LM" for sign in name)
