"""What plain values do not tell of a returned workbook: its locks, formulas without a value, errors."""

from __future__ import annotations

import posixpath
import re
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

if TYPE_CHECKING:
    from typing import IO

LARGEST = 60 * 1024 * 1024  # bytes of a sheet that is looked through
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_ERROR = re.compile(rb"\st=[\"']e[\"']")
_LOCKED = re.compile(rb"<(?:\w+:)?sheetProtection\b[^>]*\bsheet=[\"'](?:1|true)[\"']")
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


@dataclass
class Traits:
    """One sheet: whether it is locked, cells with a formula that never was computed, cells that hold an error.

    Of these cells it keeps what their writer sees: the formula, the error.
    """

    locked: bool = False
    uncomputed: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def traits(stream: IO[bytes]) -> dict[str, Traits]:
    """Return the traits of each sheet by its name; the file was judged a plain workbook before."""
    found: dict[str, Traits] = {}
    with zipfile.ZipFile(stream) as archive:
        for name, part in _parts(archive).items():
            if archive.getinfo(part).file_size > LARGEST:
                found[name] = Traits(
                    locked=True
                )  # none of ours is near it; its blank cells are asked about all the same
                continue
            content = archive.read(part)
            one = found[name] = Traits(locked=_LOCKED.search(content) is not None)
            if _FORMULA.search(content) or _ERROR.search(content):
                _look(content, one)
    return found


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the parts of the sheets by their names."""
    names = set(archive.namelist())
    book, relations = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
    if book not in names or relations not in names:
        return {}
    targets = {
        one.get("Id"): str(one.get("Target"))
        for one in etree.fromstring(archive.read(relations), _PARSER)
        if isinstance(one.tag, str)
    }
    found = {}
    for one in etree.fromstring(archive.read(book), _PARSER).iter("{*}sheet"):
        target = targets.get(one.get(_RELATION))
        if target:
            part = target.lstrip("/") if target.startswith("/") else posixpath.normpath(f"xl/{target}")
            if part in names:
                found[str(one.get("name"))] = part
    return found


def _look(content: bytes, found: Traits) -> None:
    for cell in etree.fromstring(content, _PARSER).iter("{*}c"):
        place = str(cell.get("r"))
        if cell.get("t") == "e":
            found.errors[place] = (cell.findtext("{*}v") or "").strip()
        elif (formula := cell.find("{*}f")) is not None and not (cell.findtext("{*}v") or "").strip():
            # of a formula that was filled down only the first cell holds the words
            found.uncomputed[place] = f"={(formula.text or '…').strip()}"
