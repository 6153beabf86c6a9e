"""From a questionnaire back to XLSForm: its sheets as plain rows, and the canonical form that two of them share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from forms.definition.check import plain_choice
from forms.definition.front import LISTS
from forms.definition.headers import TEXTS, english_name
from forms.definition.model import Choice, Definition, Item
from forms.definition.reading import ROLES
from forms.definition.rules import KEPT
from forms.definition.settings import COUNTS, FLAGS, PLAIN, TYPED, type_settings
from forms.definition.types import METADATA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from forms.question_types.settings import Setting

STANDARD_TYPES = {
    "text": "text", "integer": "integer", "decimal": "decimal", "range": "range", "date": "date", "time": "time",
    "datetime": "dateTime", "note": "note", "file": "file", "image": "image", "calculate": "calculate",
    "hidden": "hidden", "acknowledge": "acknowledge", "select_one": "select_one", "select_multiple": "select_multiple",
    "rank": "rank",
}  # fmt: skip
# What other tools ask in the place of a type of ours; the column own_type names it.
BASES = {"percentage": "decimal", "money": "decimal", "year": "integer"}
LISTED = ("select_one", "select_multiple", "rank")
_RULES = ("required", "relevant", "constraint", "calculation", "default", "choice_filter")
_OWN = ("scope", "total", "evidence_required", "read_only")
_WORDS = ("line", "number", "choice", "day", "texts")  # kinds of settings that stand as they are
_HIDDEN = frozenset({"source_version", LISTS})


@dataclass(frozen=True)
class SheetText:
    """One sheet to be written: headers, rows of text by header, and for the survey the item behind each row."""

    name: str
    headers: tuple[str, ...]
    rows: tuple[Mapping[str, str], ...]
    codes: tuple[str, ...] = ()


def canonical(definition: Definition) -> dict[str, Any]:
    """Return a questionnaire as plain JSON: equal for two of them that ask the same, wherever they were kept."""
    of = normal(definition)
    return {
        "code": of.code,
        "titles": dict(of.titles),
        "languages": list(of.languages),
        "default_language": of.default_language,
        "settings": dict(of.settings),
        "items": [_plain(page) for page in of.pages],
        "tables": {
            name: {"columns": list(table.columns), "rows": [dict(row) for row in table.rows]}
            for name, table in of.tables.items()
        },
    }


def _plain(item: Item) -> dict[str, Any]:
    plain: dict[str, Any] = {"kind": item.kind, "code": item.code}
    for name in ("type", "texts", *_RULES, "settings"):
        if value := getattr(item, name):
            plain[name] = {key: value[key] for key in value} if isinstance(value, Mapping) else value
    if item.choices:
        plain["choices"] = [plain_choice(choice) for choice in item.choices]
    if item.children:
        plain["items"] = [_plain(child) for child in item.children]
    return plain


def normal(definition: Definition) -> Definition:
    """Return a questionnaire as a file can hold it: texts trimmed, blanks left out, lists named apart."""
    names = _ListNames(definition)
    return replace(
        definition,
        id=None,
        version=None,
        titles=_texts({"": definition.titles}).get("", {}),
        languages=_languages(definition),
        settings={name: value for name, value in definition.settings.items() if name not in _HIDDEN and value != ""}
        | names.unused(definition),
        pages=tuple(_normal(page, names) for page in definition.pages if _fills(page)),
    )


def _languages(of: Definition) -> tuple[str, ...]:
    """Return the languages, and after them any other in which something is written."""
    said = {language for item in of.items() for texts in item.texts.values() for language in texts}
    said |= {language for item in of.items() for choice in item.choices for language in choice.texts}
    said |= {*of.titles, of.default_language}
    return (*of.languages, *sorted(said.difference(of.languages)))


def _fills(item: Item) -> bool:
    """Say whether a group or table has something in it; empty ones are left out of a file."""
    return item.kind in ("question", "note") or any(_fills(child) for child in item.children)


def _normal(item: Item, names: _ListNames) -> Item:
    settings = {name: value for name, value in item.settings.items() if value not in (None, "", False, {}, [])}
    key = "matrix_rows" if item.kind == "matrix" else "list_name"
    choices = tuple(_choice(choice) for choice in item.choices)
    if choices and not settings.get("file"):
        settings[key] = names.name(settings.get(key) or item.code, choices)
    rules = {rule: _text(getattr(item, rule)) for rule in _RULES}
    return replace(
        item,
        id=None,
        texts=_texts(item.texts),
        settings=settings,
        choices=choices,
        children=tuple(_normal(child, names) for child in item.children if _fills(child)),
        required=rules["required"],
        relevant=rules["relevant"],
        constraint=rules["constraint"],
        calculation=rules["calculation"],
        default=rules["default"],
        choice_filter=rules["choice_filter"],
    )


def _choice(choice: Choice) -> Choice:
    extra = {name: text for name, value in choice.extra.items() if (text := _text(value))}
    texts = {language: text for language, value in choice.texts.items() if (text := _text(value))}
    return replace(choice, texts=texts, extra=extra)


def _texts(texts: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    trimmed = {
        role: {language: text for language, value in said.items() if (text := _text(value))}
        for role, said in texts.items()
    }
    return {role: said for role, said in trimmed.items() if said}


def _text(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


class _ListNames:
    """Gives every list of choices one name, and no name to two lists."""

    def __init__(self, definition: Definition) -> None:
        self._lists: dict[str, tuple[Choice, ...]] = {}
        self._wanted = {
            str(item.settings.get("list_name") or item.settings.get("matrix_rows") or "") for item in definition.items()
        }

    def name(self, wanted: str, choices: tuple[Choice, ...]) -> str:
        """Return the name under which these choices are written."""
        name, count = wanted, 1
        while self._lists.get(name, choices) != choices or (name != wanted and name in self._wanted):
            count += 1
            name = f"{wanted}_{count}"
        self._lists[name] = choices
        return name

    def unused(self, definition: Definition) -> dict[str, Any]:
        """Return the lists that no question uses, as a setting."""
        kept = {name: kept for name, kept in (definition.settings.get(LISTS) or {}).items() if name not in self._wanted}
        return {LISTS: kept} if kept else {}


def sheets(definition: Definition, language_name: Callable[[str], str] = english_name) -> tuple[SheetText, ...]:
    """Return the sheets survey, choices and settings of a questionnaire, and one per attached table.

    The result converts with pyxform: "other, please specify" is written out, own types stand as the nearest one of the
    standard beside the column own_type. `language_name` gives the English name of a language's code.
    """
    of = normal(definition)
    named = {code: _heading(code, language_name(code)) for code in of.languages}
    return (
        _survey(of, named),
        _choices(of, named),
        _settings(of, named),
        *(SheetText(name, table.columns, table.rows) for name, table in of.tables.items()),
    )


def _heading(code: str, name: str) -> str:
    return f"{name} ({code})" if name else code


def _survey(of: Definition, named: Mapping[str, str]) -> SheetText:
    rows: list[dict[str, str]] = []
    codes: list[str] = []
    for page in of.pages:
        for row, code in _rows(page, named):
            rows.append(row)
            codes.append(code)
    first = ["type", "name", *(f"label::{name}" for name in named.values())]
    middle = [
        header
        for role in ("hint", "guidance_hint", "required", "required_message", "relevant", "constraint",
                     "constraint_message", "soft_constraint", "soft_constraint_message",
                     "calculation", "default", "trigger", "choice_filter", "appearance",
                     "parameters", "read_only", "repeat_count")
        for header in ([f"{role}::{name}" for name in named.values()] if role in ROLES else [role])
    ]  # fmt: skip
    own = [
        "own_type", "or_other", "specifies", "matrix_rows", "total", "evidence_required", "scope", *FLAGS, *COUNTS,
        *PLAIN,
    ]  # fmt: skip
    used = {header for row in rows for header in row}
    fixed = list(dict.fromkeys([*middle, *own]))
    headers = [*first, *(header for header in fixed if header in used)]
    headers += sorted(used.difference(headers))
    return SheetText("survey", tuple(headers), tuple(rows), tuple(codes))


def _rows(item: Item, named: Mapping[str, str]) -> Iterator[tuple[dict[str, str], str]]:
    yield _row(item, named), item.code
    if item.kind in ("section", "group"):
        for child in item.children:
            yield from _rows(child, named)
        yield {"type": "end_group", "name": item.code}, item.code
    elif item.kind in ("repeat", "matrix"):
        for child in item.children:
            yield from _rows(child, named)
        yield {"type": "end_repeat", "name": item.code}, item.code


def _row(item: Item, named: Mapping[str, str]) -> dict[str, str]:
    settings = dict(item.settings)
    row = {"name": item.code, **_type(item, settings)}
    for header_role, role in ROLES.items():
        for language, text in (item.texts.get(role) or {}).items():
            row[f"{header_role}::{named.get(language, language)}"] = text
    for rule in _RULES:
        if source := getattr(item, rule):
            row[rule] = source
    if item.settings.get("written_type") in METADATA and item.calculation == METADATA[item.settings["written_type"]]:
        del row["calculation"]  # it follows from the type
    row = settings.pop(KEPT, {}) | row | _parameters(item, settings)
    for header, text in settings.pop("columns", {}).items():
        row[header] = str(text)
    known = type_settings(item.type)
    for name, value in settings.items():
        row |= _setting(name, value, known.get(name), named)
    return {header: text for header, text in row.items() if text != ""}


def _type(item: Item, settings: dict[str, Any]) -> dict[str, str]:
    """Return the cells that say what an item is; the settings that they tell are taken out."""
    written = settings.pop("written_type", "")
    if item.kind in ("section", "group", "repeat"):
        return {"type": "begin_repeat" if item.kind == "repeat" else "begin_group"}
    if item.kind == "matrix":
        rows = settings.pop("matrix_rows", "")
        return {"type": "begin_repeat", "matrix_rows": rows, "repeat_count": str(len(item.choices))}
    name = settings.pop("list_name", "") if item.type in LISTED else ""
    file = settings.pop("file", "") if item.type in LISTED or written else ""
    if written or file:
        return {"type": written or f"{item.type}_from_file {file}"}
    if item.type in STANDARD_TYPES:
        return {"type": f"{STANDARD_TYPES[item.type]} {name}".strip()}
    return {"type": BASES.get(item.type, "text"), "own_type": item.type}


def _parameters(item: Item, settings: dict[str, Any]) -> dict[str, str]:
    pairs = []
    if item.type == "range":
        pairs = [f"{name}={settings.pop(name)}" for name in ("start", "end", "step") if settings.get(name)]
    rest = str(settings.pop("parameters", ""))
    return {"parameters": " ".join([*pairs, rest]).strip()}


def _setting(name: str, value: Any, setting: Setting | None, named: Mapping[str, str]) -> dict[str, str]:
    """Return the cells of a setting; those without a column of their own stand as JSON."""
    kind = setting.kind if setting is not None else ""
    if value is True and (name in (*FLAGS, *_OWN) or kind == "flag"):
        return {name: "yes"}
    if isinstance(value, int) and not isinstance(value, bool) and (name in COUNTS or kind == "count") and value > 0:
        return {name: str(value)}
    if isinstance(value, str) and value == value.strip() and (name in (*PLAIN, *_OWN, "appearance") or kind in _WORDS):
        return {name: value}
    if isinstance(value, dict) and kind == "texts" and name in TEXTS and value.keys() <= named.keys():
        return {f"{name}::{named[language]}": str(text).strip() for language, text in value.items()}
    return {TYPED + name: json.dumps(value, ensure_ascii=False, sort_keys=True)}


def _choices(of: Definition, named: Mapping[str, str]) -> SheetText:
    lists: dict[str, Sequence[Choice]] = {}
    for item in of.items():
        name = item.settings.get("matrix_rows" if item.kind == "matrix" else "list_name")
        if item.choices and name and not item.settings.get("file"):
            lists.setdefault(str(name), item.choices)
    for name, kept in (of.settings.get(LISTS) or {}).items():
        lists.setdefault(name, [_kept(one) for one in kept])
    rows: list[dict[str, str]] = []
    for name, choices in lists.items():
        for choice in choices:
            row = {"list_name": name, "name": choice.key}
            row |= {f"label::{named.get(language, language)}": text for language, text in choice.texts.items()}
            row |= {"retired": "yes"} if choice.retired else {}
            rows.append(row | dict(choice.extra))
    headers = ["list_name", "name", *(f"label::{name}" for name in named.values())]
    used = {header for row in rows for header in row}
    headers += [header for header in ("retired",) if header in used]
    return SheetText("choices", (*headers, *sorted(used.difference(headers))), tuple(rows))


def _kept(plain: Mapping[str, Any]) -> Choice:
    return Choice(plain["key"], plain.get("texts", {}), plain.get("extra", {}), bool(plain.get("retired")))


def _settings(of: Definition, named: Mapping[str, str]) -> SheetText:
    row = {
        "form_title": of.titles.get(of.default_language, ""),
        **{f"form_title_{code}": of.titles.get(code, "") for code in of.languages if code != of.default_language},
        "form_id": of.code,
        "default_language": named[of.default_language],
    }
    for name in sorted(of.settings):
        if name != LISTS:
            value = of.settings[name]
            row[name] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    row = {header: text for header, text in row.items() if text != ""}
    return SheetText("settings", tuple(row), (row,))
