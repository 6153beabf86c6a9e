"""How long the consolidated workbook of a round takes, and how much memory: 700 assignments with 20 answers each.

    python -m bench.workbook [--assignments 700] [--runs 3]

Prints the median seconds (reading, writing, opening again and counting: all that a person waits for) and peak memory
of the process that makes it. Target: under 5 s and 150 MB on 2 cores.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

QUESTIONS = 20
INSTITUTIONS = 40
TEXT = "ក្រសួងបានរៀបចំវគ្គបណ្តុះបណ្តាលសម្រាប់មន្ត្រីនៅតាមខេត្ត និងបានតាមដានលទ្ធផល។ " * 3


def _app(folder: Path) -> Any:
    """Make the application as a worker does; nothing of the tests is loaded, it would be weighed too."""
    from config import ROOT, Settings
    from portal.app import create_worker_app

    settings = Settings(
        data_dir=folder / "data",
        cache_dir=ROOT / ".cache",
        database_url=f"sqlite:///{folder / 'template.db'}",
        base_url="http://localhost",
        secret_key="only-for-measuring-more-than-thirty-two-characters",
    )
    return create_worker_app(settings)


def fill(folder: Path, assignments: int) -> int:
    """Fill a fresh database in bulk and return the round."""
    from portal import clock
    from portal.extensions import db
    from portal.models import Answer, ItemKind, Question, Submission, VersionItem
    from tests import engines, factories

    engines.make_sqlite_template(folder)
    app = _app(folder)
    with app.app_context(), Session(db.engine) as session:
        factories.country(session)
        by = factories.system_actor(session).id
        version = factories.questionnaire_version(session)
        page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
        kinds = ("text", "integer", "decimal", "date", "text")
        for number in range(QUESTIONS - 3):
            factories.question(session, version, f"q{number}", kinds[number % 5], parent=page)
        document = factories.document(session)
        paragraphs = -(-assignments // INSTITUTIONS)
        recommendations = [factories.recommendation(session, document) for _ in range(paragraphs)]
        institutions = [factories.institution(session) for _ in range(INSTITUTIONS)]
        of = factories.reporting_round(session, document)
        for number in range(assignments):
            about = [recommendations[number // INSTITUTIONS]]
            given = factories.assignment(session, institutions[number % INSTITUTIONS], of, about, version)
            factories.submission(session, given)
        session.execute(update(Submission).values(status="submitted", hand_in=1, handed_in_at=clock.now()))
        values = {"text": TEXT, "integer": 1234, "decimal": "12.5", "date": "2026-03-30", "select_one": "done"}
        rows = [
            {"submission_id": reply, "question_id": question.id, "value": values[question.type], "revision": 1,
             "row": "", "lang": "km" if question.type == "text" else "", "asked_in": version.id, "answered_by": by,
             "answered_at": clock.now()}
            for reply in session.scalars(select(Submission.id))
            for question in session.scalars(select(Question))
        ]  # fmt: skip
        session.execute(insert(Answer), rows)
        session.commit()
        return int(of.id)


def make(folder: str, round_id: int, results: Any) -> None:
    """Make the workbook once in a process of its own; report seconds, bytes and peak memory in MB."""
    from portal.extensions import db
    from portal.jobs.exports import make_workbook
    from portal.queries.sessions import system_principal

    app = _app(Path(folder))
    with app.app_context():
        by = system_principal(db.session)
        started = time.perf_counter()
        made = make_workbook(db.session, round_id, Path(folder) / "out.xlsx", language="km", by=by)
        took = time.perf_counter() - started
    results.put((took, made.size, peak_memory()))


def peak_memory() -> float:
    """Return the most memory this process has held, in MB; ``ru_maxrss`` would begin with that of its parent."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    """Fill, make, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assignments", type=int, default=700)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        round_id = fill(Path(name), given.assignments)
        context = multiprocessing.get_context("spawn")
        found = []
        for _ in range(given.runs):
            results = context.Queue()
            process = context.Process(target=make, args=(name, round_id, results))
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(process.exitcode)
            found.append(results.get())
    seconds = statistics.median(took for took, _size, _peak in found)
    print(
        f"{given.assignments} assignments x {QUESTIONS} answers: median {seconds:.2f} s of {given.runs} runs "
        f"({', '.join(f'{took:.2f}' for took, _size, _peak in found)}), file {found[0][1] / 1e6:.1f} MB, "
        f"peak memory {max(peak for _took, _size, peak in found):.0f} MB; "
        f"Python {platform.python_version()}, {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main()
