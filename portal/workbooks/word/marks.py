"""Hidden identifiers of an offline document: the name of each control, and the part of the file that explains them.

A control carries its name twice: as its tag, which Word keeps, and as a hidden bookmark around its content, which
LibreOffice keeps (7.4 drops tags). A name ends in a seal over what it stands for. What it stands for - the marks of
reply and row, as in an offline workbook - is written into a part of the file's own XML data.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from portal.workbooks.offline.marks import Seal

NAMESPACE = "urn:tamdan:offline-document:1"
COPY = "_TCopy"  # the control for the name of the department
# the 40 signs that Word allows in a name of a bookmark hold it: a bookmark whose name begins so is hidden
_NAME = re.compile(r"_T(\d{1,4})_(\d{1,5})_(\d{1,3})_(\d{1,3})_([0-9a-f]{16})\Z")
MOST_PLACES = 999
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)


@dataclass(frozen=True)
class ControlName:
    """Which control: reply and row by their place in the hidden part, cell of the row, choice of the cell (0: none)."""

    reply: int
    row: int
    cell: int
    option: int
    seal: str

    @property
    def text(self) -> str:
        """The name as it stands in tag and bookmark."""
        return f"_T{self.reply}_{self.row}_{self.cell}_{self.option}_{self.seal}"


def name_of(seal: Seal, row_mark: str, place: tuple[int, int, int, int], key: str) -> ControlName:
    """Return the sealed name of a control; ``key`` is the choice that it ticks, "" for any other control."""
    reply, row, cell, option = place
    return ControlName(reply, row, cell, option, seal.of("control", row_mark, *map(str, place), key)[:16])


def read_name(text: str) -> ControlName | None:
    """Read a tag or the name of a bookmark; None for one that is not ours."""
    found = _NAME.match(text)
    return ControlName(int(found[1]), int(found[2]), int(found[3]), int(found[4]), found[5]) if found else None


@dataclass
class HiddenRow:
    """A row of a reply: its mark, where it stands for a reader (question, line of a table).

    ``choices`` are the keys of the boxes of a cell, ``places`` the number of its lists, where it has several.
    """

    mark: str
    question: int
    line: int = 0
    choices: dict[int, tuple[str, ...]] = field(default_factory=dict)
    places: dict[int, int] = field(default_factory=dict)


@dataclass
class HiddenReply:
    """A reply: its mark, what its heading is called, its rows in order."""

    mark: str
    title: str
    rows: list[HiddenRow] = field(default_factory=list)


@dataclass
class Hidden:
    """The part of an offline document that nobody sees; ``own`` are digests of the texts that it went out with."""

    cover: str
    replies: list[HiddenReply] = field(default_factory=list)
    own: frozenset[str] = frozenset()
    hints: frozenset[str] = frozenset()


def write_hidden(hidden: Hidden) -> bytes:
    """Return the part as XML."""
    root = etree.Element(f"{{{NAMESPACE}}}offline", nsmap={"t": NAMESPACE}, cover=hidden.cover)
    for reply in hidden.replies:
        parent = etree.SubElement(root, f"{{{NAMESPACE}}}reply", mark=reply.mark, title=reply.title)
        for row in reply.rows:
            made = etree.SubElement(
                parent, f"{{{NAMESPACE}}}row", mark=row.mark, question=str(row.question), line=str(row.line)
            )
            for cell, keys in row.choices.items():
                etree.SubElement(made, f"{{{NAMESPACE}}}choices", cell=str(cell), keys=" ".join(keys))
            for cell, count in row.places.items():
                etree.SubElement(made, f"{{{NAMESPACE}}}places", cell=str(cell), count=str(count))
    for name, digests in (("own", hidden.own), ("hints", hidden.hints)):
        etree.SubElement(root, f"{{{NAMESPACE}}}{name}").text = " ".join(sorted(digests))
    return bytes(etree.tostring(root, encoding="UTF-8", xml_declaration=True))


def read_hidden(parts: Iterable[bytes]) -> Hidden | None:
    """Return the part among the XML data of a file; None where it is missing or broken."""
    for part in parts:
        if NAMESPACE.encode() not in part:
            continue
        try:
            root = etree.fromstring(part, _PARSER)
            if root.tag == f"{{{NAMESPACE}}}offline":
                return _read(root)
        except (etree.XMLSyntaxError, ValueError):
            continue
    return None


def _read(root: etree._Element) -> Hidden:
    own = frozenset((root.findtext("{*}own") or "").split())
    hints = frozenset((root.findtext("{*}hints") or "").split())
    found = Hidden(root.get("cover", ""), own=own, hints=hints)
    for parent in root.iterfind("{*}reply"):
        reply = HiddenReply(parent.get("mark", ""), parent.get("title", "")[:200])
        for row in parent.iterfind("{*}row"):
            choices = {
                int(one.get("cell", "0")): tuple(one.get("keys", "").split(" ")) for one in row.iterfind("{*}choices")
            }
            places = {
                int(one.get("cell", "0")): min(int(one.get("count", "0")), MOST_PLACES)
                for one in row.iterfind("{*}places")
            }
            reply.rows.append(
                HiddenRow(
                    row.get("mark", ""), int(row.get("question", "0")), int(row.get("line", "0")), choices, places
                )
            )
        found.replies.append(reply)
    return found


def keys_of(choices: Mapping[int, tuple[str, ...]], cell: int, option: int) -> str:
    """Return the choice that a control ticks; "" for a control of another kind."""
    keys = choices.get(cell, ())
    return keys[option - 1] if 0 < option <= len(keys) else ""
