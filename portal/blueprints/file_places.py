"""Where on a page a posted file is to hang, whoever sends it: on a question, or on a cell of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from forms.answers import AnswerKey
from forms.question_types import question_type
from forms.tables import table_of
from portal.blueprints.tables import cell_id
from portal.errors import NotFound
from portal.services.attaching import is_place

if TYPE_CHECKING:
    from forms.definition.model import Definition


def file_place(definition: Definition, code: str) -> AnswerKey:
    """Return where a posted file is to hang: on a question, or on a cell (``?row=``).

    Raises:
        NotFound: no file is asked for there.
    """
    item = next((one for one in definition.questions() if one.code == code), None)
    key = AnswerKey(code, request.args.get("row", ""))
    if item is None or question_type(item.type).control != "file" or not is_place(definition, key):
        raise NotFound
    return key


def file_kinds(definition: Definition, code: str) -> list[str]:
    """Return the endings of files that a question takes."""
    item = definition.question(code)
    return question_type(item.type).accept(item).split(",")


def row_around() -> str:
    """Return the row around the row of a cell (``?parent=``), "" for none."""
    return request.args.get("parent", "")


def anchor_of(definition: Definition, key: AnswerKey) -> str:
    """Return where on its page a question or a cell stands."""
    table = table_of(definition, key.code)
    return f"#{cell_id(table.code, key)}-item" if table is not None and key.row else f"#q-{key.code}-item"
