"""Seconds and memory of an import from the Universal Human Rights Index: the full export, and a large own one.

    python -m bench.imports [--rows 267000 --own 1534] [--all-own 40000] [--kinds xlsx json]

Makes files in the shape of the index's exports (our own words; no text of the United Nations), runs the command line
on each (dry run, then with --confirm) and prints seconds and peak memory of the process. Target: memory that grows
with the country's own rows only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

HEADS = (
    "Text", "Countries Concerned", "Reccomending Body", "Document Symbol", "Themes", "Affected Persons", "Sdgs",
    "Document Publication Date", "UPR Reccomending States", "UPR Position", "Type", "OHCHR Annotation Id",
    "UPR Session", "Regions Concerned", "Recommending Regions", "Date of publication on UHRI",
)  # fmt: skip
JSON_HEADS = (
    "Text", "Countries", "Body", "Symbol", "Themes", "AffectedPersons", "Sdgs", "PublicationDate",
    "UprRecommendingCountry", "UprPosition", "AnnotationType", "AnnotationId", "UprCycle", "Regions",
)  # fmt: skip
SENTENCE = "The State should see to it that courts, schools and health posts in every province serve all alike, "
# runs the portal's command line and says last how much memory the process held at most, in kB
RUN = """
import atexit, runpy, sys
def tell():
    status = open("/proc/self/status", encoding="ascii").read()
    print("PEAK", status.split("VmHWM:")[1].split()[0], file=sys.stderr)
