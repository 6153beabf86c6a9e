"""How questions, lines and answers are called in what is said about returned workbooks."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from forms.question_types import question_type
from forms.spoken_choices import Seen, speaking, speaking_of_rows, spoken_by, values_of, worded
from forms.tables import table_of, tables
from portal.queries.submissions import RowKey
from portal.workbooks.offline import words

if TYPE_CHECKING:
    from forms.answers import AnswerKey, Parsed
    from forms.definition.model import Definition, Item
    from portal.queries.submissions import StoredAnswer
    from portal.services.offline.plan import Finding, ReplyPlan


class Aloud:
    """Says what stands in a reply, or would, in its reader's language; ``numbers`` count the lines of each table."""

    def __init__(self, plan: ReplyPlan, language: str) -> None:
        self.plan, self.language, self.languages = plan, language, plan.context.languages
        self.numbers = {
            RowKey(code, row.key): number
            for code, table in tables(plan.definition).items()
            for number, row in enumerate(table.rows(plan.standing), start=1)
        }

    def label(self, key: AnswerKey) -> str:
        """Name an answer: its question; in a table the table, the line and the column."""
        label = self.column(key)
        table = table_of(self.plan.definition, key.code)
        if table is not None:
            number = self.numbers.get(RowKey(table.code, key.row), "?")
            row = table.row_label(key.row, self.language, self.languages) or _("line %(number)s", number=number)
            label = f"{table.item.text('label', self.language, self.languages)}, {row}: {label}"
        return label

    def line(self, name: RowKey) -> str:
        """Name a line of a table that stands in it."""
        line: str = _("%(table)s, line %(number)s", table=self.title(name.repeat), number=self.numbers[name])
        return line

    def title(self, table: str) -> str:
        """Return what a table is called."""
        title: str = tables(self.plan.definition)[table].item.text("label", self.language, self.languages)
        return title

    def column(self, key: AnswerKey) -> str:
        """Name the question of an answer."""
        label = self.plan.definition.question(key.code).text("label", self.language, self.languages) or key.code
        return f"{label} ({words.own_name(key.lang)})" if key.lang and len(self.languages) > 1 else label

    def of(self, key: AnswerKey, given: Parsed | StoredAnswer | None) -> str:
        """Return what an answer says, "" for none."""
        if given is None:
            return ""
        if given.state != "answered":
            return str(words.STATES.get(given.state, given.state))
        if given.typed is not None:
            return given.typed
        item = self._worded(key)
        text: str = question_type(item.type).text(given.value, item, self.language)
        return text

    @cached_property
    def _spoken(self) -> tuple[Definition, Seen | None]:
        """The questionnaire in the words of the reply as it stands, and what its labels read in each row."""
        of, stored = self.plan.definition, self.plan.stored
        if not speaking(of):
            return of, None
        answers = {key: one.value for key, one in stored.answers.items() if one.state == "answered"}
        seen = Seen(of, answers, self.plan.head.hidden, self.plan.standing) if speaking_of_rows(of) else None
        return spoken_by(of, values_of(of, answers, self.plan.head.hidden)), seen

    def help(self, refused: Finding) -> tuple[str, str]:
        """Return what an answer that was refused is expected to be, and an example; of its reason, if that was."""
        item = self._worded(refused.key)
        if refused.of_reason:
            return ", ".join(str(words.STATES[state]) for state in words.states_of(item)), ""
        return words.expected(item, self.language), words.example(item, self.language)

    def _worded(self, key: AnswerKey) -> Item:
        """Return a question in the words that its reader knows."""
        spoken, seen = self._spoken
        item = spoken.question(key.code)
        return item if seen is None or not key.row else worded(spoken, item, seen.from_cell(key))
