"""Who reaches what: every endpoint for every principal. To add an endpoint, add one line to ``ACCESS``.

Things belong to institution A. ``owned`` endpoints do not exist (404) for people of institution B.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace

import pytest
from flask import url_for
from sqlalchemy import select

from portal import clock
from portal.catalogues import key_of
from portal.cli.routes import listing
from portal.models import (
    AssignmentDocument,
    Clarification,
    ClarificationMessage,
    Collection,
    Delegation,
    Evidence,
    EvidenceKind,
    Example,
    Export,
    HeldPost,
    ImportDraft,
    JobStatus,
    Membership,
    OutgoingMail,
    PackedReply,
    Questionnaire,
    Role,
    SigningPack,
    Snapshot,
    StaffRole,
    Status,
    Submission,
    SubmissionEvent,
    Unit,
    VersionItem,
)
from portal.services.exports import path_of
from portal.services.questionnaires import keep_source
from portal.services.snapshots import canonical_json
from tests import factories
from tests.client import Client

FOCAL, ALTERNATE, CONTRIBUTOR, APPROVER, READER = (role.value for role in Role)
COORDINATOR, WRITER, ADMIN, OBSERVER = (role.value for role in StaffRole)
MEMBERS = frozenset(role.value for role in Role)
STAFF = frozenset(role.value for role in StaffRole)
SECRETARIAT = frozenset({COORDINATOR, WRITER, ADMIN})
EDITORS = {COORDINATOR, ADMIN}
PRINCIPALS = [
    "anonymous", "disabled", *(f"{side}.{role}" for side in "AB" for role in sorted(MEMBERS)), *sorted(STAFF),
    # two parts: one in the secretariat too; one in A too, but at work for B
    *(f"B.{FOCAL}+{role}" for role in sorted(STAFF)), f"B.{APPROVER}+{OBSERVER}", f"B.{FOCAL}+A.{FOCAL}",
]  # fmt: skip
# to whom another institution's things do not exist, whatever they are asked for; to the others they are refused
BLIND = frozenset({ADMIN, OBSERVER})


@dataclass(frozen=True)
class Access:
    """The roles that reach an endpoint; ``owned``: only those of institution A, where the thing belongs to one.

    ``hidden``: for staff without access the thing does not exist either (drafts). ``desk``: pages of the secretariat's
    desk, which do not exist for people of institutions.
    """

    roles: frozenset[str]
    owned: bool = False
    hidden: bool = False
    desk: bool = False
    # who sees the thing in whatever institution, and is refused
    seen: frozenset[str] = frozenset()

    def expected(self, principal: str) -> str:
        """Return open, login, 403 or 404."""
        if principal in {"anonymous", "disabled"}:
            return "login"
        part, _, more = principal.partition("+")
        side, _, role = part.rpartition(".")
        if (more or role) in self.roles & STAFF or (role in self.roles and not (self.owned and side == "B")):
            return "open"
        blind = (side == "B" and more not in self.seen) or (not side and role in BLIND)
        gone = ((self.owned or self.desk) and blind) or (self.hidden and not side) or (self.desk and bool(side))
        return "404" if gone else "403"


def allow(*roles: str, owned: bool = False) -> Access:
    return Access(frozenset(roles), owned)


def draft(*roles: str) -> Access:
    """A reply that is not handed in: staff never learns of it here."""
    return Access(frozenset(roles), owned=True, hidden=True)


def desk(*roles: str) -> Access:
    """A reply under review."""
    return Access(frozenset(roles), desk=True)


def document(*roles: str) -> Access:
    """A document of a reply, which the secretariat reads."""
    return Access(frozenset(roles), owned=True, seen=frozenset({WRITER}))


EVERYBODY = allow(*MEMBERS, *STAFF)
ACCESS: dict[str, Access] = {
    "accounts.account": EVERYBODY,
    "accounts.choose_part": EVERYBODY,
    "accounts.colleagues": allow(FOCAL, *EDITORS),
    "accounts.end_other_sessions": EVERYBODY,
    "accounts.forget_held": EVERYBODY,
    "accounts.held": EVERYBODY,
    "accounts.invite": allow(FOCAL, *EDITORS, owned=True),
    "accounts.save_account": EVERYBODY,
    "accounts.save_password": EVERYBODY,
    "examples.example": allow(FOCAL, ALTERNATE, COORDINATOR, WRITER, owned=True),
    "examples.file": allow(FOCAL, ALTERNATE, COORDINATOR, WRITER, owned=True),
    "examples.index": allow(FOCAL, ALTERNATE, COORDINATOR, WRITER),
    "examples.judge": Access(frozenset({COORDINATOR}), owned=True),
    "examples.keep": allow(FOCAL, ALTERNATE),
    "examples.published": allow(*SECRETARIAT, OBSERVER),
    "examples.send": allow(FOCAL, ALTERNATE),
    "documents.add": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
    "documents.attach": desk(COORDINATOR),
    "documents.desk": desk(COORDINATOR, WRITER),
    "documents.document": allow(*MEMBERS, COORDINATOR, WRITER, owned=True),
    "documents.enter": desk(COORDINATOR),
    "documents.entered": document(FOCAL, ALTERNATE, CONTRIBUTOR, COORDINATOR),
    "documents.finish": desk(COORDINATOR),
    "documents.here": desk(COORDINATOR),
    "documents.inbox": draft(*MEMBERS),
    "documents.paper": desk(COORDINATOR),
    "documents.receive": desk(COORDINATOR),
    "documents.receive_piece": desk(COORDINATOR),
    "documents.save_entered": desk(COORDINATOR),
    "documents.say_here": desk(COORDINATOR),
    "documents.set_aside": document(FOCAL, ALTERNATE, CONTRIBUTOR, COORDINATOR),
    "exports.download": allow(COORDINATOR, WRITER),
    "exports.index": allow(COORDINATOR, WRITER),
    "exports.make": allow(COORDINATOR, WRITER),
    "follow.answer_clarification": desk(COORDINATOR, WRITER),
    "follow.ask": desk(COORDINATOR, WRITER),
    "follow.board": allow(*SECRETARIAT),
    "follow.by_recommendation": allow(*SECRETARIAT),
    "follow.clear": desk(COORDINATOR),
    "follow.close_clarification": desk(COORDINATOR, WRITER),
    "follow.confirm_not_ours": desk(COORDINATOR),
    "follow.grid": allow(*SECRETARIAT),
    "follow.late": allow(*SECRETARIAT),
    "follow.record_signature": desk(COORDINATOR),
    "follow.refuse_not_ours": desk(COORDINATOR),
    "follow.reopen": desk(COORDINATOR),
    "follow.restore": desk(COORDINATOR),
    "follow.return_reply": desk(COORDINATOR),
    "follow.rounds": allow(*SECRETARIAT),
    "follow.start_review": desk(COORDINATOR),
    "follow.submission": desk(COORDINATOR, WRITER),
    "follow.withdraw": desk(COORDINATOR),
    "people.add_institution": allow(*EDITORS),
    "people.add_person": allow(*EDITORS),
    "people.appoint": allow(*EDITORS),
    "people.change_institution": allow(*EDITORS),
    "people.change_person": allow(*EDITORS),
    "people.confirm": allow(*EDITORS),
    "people.dry_run": allow(*EDITORS),
    "people.end_part": allow(*EDITORS),
    "people.export": allow(*EDITORS),
    "people.import_": allow(*EDITORS),
    "people.institution": allow(*SECRETARIAT),
    "people.institutions": allow(*SECRETARIAT),
    "people.new_institution": allow(*EDITORS),
    "people.new_person": allow(*EDITORS),
    "people.person": allow(*SECRETARIAT),
    "people.reset_second_factor": allow(*EDITORS),
    "people.switch_institution": allow(*EDITORS),
    "people.switch_off": allow(*EDITORS),
    "people.switch_on": allow(*EDITORS),
    "people.template": allow(*EDITORS),
    "people.upload": allow(*EDITORS),
    "questionnaires.add": allow(COORDINATOR),
    "questionnaires.adopt": allow(COORDINATOR),
    "questionnaires.arrange": allow(COORDINATOR),
    "questionnaires.begin": allow(COORDINATOR),
    "questionnaires.change": allow(COORDINATOR),
    "questionnaires.compare": allow(*SECRETARIAT),
    "questionnaires.confirm": allow(COORDINATOR),
    "questionnaires.copy_in": allow(COORDINATOR),
    "questionnaires.create": allow(COORDINATOR),
    "questionnaires.design": allow(COORDINATOR),
    "questionnaires.discard": allow(COORDINATOR),
    "questionnaires.drive": allow(*SECRETARIAT),
    "questionnaires.hand_on": allow(COORDINATOR),
    "questionnaires.index": allow(*SECRETARIAT),
    "questionnaires.item": allow(COORDINATOR),
    "questionnaires.library": allow(*SECRETARIAT),
    "questionnaires.look": allow(COORDINATOR),
    "questionnaires.new": allow(COORDINATOR),
    "questionnaires.overview": allow(*SECRETARIAT),
    "questionnaires.place_item": allow(COORDINATOR),
    "questionnaires.prepare": allow(COORDINATOR),
    "questionnaires.preview": allow(*SECRETARIAT),
    "questionnaires.proof": allow(*SECRETARIAT),
    "questionnaires.publish": allow(COORDINATOR),
    "questionnaires.retire": allow(COORDINATOR),
    "questionnaires.rules": allow(*SECRETARIAT),
    "questionnaires.save_item": allow(COORDINATOR),
    "questionnaires.save_titles": allow(COORDINATOR),
    "questionnaires.save_translations": allow(COORDINATOR),
    "questionnaires.shelf": allow(COORDINATOR),
    "questionnaires.source": allow(*SECRETARIAT),
    "questionnaires.test_drive": allow(*SECRETARIAT),
    "questionnaires.texts_confirm": allow(COORDINATOR),
    "questionnaires.texts_dry_run": allow(COORDINATOR),
    "questionnaires.texts_file": allow(COORDINATOR),
    "questionnaires.texts_in": allow(COORDINATOR),
    "questionnaires.texts_out": allow(*SECRETARIAT),
    "questionnaires.translations": allow(*SECRETARIAT),
    "questionnaires.upload": allow(COORDINATOR),
    "questionnaires.view": allow(*SECRETARIAT),
    "questionnaires.workbook": allow(*SECRETARIAT),
    "recommendations.ask_to_publish": allow(COORDINATOR),
    "recommendations.ask_to_take_back": allow(COORDINATOR),
    "recommendations.confirm": allow(COORDINATOR),
    "recommendations.document": EVERYBODY,
    "recommendations.edit": allow(COORDINATOR),
    "recommendations.edit_facts": allow(COORDINATOR),
    "recommendations.edit_texts": allow(COORDINATOR),
    "recommendations.implementation": allow(*SECRETARIAT),
    "recommendations.import_": allow(COORDINATOR),
    "recommendations.import_draft": allow(COORDINATOR),
    "recommendations.index": EVERYBODY,
    "recommendations.missing": allow(COORDINATOR),
    "recommendations.publish": allow(COORDINATOR),
    "recommendations.published": allow(*SECRETARIAT, OBSERVER),
    "recommendations.recommendation": EVERYBODY,
    "recommendations.set_state": allow(COORDINATOR, WRITER),
    "recommendations.take_back": allow(COORDINATOR),
    "recommendations.template": allow(COORDINATOR),
    "recommendations.texts": allow(COORDINATOR),
    "recommendations.texts_confirm": allow(COORDINATOR),
    "recommendations.texts_draft": allow(COORDINATOR),
    "recommendations.texts_in": allow(COORDINATOR),
    "recommendations.texts_out": allow(COORDINATOR),
    "recommendations.upload": allow(COORDINATOR),
    "respond.ask_anew": draft(FOCAL, ALTERNATE),
    "respond.ask_more": draft(FOCAL, ALTERNATE),
    "respond.collect": draft(FOCAL, ALTERNATE),
    "respond.collection": draft(FOCAL, ALTERNATE),
    "respond.correct_unit": draft(FOCAL, ALTERNATE),
    "respond.delegate": draft(FOCAL, ALTERNATE),
    "respond.extend_delegation": draft(FOCAL, ALTERNATE),
    "respond.hand_over": allow(FOCAL),
    "respond.hand_over_pack": allow(FOCAL, ALTERNATE),
    "respond.hand_over_workbook": allow(FOCAL, ALTERNATE),
    "respond.leave_out_unit": draft(FOCAL, ALTERNATE),
    "respond.preview_taking": draft(FOCAL, ALTERNATE),
    "respond.renew_delegation": draft(FOCAL, ALTERNATE),
    "respond.revoke_delegation": draft(FOCAL, ALTERNATE),
    "respond.share": draft(FOCAL, ALTERNATE),
    "respond.start_collection": draft(FOCAL, ALTERNATE),
    "respond.take_in_unit": draft(FOCAL, ALTERNATE),
    "respond.take_over": draft(FOCAL, ALTERNATE),
    "respond.units": draft(FOCAL, ALTERNATE),
    "remember.look": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
    "remember.own_evidence": allow(*MEMBERS),
    "remember.own_evidence_file": allow(*MEMBERS),
    "remember.recall_whole": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
    "remember.recall_many": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
    "remember.round_evidence": allow(COORDINATOR, WRITER),
    "remember.round_evidence_file": allow(COORDINATOR, WRITER),
    "remember.paste": allow(COORDINATOR),
    "remember.reported": allow(COORDINATOR),
    "remember.reported_confirm": allow(COORDINATOR),
    "remember.reported_draft": allow(COORDINATOR),
    "remember.reported_in": allow(COORDINATOR),
    "remember.reported_out": allow(COORDINATOR),
    "remember.save_origins": allow(COORDINATOR),
    "remember.save_reported": allow(COORDINATOR),
    "remember.history": draft(*MEMBERS),
    "remember.restore": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
    "remember.recall": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
    "respond.answer_clarification": allow(FOCAL, ALTERNATE, CONTRIBUTOR, APPROVER, owned=True),
    "respond.cancel_pack": draft(FOCAL, ALTERNATE),
    "respond.certificate": allow(*MEMBERS, COORDINATOR, WRITER, owned=True),
    "respond.certificate_pdf": allow(*MEMBERS, COORDINATOR, WRITER, owned=True),
    "respond.check": draft(*MEMBERS),
    "respond.claim_not_ours": draft(FOCAL, ALTERNATE),
    "respond.complete": draft(FOCAL, ALTERNATE),
    "respond.cover": allow(*MEMBERS, COORDINATOR, WRITER, owned=True),
    "respond.download_reply": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
    "respond.download_round": allow(FOCAL, ALTERNATE, CONTRIBUTOR),
    "respond.describe_evidence": allow(FOCAL, ALTERNATE, CONTRIBUTOR, owned=True),
    "respond.evidence": allow(*MEMBERS, owned=True),
    "respond.files": draft(*MEMBERS),
    "respond.hand_in_pending": draft(FOCAL, ALTERNATE),
    "respond.here": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
    "respond.hand_in_pack": draft(FOCAL, ALTERNATE),
    "respond.keep_warnings": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
    "respond.not_ours": draft(FOCAL, ALTERNATE),
    "respond.hand_in_document": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
    "respond.offline": allow(FOCAL, ALTERNATE, CONTRIBUTOR),
    "respond.offline_confirm": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
    "respond.offline_dry_run": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
    "respond.owed": allow(*MEMBERS),
    "respond.pack": draft(*MEMBERS),
    "respond.pack_paper": draft(*MEMBERS),
    "respond.pack_pdf": draft(*MEMBERS),
    "respond.packs_page": allow(*MEMBERS),
    "respond.print_pack": allow(FOCAL, ALTERNATE),
    "respond.recall": draft(FOCAL, ALTERNATE, APPROVER),
    "respond.remove_evidence": allow(FOCAL, ALTERNATE, CONTRIBUTOR, owned=True),
    "respond.receipt": allow(*MEMBERS, COORDINATOR, WRITER, owned=True),
    "respond.receipt_pdf": allow(*MEMBERS, COORDINATOR, WRITER, owned=True),
    "respond.reply": draft(*MEMBERS),
    "respond.reply_paper": draft(*MEMBERS),
    "respond.reply_pdf": draft(*MEMBERS),
    "respond.retract": draft(FOCAL, ALTERNATE),
    "respond.rules": Access(MEMBERS | SECRETARIAT, owned=True, hidden=True),
    "respond.save_section": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
    "respond.say_here": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
    "respond.section": draft(*MEMBERS),
    "respond.tables_beside": draft(*MEMBERS),
    "respond.upload": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
    "returning.back": EVERYBODY,
    "returning.keys": EVERYBODY,
    "respond.upload_offline": allow(FOCAL, ALTERNATE, CONTRIBUTOR),
    "respond.sign_pack": draft(FOCAL, ALTERNATE),
    "respond.upload_piece": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
    "rounds.assignment": allow(*SECRETARIAT),
    "rounds.change": allow(COORDINATOR),
    "rounds.close": allow(COORDINATOR),
    "rounds.copy": allow(COORDINATOR),
    "rounds.create": allow(COORDINATOR),
    "rounds.edit": allow(COORDINATOR),
    "rounds.extend": allow(COORDINATOR),
    "rounds.fill": allow(COORDINATOR),
    "rounds.freeze": allow(COORDINATOR),
    "rounds.invitations": allow(COORDINATOR),
    "rounds.issue": allow(COORDINATOR),
    "rounds.make_invitations": allow(COORDINATOR),
    "rounds.matrix": allow(*SECRETARIAT),
    "rounds.new": allow(COORDINATOR),
    "rounds.outbox": allow(COORDINATOR),
    "rounds.paragraph": allow(*SECRETARIAT),
    "rounds.paste": allow(COORDINATOR),
    "rounds.preview": allow(*SECRETARIAT),
    "rounds.restore": allow(COORDINATOR),
    "rounds.retry_mail": allow(COORDINATOR),
    "rounds.save_matrix": allow(COORDINATOR),
    "rounds.save_paragraph": allow(COORDINATOR),
    "rounds.withdraw": allow(COORDINATOR),
    "second_factor.page": EVERYBODY,
    "second_factor.renew_codes": EVERYBODY,
    "second_factor.set_up": EVERYBODY,
    "second_factor.turn_off": EVERYBODY,
    "sign.decline": draft(APPROVER),
    "sign.mark_seen": draft(APPROVER),
    "sign.pack": allow(APPROVER),
    "sign.reading": draft(APPROVER),
    "sign.sign": allow(APPROVER),
    "talk.ask": allow(COORDINATOR, WRITER),
    "talk.index": allow(COORDINATOR, WRITER),
    "talk.mark_ours_read": allow(*MEMBERS),
    "talk.mark_news_read": allow(FOCAL, ALTERNATE, CONTRIBUTOR, APPROVER, COORDINATOR, WRITER),
    "talk.mark_read": allow(COORDINATOR, WRITER),
    "talk.news": allow(FOCAL, ALTERNATE, CONTRIBUTOR, APPROVER, COORDINATOR, WRITER),
    "talk.news_by_chat": allow(COORDINATOR),
    "talk.ours": allow(*MEMBERS),
    "talk.remind": allow(COORDINATOR),
    "talk.send": allow(COORDINATOR, WRITER),
    "talk.send_reminders": allow(COORDINATOR),
    "talk.wish_mail": allow(FOCAL, ALTERNATE, CONTRIBUTOR, APPROVER, COORDINATOR, WRITER),
    "wording.confirm": allow(*EDITORS),
    "wording.download": allow(*EDITORS),
    "wording.dry_run": allow(*EDITORS),
    "wording.index": allow(*EDITORS),
    "wording.out_and_in": allow(*EDITORS),
    "wording.restore": allow(*EDITORS),
    "wording.save": allow(*EDITORS),
    "wording.upload": allow(*EDITORS),
}
# what a route's arguments are filled with, by endpoint or by blueprint: names of attributes of the world
ARGUMENTS: dict[str, str] = {
    "accounts.invite": "colleague",
    "accounts.forget_held": "held",
    "examples": "example",
    "follow.answer_clarification": "clarification", "follow.close_clarification": "clarification",
    "follow": "submission",
    "people.institution": "institution", "people.change_institution": "institution",
    "people.switch_institution": "institution",
    "people.dry_run": "draft", "people.confirm": "draft",
    "respond.answer_clarification": "clarification",
    "respond.offline_dry_run": "offline_draft", "respond.offline_confirm": "offline_draft",
    "respond.hand_in_document": "own_document",
    "respond.extend_delegation": "delegation", "respond.renew_delegation": "delegation",
    "respond.revoke_delegation": "delegation",
    "respond.ask_more": "collection", "respond.collection": "collection", "respond.preview_taking": "collection",
    "respond.take_over": "collection", "respond.units": "collection", "respond.ask_anew": "collection",
    "respond.correct_unit": "unit", "respond.leave_out_unit": "unit", "respond.take_in_unit": "unit",
    "respond.evidence": "evidence", "respond.remove_evidence": "evidence", "respond.describe_evidence": "evidence",
    "documents.document": "paper", "documents.entered": "paper", "documents.set_aside": "paper",
    "documents": "submission",
    "respond.cancel_pack": "pack", "respond.cover": "pack", "respond.hand_in_pack": "pack", "respond.pack": "pack",
    "respond.pack_paper": "pack", "respond.pack_pdf": "pack", "respond.sign_pack": "pack",
    "people": "spare",
    "exports": "export",
    "questionnaires.confirm": "questionnaire_draft", "questionnaires": "version",
    "recommendations.import_draft": "recommendations_draft", "recommendations.confirm": "recommendations_draft",
    "recommendations.texts_draft": "texts_draft", "recommendations.texts_confirm": "texts_draft",
    "rounds.assignment": "assignment", "rounds.extend": "assignment", "rounds.restore": "assignment",
    "rounds.withdraw": "assignment",
    "rounds.paragraph": "recommendation", "rounds.save_paragraph": "recommendation",
    "rounds.retry_mail": "mail",
    "recommendations.document": "document", "recommendations": "recommendation",
    "respond": "submission",
    "remember": "submission",
    "remember.paste": "recommendation", "remember.save_origins": "recommendation",
    "remember.save_reported": "recommendation",
    "remember.reported_draft": "reported_draft", "remember.reported_confirm": "reported_draft",
    "sign": "submission",
    "wording": "wording_draft",
}  # fmt: skip
FIXED = {"act": "check", "code": "page1", "language": "en", "slug": "round-of-a", "name": f"km.{key_of('People')}.0"}
# kinds of uploaded files that wait for a yes, by the name of their draft in the world
DRAFTS = {
    "draft": "people", "questionnaire_draft": "questionnaire", "recommendations_draft": "recommendations",
    "texts_draft": "texts", "reported_draft": "reported", "questionnaire_texts_draft": "questionnaire_texts",
    "wording_draft": "wording", "offline_draft": "offline", "own_document": "own_document",
}  # fmt: skip
# what a post needs to get as far as the verb
FIELDS = {
    "people.end_part": {"staff_role": "observer"}, "rounds.copy": {"round": "round-before"},
    "questionnaires.hand_on": {"round": "round-of-a"},
}  # fmt: skip
# signing out ends the client's session; a unit's file needs a unit: each tested by itself
LEFT_OUT = {"accounts.logout", "respond.unit_file"}


@pytest.fixture
def world(app, session):
    """Institution A with a reply in progress and all that hangs on it, institution B with nothing."""
    a, b = factories.institution(session, "aaa"), factories.institution(session, "bbb")
    persons = {
        f"{side}.{role.value}": factories.person(session, at, role, login=f"{side}.{role.value}".lower())
        for side, at in (("A", a), ("B", b))
        for role in Role
    }
    persons |= {role.value: factories.staff(session, role, login=role.value.replace("_", "")) for role in StaffRole}
    persons |= {
        f"B.{role.value}+{more.value}": factories.person(session, b, role, login=f"b.{role.value}+{more.value}", staff=[more])
        for role in (Role.FOCAL_POINT, Role.APPROVER)
        for more in StaffRole
    }
    persons[f"B.{FOCAL}+A.{FOCAL}"] = both = factories.person(session, b, login="both")
    session.add(Membership(user_id=both.id, institution_id=a.id, role=Role.FOCAL_POINT))
    persons["disabled"] = factories.person(session, a, login="disabled", active=False)
    version = factories.questionnaire_version(session, source_sha256="0" * 64)
    page = session.scalar(select(VersionItem).where(VersionItem.version_id == version.id, VersionItem.code == "page1"))
    factories.question(session, version, "proof", "file", parent=page)
    source = factories.document(session)
    cited = factories.recommendation(session, source)
    campaign = factories.reporting_round(session, source, slug="round-of-a")
    factories.reporting_round(session, source, slug="round-before")
    asked = factories.assignment(session, a, campaign, [cited], version)
    reply = factories.submission(session, asked, status=Status.IN_PROGRESS)
    actor = factories.principal(session, persons["A.focal_point"]).actor_id
    made = SimpleNamespace(
        persons=persons,
        institution=a,
        submission=reply,
        document=source,
        recommendation=cited,
        colleague=factories.person(session, a, Role.CONTRIBUTOR),
        spare=factories.person(session, a, Role.READER),
        **{
            name: ImportDraft(kind=kind, filename="x.xlsx", sha256="0" * 64, created_by=actor)
            for name, kind in DRAFTS.items()
        },
        version=version,
        assignment=asked,
        mail=OutgoingMail(kind="issued", address="somebody@example.org", subject="Round", body="Round"),
        export=Export(
            round_id=campaign.id, kind="round", status=JobStatus.DONE, requested_by=actor, requested_at=clock.now()
        ),
        held=HeldPost(user_id=persons["A.focal_point"].id, path="/account", fields=[], expires_at=clock.now()),
        evidence=Evidence(
            submission_id=reply.id, round_id=asked.round_id, number=1, kind=EvidenceKind.LINK,
            url="https://example.org/", added_by=actor, added_at=clock.now(),
        ),
        example=Example(
            institution_id=a.id, recommendation_id=cited.id, titles={"en": "A court"}, texts={"en": "It was built."},
            filename="court.pdf", media_type="application/pdf", size=7, sha256="e" * 64, sent_by=actor,
        ),
        paper=AssignmentDocument(
            assignment_id=asked.id, filename="a.pdf", media_type="application/pdf", size=1, sha256="0" * 64,
            from_secretariat=False, added_by=actor, added_at=clock.now(),
        ),
        clarification=Clarification(submission_id=reply.id, opened_by=actor, opened_at=clock.now()),
        delegation=Delegation(
            submission_id=reply.id, items=["measures"], name="Somebody", token_hash="0" * 64, code_hash="0" * 64,
            expires_at=clock.now() + timedelta(days=9), created_by=actor, held_by=actor,
        ),
        collection=Collection(
            submission_id=reply.id, items=["measures"], expires_at=clock.now() + timedelta(days=9), created_by=actor,
            held_by=actor,
        ),
    )  # fmt: skip
    made.offline_draft.summary = {"institution": a.id, "round": campaign.slug, "files": []}
    made.questionnaire_texts_draft.summary = {"version": version.public_id}
    made.own_document.summary = {"institution": a.id, "round": campaign.slug, "reply": ""}
    made.snapshot, made.pack = signed_on_paper(session, reply, asked, actor, version)
    session.add_all([getattr(made, name) for name in DRAFTS])
    session.add_all([made.delegation, made.collection, made.held, made.evidence, made.clarification, made.mail])
    session.add_all([made.export, made.example, made.paper])
    session.flush()
    made.unit = asked_unit(session, made.collection, a, actor)
    session.add(
        ClarificationMessage(
            clarification_id=made.clarification.id, body="Which year?", from_secretariat=True, written_by=actor,
            written_at=clock.now(),
        )
    )  # fmt: skip
    session.commit()
    file = path_of(made.export, app.config["SETTINGS"].exports_dir)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"a workbook")
    scan = app.config["SETTINGS"].evidence_dir / "ab" / made.pack.cover_sha256
    scan.parent.mkdir(parents=True, exist_ok=True)
    scan.write_bytes(b"a cover")
    file = app.config["SETTINGS"].evidence_dir / "ee" / ("e" * 64)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"a court")
    document = app.config["SETTINGS"].evidence_dir / "00" / ("0" * 64)
    document.parent.mkdir(parents=True)
    document.write_bytes(b"a document")
    keep_source(app.config["SETTINGS"].data_dir / "questionnaires", "0" * 64, b"a questionnaire")
    return made


def signed_on_paper(session, reply, asked, actor, version):
    """What a reply of the world left behind when it was signed on paper, before it was opened again."""
    event = session.scalars(select(SubmissionEvent).where(SubmissionEvent.submission_id == reply.id)).first()
    of = {"code": session.get(Questionnaire, version.questionnaire_id).code, "version": version.number}
    text = canonical_json({"answers": [], "hidden": [], "evidence": [], "questionnaire": of, "signed_by": None})
    given = {"submission_id": reply.id, "canonical": text, "sha256": "ab" * 32}
    snapshot = Snapshot(event_id=event.id, **given)
    pack = SigningPack(
        round_id=asked.round_id, institution_id=asked.institution_id, sha256="ab" * 32, made_by=actor,
        letter_number="1", letter_on=clock.today(), signed_by=actor, signed_at=clock.now(), cover_name="cover.png",
        cover_type="image/png", cover_size=7, cover_sha256="ab" * 32,
    )  # fmt: skip
    session.add_all([snapshot, pack])
    session.flush()
    session.add(PackedReply(pack_id=pack.id, position=1, open=False, signed_event_id=event.id, **given))
    return snapshot, pack


def asked_unit(session, collection, institution, actor):
    """A unit that a collection asks, with the place where it answers."""
    unit, apart = Unit(institution_id=institution.id, name="Kampot"), Submission(status=Status.IN_PROGRESS)
    session.add_all([unit, apart])
    session.flush()
    made = Delegation(
        submission_id=apart.id, collection_id=collection.id, unit_id=unit.id, items=["measures"], name="Kampot",
        token_hash="2" * 64, code_hash="2" * 64, expires_at=collection.expires_at, created_by=actor, held_by=actor,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def addresses(app, world):
    """Yield (endpoint, method, path) of every endpoint of the table."""
    with app.test_request_context():
        for row in sorted(listing(app), key=lambda row: row["endpoint"]):
            endpoint = row["endpoint"]
            if endpoint not in ACCESS:
                continue
            thing = ARGUMENTS.get(endpoint) or ARGUMENTS.get(endpoint.partition(".")[0])
            values = dict(FIXED)
            if thing:
                values["public_id"] = getattr(world, thing).public_id
            values["version_id"] = world.version.id
            values["draft"] = world.questionnaire_texts_draft.public_id
            if endpoint == "recommendations.implementation":
                del values["slug"]  # of all rounds together
            if endpoint.startswith("documents."):
                values |= {"document": world.paper.public_id, "identifier": "0" * 32}
            if endpoint == "respond.upload_piece":
                values["identifier"] = "0" * 32
            values["digest"] = "0" * 16
            if endpoint in {"respond.upload", "documents.attach"}:
                values["code"] = "proof"
            if endpoint.startswith(("respond.receipt", "respond.certificate")):
                values["code"] = world.snapshot.code
            if endpoint in {"remember.history", "remember.restore"}:
                values["code"] = "beds"
            arguments = {rule for found in app.url_map.iter_rules(endpoint) for rule in found.arguments}
            url = url_for(endpoint, **{name: values[name] for name in arguments if name in values})
            yield endpoint, row["methods"][0], url


def outcome(response) -> str:
    if response.status_code in {403, 404}:
        return str(response.status_code)
    if response.status_code == 303 and response.headers["Location"].startswith("/login"):
        return "login"
    return "open" if response.status_code < 500 else f"error {response.status_code}"


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_everybody_reaches_exactly_what_the_table_says(app, session, world, principal):
    browser = Client(app, session)
    if principal != "anonymous":
        signed_in = browser.sign_in(world.persons[principal].login).status_code == 303
        assert signed_in is (principal != "disabled")
    wrong = []
    for endpoint, method, path in addresses(app, world):
        response = browser.post(path, FIELDS.get(endpoint)) if method == "POST" else browser.get(path)
        if (seen := outcome(response)) != (expected := ACCESS[endpoint].expected(principal)):
            wrong.append(f"{endpoint} {method} {path}: {seen} instead of {expected}")
    assert not wrong, "\n".join(wrong)


def test_no_post_works_without_its_token(app, session, world):
    for login in ("coordinator", "a.focal_point", "a.approver"):
        browser = Client(app, session)
        browser.sign_in(login)
        for endpoint, method, path in addresses(app, world):
            if method != "POST":
                continue
            for token in ({}, {"csrf_token": "made up"}):
                response = browser.post(path, dict(token), csrf=False)
                assert response.status_code == 400, f"{endpoint}: {response.status_code}"


def test_the_token_of_somebody_else_does_not_fit(app, session, world):
    mine, theirs = Client(app, session), Client(app, session)
    mine.sign_in("coordinator")
    theirs.sign_in("a.focal_point")
    response = mine.post("/account", {"csrf_token": theirs.token()})
    assert response.status_code == 400


@pytest.mark.skipif(
    os.environ.get("CI") != "true" and not os.environ.get("PORTAL_TEST_COMPLETE"),
    reason="holds for a finished tree only",
)
def test_every_endpoint_stands_in_the_table(app):
    rows = [row["endpoint"] for row in listing(app) if row["permission"] not in {None, "public"}]
    # machines have a matrix of their own: tests/integration/portal/api
    # and so have persons who were handed some questions: tests/integration/portal/sharing/test_scope.py
    pages = {name for name in rows if not name.startswith(("api.", "shared."))}
    assert not sorted(pages - set(ACCESS) - LEFT_OUT)
