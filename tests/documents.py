"""Offline documents for tests: filled in through python-docx as a person would, found by question code and language."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import docx

from portal.queries.countries import country_facts
from portal.queries.submissions import find
from portal.services.offline.gathering import write_word
from portal.workbooks.word.elements import W14, W, node, paragraph, run, say, trees
from portal.workbooks.word.marks import read_hidden
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

    def fields(self, reply: int = 1) -> Iterator[tuple[str, str, HiddenRow, str]]:
        """Yield code, language, row and the beginning of the name of every field of a reply."""
        for number, row in enumerate(self.hidden.replies[reply - 1].rows, start=1):
            for cell in row.mark.split("|")[6].split(","):
                column, code, lang, *_more = cell.split(":")
                yield code, lang, row, f"_T{reply}_{number}_{column}_"

    def name(self, code: str, lang: str = "", *, line: int = 0, option: int = 0, reply: int = 1) -> str:
        """Return the name of a field: known by its place, whatever its seal is."""
        for its_code, its_lang, row, begin in self.fields(reply):
            if (its_code, its_lang, row.line) == (code, lang, line):
                tags = (str(one.get(VAL)) for one in self.body.iter(TAG))
                return next(tag for tag in tags if tag.startswith(f"{begin}{option}_"))
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
            (row, int(begin.split("_")[3])) for its_code, its_lang, row, begin in self.fields()
            if (its_code, its_lang, row.line) == (code, "", line)
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
