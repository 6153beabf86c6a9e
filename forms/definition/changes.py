"""What differs between two versions of a questionnaire, and whether it can hurt an answer that exists.

Safe: nobody's answer means something else and nobody has to answer again (wording, help, translation, an optional
question, a looser rule). Unsafe: everything else; ``touches`` says whose replies have to be looked at.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from forms.definition.compiled import ALWAYS, NEVER
from forms.expressions import ExpressionError, parse, to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forms.definition.model import Choice, Definition, Item


class Aspect(StrEnum):
    """What kind of thing changed."""

    TITLE = "title"
    LANGUAGE_ADDED = "language_added"
    LANGUAGE_GONE = "language_gone"
    ADDED = "added"
    ADDED_REQUIRED = "added_required"
    GONE = "gone"
    TYPE = "type"
    MOVED = "moved"
    TABLE = "table"
    WORDING = "wording"
    LOOSER = "looser"
    STRICTER = "stricter"
    COMPUTED = "computed"
    DEFAULT = "default"
    CHOICE_ADDED = "choice_added"
    CHOICE_WORDING = "choice_wording"
    CHOICE_GONE = "choice_gone"
    CHOICE_ORDER = "choice_order"
    SETTING = "setting"
    SETTING_NARROWED = "setting_narrowed"


class Touches(StrEnum):
    """Whose replies a change touches."""

    NOBODY = "nobody"
    ANSWERED = "answered"  # who has answered one of the questions
    CHOSE = "chose"  # whose answer holds the choice
    ROW = "row"  # who has answered in that row of a matrix
    NOT_AVAILABLE = "not_available"  # who has said "not available"
    NOT_APPLICABLE = "not_applicable"
    BEGUN = "begun"  # who has begun to answer at all


# what may be opened or closed by a rule, and what is only shown
RULES = ("relevant", "required", "constraint", "choice_filter")
# all that an item says in expressions
SOURCES = (*RULES, "calculation", "default")
ROLES = ("label", "hint", "guidance", "required_message", "constraint_message", "soft_constraint_message")
# notes of the file that say nothing to anybody
UNSPOKEN = frozenset({"list_name", "parameters", "written_type", "columns", "type", "checked", "kept_rules"})
# settings whose change gives answers that exist another meaning or another place
BINDING = frozenset({"unit", "one_language", "scope", "repeat_count", "step", "accept", "read_only"})
TABLES = frozenset({"repeat", "matrix"})


@dataclass(frozen=True)
class Difference:
    """One thing that differs. ``detail`` is a text role, a rule, a setting or a choice key; texts are plain."""

    code: str
    aspect: Aspect
    detail: str = ""
    language: str = ""
    old: str = ""
    new: str = ""
    touches: Touches = Touches.NOBODY
    # the questions whose answers it concerns
    questions: tuple[str, ...] = field(default=())

    @property
    def safe(self) -> bool:
        """Tell whether no reply has to be looked at."""
        return self.touches is Touches.NOBODY


def differences(old: Definition, new: Definition) -> tuple[Difference, ...]:
    """List what differs, in the order of the new version; what was taken out comes last."""
    before, after = _places(old), _places(new)
    found = [*_whole(old, new)]
    moved = _moved(old, new)
    for code, (item, tables) in after.items():
        if code not in before:
            found.extend(_added(item))
            continue
        was, stood_in = before[code]
        if (was.kind, was.type) != (item.kind, item.type) and not {was.kind, item.kind} <= {"section", "group"}:
            found.append(
                Difference(code, Aspect.TYPE, old=was.type or was.kind, new=item.type or item.kind,
                           touches=Touches.ANSWERED, questions=_questions(was))
            )  # fmt: skip
        if stood_in != tables:
            found.append(
                Difference(code, Aspect.TABLE, old=_last(stood_in), new=_last(tables), touches=Touches.ANSWERED,
                           questions=_questions(item))
            )  # fmt: skip
        elif code in moved:
            found.append(Difference(code, Aspect.MOVED))
        found.extend(_changed(was, item))
    found.extend(
        Difference(code, Aspect.GONE, touches=Touches.ANSWERED if _questions(item) else Touches.NOBODY,
                   questions=(code,) if _questions(item) else ())
        for code, (item, _tables) in before.items()
        if code not in after and item.kind in {"question", "note"}
    )  # fmt: skip
    return tuple(found)


def _places(of: Definition) -> dict[str, tuple[Item, tuple[str, ...]]]:
    """Return each item with the tables around it, from outside in."""
    found: dict[str, tuple[Item, tuple[str, ...]]] = {}

    def walk(items: Sequence[Item], tables: tuple[str, ...]) -> None:
        for item in items:
            found[item.code] = (item, tables)
            walk(item.children, (*tables, item.code) if item.kind in TABLES else tables)

    walk(of.pages, ())
    return found


def _last(tables: tuple[str, ...]) -> str:
    return tables[-1] if tables else ""


def _questions(item: Item) -> tuple[str, ...]:
    return tuple(one.code for one in item.items() if one.kind == "question")


def _whole(old: Definition, new: Definition) -> Iterator[Difference]:
    for language in dict.fromkeys([*old.titles, *new.titles]):
        was, now = old.titles.get(language, ""), new.titles.get(language, "")
        if was != now:
            yield Difference("", Aspect.TITLE, language=language, old=was, new=now)
    for language in new.languages:
        if language not in old.languages:
            yield Difference("", Aspect.LANGUAGE_ADDED, language=language)
    everything = tuple(item.code for item in old.items() if item.kind == "question")
    for language in old.languages:
        if language not in new.languages:
            yield Difference(
                "", Aspect.LANGUAGE_GONE, language=language, touches=Touches.ANSWERED, questions=everything
            )


def _moved(old: Definition, new: Definition) -> set[str]:
    """Return what stands elsewhere: under another parent, or in another order among those that stayed."""
    parents = [
        {child.code: item.code for item in of.items() for child in item.children}
        | dict.fromkeys((page.code for page in of.pages), "")
        for of in (old, new)
    ]
    before, after = parents
    common = [code for code in after if code in before]
    moved = {code for code in common if before[code] != after[code]}
    lists: dict[str, tuple[list[str], list[str]]] = {}
    for number, of in enumerate((old, new)):
        for item in of.items():
            parent = parents[number][item.code]
            if item.code in before and item.code in after and item.code not in moved:
                lists.setdefault(parent, ([], []))[number].append(item.code)
    for was, now in lists.values():
        kept: set[str] = set()
        for start, _other, size in difflib.SequenceMatcher(None, was, now, autojunk=False).get_matching_blocks():
            kept.update(was[start : start + size])
        moved.update(code for code in now if code not in kept)
    return moved


def _added(item: Item) -> Iterator[Difference]:
    if item.kind in {"section", "group"}:
        return  # its questions speak for themselves
    must = item.required.strip().lower() not in NEVER and item.kind == "question"
    yield Difference(
        item.code,
        Aspect.ADDED_REQUIRED if must else Aspect.ADDED,
        touches=Touches.BEGUN if must else Touches.NOBODY,
        questions=(item.code,) if item.kind == "question" else (),
    )


def _changed(was: Item, now: Item) -> Iterator[Difference]:
    for role in ROLES:
        before, after = was.texts.get(role) or {}, now.texts.get(role) or {}
        for language in dict.fromkeys([*before, *after]):
            old, new = before.get(language, ""), after.get(language, "")
            if old != new:
                yield Difference(now.code, Aspect.WORDING, role, language, old, new)
    for rule in RULES:
        yield from _rule(was, now, rule)
    if not _same(was.calculation, now.calculation):
        yield Difference(
            now.code, Aspect.COMPUTED, "calculation", "", was.calculation, now.calculation, Touches.ANSWERED,
            _questions(now),
        )  # fmt: skip
    if was.default != now.default:
        yield Difference(now.code, Aspect.DEFAULT, "default", "", was.default, now.default)
    yield from _choices(was, now)
    yield from _settings(was, now)


def _rule(was: Item, now: Item, rule: str) -> Iterator[Difference]:
    old, new = str(getattr(was, rule)).strip(), str(getattr(now, rule)).strip()
    if rule == "required":
        old, new = _demand(old), _demand(new)
    if _same(old, new):
        return
    touches, looser = Touches.ANSWERED, _looser(rule, old, new)
    if rule == "required":
        touches = Touches.BEGUN
    elif rule == "relevant" and looser:
        # asked of more people: a burden only where one of its questions must be answered
        looser = not any(_demand(one.required) for one in now.items() if one.kind == "question")
        touches = Touches.BEGUN
    yield Difference(
        now.code,
        Aspect.LOOSER if looser else Aspect.STRICTER,
        rule,
        "",
        old,
        new,
        Touches.NOBODY if looser else touches,
        _questions(now),
    )


def _demand(source: str) -> str:
    """Return a rule of "required" in one spelling: "" for never, "true()" for always."""
    plain = source.strip().lower()
    if plain in NEVER:
        return ""
    return "true()" if plain in ALWAYS else source.strip()


def _tree(source: str) -> Any:
    try:
        return to_json(parse(source, filtering=True))
    except ExpressionError:
        return source  # a mistake of the draft: compared as a text


def _same(old: str, new: str) -> bool:
    if not old.strip() or not new.strip():
        return old.strip() == new.strip()
    return bool(old == new or _tree(old) == _tree(new))


def _looser(rule: str, old: str, new: str) -> bool:
    """Tell whether the new rule surely lets pass what the old one let pass."""
    if not new:
        return True
    if rule == "required":
        # it is looser when whoever must answer now had to answer before
        return old == "true()" or (bool(old) and _follows(_tree(new), _tree(old)))
    return bool(old) and _follows(_tree(old), _tree(new))


def _follows(first: Any, second: Any) -> bool:
    """Tell whether ``second`` holds wherever ``first`` does, as far as the shape of the rules shows it."""
    if first == second:
        return True
    ways, needs = _parts(second, "or"), _parts(first, "and")
    if len(ways) > 1 and all(one in ways for one in _parts(first, "or")):
        return True
    return len(needs) > 1 and all(one in needs for one in _parts(second, "and"))


def _parts(tree: Any, sign: str) -> list[Any]:
    return list(tree[2:]) if isinstance(tree, list) and tree[:2] == ["op", sign] else [tree]


def _choices(was: Item, now: Item) -> Iterator[Difference]:
    before = {one.key: one for one in was.choices}
    after = {one.key: one for one in now.choices}
    gone = Touches.ROW if now.kind == "matrix" else Touches.CHOSE
    for key, choice in after.items():
        if choice.retired:
            continue
        old = before.get(key)
        if old is None or old.retired:
            yield Difference(now.code, Aspect.CHOICE_ADDED, key, new=_label(choice))
            continue
        for language in dict.fromkeys([*old.texts, *choice.texts]):
            if old.texts.get(language, "") != choice.texts.get(language, ""):
                yield Difference(
                    now.code, Aspect.CHOICE_WORDING, key, language,
                    old.texts.get(language, ""), choice.texts.get(language, ""),
                )  # fmt: skip
    for key, choice in before.items():
        if not choice.retired and (key not in after or after[key].retired):
            yield Difference(
                now.code, Aspect.CHOICE_GONE, key, old=_label(choice), touches=gone, questions=_questions(now)
            )
    stayed = [key for key in after if key in before and not after[key].retired and not before[key].retired]
    if stayed != [key for key in before if key in stayed]:
        yield Difference(now.code, Aspect.CHOICE_ORDER)


def _label(choice: Choice) -> str:
    return next((text for text in choice.texts.values() if text), choice.key)


def _settings(was: Item, now: Item) -> Iterator[Difference]:
    questions = _questions(now)
    for name in sorted({*was.settings, *now.settings} - UNSPOKEN):
        old, new = was.settings.get(name), now.settings.get(name)
        if (old or None) == (new or None):
            continue
        touches = _setting_touches(name, old, new)
        aspect = Aspect.SETTING if touches is Touches.NOBODY else Aspect.SETTING_NARROWED
        yield Difference(now.code, aspect, name, "", _said(old), _said(new), touches, questions)


def _setting_touches(name: str, old: Any, new: Any) -> Touches:
    if name in {"not_available", "not_applicable"}:
        return Touches.NOBODY if new else Touches(name)
    if name == "evidence_required":
        return Touches.ANSWERED if new else Touches.NOBODY
    if name in {"start", "end", "max_files"}:
        low, high = _number(old), _number(new)
        wider = high is None or (low is not None and (high <= low if name == "start" else high >= low))
        return Touches.NOBODY if wider else Touches.ANSWERED
    return Touches.ANSWERED if name in BINDING else Touches.NOBODY


def _number(value: Any) -> float | None:
    try:
        return None if value in {None, ""} else float(value)
    except (TypeError, ValueError):
        return None


def _said(value: Any) -> str:
    if value is None or value is False:
        return ""
    return "✓" if value is True else str(value)


def by_code(found: Sequence[Difference]) -> Mapping[str, tuple[Difference, ...]]:
    """Return the differences by the item they are about, in order."""
    kept: dict[str, list[Difference]] = {}
    for one in found:
        kept.setdefault(one.code, []).append(one)
    return {code: tuple(some) for code, some in kept.items()}
