"""Acts on one demo reply: each goes through the same form and the same services as a person's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from forms.answers import STATE_SUFFIX, AnswerKey, Parsed, field_name
from forms.context import Context, looked_up
from forms.question_types import question_type
from forms.questionnaire import SectionForm, answer_keys, asked, cell_keys, read_answers
from forms.tables import tables
from portal import clock
from portal.database import write
from portal.demo.files import EVIDENCE
from portal.demo.front_doors import FrontDoors
from portal.demo.tables import is_table, written
from portal.errors import Incomplete, Invalid
from portal.extensions import db
from portal.models import Action, Assignment, Clarification, ReportingRound, Status, Submission, Visibility
from portal.queries.evidence import evidence_of
from portal.queries.packs import ON_PAPER
from portal.queries.questionnaires import definition, question_ids
from portal.queries.submissions import HEAD, RowKey, head_by_id, head_of, stored_reply
from portal.services import (
    assignments,
    clarifications,
    covers,
    evidence,
    kept_warnings,
    packs,
    reviews,
    submissions,
    verdicts,
)
from portal.services.answer_rows import RowChange
from portal.services.packs import SignedCover
from portal.services.submissions import Change
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from sqlalchemy.orm import Session

    from config import Settings
    from forms.definition.model import Definition, Item
    from portal.demo.files import CountryFiles
    from portal.demo.life import Cast
    from portal.demo.tables import WrittenRow
    from portal.models import SigningPack
    from portal.permissions import Principal
    from portal.queries.submissions import StoredRow, SubmissionHead
    from portal.services.evidence import ReceivedFile

COVER = "signed-cover.png"
KEPT = {
    "km": "ភស្តុតាងមានជាក្រដាសនៅនាយកដ្ឋាន នឹងផ្ញើតាមក្រោយ។ (គំរូ)",
    "en": "The document is kept on paper at the department; it will follow. (demo)",
}
# acts that need nothing but the reply and the person
_PLAIN: Mapping[str, Callable[..., object]] = {
    Action.START_REVIEW: reviews.start_review,
    Action.CLEAR: reviews.clear,
    Action.CONFIRM_NOT_OURS: reviews.confirm_not_ours,
    Action.RECALL: verdicts.recall,
    Action.RETRACT_CLAIM: verdicts.retract_claim,
    Action.RECORD_SIGNATURE: verdicts.record_signature,
}
_THROUGH_FILES: Mapping[str, Callable[[FrontDoors, str, Mapping[str, Any], Principal], None]] = {
    "receive_paper": lambda doors, key, _given, by: doors.receive(key, by),
    "enter_from_paper": lambda doors, key, given, by: doors.enter(key, given, by),
    "finish_paper": lambda doors, key, _given, by: doors.finish(key, by),
    "download_workbook": lambda doors, key, _given, by: doors.download(key, by),
    "send_workbook": lambda doors, key, given, by: doors.send_back(key, given, by),
}
_WITH_REASON: Mapping[str, Callable[..., object]] = {
    Action.DECLINE: verdicts.decline,
    Action.REOPEN: reviews.reopen,
    Action.REFUSE_NOT_OURS: reviews.refuse_not_ours,
}


class Replying:
    """Does the acts of replies; ``submissions`` holds their ids by the key of the files, known once issued."""

    def __init__(self, files: CountryFiles, cast: Cast, settings: Settings) -> None:
        self.files, self.cast, self.settings = files, cast, settings
        self.submissions: dict[str, int] = {}
        self.doors = FrontDoors(self)
        self._photo: ReceivedFile | None = None

    def act(self, reply: Mapping[str, Any], place: Mapping[str, Any], act: Mapping[str, Any]) -> None:
        """Do one act of the files."""
        key, name, institution = reply["assignment"], act["act"], place["institution"]
        if name == "save":
            self.save(key, act["by"], institution, written(reply, act), refused=act.get("refused", ()))
            return
        if name == "attach_evidence":
            self._attach(key, act, institution, _written_in(reply))
            return
        by = self.cast.play(act["by"], institution)
        if name in _THROUGH_FILES:
            given = written(reply, act) if "answers" in act else {}
            _THROUGH_FILES[name](self.doors, key, given | act.get("differs", {}), by)
            return
        if name == "complete":
            self._keep_warnings(key, by)
        language = _written_in(reply) or self.cast.language(act["by"])
        reason = pick(act.get("reason", {}), language, self.files.languages)
        self._photograph()
        try:
            with write() as session:
                head = head_by_id(session, self.submissions[key])
                self._verdict(session, head, act, by, reason, language)
        except Invalid as error:
            fields = ", ".join(str(problem.field) for problem in error.problems)
            error.add_note(f"demo reply {key}, day {act['day']}, {name}: {fields}")
            raise

    def _verdict(  # noqa: C901 - one line per act
        self, session: Session, head: SubmissionHead, act: Mapping[str, Any], by: Principal, reason: str, language: str
    ) -> None:
        name = act["act"]
        compiled = definition(session, head.version_id)
        if name in _PLAIN:
            _PLAIN[name](session, head, by=by)
        elif name in _WITH_REASON:
            _WITH_REASON[name](session, head, reason=reason, by=by)
        elif name == Action.COMPLETE:
            verdicts.complete(session, head, compiled, context=self.context(compiled, head, by), by=by)
        elif name == Action.SIGN_OFF:
            verdicts.sign_off(session, [(head, compiled)], by=by)
        elif name == Action.SIGN_ON_PAPER:
            packs.sign_pack(session, self._printed(session, head), self._cover(head), by=by)
        elif name == Action.HAND_IN_PENDING:
            packs.hand_in_pack(session, self._printed(session, head), by=by)
        elif name == Action.CLAIM_NOT_OURS:
            instead = pick(self.cast.names[act["institution"]], language, self.files.languages)
            verdicts.claim_not_ours(session, head, instead=instead, reason=reason, by=by)
        elif name == Action.RETURN:
            threads = [one.public_id for one in _threads(session, head) if one.status != "closed"]
            reviews.return_reply(
                session, head, note=reason, codes=act["questions"], clarifications=threads, by=by
            )
        elif name in {Action.WITHDRAW, Action.RESTORE}:
            assignment = session.get_one(Assignment, head.assignment_id)
            if name == Action.WITHDRAW:
                assignments.withdraw(session, assignment, reason=reason, by=by)
            else:
                assignments.restore(session, assignment, by=by)
        else:
            self._clarify(session, head, act, by, language)

    def _clarify(
        self, session: Session, head: SubmissionHead, act: Mapping[str, Any], by: Principal, language: str
    ) -> None:
        text = pick(act.get("text", {}), language, self.files.languages)
        if act["act"] == "ask_clarification":
            number = question_ids(session, head.version_id).get(act["question"])
            clarifications.ask(session, head, text, question_id=number, by=by)
            return
        thread = _threads(session, head)[-1]
        if act["act"] == "answer_clarification":
            clarifications.answer(session, head, thread, text, by=by)
        elif act["act"] == "close_clarification":
            clarifications.close(session, head, thread, by=by)
        else:
            message = f"the demo knows no act {act['act']!r}"
            raise ValueError(message)

    def _printed(self, session: Session, head: SubmissionHead) -> SigningPack:
        """Print a reply to be signed on paper, as its focal point does."""
        institution = head.institution_code
        return packs.print_pack(session, [head], by=self.cast.play(f"focal.{institution}", institution))

    def _photograph(self) -> ReceivedFile:
        """Take the photo of a signed cover in once, outside ``write()``: a scanner may look at it."""
        if self._photo is None:
            with (EVIDENCE / COVER).open("rb") as stream:
                self._photo = covers.receive(
                    stream,
                    "signed-cover-demo.png",
                    folder=self.settings.evidence_dir,
                    tmp=self.settings.tmp_dir,
                    limit=self.settings.evidence_max_bytes,
                )
        return self._photo

    def _cover(self, head: SubmissionHead) -> SignedCover:
        """Return the photo of a signed cover, with a letter of the institution."""
        today = clock.today(str(self.files.zone))
        return SignedCover(self._photograph(), f"{head.id:03d}/{today:%y} {head.institution_code.upper()}", today)

    def print_waiting(self, slug: str) -> None:
        """Print the last reply of a round that waits to be signed: one pack of the demo is out."""
        with write() as session:
            row = session.execute(
                HEAD.where(ReportingRound.slug == slug, Submission.status == Status.AWAITING_SIGN_OFF)
                .order_by(Assignment.position.desc(), Assignment.id.desc())
                .limit(1)
            ).first()
            if row is not None and (head := head_of(row)).sign_off_policy in ON_PAPER:
                self._printed(session, head)

    def _keep_warnings(self, key: str, by: Principal) -> None:
        """Keep what warns before a reply is completed, as its focal point would with a word of explanation."""
        with write() as session:
            head = head_by_id(session, self.submissions[key])
            compiled = definition(session, head.version_id)
            found = kept_warnings.look(session, head, compiled, self.context(compiled, head, by))
            reasons = {one.warned.name: KEPT[by.language if by.language in KEPT else "en"] for one in found}
            if found:
                kept_warnings.keep_warnings(session, head, found, reasons, by=by)

    def save(
        self, key: str, login: str, institution: str, given: Mapping[str, Any], *, refused: Collection[str] = ()
    ) -> None:
        """Save answers and rows through the form, as the answering page does.

        ``refused`` names the fields that the files say are refused: what somebody mends later.

        Raises:
            ValueError: if another answer is refused, or one of these is not: the files are wrong then.
        """
        by = self.cast.play(login, institution)
        with write() as session:
            head = head_by_id(session, self.submissions[key])
            self.write_answers(session, head, given, by=by, told_as=key, refused=refused)

    def write_answers(
        self,
        session: Session,
        head: SubmissionHead,
        given: Mapping[str, Any],
        *,
        by: Principal,
        told_as: str,
        refused: Collection[str] = (),
    ) -> None:
        """Put answers through the form and the gate, inside ``write()``.

        Raises:
            ValueError: if an answer is refused that the files do not name.
        """
        compiled = definition(session, head.version_id)
        context = self.context(compiled, head, by)
        changes, row_changes = self._read(session, compiled, context, head, given)
        saved = submissions.save_answers(
            session,
            head,
            compiled,
            question_ids(session, head.version_id),
            changes,
            context=context,
            by=by,
            row_changes=row_changes,
        )
        told = {field_name(one.key): str(one.message) for one in saved.refused}
        if saved.stale or saved.stale_rows or saved.refused_rows or set(told) != set(refused):
            message = f"{told_as}: not taken: {told}, {saved.stale}, {saved.stale_rows}, {saved.refused_rows}"
            raise ValueError(message)

    def _read(
        self,
        session: Session,
        compiled: Definition,
        context: Context,
        head: SubmissionHead,
        given: Mapping[str, Any],
    ) -> tuple[dict[AnswerKey, Change], list[RowChange]]:
        items = {item.code: item for item in asked(compiled.pages)}
        stored, rows = stored_reply(session, head.id, compiled)
        fields: MultiDict[str, str] = MultiDict()
        cells: dict[AnswerKey, Item] = {}
        row_changes: list[RowChange] = []
        for code, value in given.items():
            table = tables(compiled).get(code)
            if table is None:
                fields.update(_typed(items[code], value, answer_keys(items[code], context.languages)))
                continue
            if not table.fixed:
                row_changes += [_row_change(code, row, rows) for row in value]
            for row in value:
                for column, cell in row.cells.items():
                    keys = cell_keys(items[column], row.key, context.languages)
                    cells |= dict.fromkeys(keys, items[column])
                    fields.update(_typed(items[column], cell, keys))
        plain = [items[code] for code in given if code in items]
        form = SectionForm(plain, context, fields, cells=cells)
        form.validate()
        changes = {
            key: Change(parsed, stored[key].revision if key in stored else 0)
            for key, parsed in read_answers(form, list(items.values())).items()
        }
        return changes, row_changes

    def _attach(self, key: str, act: Mapping[str, Any], institution: str, language: str) -> None:
        about = self.files.evidence[act["file"]]
        by = self.cast.play(act["by"], institution)
        with (EVIDENCE / act["file"]).open("rb") as stream:
            received = evidence.receive(
                stream,
                about["shown_as"],
                folder=self.settings.evidence_dir,
                tmp=self.settings.tmp_dir,
                limit=self.settings.evidence_max_bytes,
            )
        with write() as session:
            head = head_by_id(session, self.submissions[key])
            compiled, ids = definition(session, head.version_id), question_ids(session, head.version_id)
            evidence.add_file(
                session,
                head,
                received,
                question_id=ids[act["question"]],
                by=by,
                caption=pick(about["captions"], language, self.files.languages),
                visibility=Visibility(act["confidentiality"]),
            )
            attached = [
                one.public_id for one in evidence_of(session, head.id) if one.question_id == ids[act["question"]]
            ]
            submissions.save_answers(
                session,
                head,
                compiled,
                ids,
                {AnswerKey(act["question"]): Change(Parsed(value=[*attached]), None)},
                context=self.context(compiled, head, by),
                by=by,
            )

    def complete_if_possible(self, key: str, about: Mapping[str, Any]) -> None:
        """Complete the questions about the institution, where nothing is missing."""
        by = self.cast.play(about["by"], about["institution"])
        self._keep_warnings(key, by)
        head = head_by_id(db.session, self.submissions[key])
        compiled = definition(db.session, head.version_id)
        try:
            with write() as session:
                verdicts.complete(session, head, compiled, context=self.context(compiled, head, by), by=by)
        except Incomplete:
            return

    def sign_if_waiting(self, key: str, about: Mapping[str, Any]) -> None:
        """Sign the questions about the institution, where they are complete."""
        institution = about["institution"]
        by = self.cast.play(f"approver.{institution}", institution)
        with write() as session:
            submission = session.get_one(Submission, self.submissions[key])
            if submission.status is Status.AWAITING_SIGN_OFF:
                head = head_by_id(session, submission.id)
                verdicts.sign_off(session, [(head, definition(session, head.version_id))], by=by)

    def clear_if_handed_in(self, key: str, login: str) -> None:
        """Clear the questions about the institution, where they are handed in."""
        by = self.cast.play(login)
        with write() as session:
            submission = session.get_one(Submission, self.submissions[key])
            if submission.status is Status.SUBMITTED:
                head = head_by_id(session, submission.id)
                reviews.start_review(session, head, by=by)
                reviews.clear(session, head, by=by)

    def context(self, compiled: Definition, head: SubmissionHead, by: Principal) -> Context:
        """Return the facts that rules and parsing may need, for whoever acts."""
        zone = str(self.files.zone)
        spoken = tuple(code for code in self.files.languages if code in compiled.languages)
        person, institution = {"login": by.login}, {"code": head.institution_code}
        return Context(
            today=clock.today(zone),
            languages=spoken or compiled.languages,
            language=by.language or self.files.languages[0],
            time_zone=zone,
            now=clock.now(),
            person=person,
            institution=institution,
            tables=looked_up(compiled.table_rows, person, institution),
        )


def _row_change(code: str, row: WrittenRow, stored: Mapping[RowKey, StoredRow]) -> RowChange:
    """Return what a page would say of a row: where it stands, and the revision that it showed."""
    before = stored.get(RowKey(code, row.key))
    return RowChange(code, row.key, position=row.place, base=before.revision if before else 0)


def _typed(item: Item, value: Any, keys: Sequence[AnswerKey]) -> list[tuple[str, str]]:
    """Return the fields that a page would post for a value of the files."""
    name = field_name(keys[0])
    if isinstance(value, dict) and "state" in value:
        return [(name + STATE_SUFFIX, value["state"])]
    if isinstance(value, dict) and keys[0].lang:
        return [(field_name(key), value[key.lang]) for key in keys if key.lang in value]
    if isinstance(value, dict):
        return [(name, next(iter(value.values())))]
    raw = question_type(item.type).raw(value, item)
    return [(name, one) for one in raw]


def _written_in(reply: Mapping[str, Any]) -> str:
    """Return the language in which a reply is written; '' where it has no text yet."""
    for value in reply["answers"].values():
        if isinstance(value, dict) and "state" not in value and not is_table(value):
            return str(next(iter(value)))
    return ""


def _threads(session: Session, head: SubmissionHead) -> list[Clarification]:
    return list(
        session.scalars(
            select(Clarification).where(Clarification.submission_id == head.id).order_by(Clarification.id)
        )
    )
