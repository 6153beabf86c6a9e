"""Measures a questionnaire file of 2,000 questions: `python bench/questionnaires.py`.

Check (read, judge by our rules and by pyxform), import (check, store, load again) and export of one XLSForm workbook
with rules, choices, tables and two languages, each run in a process of its own on a fresh SQLite database. Prints the
median of the runs (on the wall, and of the processor alone, since others may use the machine), the largest memory of
any run (resident set of the process, Python and all libraries included) and the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
REACH = {"check": (3.0, 200), "import": (3.0, 200), "export": (3.0, 200)}
PER_PAGE = 40


def form(path: Path, questions: int) -> None:
    """Write the workbook: pages of 40 questions of eight kinds, half of them with a rule."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    survey = book.create_sheet("survey")
    survey.append(
        ["type", "name", "label::Khmer (km)", "label::English (en)", "hint::Khmer (km)", "hint::English (en)",
         "required", "relevant", "constraint", "constraint_message::English (en)", "calculation", "choice_filter",
         "owner_unit"]
    )  # fmt: skip
    kinds = (
        "text", "integer", "select_one state", "select_multiple means", "date", "decimal", "calculate",
        "select_one district",
    )  # fmt: skip
    for number in range(questions):
        if number % PER_PAGE == 0:
            survey.append(["begin_group", f"page{number}", f"ទំព័រ {number}", f"Page {number}"])
            survey.append(["begin_repeat", f"table{number}", f"តារាង {number}", f"Table {number}"])
        kind = kinds[number % len(kinds)]
        before = f"q{number - 2}" if number % PER_PAGE >= 20 else ""
        survey.append(
            [kind, f"q{number}", f"តើស្ថាប័នរបស់អ្នកបានធ្វើអ្វីខ្លះ ទី {number}?",
             f"What did your institution do ({number})?",
             "សូមសរសេរខ្លី", "Please be short.", "yes" if number % 3 == 0 and kind != "calculate" else None,
             f"${{{before}}} != '' and count-selected(${{{before}}}) < 9" if before and number % 2 else None,
             ". >= 0" if kind in ("integer", "decimal") else None, "Not below zero." if kind == "integer" else None,
             f"concat('x', ${{q{number - 1}}})" if kind == "calculate" else None,
             "province = 'p1'" if kind.endswith("district") else None, f"Unit {number % 9}"]
        )  # fmt: skip
        if number % PER_PAGE == 9:
            survey.append(["end_repeat"])
        if number % PER_PAGE == PER_PAGE - 1 or number == questions - 1:
            survey.append(["end_group"])
    choices = book.create_sheet("choices")
    choices.append(["list_name", "name", "label::Khmer (km)", "label::English (en)", "province"])
    for name, count in (("state", 5), ("means", 12), ("district", 40)):
        for number in range(count):
            choices.append([name, f"k{number}", f"ជម្រើស {number}", f"Choice {number}", f"p{number % 8}"])
    settings = book.create_sheet("settings")
    settings.append(["form_title", "form_title_en", "form_id", "default_language"])
    settings.append(["សំណួរវែង", "Long form", "long", "Khmer (km)"])
    book.save(path)


def run(what: str, path: Path, data: Path) -> None:
    """Do one thing once and print its time and the memory of this process."""
    from portal.workbooks.xlsform_check import examine, source_of

    if what == "check":
        begun, busy = time.perf_counter(), time.process_time()
        report = examine(path, filename=path.name)
        took, alone = time.perf_counter() - begun, time.process_time() - busy
        definition = report.definition
        assert definition is not None, report.errors[:3]
    else:
        from config import Settings
        from portal.app import create_app
        from portal.database import write
        from portal.extensions import db
        from portal.models import QuestionnaireScope
        from portal.queries import questionnaires as look
        from portal.queries.sessions import system_principal
        from portal.services import questionnaires
        from portal.services.people import ensure_system_actor

        settings = Settings(data_dir=data, secret_key="bench" * 8)
        app = create_app(settings)
        with app.app_context():
            with write() as session:
                ensure_system_actor(session)
            by = system_principal(db.session)
            db.session.rollback()
            begun, busy = time.perf_counter(), time.process_time()
            definition = examine(path, filename=path.name).definition
            assert definition is not None
            source = source_of(path.read_bytes(), definition, alone=True)
            with write() as session:
                version = questionnaires.store(
                    session, definition, source_sha256=source.sha256, scope=QuestionnaireScope.INSTITUTION,
                    length="full", by=by,
                )  # fmt: skip
                made = version.id
            loaded = look.definition(db.session, made)
            took, alone = time.perf_counter() - begun, time.process_time() - busy
            if what == "export":
                from portal.workbooks import xlsform_out

                begun, busy = time.perf_counter(), time.process_time()
                xlsform_out.write(loaded)
                took, alone = time.perf_counter() - begun, time.process_time() - busy
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    count = sum(1 for item in definition.items() if item.kind == "question")
    print(json.dumps({"seconds": took, "processor": alone, "megabytes": memory, "questions": count}))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--once", help=argparse.SUPPRESS)
    parser.add_argument("--data", help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.xlsx"
        if options.once:
            run(options.once, Path(options.data) / "long.xlsx", Path(options.data) / "portal")
            return
        form(path, options.questions)
        machine = f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores"
        print(f"{machine}, {options.runs} runs each")
        print(f"{options.questions} questions, {path.stat().st_size // 1024} kB")
        for what, (seconds, megabytes) in REACH.items():
            found = [once(what, Path(folder)) for _ in range(options.runs)]
            median = statistics.median(one["seconds"] for one in found)
            most = max(one["megabytes"] for one in found)
            alone = statistics.median(one["processor"] for one in found)
            print(
                f"{what:8} {median:6.2f} s, processor {alone:5.2f} s (reach {seconds} s)   "
                f"{most:4.0f} MB (reach {megabytes} MB)"
            )


def once(what: str, folder: Path) -> dict[str, float]:
    """Run one measurement in a process of its own, on an empty database."""
    import shutil

    data = folder / "portal"
    shutil.rmtree(data, ignore_errors=True)
    environment = os.environ | {"PORTAL_DATA_DIR": str(data)}
    if what != "check":
        begin = [sys.executable, "-m", "portal", "init"]
        subprocess.run(begin, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    command = [sys.executable, str(Path(__file__).resolve()), "--once", what, "--data", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
