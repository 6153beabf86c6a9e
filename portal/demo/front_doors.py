"""What comes to the demo country outside its pages: a return on paper, a workbook sent back and taken in part."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import openpyxl
from sqlalchemy import select

from portal.database import write
from portal.demo.files import EVIDENCE
from portal.extensions import db
from portal.models import AssignmentDocument
from portal.queries.countries import country_facts
from portal.queries.questionnaires import definition
from portal.queries.submissions import head_by_id
from portal.services import documents, evidence, import_drafts
from portal.services.offline import gathering, judging, taking
from portal.workbooks.offline.files import read_file
from portal.workbooks.offline.marks import Seal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from portal.demo.replying import Replying
    from portal.permissions import Principal

# a photo of a stamped page, as they come by Telegram (drawn by make_evidence.py)
LETTER = "paper-return.png"


class FrontDoors:
    """Does the acts on replies that come through a file; it writes answers as ``replying`` does."""

    def __init__(self, replying: Replying) -> None:
        self.replying, self.settings = replying, replying.settings
        self._downloads: dict[str, bytes] = {}

    def receive(self, key: str, by: Principal, shown_as: str = LETTER) -> None:
        """Let a photo of a stamped page reach the secretariat; it waits to be entered."""
        with (EVIDENCE / LETTER).open("rb") as stream:
            received = evidence.receive(
                stream, shown_as, folder=self.settings.evidence_dir, tmp=self.settings.tmp_dir,
                limit=self.settings.evidence_max_bytes,
            )  # fmt: skip
        with write() as session:
            documents.add_document(session, head_by_id(session, self.replying.submissions[key]), received, by=by)

    def enter(self, key: str, given: Mapping[str, Any], by: Principal) -> None:
        """Enter what stands on paper on behalf of the institution, as the coordinator."""
        with write() as session:
            head = head_by_id(session, self.replying.submissions[key])
            document = session.scalars(
                select(AssignmentDocument).where(AssignmentDocument.assignment_id == head.assignment_id)
            ).one()
            writer = documents.begin_entering(session, head, document, by=by)
            self.replying.write_answers(session, head, given, by=writer, told_as=key)

    def finish(self, key: str, by: Principal) -> None:
        """Hand in what was entered, with the scan as evidence and its signature recorded."""
        with write() as session:
            head = head_by_id(session, self.replying.submissions[key])
            document = session.scalars(
                select(AssignmentDocument).where(AssignmentDocument.assignment_id == head.assignment_id)
            ).one()
            compiled = definition(session, head.version_id)
            context = self.replying.context(compiled, head, by)
            documents.finish_entering(session, head, document, compiled, context=context, by=by)

    def download(self, key: str, by: Principal) -> None:
        """Take a reply home as a workbook."""
        head = head_by_id(db.session, self.replying.submissions[key])
        self._downloads[key] = gathering.write_workbook(
            db.session, [head], country_facts(db.session), secret=self._secret, by=by, language=by.language or "en"
        )
        with write() as session:
            gathering.note_download(session, [head], by=by)

    def send_back(self, key: str, given: Mapping[str, Any], by: Principal) -> None:
        """Send the workbook back: what is new is taken, what a colleague wrote meanwhile is left to be decided."""
        content = _filled(self._downloads.pop(key), given)
        country = country_facts(db.session)
        head = head_by_id(db.session, self.replying.submissions[key])
        name = f"{head.round_slug}-{head.institution_code}-demo.xlsx"
        sha256, _size = import_drafts.keep_file(
            io.BytesIO(content), self.settings.data_dir, limit=self.settings.max_upload_bytes
        )
        plan = judging.plan_offline(
            db.session, [read_file(content, Seal(self._secret), filename=name)], country, by=by, language="en"
        )
        summary = {
            "institution": by.institution_id, "round": head.round_slug,
            "files": [{"filename": name, "sha256": sha256}], "problems": [],
        }  # fmt: skip
        with write() as session:
            draft = import_drafts.add_draft(
                session, "offline", filename=name, sha256=sha256, summary=summary, by=by
            )
            taking.take_offline(
                session, plan, taking.choices(plan), by=by, request_key=f"offline-{draft.public_id}", source=sha256
            )
            import_drafts.mark_taken(session, draft.public_id)

    @property
    def _secret(self) -> str:
        from flask import current_app

        return str(current_app.secret_key)


def _filled(content: bytes, given: Mapping[str, Any]) -> bytes:
    """Write answers into the cells of a workbook: a value, or a map of languages."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    for sheet in book.worksheets:
        for row in range(2, sheet.max_row + 1):
            parts = str(sheet.cell(row, 1).value or "").split("|")
            for cell in parts[6].split(",") if len(parts) == 8 and parts[0] == "question" else ():
                column, code, lang, *_more = cell.split(":")
                value = given.get(code)
                if isinstance(value, dict):
                    value = value.get(lang)
                if value is not None and lang != "!":
                    sheet.cell(row, int(column)).value = value
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
