"""Answer sets into an offline Word document, through a program, and back: `python -m bench.document_round_trip`.

The answer sets of bench/offline_round_trip.py (``--sets``, 1,000; naughty strings, Khmer, long texts, far dates), here
in documents of ten replies; python-docx and then LibreOffice open and save them, and each answer is compared, value and
type, with the one that went out. Prints how many of each type survived; exit code 1 when one did not.
"""

from __future__ import annotations

import argparse
import io
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import docx  # noqa: E402 - the checkout has to be found first
from flask import Flask  # noqa: E402
from flask_babel import Babel  # noqa: E402

from bench import offline_round_trip as trip  # noqa: E402
from portal.workbooks.word.document import write_document  # noqa: E402
from portal.workbooks.word.returned import read_document  # noqa: E402

if TYPE_CHECKING:
    from portal.workbooks.offline.shape import OfflineReply

PER_DOCUMENT = 10


def documents(sets: int, seed: int = 1) -> list[tuple[bytes, list[OfflineReply]]]:
    """Return documents with one answer set a reply, and what went out in them."""
    return trip.workbooks(trip.definition(), sets, seed, write=write_document, per_book=PER_DOCUMENT)


def compare(content: bytes, replies: list[OfflineReply], survived: Counter[str]) -> list[str]:
    """Read a document back and return every answer that is not the one that went out."""
    return trip.compare(content, replies, survived, read=read_document)


def through_python_docx(content: bytes) -> bytes:
    """Let python-docx open and save a document."""
    stream = io.BytesIO()
    docx.Document(io.BytesIO(content)).save(stream)
    return stream.getvalue()


def through_office(contents: list[bytes], office: str, timeout: int = 3600) -> list[bytes]:
    """Let LibreOffice open and save documents."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").mkdir()
        for at, content in enumerate(contents):
            (folder / "in" / f"{at:04d}.docx").write_bytes(content)
        subprocess.run(
            [office, "--headless", f"-env:UserInstallation=file://{folder}/profile", "--convert-to",
             "docx:MS Word 2007 XML", "--outdir", folder / "out", *sorted((folder / "in").glob("*.docx"))],
            check=True, capture_output=True, timeout=timeout,
        )  # fmt: skip
        return [(folder / "out" / f"{at:04d}.docx").read_bytes() for at in range(len(contents))]


def main() -> int:
    """Print what survived; 1 when something did not."""
    app = Flask(__name__)
    Babel(app)
    with app.app_context():
        return measure()


def measure() -> int:
    """Make the sets and send them through each program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    office = shutil.which("soffice")
    print(f"{platform.platform()}, Python {platform.python_version()}, {chosen.sets} answer sets, seed {chosen.seed}")
    began = time.perf_counter()
    made = documents(chosen.sets, chosen.seed)
    print(f"written in {time.perf_counter() - began:.1f} s, {len(made)} documents")
    ways = {
        "as written": lambda: [content for content, _ in made],
        "python-docx": lambda: [through_python_docx(content) for content, _ in made],
    }
    if office:
        ways["LibreOffice"] = lambda: through_office([content for content, _ in made], office)
    else:
        print("LibreOffice (soffice) is not installed: left out")
    bad = 0
    for way, pass_through in ways.items():
        began = time.perf_counter()
        survived: Counter[str] = Counter()
        wrong = [
            one
            for content, (_, replies) in zip(pass_through(), made, strict=True)
            for one in compare(content, replies, survived)
        ]
        bad += len(wrong)
        total = sum(len(reply.answers) for _, replies in made for reply in replies)
        seconds = time.perf_counter() - began
        print(f"{way}: {survived.total()} of {total} answers equal, {len(wrong)} faults, {seconds:.1f} s")
        print("   " + ", ".join(f"{kind} {count}" for kind, count in sorted(survived.items())))
        for one in wrong[:10]:
            print("   !", one)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
