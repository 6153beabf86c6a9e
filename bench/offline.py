"""Seconds to write, read and judge the offline workbook of an institution: `python -m bench.offline [--replies 40]`.

Fills a portal with the demo country, lets one institution owe ``--replies`` replies of the full questionnaire, and
measures the service calls that the pages and the command make: writing the workbook, reading it back, judging it with
one changed answer in each reply, and taking those over. Prints the median of ``--runs`` (3). Target: under 5 s out,
under 5 s back.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))


def more_replies(session: Any, institution: Any, round_: Any, wanted: int) -> None:
    """Ask the institution about further recommendations, each with the questionnaire that it is asked with already."""
    from sqlalchemy import select

    from portal import clock
    from portal.models import (
        Action,
        Actor,
        ActorKind,
        Assignment,
        AssignmentRecommendation,
        Participation,
        Recommendation,
        Status,
        Submission,
        SubmissionEvent,
    )

    mine = select(AssignmentRecommendation.recommendation_id).where(
        AssignmentRecommendation.institution_id == institution.id, AssignmentRecommendation.round_id == round_.id
    )
    version = session.scalars(
        select(Assignment.version_id).where(Assignment.round_id == round_.id, Assignment.about_institution.is_(False))
    ).first()
    part = session.scalars(
        select(Participation).where(Participation.round_id == round_.id, Participation.institution_id == institution.id)
    ).one()
    system = session.scalars(select(Actor.id).where(Actor.kind == ActorKind.SYSTEM)).one()
    have = session.query(Assignment).filter_by(institution_id=institution.id, round_id=round_.id).count()
    free = session.scalars(
        select(Recommendation).where(Recommendation.id.not_in(mine)).order_by(Recommendation.id)
    ).all()
    for number, one in enumerate(free[: max(0, wanted - have)], start=1000):
        asked = Assignment(
            round_id=round_.id, participation_id=part.id, institution_id=institution.id, version_id=version,
            position=number, issued_at=clock.now(),
        )  # fmt: skip
        session.add(asked)
        session.flush()
        session.add(
            AssignmentRecommendation(
                assignment_id=asked.id, recommendation_id=one.id, round_id=round_.id, institution_id=institution.id
            )
        )
        reply = Submission(assignment_id=asked.id)
        session.add(reply)
        session.flush()
        session.add(
            SubmissionEvent(
                submission_id=reply.id,
                number=1,
                action=Action.ISSUE,
                status=Status.ISSUED,
                done_by=system,
                done_at=clock.now(),
            )
        )


def change_each(content: bytes, run: int) -> bytes:
    """Write one text into each sheet of replies, as somebody in Excel would."""
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(content))
    for ws in book.worksheets:
        if not str(ws["A1"].value).startswith("tamdan-offline|"):
            continue
        for row in range(4, ws.max_row + 1):
            parts = str(ws.cell(row, 1).value or "").split("|")
            texts = (
                [mark.split(":") for mark in parts[6].split(",")] if len(parts) == 8 and parts[0] == "question" else []
            )
            if texts and texts[0][2] == "km":
                ws.cell(row, int(texts[0][0])).value = f"បានបណ្ដុះបណ្ដាលមន្ត្រី {run}"
                break
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def main() -> None:
    """Print the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replies", type=int, default=40)
    parser.add_argument("--runs", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PORTAL_DATA_DIR"] = folder
        measure(chosen.replies, chosen.runs)


def measure(replies: int, runs: int) -> None:
    """Measure on a fresh data folder."""
    from sqlalchemy import select

    from config import load
    from portal.app import create_app
    from portal.cli.context import Context
    from portal.cli.seed import seed
    from portal.database import write
    from portal.extensions import db
    from portal.models import Institution, Membership, ReportingRound, Role
    from portal.queries.countries import country_facts
    from portal.queries.sessions import principal_of
    from portal.services.offline import gathering, judging, taking
    from portal.workbooks.offline.marks import Seal
    from portal.workbooks.offline.returned import read_offline

    seed.main(args=["--profile", "demo"], obj=Context(create_app), standalone_mode=False)
    app = create_app(load())
    took: dict[str, list[float]] = {}

    def timed(name: str, act: Any, *given: Any, **more: Any) -> Any:
        began = time.perf_counter()
        made = act(*given, **more)
        took.setdefault(name, []).append(time.perf_counter() - began)
        return made

    def take(plan: Any, by: Any, key: str) -> None:
        with write() as session:
            taking.take_offline(session, plan, taking.choices(plan), by=by, request_key=key, source="bench")

    with app.test_request_context():
        country = country_facts(db.session)
        with write() as session:
            institution = session.scalars(select(Institution).where(Institution.code == "moi")).one()
            round_ = session.scalars(select(ReportingRound).where(ReportingRound.slug == "2026-periodic")).one()
            more_replies(session, institution, round_, replies + 20)
            institution_id, round_id = institution.id, round_.id
        member = db.session.scalars(
            select(Membership.user_id).where(
                Membership.institution_id == institution_id, Membership.role == Role.FOCAL_POINT
            )
        ).first()
        by = principal_of(db.session, member, institution_id=institution_id)
        seal = Seal(str(app.secret_key))
        for run in range(runs):
            heads = gathering.still_owed(db.session, institution_id, round_id, country)[:replies]
            content = timed(
                "write", gathering.write_workbook, db.session, heads, country, secret=str(app.secret_key), by=by,
                language="km",
            )  # fmt: skip
            back = change_each(content, run)
            book = timed("read", read_offline, back, seal, filename="x.xlsx")
            plan = timed("judge", judging.plan_offline, db.session, [book], country, by=by, language="km")
            changed = plan.counts["new"] + plan.counts["changed"]
            timed("take over", take, plan, by, f"run{run}")
            print(f"run {run + 1}: {len(heads)} replies, {len(content) / 1024:.0f} kB, {changed} answers changed")
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} processors, SQLite")
    for name, seconds in took.items():
        print(
            f"{name}: {statistics.median(seconds):.2f} s "
            f"(median of {len(seconds)}; {min(seconds):.2f} to {max(seconds):.2f})"
        )
    print(f"back in all: {sum(statistics.median(took[one]) for one in ('read', 'judge', 'take over')):.2f} s")


if __name__ == "__main__":
    main()
