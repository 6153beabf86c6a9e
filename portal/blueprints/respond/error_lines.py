"""Lines of the error summary after a post without script: which answer, what is wrong with it, a link to its field.

The answer is named because the summary is read first, by a screen reader as well, and one sentence ("This is not a
number.") may stand there for several questions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g
from flask_babel import gettext as _

from forms.answers import field_name
from forms.question_types import question_type
from forms.tables import table_of, tables
from portal.blueprints.respond.collected_views import label_of, place_label
from portal.blueprints.tables import cell_id
from portal.incoming import asked
from portal.reader import digits
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from forms.answers import AnswerKey
    from forms.definition.model import Definition
    from forms.tables import Table
    from portal.services.answer_rows import StaleRow
    from portal.services.submissions import RefusedAnswer, Saved, StaleAnswer

    Line = tuple[str, str]

MOST = 60  # characters of a row's own words


def error_lines(
    saved: Saved,
    definition: Definition,
    refused: Iterable[RefusedAnswer],
    here: Collection[str],
    names: Mapping[int, Mapping[str, str]] | None = None,
) -> list[Line]:
    """Return (id of a field, sentence) of what needs a look: overtaken answers, rows, then what was not taken.

    Answers come in the order of the page. ``refused`` are those of ``saved.refused`` that the page shows, and
    ``here`` the codes of what it shows: a post may speak of any table, or of none that there is. ``names`` are those
    of the actors in conflicts.
    """
    shown = {code: label_of(table.item) for code, table in tables(definition).items() if code in here}

    def place(one: StaleAnswer | RefusedAnswer) -> tuple[int, int, int]:
        return _place(one.key, definition, saved)

    overtaken = _("Somebody else changed this answer; both texts are shown.")
    return [
        *(_of_answer(one.key, overtaken, definition, saved) for one in sorted(saved.stale, key=place)),
        *(_of_row(one.name.repeat, _overtaken(one, names or {}), shown) for one in saved.stale_rows),
        *(_of_row(one.name.repeat, str(one.message), shown) for one in saved.refused_rows),
        *(_of_answer(one.key, str(one.message), definition, saved) for one in sorted(refused, key=place)),
    ]


def _of_answer(key: AnswerKey, sentence: str, definition: Definition, saved: Saved) -> Line:
    return _field(key, definition), _of(place_label(definition, key, _row(key, definition, saved)), sentence)


def _place(key: AnswerKey, definition: Definition, saved: Saved) -> tuple[int, int, int]:
    """Return where an answer stands, to sort by: its question or table, there its row, there its column."""
    codes, table = list(definition.compiled.by_code), table_of(definition, key.code)
    if table is None:
        return codes.index(key.code), 0, 0
    rows = [one.key for one in table.rows(saved.standing)]
    return codes.index(table.code), rows.index(key.row) if key.row in rows else len(rows), codes.index(key.code)


def _row(key: AnswerKey, definition: Definition, saved: Saved) -> str:
    """Return the number of a row of a table that grows, as the page counts it, and what its writer calls it."""
    table = table_of(definition, key.code)
    if table is None or table.fixed or not key.row:
        return ""
    rows = table.rows(saved.standing)
    parent = next((one.parent for one in rows if one.key == key.row), "")
    around = [one.key for one in rows if one.parent == parent]
    if key.row not in around:
        return ""
    number, words = digits(around.index(key.row) + 1), _own_words(table, key.row)
    return f"{number} ({words})" if words else number


def _own_words(table: Table, row: str) -> str:
    """Return the first text of a row, read from the post: what its writer was shown, and never more than that."""
    form, own = asked().form, g.view.language
    languages = (own, *(one for one in g.country.languages if one != own))
    for item in table.asked:
        kind = question_type(item.type)
        if kind.control != "text" or kind.joins != "text":
            continue
        keys = (one._replace(row=row) for one in kind.keys(item, languages))
        if text := next((text for one in keys if (text := " ".join(form.get(field_name(one), "").split()))), ""):
            return text if len(text) <= MOST else f"{text[: MOST - 1]}…"
    return ""


def _field(key: AnswerKey, definition: Definition) -> str:
    table = table_of(definition, key.code)
    return cell_id(table.code, key) if table is not None and key.row else f"q-{key.code}"


def _of_row(table: str, sentence: str, shown: Mapping[str, str]) -> Line:
    return (f"q-{table}", _of(shown[table], sentence)) if table in shown else ("", sentence)


def _of(question: str, sentence: str) -> str:
    return str(_("%(question)s: %(sentence)s", question=question, sentence=sentence))


def _overtaken(row: StaleRow, names: Mapping[int, Mapping[str, str]]) -> str:
    name = pick(names.get(row.by), g.view.language, g.country.languages) or _("A colleague")
    return str(
        _("%(name)s removed a row in which you wrote; your text is shown.", name=name)
        if row.removed
        else _("%(name)s wrote in the row that you wanted to remove; it is still there.", name=name)
    )
