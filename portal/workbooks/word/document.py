"""The offline document as a whole: title page with instructions, a heading for each reply, the hidden part."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import docx
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from flask_babel import lazy_gettext as _l

from portal.workbooks.cell_text import clean
from portal.workbooks.offline import words
from portal.workbooks.offline.marks import COVER, SheetMark
from portal.workbooks.word.controls import Control, Drawer
from portal.workbooks.word.elements import say, trees
from portal.workbooks.word.looks import dress
from portal.workbooks.word.marks import COPY, Hidden, write_hidden
from portal.workbooks.word.reply import ReplyText
from portal.workbooks.word.scan import outside, short
from portal.workbooks.word.words import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docx.document import Document

    from portal.workbooks.offline.marks import Seal
    from portal.workbooks.offline.shape import OfflineBook
    from portal.workbooks.word.elements import Xml

RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/customXml"
PROPERTIES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/customXmlProps"
ITEM_ID = "{6F1D2C0A-7A0B-4C55-9E0E-5A4D414E4F46}"


def write_document(made: OfflineBook, seal: Seal) -> bytes:
    """Return the document."""
    document = docx.Document()
    dress(document)
    drawer = Drawer(made.languages)
    body: Any = document.element.body
    for old in list(body)[:-1]:
        body.remove(old)
    end = body[-1]
    texts = list(_front(made, drawer))
    cover = SheetMark(
        seal.portal, made.replies[0].round, made.replies[0].institution, "", 0, made.book, made.made, made.languages,
        kind=COVER,
    )  # fmt: skip
    hidden = Hidden(cover.text(seal))
    for at, reply in enumerate(made.replies, start=1):
        written = ReplyText(at, made, reply, seal, drawer)
        texts += written.write()
        hidden.replies.append(written.hidden)
    for element in trees(*texts):
        end.addprevious(element)
    hidden.own = frozenset(short(one.text) for one in outside(body))
    hidden.hints = frozenset(short(one) for one in (*drawer.hints.values(), *drawer.small.values()))
    _hide(document, write_hidden(hidden))
    core = document.core_properties
    core.title = clean(next(iter(made.round.values()), ""))[0][:255]
    core.author, core.comments, core.last_modified_by = "", "", ""
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _front(made: OfflineBook, drawer: Drawer) -> Iterator[Xml]:
    languages = made.languages
    for texts, style in ((made.round, "Title"), (made.institution, "Subtitle")):
        said = words.in_all([texts.get(one, "") for one in languages]) or next(iter(texts.values()), "")
        yield say(said, style)
    label = words.everywhere(_l("This copy is filled in by (department)"), languages).replace("\n", " · ")
    yield say(label, "Language")
    yield from drawer.paragraphs([(COPY, Control("text"))], "Answer")
    for language in languages:
        yield say(words.everywhere(_l("How to fill this document in"), [language]), "Part")
        for number, step in enumerate(STEPS, start=1):
            yield say(f"{number}. {words.everywhere(step, [language])}", "Normal")


def _hide(document: Document, content: bytes) -> None:
    """Put the hidden part among the file's XML data, in the place of what the empty document brought."""
    package = document.part.package
    for key, relation in list(document.part.rels.items()):
        if relation.reltype == RELATION:
            del document.part.rels[key]
    item = Part(PackURI("/customXml/item1.xml"), "application/xml", content, package)
    properties = (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?><ds:datastoreItem ds:itemID="' + ITEM_ID + '" '
        'xmlns:ds="http://schemas.openxmlformats.org/officeDocument/2006/customXml"><ds:schemaRefs/></ds:datastoreItem>'
    )
    described = Part(
        PackURI("/customXml/itemProps1.xml"), "application/vnd.openxmlformats-officedocument.customXmlProperties+xml",
        properties.encode(), package,
    )  # fmt: skip
    document.part.relate_to(item, RELATION)
    item.relate_to(described, PROPERTIES)
