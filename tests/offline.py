"""Offline workbooks for tests: filled in by openpyxl as a person would, found by question code and column."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl

from forms.answers import AnswerKey, Parsed
from portal.queries.countries import country_facts
from portal.queries.questionnaires import definition, question_ids
from portal.queries.submissions import find, stored_reply
from portal.services.offline.gathering import offline_context, write_workbook
from portal.services.offline.judging import plan_offline
from portal.services.offline.taking import choices, take_offline
from portal.services.submissions import Change, save_answers
from portal.workbooks.offline.files import read_file
from portal.workbooks.offline.marks import Seal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpyxl.worksheet.worksheet import Worksheet
    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.services.offline.plan import OfflinePlan

SECRET = "test-only-key-of-more-than-thirty-two-characters"


def download(session: Session, *replies: Any, by: Principal) -> bytes:
    """Return the workbook of some replies."""
    heads = [find(session, one.public_id) for one in replies]
    return write_workbook(
        session, [one for one in heads if one], country_facts(session), secret=SECRET, by=by, language="en"
    )


def judge(
    session: Session, *files: bytes, by: Principal, names: tuple[str, ...] = (), round_slug: str = ""
) -> OfflinePlan:
    """Read and judge some files together."""
    books = [
        read_file(content, Seal(SECRET), filename=names[at] if names else f"copy{at + 1}.xlsx")
        for at, content in enumerate(files)
    ]
    return plan_offline(session, books, country_facts(session), by=by, language="en", round_slug=round_slug)


def save(session: Session, scene: Any, by: Principal | None = None, **values: Any) -> None:
    """Save on the page, as a colleague would."""
    head = find(session, scene.reply.public_id)
    of = definition(session, head.version_id)
    changes = {}
    for name, value in values.items():
        code, _, lang = name.partition("__")
        changes[AnswerKey(code, "", lang)] = Change(Parsed(value=value), None)
    context = offline_context(session, head, of, country_facts(session), by=scene.by, language="en")
    save_answers(
        session, head, of, question_ids(session, head.version_id), changes, context=context, by=by or scene.other
    )
    session.commit()


def outcomes(plan: OfflinePlan) -> dict[str, str]:
    """Return what would become of each answer and line."""
    return {one.name: one.outcome for reply in plan.replies for one in (*reply.answers, *reply.rows)}


def said(found: Any) -> list[str]:
    """Return the sentences of some problems or remarks."""
    return [str(one.message) for one in found]


def take(session: Session, plan: OfflinePlan, scene: Any, chosen: Any = None, key: str = "once") -> Any:
    """Take over what is chosen, or what is taken unless somebody says otherwise."""
    made = take_offline(session, plan, choices(plan, chosen), by=scene.by, request_key=key, source="x")
    session.commit()
    return made


def value(session: Session, scene: Any, code: str, lang: str = "", row: str = "") -> Any:
    """Return the answer that stands."""
    found = stored_reply(session, scene.reply.id, definition(session, scene.version.id)).answers.get(
        AnswerKey(code, row, lang)
    )
    return found.value if found else None


def edited(content: bytes, name: str, change: Any) -> bytes:
    """Return a workbook with one part changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            new.writestr(entry, change(old.read(entry)) if entry == name else old.read(entry))
    return out.getvalue()


class Filled:
    """A workbook in the hands of its filler: ``book`` is openpyxl's, cells are found by the hidden marks."""

    def __init__(self, content: bytes, sheet: int = 0) -> None:
        self.book = openpyxl.load_workbook(io.BytesIO(content))
        self.ws: Worksheet = self.reply_sheets[sheet]

    @property
    def reply_sheets(self) -> list[Worksheet]:
        return [ws for ws in self.book.worksheets if str(ws["A1"].value).startswith("tamdan-offline|")]

    def marks(self) -> Iterator[tuple[int, list[str]]]:
        for row in range(2, self.ws.max_row + 1):
            text = self.ws.cell(row, 1).value
            if text and text != "-":
                yield row, str(text).split("|")

    def place(self, code: str, lang: str = "", *, line: int = 0) -> Any:
        """Return the cell of an answer; ``line`` is the number of a line of a table, ``lang`` "!" why there is none."""
        for row, parts in self.marks():
            for mark in parts[6].split(","):
                column, its_code, its_lang, *_more = mark.split(":")
                if (its_code, its_lang) == (code, lang) and int(parts[4]) == line:
                    return self.ws.cell(row, int(column))
        raise KeyError((code, lang, line))

    def put(self, code: str, value: Any, lang: str = "", *, line: int = 0) -> str:
        """Write into the cell of an answer and return its address."""
        cell = self.place(code, lang, line=line)
        cell.value = value
        return str(cell.coordinate)

    def put_parent(self, table: str, number: int | None, *, line: int) -> None:
        """Write into an empty line in which line of the ``table`` around it stands."""
        self.put(table, number, "^", line=line)

    def mark(self, code: str, **given: Any) -> None:
        """Write beside the choices of a question, by their keys: an x, or a place."""
        for row, parts in self.marks():
            column, its_code, *_more = parts[6].split(",")[0].split(":")
            if parts[0] == "choice" and its_code == code and parts[2] in given:
                self.ws.cell(row, int(column)).value = given[parts[2]]

    def content(self) -> bytes:
        stream = io.BytesIO()
        self.book.save(stream)
        return stream.getvalue()