atexit.register(tell)
runpy.run_module("portal", run_name="__main__")
"""


def rows(many: int, own: int, country: str) -> Iterator[tuple[object, ...]]:
    """Yield annotations; every ``many / own``-th is the country's."""
    every = max(many // max(own, 1), 1)
    made = 0
    for number in range(many):
        mine = number % every == 0 and made < own
        made += mine
        paragraph = number // every % 60 + 5 if mine else number % 60 + 5
        document = number // every // 60 if mine else number // 60
        symbol = f"DEMO/C/{'OWN' if mine else 'OTH'}/CO/{document}"
        text = f"Equal access {number % 97}\n{paragraph}.{SENTENCE * 3}(a) Train {number} judges; (b) Report on it."
        yield (
            text, f"- {country if mine else f'Land {number % 190}'}", "- CCPR", symbol,
            f"- Theme {number % 60}\n- Theme {number % 7 + 60}", f"- Group {number % 25}",
            f"- 16 - PEACE\n- 16.{number % 9 + 1}", 44_000 + number % 2_000, None, None, "- Recommendations",
            f"id-{number:07d}", None, "- Region", None, 45_000,
        )  # fmt: skip


def write_json(path: Path, made: Iterator[tuple[object, ...]]) -> None:
    """Write a JSON export: one array of objects."""
    with path.open("w", encoding="utf-8") as out:
        out.write("[")
        for number, row in enumerate(made):
            out.write(",\n" * (number > 0) + json.dumps(dict(zip(JSON_HEADS, row, strict=False)), ensure_ascii=False))
        out.write("]")


def write_xlsx(path: Path, made: Iterator[tuple[object, ...]]) -> None:
    """Write an Excel export with shared strings, row by row."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006"
    package = "http://schemas.openxmlformats.org/package/2006"
    sheet_types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    strings: dict[str, int] = {}
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        tempfile.TemporaryFile("w+", encoding="utf-8") as shared,
    ):

        def cell(at: int, number: int, value: object) -> str:
            if value is None:
                return ""
            where = f"{chr(65 + at)}{number}"
            if not isinstance(value, str):
                return f'<c r="{where}"><v>{value}</v></c>'
            place = strings.get(value) if len(value) < 200 else None
            if place is None:
                place = len(strings)
                strings[value if len(value) < 200 else f"{place}"] = place
                shared.write(f'<si><t xml:space="preserve">{escape(value)}</t></si>')
            return f'<c r="{where}" t="s"><v>{place}</v></c>'

        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as out:
            out.write(f"<worksheet {main}><sheetData>".encode())
            for number, row in enumerate(chain([HEADS], made), start=1):
                cells = "".join(cell(at, number, one) for at, one in enumerate(row))
                out.write(f'<row r="{number}">{cells}</row>'.encode())
            out.write(b"</sheetData></worksheet>")
        shared.seek(0)
        with archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as out:
            out.write(f"<sst {main}>".encode())
            while piece := shared.read(1 << 20):
                out.write(piece.encode())
            out.write(b"</sst>")
        archive.writestr("[Content_Types].xml", (
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{sheet_types}.sheet.main+xml"/>'
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{sheet_types}.worksheet+xml"/>'
            f'<Override PartName="/xl/sharedStrings.xml" ContentType="{sheet_types}.sharedStrings+xml"/></Types>'
        ))  # fmt: skip
        archive.writestr("_rels/.rels", (
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
            f'Type="{office}/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ))  # fmt: skip
        archive.writestr("xl/workbook.xml", (
            f'<workbook {main} xmlns:r="{office}/relationships"><sheets>'
            '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
        ))  # fmt: skip
        archive.writestr("xl/_rels/workbook.xml.rels", (
            f'<Relationships xmlns="{package}/relationships">'
            f'<Relationship Id="rId1" Type="{office}/relationships/worksheet" Target="worksheets/sheet1.xml"/>'
            f'<Relationship Id="rId2" Type="{office}/relationships/sharedStrings" Target="sharedStrings.xml"/>'
            "</Relationships>"
        ))  # fmt: skip


def fill(folder: Path) -> str:
    """Make an empty portal of one country and return a name of the country."""
    from portal.queries.countries import country_facts
    from tests import engines, factories

    folder.mkdir()
    template = engines.make_sqlite_template(folder)
    database = folder / "tamdan.sqlite3"
    template.rename(database)
    engine = engines.open_engine(f"sqlite:///{database}")
    with Session(engine) as session:
        factories.country(session)
        factories.system_actor(session)
        session.commit()
        name = str(country_facts(session).names["en"])
    engine.dispose()
    return name


def run(data: Path, file: Path, *options: str) -> tuple[float, float, float, str]:
    """Run the import once in a process of its own.

    Returns seconds by the clock, seconds of the processor (the same on a busy machine), peak memory in MB, and what
    it said.
    """
    environment = {**os.environ, "PORTAL_DATA_DIR": str(data), "PORTAL_CACHE_DIR": str(ROOT / ".cache"),
                   "PORTAL_BOOTSTRAP": "0"}  # fmt: skip
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", RUN, "recommendations", "import", str(file), *options],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    took, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    said = done.stdout.strip().splitlines() or done.stderr.strip().splitlines()
    return took, worked, int(done.stderr.rsplit("PEAK ", 1)[1]) / 1024, said[0][:200]


def main() -> None:
    """Make the files, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=267_000)
    parser.add_argument("--own", type=int, default=1_534)
    parser.add_argument("--all-own", type=int, default=40_000)
    parser.add_argument("--kinds", nargs="+", choices=("xlsx", "json"), default=("xlsx", "json"))
    given = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as name:
        for many, own in ((given.rows, given.own), (given.all_own, given.all_own)):
            for kind in given.kinds:
                if not many:
                    continue
                data = Path(name) / f"{many}-{kind}"
                country = fill(data)
                file = Path(name) / f"export.{kind}"
                (write_json if kind == "json" else write_xlsx)(file, rows(many, own, country))
                for options in ((), ("--confirm",)):
                    took, worked, peak, said = run(data, file, *options)
                    title = f"{many} rows, {own} own, {kind} of {file.stat().st_size / 1e6:.0f} MB"
                    act = "confirm" if options else "dry run"
                    figures = f"{took:.1f} s ({worked:.1f} s of the processor), {peak:.0f} MB"
                    print(f"{title} {act}: {figures}; {said}", flush=True)
                file.unlink()


if __name__ == "__main__":
    main()
