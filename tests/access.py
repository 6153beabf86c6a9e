"""Who reaches what: the table of every endpoint. To add an endpoint, add one line to ``ACCESS``.

Things belong to institution A. ``owned`` endpoints do not exist (404) for people of institution B.
"""

from __future__ import annotations

from dataclasses import dataclass

from portal.catalogues import key_of
from portal.models import Role, StaffRole

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
    "documents.detach": desk(COORDINATOR),
    "documents.document": allow(*MEMBERS, COORDINATOR, WRITER, owned=True),
    "documents.enter": desk(COORDINATOR),
    "documents.entered": document(FOCAL, ALTERNATE, CONTRIBUTOR, COORDINATOR),
    "documents.finish": desk(COORDINATOR),
    "documents.here": desk(COORDINATOR),
    "documents.inbox": draft(*MEMBERS),
    "documents.page": allow(*MEMBERS, COORDINATOR, WRITER, owned=True),
    "documents.paper": desk(COORDINATOR),
    "documents.read": allow(*MEMBERS, COORDINATOR, WRITER, owned=True),
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
    "remember.no_longer_true": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
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
    "respond.correct_letter": draft(FOCAL, ALTERNATE),
    "respond.certificate": allow(*MEMBERS, COORDINATOR, WRITER, owned=True),
    "respond.certificate_pdf": allow(*MEMBERS, COORDINATOR, WRITER, owned=True),
    "respond.check": draft(*MEMBERS),
    "respond.claim_not_ours": draft(FOCAL, ALTERNATE),
    "respond.complete": draft(FOCAL, ALTERNATE),
    "respond.cover": allow(*MEMBERS, COORDINATOR, WRITER, owned=True),
    "respond.earlier_cover": allow(*MEMBERS, COORDINATOR, WRITER, owned=True),
    "respond.replace_cover": draft(FOCAL, ALTERNATE),
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
    "respond.add_link": draft(FOCAL, ALTERNATE, CONTRIBUTOR),
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
    "documents.document": "paper", "documents.page": "paper", "documents.read": "paper", "documents.entered": "paper", "documents.set_aside": "paper",
    "documents": "submission",
    "respond.cancel_pack": "pack", "respond.correct_letter": "pack", "respond.cover": "pack", "respond.earlier_cover": "pack", "respond.replace_cover": "pack", "respond.hand_in_pack": "pack", "respond.pack": "pack",
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
