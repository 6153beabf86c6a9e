"""Sample answers of a tester: read from a post, carried along signed in the page itself, never near a reply.

Nothing of it is stored: the state travels in a hidden field, signed for this person and this version. What a post says
passes the same reading as a reply's post, but never the gate that saves.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import current_app, request
from flask_babel import lazy_gettext as _l
from itsdangerous import BadData, URLSafeSerializer

from forms.answers import Given, TableRow
from forms.trial import Sample, sample_json
from portal.blueprints.guard import who
from portal.blueprints.posting import read_changes
from portal.blueprints.respond.rows import posted, read_row_changes, row_act
from portal.errors import Invalid
from portal.queries.submissions import RowKey, StoredAnswer, StoredReply, StoredRow
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from forms.context import Context
    from forms.definition.model import Definition, Item
    from portal.queries.questionnaires import VersionHead
    from portal.services.answer_rows import RowChange

LIMIT = 200_000  # characters of sample answers as JSON
STATE = "sample"


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="test-drive")


def sealed(given: Mapping[str, Any], head: VersionHead) -> str:
    """Sign sample answers for the person who tries a version out."""
    return str(_signer().dumps({"who": who().user_id, "version": head.public_id, "answers": given}))


def carried(head: VersionHead) -> dict[str, Any]:
    """Return the sample answers that the post carries along; none where they are not this person's.

    Raises:
        Invalid: if the seal is broken.
    """
    value = request.form.get(STATE, "")
    if not value:
        return {}
    try:
        found = _signer().loads(value)
    except (BadData, ValueError):
        found = {}
    if found.get("who") != who().user_id or found.get("version") != head.public_id:
        raise _refused(_l("The sample answers of this page cannot be read any more. Begin anew, or load them."))
    answers: dict[str, Any] = found["answers"]
    return answers


def loaded() -> dict[str, Any]:
    """Read sample answers from an uploaded file or from the text of the form, as ``questionnaire evaluate`` does.

    Raises:
        Invalid: if it is too large or no JSON object.
    """
    file = request.files.get("file")
    content = file.stream.read(LIMIT + 1) if file is not None and file.filename else b""
    text = content.decode("utf-8-sig", errors="replace") if content else request.form.get("json", "")
    if not text.strip():
        raise _refused(_l("Choose a file of sample answers, or paste them into the box."), "file")
    if len(text) > LIMIT:
        raise too_large()
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _refused(_l("The sample answers must be a JSON object: field names with their answers."), "file")
    return {name: _with_plain_keys(value, 0) for name, value in found.items()}


def _with_plain_keys(value: Any, depth: int) -> Any:
    """Drop keys of rows that no page could name; the row gets another one."""
    if not isinstance(value, list) or depth > 4:
        return value
    return [
        {
            name: _with_plain_keys(cell, depth + 1)
            for name, cell in row.items()
            if name != "key" or (isinstance(cell, str) and cell.isascii() and cell.isalnum() and len(cell) <= 16)
        }
        if isinstance(row, dict)
        else row
        for row in value
    ]


def too_large() -> Invalid:
    """Return the refusal of more sample answers than a page can carry."""
    return _refused(_l("The sample answers are longer than %(limit)s characters; the last step was not kept.",
                       limit=LIMIT), "file")  # fmt: skip


def _refused(sentence: Any, field: str = "") -> Invalid:
    return Invalid(sentence, problems=[Problem(sentence, field=field)])


def read(definition: Definition, given: Mapping[str, Any], context: Context) -> Sample:
    """Read sample answers; what cannot be read stays as typed, as in a draft of a reply."""
    sample = Sample(definition, context)
    sample.all(given)
    return sample


def reply_of(sample: Sample) -> StoredReply:
    """Return sample answers in the shape of a stored reply, for the view that draws replies."""
    answers = {
        key: StoredAnswer(one.value, one.state, one.typed, one.revision) for key, one in sample.answers.items()
    }
    rows = {
        RowKey(code, row.key): StoredRow(row.parent, position, removed=False, revision=1)
        for code, found in sample.rows.items()
        for position, row in enumerate(found, start=1)
    }
    return StoredReply(answers, rows)


def with_post(definition: Definition, page: Item, sample: Sample, context: Context) -> dict[str, Any]:
    """Return the sample answers as they are after a post of a page.

    Raises:
        Invalid: if they grow beyond what a page can carry.
    """
    changes = read_changes(definition, page, context, posted())
    stored = reply_of(sample)
    rows = _with_rows(stored.rows, read_row_changes(definition, changes, stored if row_act() else None))
    answers = dict(sample.answers)
    for key, change in changes.items():
        answers[key] = Given(change.parsed.value, change.parsed.state, change.parsed.typed, 1)
    standing: dict[str, list[TableRow]] = {}
    for name, row in sorted(rows.items(), key=lambda one: one[1].position):
        standing.setdefault(name.repeat, []).append(TableRow(name.key, row.parent))
    found = sample_json(definition, answers, standing)
    if len(json.dumps(found, ensure_ascii=False)) > LIMIT:
        raise too_large()
    return found


def _with_rows(rows: Mapping[RowKey, StoredRow], changes: Iterable[RowChange]) -> dict[RowKey, StoredRow]:
    found = dict(rows)
    for change in changes:
        present = found.get(change.name)
        if change.removed:
            found.pop(change.name, None)
        elif present is None:
            last = max((row.position for name, row in found.items() if name.repeat == change.repeat), default=0)
            found[change.name] = StoredRow(change.parent_key, change.position or last + 1, removed=False, revision=1)
        elif change.position is not None:
            found[change.name] = replace(present, position=change.position)
    return found
