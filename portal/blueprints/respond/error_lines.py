"""Lines of the error summary after a post without script: which answer, what is wrong with it, a link to its field.

The answer is named because the summary is read first, by a screen reader as well, and one sentence ("This is not a
number.") may stand there for several questions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g
from flask_babel import gettext as _

from forms.tables import table_of, tables
from portal.blueprints.respond.collected_views import label_of, place_label
from portal.blueprints.tables import cell_id
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from forms.answers import AnswerKey
    from forms.definition.model import Definition
    from portal.services.answer_rows import StaleRow
    from portal.services.submissions import RefusedAnswer, Saved

    Line = tuple[str, str]


def error_lines(
    saved: Saved,
    definition: Definition,
    refused: Iterable[RefusedAnswer],
    here: Collection[str],
    names: Mapping[int, Mapping[str, str]] | None = None,
) -> list[Line]:
    """Return (id of a field, sentence) of what needs a look: overtaken answers, rows, then what was not taken.

    ``refused`` are those of ``saved.refused`` that the page shows, and ``here`` the codes of what it shows: a post may
    speak of any table, or of none that there is. ``names`` are those of the actors in conflicts.
    """
    shown = {code: label_of(table.item) for code, table in tables(definition).items() if code in here}
    overtaken = _("Somebody else changed this answer; both texts are shown.")
    return [
        *(_of_answer(one.key, overtaken, definition) for one in saved.stale),
        *(_of_row(one.name.repeat, _overtaken(one, names or {}), shown) for one in saved.stale_rows),
        *(_of_row(one.name.repeat, str(one.message), shown) for one in saved.refused_rows),
        *(_of_answer(one.key, str(one.message), definition) for one in refused),
    ]


def _of_answer(key: AnswerKey, sentence: str, definition: Definition) -> Line:
    return _field(key, definition), _of(place_label(definition, key), sentence)


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
