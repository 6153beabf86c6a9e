"""What a person should look at before a reply is completed: contradictions, missing evidence, texts that differ.

Hard problems (`forms.evaluation`) block; these may be kept with a reason. Each has a name that stays the same, and a
basis that changes with the answers it is about: what was kept for other answers is asked anew.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Literal, TypeAlias

from flask_babel import lazy_gettext as _l

from forms.answers import AnswerKey, is_hidden
from forms.bilingual import differing, name_in
from forms.definition.word_diff import tokens
from forms.evaluation import fill
from forms.question_types import question_type
from forms.tables import tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from forms.answers import Given, Json, Rows, Text
    from forms.bilingual import Differs
    from forms.definition.model import Definition, Item
    from forms.evaluation import Evaluation
    from forms.tables import Table

WarningKind: TypeAlias = Literal["soft_constraint", "over_total", "reversed", "evidence", "languages"]
TOTAL = "total"  # the row of a matrix that is the sum of the others
BREAKS_SOFT_RULE = _l("This answer is unusual for the question. Please check it.")
DATED = frozenset({"date", "datetime", "year"})
# words of two codes that belong together: what begins, what ends
_ENDS = {
    "start": "end", "begin": "end", "from": "to", "begun": "ended", "started": "ended", "opened": "closed",
    "begins": "ends", "starts": "ends", "since": "until",
}  # fmt: skip
_CITED = re.compile(r"\[E\d+\]")
_KHMER = re.compile("[\u1780-\u17ff]")
CLUSTERS_IN_A_WORD = 2.2  # Khmer is written without blanks: a word has some two clusters
LENIENT = 1.2  # so much over its budget is a text before it is said


@dataclass(frozen=True)
class Warned:
    """One thing to look at: what warns, of which answer, the sentence, and the hash of what it is about."""

    kind: WarningKind
    key: AnswerKey
    sentence: Text
    basis: str
    name: str


def warnings_of(
    definition: Definition,
    answers: Mapping[AnswerKey, Given],
    evaluation: Evaluation,
    rows: Rows,
    *,
    evidence: int,
    language: str,
) -> tuple[Warned, ...]:
    """Return every warning, in the order of the questions; `evidence` is how many pieces the reply has."""
    looking = _Looking(definition, answers, evaluation, rows, evidence, language)
    order = {code: number for number, code in enumerate(definition.compiled.by_code)}
    return tuple(sorted(looking.all(), key=lambda one: (order[one.key.code], one.key.row, one.kind)))


@dataclass(frozen=True)
class _Looking:
    definition: Definition
    answers: Mapping[AnswerKey, Given]
    evaluation: Evaluation
    rows: Rows
    evidence: int
    language: str

    def all(self) -> Iterator[Warned]:
        """Yield the warnings of every kind."""
        yield from self._soft()
        yield from self._over_total()
        yield from self._reversed()
        yield from self._without_evidence()
        yield from self._languages()

    def _soft(self) -> Iterator[Warned]:
        """What does not fit a rule that its questionnaire marks as soft."""
        for key in self.evaluation.doubted:
            item = self.definition.question(key.code)
            sentence: Text = item.text("soft_constraint_message", self.language, self.definition.languages)
            if sentence and "${" in str(sentence):
                sentence = fill(str(sentence), self.definition, self.evaluation.seen_from(key), self.language)
            yield self._warned("soft_constraint", key, sentence or BREAKS_SOFT_RULE, self._value(key))

    def _over_total(self) -> Iterator[Warned]:
        """Parts that come to more than their total: by the column part_of, and in a matrix with a row "total"."""
        parts: dict[str, list[Item]] = {}
        for item in self.definition.questions():
            whole = str(item.settings.get("part_of") or "")
            if whole in self.definition.compiled.by_code:
                parts.setdefault(whole, []).append(item)
        for whole, items in parts.items():
            for row in self._rows_of(whole):
                here = [item for item in items if self._home(item.code) == self._home(whole)]
                yield from self._summed(AnswerKey(whole, row), [AnswerKey(item.code, row) for item in here])
        for table in tables(self.definition).values():
            yield from self._matrix(table)

    def _matrix(self, table: Table) -> Iterator[Warned]:
        keys = [row.key for row in table.rows(self.rows)] if table.fixed else []
        if TOTAL not in keys:
            return
        for item in table.columns:
            if question_type(item.type).name in {"integer", "decimal", "money"}:
                others = [AnswerKey(item.code, key) for key in keys if key != TOTAL]
                yield from self._summed(AnswerKey(item.code, TOTAL), others)

    def _summed(self, whole: AnswerKey, parts: list[AnswerKey]) -> Iterator[Warned]:
        total = self._number(whole)
        given = [found for found in map(self._number, parts) if found is not None]
        if total is None or not given or sum(given) <= total:
            return
        sentence = _l(
            "The parts come to %(sum)s, more than the total of %(total)s.", sum=_plain(sum(given)), total=_plain(total)
        )
        yield self._warned("over_total", whole, sentence, *(self._value(key) for key in (whole, *parts)))

    def _reversed(self) -> Iterator[Warned]:
        """Two dates whose codes say that they belong together, the end before the beginning."""
        for item in self.definition.questions():
            if question_type(item.type).name not in DATED or (other := self._end_of(item)) is None:
                continue
            for row in self._rows_of(item.code):
                begun, ended = AnswerKey(item.code, row), AnswerKey(other.code, row)
                if begun in self.evaluation.refused or ended in self.evaluation.refused:
                    continue  # a rule of the questionnaire says so already, and no reason keeps what it refuses
                first, last = self._value(begun), self._value(ended)
                if type(first) is not type(last) or not isinstance(first, (str, int)) or first <= last:  # type: ignore[operator] # of one type
                    continue
                sentence = _l("This ends before it begins. Please check both dates.")
                yield self._warned("reversed", ended, sentence, first, last)

    def _end_of(self, item: Item) -> Item | None:
        words = item.code.split("_")
        for place, word in enumerate(words):
            if word.lower() in _ENDS:
                code = "_".join([*words[:place], _ENDS[word.lower()], *words[place + 1 :]])
                other = self.definition.compiled.by_code.get(code)
                if other is not None and other.type == item.type and self._home(code) == self._home(item.code):
                    return other
        return None

    def _without_evidence(self) -> Iterator[Warned]:
        """Questions that ask for evidence, in a reply that has none; what has to be answered blocks already."""
        for item in self.definition.questions():
            if "evidence_required" not in item.settings:
                continue
            file = question_type(item.type).control == "file"
            for row in self._rows_of(item.code):
                key = AnswerKey(item.code, row)
                name = f"{key.code}[{row}]" if row else key.code
                if name not in self.evaluation.evidence or self.evaluation.is_hidden(key):
                    continue
                if key in self.evaluation.missing:
                    continue
                said = [self._value(one) for one in self._keys(item, row)]
                if (file and any(said)) or (not file and (self.evidence or not any(said) or _cites(said))):
                    continue
                yield self._warned("evidence", key, _l("Evidence is asked for here, and none is attached."), *said)

    def _languages(self) -> Iterator[Warned]:
        """Numbers and dates that one language of an answer has and the other has not."""
        for item in self.definition.questions():
            for row in self._rows_of(item.code):
                keys = [key for key in self._keys(item, row) if key.lang]
                texts = {key.lang: str(value) for key in keys if (value := self._value(key))}
                if len(texts) < 2 or self.evaluation.is_hidden(AnswerKey(item.code, row)):
                    continue
                found = differing(texts)
                if not found:
                    continue
                sentence = _l("Numbers or dates differ between the languages: %(found)s.", found=self._only(found))
                yield self._warned("languages", AnswerKey(item.code, row), sentence, *sorted(texts.items()))

    def _only(self, found: Sequence[Differs]) -> str:
        """Say which text alone has what: one part for each language."""
        written: dict[str, list[str]] = {}
        for one in found:
            written.setdefault(one.language, []).append(one.written)
        return "; ".join(
            str(_l("only in the text in %(language)s: %(found)s", language=name, found=", ".join(many)))
            for language, many in written.items()
            if (name := name_in(language, self.language))
        )

    def _keys(self, item: Item, row: str) -> list[AnswerKey]:
        plain = question_type(item.type).keys(item, self.definition.languages) or (AnswerKey(item.code),)
        return [AnswerKey(key.code, row, key.lang) for key in plain]

    def _home(self, code: str) -> str:
        return self.definition.compiled.homes.get(code, "")

    def _rows_of(self, code: str) -> list[str]:
        """Return the rows in which a question stands; '' alone outside a table."""
        home = self._home(code)
        return [row.key for row in tables(self.definition)[home].rows(self.rows)] if home else [""]

    def _value(self, key: AnswerKey) -> Json:
        """Return what stands there, as far as it counts: asked, readable, taken."""
        given = self.answers.get(key)
        if given is None or given.state != "answered" or given.typed is not None:
            return None
        return None if is_hidden(self.evaluation.hidden, key) else given.value

    def _number(self, key: AnswerKey) -> Decimal | None:
        value = self._value(key)
        if value is None or isinstance(value, (bool, list, dict)):
            return None
        try:
            return Decimal(str(value))
        except InvalidOperation:
            return None

    def _warned(self, kind: WarningKind, key: AnswerKey, sentence: Text, *about: object) -> Warned:
        spelled = json.dumps([kind, *key, *about], ensure_ascii=False, separators=(",", ":"))
        place = f"{key.code}[{key.row}]" if key.row else key.code
        return Warned(kind, key, sentence, hashlib.sha256(spelled.encode()).hexdigest(), f"{kind} {place}")


def _cites(said: list[Json]) -> bool:
    return any(isinstance(text, str) and _CITED.search(text) for text in said)


def _plain(number: Decimal | int) -> str:
    return f"{number:f}"


@dataclass(frozen=True)
class Long:
    """A text that is longer than asked for: how many words it has, and how many were asked for."""

    key: AnswerKey
    words: int
    budget: int


def over_budget(definition: Definition, answers: Mapping[AnswerKey, Given], hidden: frozenset[str]) -> tuple[Long, ...]:
    """Return the texts that are clearly longer than their question asks for."""
    found = []
    for key, given in answers.items():
        item = definition.compiled.by_code.get(key.code)
        budget = int(item.settings.get("word_budget") or 0) if item is not None else 0
        if not budget or not isinstance(given.value, str) or is_hidden(hidden, key):
            continue
        if (words := count_words(given.value)) > budget * LENIENT:
            found.append(Long(key, words, budget))
    return tuple(found)


def count_words(text: str) -> int:
    """Count the words of a text; of Khmer, which has no blanks between them, about."""
    clusters = words = 0
    for token in tokens(text):
        if _KHMER.match(token):
            clusters += 1
        elif token[:1].isalnum():
            words += 1
    return words + round(clusters / CLUSTERS_IN_A_WORD)
