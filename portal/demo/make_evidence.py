"""Make the demo's evidence files: small, in our own words, and labelled as demo on their face.

Run it from the checkout: `python -m portal.demo.make_evidence`. The PDF and the pictures are written byte by byte, so
that a rerun gives the same files and nothing but openpyxl is needed.
"""

from __future__ import annotations

import struct
import zlib
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Font

from portal.demo.drawn_pages import COVER, PAPER_RETURN, drawn

MADE = datetime(2026, 1, 1)  # noqa: DTZ001 - workbook properties hold no time zone; fixed, so that a rerun changes nothing
EVIDENCE = Path(__file__).parent / "evidence"

INSTRUCTION = (
    "DEMO - not a document of any institution",
    "",
    "Internal instruction (example)",
    "",
    "1. Each unit keeps a register of the measures it takes.",
    "2. The register names the date, the place and the persons reached,",
    "    women and men apart.",
    "3. The head of the unit signs the register at the end of each month.",
    "4. Names of victims are never written in the register.",
)
PROGRAMME = (
    "DEMO - not a document of any institution",
    "",
    "Programme of a training course (example)",
    "",
    "08.30   Registration",
    "09.00   What the treaty asks of our work",
    "10.30   Three short cases, in groups",
    "14.00   Answering a questionnaire: measure, date, figure, result",
    "16.00   Test and closing",
)
FIGURES = ((2021, 118, 97), (2022, 140, 121), (2023, 171, 133), (2024, 190, 152), (2025, 212, 160))


def pdf(lines: tuple[str, ...]) -> bytes:
    """Write one A4 page of plain Latin text as a PDF (ISO 32000-1, one built-in font)."""
    shown = "".join(f"({_escaped(line)}) Tj T* " for line in lines)
    stream = f"BT /F1 13 Tf 20 TL 72 760 Td {shown}ET".encode("latin-1")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
            b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
        ),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    )
    written = b"%PDF-1.4\n"
    places = []
    for number, content in enumerate(objects, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    written += b"".join(b"%010d 00000 n \n" % place for place in places)
    return written + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def png(bars: tuple[int, ...], colour: tuple[int, int, int]) -> bytes:
    """Draw bars (heights in percent) as a 480 x 280 picture with an edge (PNG, 8-bit RGB)."""
    width, height = 480, 280
    step = (width - 40) // len(bars)
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            bar, inside = divmod(x - 20, step)
            tall = 0 <= bar < len(bars) and inside < step * 2 // 3 and height - 20 - y <= bars[bar] * 2.3
            if min(x, y) < 2 or x > width - 3 or y > height - 3 or y == height - 20:
                rows += bytes((90, 100, 110))
            else:
                rows += bytes(colour if tall and y < height - 20 else (255, 255, 255))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    label = b"Comment\x00Demo picture with invented figures"
    parts = ((b"IHDR", header), (b"tEXt", label), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in parts
    )


def table(path: Path) -> None:
    """Write a small workbook with Khmer and English headers and invented figures."""
    workbook = Workbook()
    workbook.properties.creator = "Tamdan demo"
    workbook.properties.created = workbook.properties.modified = MADE
    sheet = workbook.worksheets[0]
    sheet.title = "Demo"
    rows: list[tuple[str | int, ...]] = [
        ("Demo: invented figures / គំរូ៖ តួលេខបង្កើតសម្រាប់ការបង្ហាញ",),
        ("ឆ្នាំ / Year", "ស្ត្រី / Women", "បុរស / Men", "សរុប / Total"),
        *((year, women, men, women + men) for year, women, men in FIGURES),
    ]
    for row in rows:
        sheet.append(row)
    for cell in (*sheet[1], *sheet[2]):
        cell.font = Font(name="Khmer OS Siemreap", bold=True)
    for letter in "ABCD":
        sheet.column_dimensions[letter].width = 20
    workbook.save(path)


def main() -> None:
    """Make all evidence files."""
    EVIDENCE.mkdir(exist_ok=True)
    (EVIDENCE / "instruction.pdf").write_bytes(pdf(INSTRUCTION))
    (EVIDENCE / "programme.pdf").write_bytes(pdf(PROGRAMME))
    (EVIDENCE / "chart.png").write_bytes(png(tuple(women // 3 for _, women, _ in FIGURES), (36, 94, 140)))
    (EVIDENCE / "workshop.png").write_bytes(png((64, 40, 52, 31, 78, 60), (60, 122, 84)))
    (EVIDENCE / "signed-cover.png").write_bytes(drawn(COVER))
    (EVIDENCE / "paper-return.png").write_bytes(drawn(PAPER_RETURN))
    table(EVIDENCE / "table.xlsx")


if __name__ == "__main__":
    main()
