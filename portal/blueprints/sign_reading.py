"""What changed in a reply since a person last read it, word by word, as plain view data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from forms.definition.word_diff import Piece, compare_words
from portal.blueprints.reading import read_definition
from portal.extensions import db
from portal.queries import seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from portal.blueprints.answering import AnsweringPage

Change = dict[str, Any]


def changes_since(
    answering: AnsweringPage, pages: Sequence[Mapping[str, Any]], moment: datetime, under: str
) -> list[Change]:
    """Return what is otherwise than at ``moment``: [{label, id, lines: [(language, pieces)]}], evidence last.

    ``pages`` are the reply read aloud as it stands; ``under`` stands before the ids of the page.
    """
    before = read_definition(
        answering.definition,
        seen.answers_at(db.session, answering.head.id, moment),
        answering.evaluation.hidden,
        answering.context.languages,
        rows=answering.rows,
    )
    then = {row["id"]: row for row in _rows(before)}
    found = []
    for row in _rows(pages):
        lines = _lines(then.get(row["id"]), row)
        if lines:
            found.append({"label": row["label"], "id": f"{under}{row['anchor']}", "lines": lines})
    for one, came in seen.evidence_since(db.session, answering.head.id, moment):
        piece = Piece(f"[E{one.number}] {one.filename or one.url}", "new" if came else "gone")
        found.append({"label": "", "id": "", "lines": [("", [piece])]})
    return found


def _rows(pages: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield every question of the pages, cells of tables with their row; ``anchor`` is where it stands on the page."""
    for page in pages:
        for row in page["rows"]:
            if not row.get("table"):
                yield dict(row) | {"anchor": row["id"]}
                continue
            for line in row["table"]["lines"]:
                for cell in line["cells"]:
                    label = f"{row['label']} {line['label']}: {cell['label']}"
                    yield dict(cell) | {"anchor": row["id"], "label": label}


def _lines(then: Mapping[str, Any] | None, now: Mapping[str, Any]) -> list[tuple[str, Sequence[Piece]]]:
    old, new = _said(then) if then is not None else {}, _said(now)
    if now["control"] == "file":
        return []
    return [
        (language, compare_words(old.get(language, ""), new.get(language, "")))
        for language in dict.fromkeys([*old, *new])
        if old.get(language, "") != new.get(language, "")
    ]


def _said(row: Mapping[str, Any]) -> dict[str, str]:
    """Return what a row says by language; a state in words where nothing was answered."""
    texts = dict(row["texts"])
    if not texts and row["state"] in {"not_applicable", "not_available"}:
        return {"": row["words"]}
    return texts
