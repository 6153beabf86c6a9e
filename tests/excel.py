"""What Excel 2013 refuses or "repairs", looked for in the parts of a workbook (ECMA-376 part 1; Excel's published limits)."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections import Counter
from typing import TYPE_CHECKING

from lxml import etree
from openpyxl.utils import range_boundaries

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
# the order of the children of a worksheet (CT_Worksheet); another order makes Excel ask to repair
ORDER = [
    "sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "sheetCalcPr",
    "sheetProtection", "protectedRanges", "scenarios", "autoFilter", "sortState", "dataConsolidate",
    "customSheetViews", "mergeCells", "phoneticPr", "conditionalFormatting", "dataValidations", "hyperlinks",
    "printOptions", "pageMargins", "pageSetup", "headerFooter", "rowBreaks", "colBreaks", "customProperties",
    "cellWatches", "ignoredErrors", "smartTags", "drawing", "legacyDrawing", "legacyDrawingHF", "drawingHF",
    "picture", "oleObjects", "controls", "webPublishItems", "tableParts", "extLst",
]  # fmt: skip
# functions that came after 2013 are stored with this prefix, or are unknown to 2013 without it
NEWER = re.compile(
    r"_xlfn|_xlws|\b(?:XLOOKUP|XMATCH|FILTER|UNIQUE|SORT|SORTBY|SEQUENCE|LET|LAMBDA|TEXTJOIN|CONCAT|IFS|SWITCH|MAXIFS|MINIFS)\("
)
NAME = re.compile(r"(?:_xlnm\.[A-Za-z_]+|[A-Za-z_\\][A-Za-z0-9_.\\]{0,254})\Z")
A_CELL = re.compile(r"(?i:[a-z]{1,3}[0-9]+|r[0-9]*c[0-9]*|[rc])\Z")


def faults(path: Path) -> list[str]:
    """Return everything about a workbook that Excel 2013 would not take as it is; an empty list is good."""
    with zipfile.ZipFile(path) as archive:
        twice = [name for name, number in Counter(archive.namelist()).items() if number > 1]
        parts = {name: archive.read(name) for name in archive.namelist()}
    found = [f"the part {name} stands twice" for name in twice]
    trees = {}
    for name, content in parts.items():
        if name.endswith((".xml", ".rels")):
            try:
                trees[name] = etree.fromstring(content, PARSER)
            except etree.XMLSyntaxError as error:
                found.append(f"{name}: {error}")
    if not found:
        found += _types(trees, parts)
        found += _relations(trees, parts)
        found += _book(trees)
        found += _styles(trees)
        sheets = {sheet.get("name") for sheet in trees["xl/workbook.xml"].iter(f"{MAIN}sheet")}
        styles = len(trees["xl/styles.xml"].find(f"{MAIN}cellXfs"))
        strings = len(trees["xl/sharedStrings.xml"]) if "xl/sharedStrings.xml" in trees else 0
        for name, tree in trees.items():
            if name.startswith("xl/worksheets/sheet"):
                found += [f"{name}: {what}" for what in _sheet(tree, sheets, styles, strings, _ids(trees, name))]
        found += [f"text of {len(text)} in sharedStrings" for text in _strings(trees) if _units(text) > 32_767]
    return found


def _units(text: str) -> int:
    return len(text) + sum(letter > "\uffff" for letter in text)


def _strings(trees) -> Iterator[str]:
    if "xl/sharedStrings.xml" in trees:
        for one in trees["xl/sharedStrings.xml"]:
            yield "".join(one.itertext())


def _types(trees, parts) -> Iterator[str]:
    types = trees["[Content_Types].xml"]
    defaults = {one.get("Extension").lower() for one in types if one.tag.endswith("Default")}
    named = [one.get("PartName").lstrip("/") for one in types if one.tag.endswith("Override")]
    for name in parts:
        if name not in named and name.rpartition(".")[2].lower() not in defaults and name != "[Content_Types].xml":
            yield f"{name} has no content type"
    yield from (
        f"the content type of {name} is given, and there is no such part" for name in named if name not in parts
    )
    yield from (f"{name} has two content types" for name, number in Counter(named).items() if number > 1)


def _relations(trees, parts) -> Iterator[str]:
    for name, tree in trees.items():
        if not name.endswith(".rels"):
            continue
        folder = posixpath.dirname(posixpath.dirname(name))
        yield from (f"{name}: {one} twice" for one, n in Counter(r.get("Id") for r in tree).items() if n > 1)
        for one in tree:
            target = one.get("Target")
            if one.get("TargetMode") == "External":
                if len(target) > 2_083:
                    yield f"{name}: an address of {len(target)} characters"
                continue
            place = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            if place not in parts:
                yield f"{name}: {target} does not exist"


def _ids(trees, name) -> set[str]:
    rels = trees.get(f"{posixpath.dirname(name)}/_rels/{posixpath.basename(name)}.rels")
    return {one.get("Id") for one in rels} if rels is not None else set()


def _book(trees) -> Iterator[str]:
    tree = trees["xl/workbook.xml"]
    names = [sheet.get("name") for sheet in tree.iter(f"{MAIN}sheet")]
    for name in names:
        if not 0 < _units(name) <= 31 or re.search(r"[\[\]:*?/\\]", name) or name.strip("'") != name:
            yield f"the sheet name {name!r} is not allowed"
    yield from (f"two sheets are called {one!r}" for one, n in Counter(map(str.lower, names)).items() if n > 1)
    seen = Counter((one.get("name").lower(), one.get("localSheetId")) for one in tree.iter(f"{MAIN}definedName"))
    yield from (f"the name {one[0]} is defined twice" for one, n in seen.items() if n > 1)
    for one in tree.iter(f"{MAIN}definedName"):
        if not NAME.match(one.get("name")) or A_CELL.match(one.get("name")):
            yield f"the defined name {one.get('name')!r} is not allowed"
        for sheet in re.findall(r"'((?:[^']|'')+)'!|([A-Za-z_][\w.]*)!", one.text or ""):
            if (sheet[0].replace("''", "'") or sheet[1]) not in names:
                yield f"the name {one.get('name')} points to a sheet that is not there"
        if "#REF!" in (one.text or "") or int(one.get("localSheetId") or 0) >= len(names):
            yield f"the name {one.get('name')} points to nothing"


def _styles(trees) -> Iterator[str]:
    tree = trees["xl/styles.xml"]
    for what, most in (("cellXfs", 64_000), ("fonts", 512), ("fills", 64_000), ("borders", 64_000), ("numFmts", 200)):
        part = tree.find(f"{MAIN}{what}")
        if part is not None and len(part) > most:
            yield f"{len(part)} {what}"
    for what in ("fonts", "fills", "borders"):
        for one in tree.find(f"{MAIN}cellXfs"):
            key = {"fonts": "fontId", "fills": "fillId", "borders": "borderId"}[what]
            if int(one.get(key) or 0) >= len(tree.find(f"{MAIN}{what}")):
                yield f"a style names a missing part of {what}"


def _sheet(tree, sheets, styles, strings, ids) -> Iterator[str]:
    tags = [etree.QName(child).localname for child in tree]
    if sorted(tags, key=ORDER.index) != tags:
        yield f"its parts stand in the wrong order: {tags}"
    yield from _cells(tree, styles, strings)
    yield from _ranges(tree)
    links = list(tree.iter(f"{MAIN}hyperlink"))
    if len(links) > 65_530:
        yield f"{len(links)} links"
    for link in links:
        place = link.get("location")
        if place and place.rpartition("!")[0].strip("'").replace("''", "'") not in sheets:
            yield f"a link to {place}, which is not there"
        if link.get(RELATION) and link.get(RELATION) not in ids:
            yield f"a link without an address at {link.get('ref')}"
    for one in tree.iter(f"{MAIN}dataValidation"):
        inner = one.findtext(f"{MAIN}formula1") or ""
        if len(inner) > 255 and inner.startswith('"'):
            yield f"a drop-down list of {len(inner)} characters at {one.get('sqref')}"
        for key, most in (("promptTitle", 32), ("errorTitle", 32), ("prompt", 255), ("error", 255)):
            if len(one.get(key) or "") > most:
                yield f"a {key} of {len(one.get(key))} characters at {one.get('sqref')}"
    for one in tree.iter(f"{MAIN}oddHeader", f"{MAIN}oddFooter", f"{MAIN}evenFooter"):
        if len(one.text or "") > 255:
            yield f"a header or footer of {len(one.text)} characters"
    for one in tree.iter(f"{MAIN}col"):
        if not 0 <= float(one.get("width") or 0) <= 255:
            yield f"a column {one.get('width')} wide"


def _cells(tree, styles, strings) -> Iterator[str]:
    last = 0
    for row in tree.iter(f"{MAIN}row"):
        number = int(row.get("r"))
        if not last < number <= 1_048_576:
            yield f"row {number} after row {last}"
        last, left = number, 0
        if not 0 <= float(row.get("ht") or 0) <= 409:
            yield f"row {number} is {row.get('ht')} high"
        for cell in row:
            place = cell.get("r")
            column, at = range_boundaries(place)[:2]
            if at != number or not left < column <= 16_384:
                yield f"the cell {place} is out of place"
            left = column
            if int(cell.get("s") or 0) >= styles:
                yield f"{place} has a style that is not there"
            if cell.get("t") == "s" and int(cell.findtext(f"{MAIN}v")) >= strings:
                yield f"{place} has a text that is not there"
            text = "".join(cell.find(f"{MAIN}is").itertext()) if cell.get("t") == "inlineStr" else ""
            if _units(text) > 32_767:
                yield f"{place} has {_units(text)} characters"
            formula = cell.findtext(f"{MAIN}f")
            if formula and (len(formula) > 8_192 or NEWER.search(formula)):
                yield f"{place} has a formula that Excel 2013 does not know: {formula[:40]}"


def _ranges(tree) -> Iterator[str]:
    taken: dict[tuple[int, int], str] = {}
    for one in tree.iter(f"{MAIN}mergeCell"):
        left, top, right, bottom = range_boundaries(one.get("ref"))
        for place in ((x, y) for x in range(left, right + 1) for y in range(top, bottom + 1)):
            if place in taken:
                yield f"the merged cells {one.get('ref')} and {taken[place]} overlap"
                break
            taken[place] = one.get("ref")
    rules = tree.find(f"{MAIN}autoFilter")
    if rules is not None:
        range_boundaries(rules.get("ref"))
