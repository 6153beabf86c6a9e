"""The survey sheet: rows to pages, groups, tables and questions; what is wrong is noted and the rest read on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from forms.definition.headers import Headers
from forms.definition.lists import YES
from forms.definition.model import Item
from forms.definition.pages import paged
from forms.definition.questions import Questions
from forms.definition.reading import ROLES, Reading, Wording, good_name
from forms.definition.settings import inherited, item_settings, warn_of_columns
from forms.definition.tables import table_name
from forms.definition.types import TypeWord, read_type

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal, TypeAlias

    from forms.definition.model import Choice, Table
    from forms.definition.report import Findings
    from forms.definition.rows import RawRow

    Kind: TypeAlias = Literal["group", "repeat", "matrix", "list"]

__all__ = ["MAX_DEPTH", "ROLES", "Survey", "Wording", "good_name"]

MAX_DEPTH = 60  # groups in groups
_MATRIX_LISTS = ("matrix_rows", "kobo--matrix_list")
_LISTS = ("kobo--score-choices", "kobo--rank-items")
_RANK_MESSAGE = "kobo--rank-constraint-message"


@dataclass
class _Folder:
    """A group or table while its rows are read; the outermost has no row."""

    row: RawRow | None
    code: str = ""
    kind: Kind = "group"
    children: list[Item] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    settings: dict[str, Any] = field(default_factory=dict)
    choices: tuple[Choice, ...] = ()
    list_name: str = ""


class Survey:
    """Reads the rows of the survey sheet; `pages` is the result, `places` the row of each item."""

    def __init__(
        self,
        rows: Sequence[RawRow],
        lists: Mapping[str, tuple[Choice, ...]],
        wording: Wording,
        findings: Findings,
        tables: Mapping[str, Table] | None = None,
    ) -> None:
        self.headers = Headers(rows)
        self.languages = wording.languages
        self.default_language = wording.default_language
        self.findings = findings
        self.reading = Reading(self.headers, dict(lists), tables or {}, wording, findings)
        self.places = self.reading.places
        self.lost: set[str] = set()  # names that no rule can read; none, since tables are read as tables
        self.unknown = self.reading.unknown  # names of rows whose type is not known
        self._questions = Questions(self.reading)
        self._stack = [_Folder(None)]
        self._too_deep = False
        for row in rows:
            self._read(row)
        self._close_all()
        warn_of_columns(self.headers, rows, findings)
        self.pages = paged(self._stack[0].children, self.places, wording.titles)

    @property
    def lists(self) -> Mapping[str, tuple[Choice, ...]]:
        """The lists of choices by name, those made for "other" included."""
        return self.reading.lists

    @property
    def tables(self) -> Mapping[str, Table]:
        """The attached tables by name."""
        return self.reading.tables

    @property
    def files(self) -> set[str]:
        """The names of the tables that questions take their choices from."""
        items = [item for page in self.pages for item in page.items()]
        return {table_name(item.settings["file"]) for item in items if "file" in item.settings}

    @property
    def used_lists(self) -> set[str]:
        """The names of the lists that questions use."""
        return self.reading.used_lists

    def _read(self, row: RawRow) -> None:
        get = self.headers.get
        written = get(row, "type")
        if get(row, "disabled").lower() in YES:
            return
        if not written:
            self._without_type(row)
            return
        word = read_type(written)
        match word.meaning:
            case "begin" | "repeat" | "begin_list":
                self._begin(row, word)
            case "end" | "end_repeat" | "end_list":
                self._end(row, word)
            case "list_row":
                self._list_row(row)
            case "refused" | "unknown":
                self._unknown(row, written, word)
            case "question":
                folder = self._stack[-1]
                folder.children.extend(self._questions.read(row, word, folder.settings, folder.names))
            case "setting":
                pass  # read with the settings

    def _without_type(self, row: RawRow) -> None:
        if self.headers.get(row, "name") or self.headers.texts(row, "label", self.default_language):
            self.findings.error(
                _l("This row has no type."), row, self._at("type"), _l("Write a type, for example text or integer.")
            )

    def _unknown(self, row: RawRow, written: str, word: TypeWord) -> None:
        """Note a type that cannot be used, or that nobody knows."""
        sentence = _l("The type “%(type)s” is not known.", type=written[:60])
        mend = _l("Use one of: text, integer, decimal, select_one, select_multiple, date, file, note, calculate.")
        if word.meaning == "refused":
            sentence = _l("The type “%(type)s” cannot be used here.", type=written[:60])
            mend = _l("Please replace it, for example by begin_repeat, select_one or text.")
        elif word.nearest:
            mend = _l("Did you mean “%(nearest)s”?", nearest=word.nearest)
        self.findings.error(sentence, row, self._at("type"), mend)
        self._skip(row)

    def _skip(self, row: RawRow) -> None:
        if name := self.headers.get(row, "name"):
            self.unknown.add(name)  # its readers need no second sentence

    # groups and tables

    def _begin(self, row: RawRow, word: TypeWord) -> None:
        code = self._folder_code(row)
        if len(self._stack) > MAX_DEPTH and not self._too_deep:
            self._too_deep = True
            self.findings.error(
                _l("Groups stand in groups more than %(limit)s deep.", limit=MAX_DEPTH),
                row,
                self._at("type"),
                _l("Please take some of the outer groups away."),
            )
        settings = inherited(self._stack[-1].settings, item_settings(self.headers, row, "", self.findings))
        kind: Kind = "group"
        if word.meaning == "repeat":
            kind = "repeat"
        elif word.meaning == "begin_list":
            kind = "list"
        folder = _Folder(row, code, kind, settings=settings)
        if kind == "repeat" and self._inside("matrix"):
            self.findings.error(
                _l("A table cannot stand inside a matrix."),
                row,
                self._at("type"),
                _l("Please end the matrix before this row; its columns are simple questions."),
            )
        if kind == "repeat":
            self._matrix(row, folder, kobo="kobomatrix" in word.type)
        elif kind == "list":
            self._list(row, folder)
        self._stack.append(folder)

    def _matrix(self, row: RawRow, folder: _Folder, *, kobo: bool) -> None:
        """Make a matrix of a table whose rows are a list of choices."""
        name = self._column(row, folder, _MATRIX_LISTS)
        if not name and not kobo:
            return
        folder.kind = "matrix"
        folder.settings.pop("repeat_count", None)  # it only tells other tools the number of rows
        folder.settings["matrix_rows"] = name
        folder.choices = self._choices(row, name)

    def _list(self, row: RawRow, folder: _Folder) -> None:
        folder.list_name = self._column(row, folder, _LISTS)
        folder.choices = self._choices(row, folder.list_name)

    def _column(self, row: RawRow, folder: _Folder, roles: Sequence[str]) -> str:
        """Return the first of these columns that is filled; it rides along no longer."""
        columns = dict(folder.settings.pop("columns", {}))
        found = ""
        for role in roles:
            found = found or self.headers.get(row, role)
            columns.pop(role, None)
        if columns:
            folder.settings["columns"] = columns
        return found

    def _choices(self, row: RawRow, name: str) -> tuple[Choice, ...]:
        self.used_lists.add(name)
        choices = self.lists.get(name, ())
        if not choices:
            self.findings.error(
                _l("The list “%(name)s” does not exist or is empty.", name=name)
                if name
                else _l("This table names no list for its rows."),
                row,
                self._at("matrix_rows"),
                _l(
                    "Write the name of a list of the sheet choices; there are: %(known)s.",
                    known=", ".join(sorted(self.lists)[:8]) or "–",
                ),
            )
        return choices

    def _list_row(self, row: RawRow) -> None:
        """Read a row of a KoBo score or rank group: a question with the list of its group."""
        folder = self._stack[-1]
        if folder.kind != "list":
            self.findings.error(
                _l("This row stands outside of begin_score and begin_rank."),
                row,
                self._at("type"),
                _l("Write begin_score or begin_rank above it, with its list."),
            )
            return
        rank = folder.row is not None and "rank" in self.headers.get(folder.row, "type").lower()
        word = TypeWord("question", "select_one", list_name=folder.list_name)
        if not folder.choices:
            self._skip(row)
            return
        for item in self._questions.read(row, word, folder.settings, folder.names):
            others = [child.code for child in folder.children]
            constraint = " and ".join(f". != ${{{code}}}" for code in others) if rank else ""
            message = (folder.settings.get("columns") or {}).get(_RANK_MESSAGE) if constraint else None
            texts = {**item.texts, "constraint_message": {self.default_language: message}} if message else item.texts
            folder.children.append(replace(item, constraint=constraint, texts=texts))

    def _folder_code(self, row: RawRow) -> str:
        """Return the code of a group or table, unique in the questionnaire."""
        name = self.headers.get(row, "name")
        if not name:
            self.findings.warn(
                _l("This group has no name; it was given one."),
                row,
                self._at("name"),
                _l("Write a short name, so that it stays the same in later versions."),
            )
        elif not good_name(name):
            self.reading.bad_name(row, name)
        # Names of groups are unique only in their parent (XLSForm), ours are unique in the questionnaire.
        code = self.reading.free(name or f"group_{row.row}")
        if name and code != name:
            self.findings.warn(
                _l(
                    "The name “%(name)s” stands in row %(row)s already; here it was changed to “%(code)s”.",
                    name=name,
                    row=self.places[name].row,
                    code=code,
                ),
                row,
                self._at("name"),
                _l("Give each question and each group its own name."),
            )
        self.places[code] = row
        self._stack[-1].names.add(code)
        return code

    def _end(self, row: RawRow, word: TypeWord) -> None:
        folder = self._stack[-1]
        if folder.row is None:
            self.findings.error(
                _l("A group ends here that never began."), row, self._at("type"), _l("Delete this row.")
            )
            return
        ends = {"end": ("group",), "end_repeat": ("repeat", "matrix"), "end_list": ("list",)}[word.meaning]
        if folder.kind not in ends:
            self.findings.error(
                _l("This row ends something else than what began in row %(row)s.", row=folder.row.row),
                row,
                self._at("type"),
                _l("A begin_group ends with end_group, a begin_repeat with end_repeat."),
            )
        self._close()

    def _close(self) -> None:
        folder = self._stack.pop()
        if folder.row is None:
            return
        if not folder.children:
            self.findings.warn(_l("This group is empty and is left out."), folder.row, self._at("type"))
            return
        kind = folder.kind
        if kind in ("group", "list"):
            kind = "section" if len(self._stack) == 1 else "group"  # type: ignore[assignment] # one more kind of item
        texts = self.reading.texts(folder.row)
        self.reading.warn_untranslated(folder.row, texts)
        self._stack[-1].children.append(
            Item(
                id=None,
                kind=kind,  # type: ignore[arg-type] # the kinds of folders, mapped just above
                code=folder.code,
                texts=texts,
                relevant=self.reading.rule(folder.row, "relevant"),
                settings=folder.settings,
                choices=folder.choices if kind == "matrix" else (),
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

    def _inside(self, kind: Kind) -> bool:
        return any(folder.kind == kind for folder in self._stack)

    def _at(self, role: str) -> str:
        return self.reading.at(role)
