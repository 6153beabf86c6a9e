"""Offline documents for tests: filled in through python-docx as a person would, found by question code and language."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import docx

from portal.queries.countries import country_facts
from portal.queries.submissions import find
from portal.services.offline.gathering import write_word
from portal.workbooks.offline.marks import Seal, read_row_mark, read_sheet_mark
from portal.workbooks.word.elements import W14, W, node, paragraph, run, say, trees
from portal.workbooks.word.marks import keys_of, name_of, read_hidden
from tests.offline import SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.workbooks.word.elements import Xml
    from portal.workbooks.word.marks import HiddenRow

TAG, VAL = f"{{{W}}}tag", f"{{{W}}}val"


def download(session: Session, *replies: Any, by: Principal) -> bytes:
    """Return the document of some replies."""
    heads = [find(session, one.public_id) for one in replies]
    return write_word(
        session, [one for one in heads if one], country_facts(session), secret=SECRET, by=by, language="en"
    )


class FilledDocument:
    """A document in the hands of its filler: ``document`` is python-docx's, fields are found by the hidden part."""

    def __init__(self, content: bytes) -> None:
        self.document = docx.Document(io.BytesIO(content))
        parts = [part.blob for part in self.document.part.package.iter_parts() if "customXml" in str(part.partname)]
        hidden = read_hidden(parts)
        assert hidden is not None
        self.hidden = hidden

    @property
    def body(self) -> Any:
        return self.document.element.body

    @property
    def words(self) -> str:
        """All that the document says."""
        return "\n".join("".join(one.text or "" for one in p.iter(f"{{{W}}}t")) for p in self.body.iter(f"{{{W}}}p"))

    def fields(self, reply: int = 1) -> Iterator[tuple[str, Any, HiddenRow, int, int]]:
        """Yield mark of the cell, row and place of every field of a reply."""
        seal = Seal(SECRET)
        one = self.hidden.replies[reply - 1]
        read = read_sheet_mark(one.mark, seal)
        assert read is not None
        for number, row in enumerate(one.rows, start=1):
            mark = read_row_mark(row.mark, seal, read[0])
            assert mark is not None
            for cell in mark.cells:
                yield mark, cell, row, number, cell.column

    def name(self, code: str, lang: str = "", *, line: int = 0, option: int = 0, reply: int = 1) -> str:
        for _mark, cell, row, number, column in self.fields(reply):
            if (cell.code, cell.lang, row.line) == (code, lang, line):
                key = keys_of(row.choices, column, option)
                return name_of(Seal(SECRET), row.mark, (reply, number, column, option), key).text
        raise KeyError((code, lang, line))

    def field(self, code: str, lang: str = "", **where: int) -> Any:
        """Return the content control of an answer; ``lang`` "!" why there is none, ``line`` of a table."""
        name = self.name(code, lang, **where)
        return next(one for one in self.body.iter(f"{{{W}}}sdt") if one.find(f"{{{W}}}sdtPr/{TAG}").get(VAL) == name)

    def put(self, code: str, text: str, lang: str = "", **where: int) -> Any:
        """Write into the field of an answer, as typing does."""
        field = self.field(code, lang, **where)
        return self.fill(field, run(text))

    @staticmethod
    def fill(field: Any, *content: Xml) -> Any:
        hint = field.find(f"{{{W}}}sdtPr/{{{W}}}showingPlcHdr")
        if hint is not None:
            hint.getparent().remove(hint)
        inside = field.find(f"{{{W}}}sdtContent")
        for old in list(inside):
            inside.remove(old)
        inside.extend(trees(*content))
        return field

    def tick(self, code: str, *keys: str, line: int = 0) -> None:
        """Tick these choices of a question, and no other."""
        row, column = next(
            (row, column) for _m, cell, row, _n, column in self.fields()
            if (cell.code, cell.lang, row.line) == (code, "", line)
        )  # fmt: skip
        for option, key in enumerate(row.choices[column], start=1):
            field = self.field(code, line=line, option=option)
            field.find(f"{{{W}}}sdtPr/{{{W14}}}checkbox/{{{W14}}}checked").set(
                f"{{{W14}}}val", "1" if key in keys else "0"
            )

    def say(self, text: str, after: Any) -> None:
        """Type a paragraph outside the fields, after the one that holds ``after``."""
        after.getparent().addnext(*trees(say(text)))

    def content(self) -> bytes:
        stream = io.BytesIO()
        self.document.save(stream)
        return stream.getvalue()


__all__ = ["FilledDocument", "download", "node", "paragraph", "run"]
