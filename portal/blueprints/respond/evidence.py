"""Evidence: received whole or in pieces, given out, described, removed."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from flask import current_app, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from forms.answers import AnswerKey, field_name
from forms.question_types import question_type
from forms.tables import may_change, table_of
from portal.blueprints import receiving
from portal.blueprints.answering import AnsweringPage
from portal.blueprints.file_places import anchor_of, file_kinds, file_place, row_around
from portal.blueprints.guard import repeats, requires, wants_json, who
from portal.blueprints.page import notice
from portal.blueprints.posting import context_for, load
from portal.blueprints.respond.door import (
    EvidenceOf,
    OnPage,
    blueprint,
    evidence_on,
    own_page,
    own_reply,
)
from portal.blueprints.respond.section import section_page
from portal.blueprints.respond.to_look_at import refused_file
from portal.database import write
from portal.errors import IllegalTransition, Invalid
from portal.extensions import db
from portal.models import Evidence, Visibility
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission, can
from portal.queries.evidence import evidence_of
from portal.queries.submissions import stored_reply
from portal.services import evidence as evidence_service
from portal.services import idempotency
from portal.services.attaching import Asked, attach, attach_link, detach

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from forms.definition.model import Definition
    from portal.queries.submissions import SubmissionHead


def _own_upload(public_id: str, identifier: str) -> OnPage:
    """Load a reply of one's own institution with the identifier of an upload."""
    return OnPage(own_reply(public_id), identifier)


@blueprint.route("/replies/<public_id>/uploads/<identifier>", methods=["GET", "PUT"])
@requires(Permission.ANSWER_SUBMISSION, on=_own_upload)
@repeats("a piece that came before changes nothing")
def upload_piece(on: OnPage) -> ResponseReturnValue:
    """Take a piece of a file (``?offset=``), or tell how much of it has come."""
    if on.head.status not in EDITABLE:
        raise IllegalTransition
    told, status = receiving.take_piece(on.head.public_id, on.head.institution_id, on.code)
    return dict(told), status


@blueprint.post("/replies/<public_id>/questions/<code>/files")
@requires(Permission.ANSWER_SUBMISSION, on=own_page)
def upload(on: OnPage) -> ResponseReturnValue:
    """Attach files to a question or a cell: stored and hashed first, then rows and the answer in one transaction."""
    head = on.head
    definition, ids = load(head)
    key = file_place(definition, on.code)
    if head.status not in EDITABLE or not may_change(definition, on.code, head.unlocked):
        raise IllegalTransition
    once = _Finish(request.form.get("upload", ""))
    if (told := once.earlier()) is not None:
        return told, 201
    of = Asked(head, definition, ids, context_for(who(), head, definition))
    try:
        received = receiving.posted_files(
            head.public_id, field=field_name(key) if key.row else "", kinds=file_kinds(definition, on.code)
        )
        with write() as session:
            if (told := once.begin(session)) is None:
                made = attach(session, of, key, received, by=who(), parent=row_around(), quota=receiving.quota())
                told = once.keep(session, _told(made))
    except Invalid as refused:
        if wants_json():
            raise
        # nothing was chosen, or a file is not taken: said where the file was to be sent from
        look = refused_file(definition, key, refused)
        stored = stored_reply(db.session, head.id, definition)
        answering = AnsweringPage(head, stored, who(), definition)
        return section_page(answering, definition.page_of(on.code), look), look.status
    if wants_json():
        return told, 201
    notice(_("“%(name)s” is attached.", name=told["name"]))
    page = url_for("respond.section", public_id=head.public_id, code=definition.page_of(on.code).code)
    return redirect(page + anchor_of(definition, key), code=303)


class _Finish:
    """Finishes an upload in pieces once: a script whose answer was lost sends the end again and is told the same."""

    def __init__(self, identifier: str) -> None:
        user_id = who().user_id
        named = hashlib.sha256(f"{request.full_path} {identifier}".encode()).hexdigest()[:40]
        self.key = f"upload-{named}" if identifier and wants_json() and user_id else ""
        self.user_id = user_id or 0
        body = {name: request.form.get(name, "") for name in ("upload", "name", "size")}
        self.body_hash = idempotency.fingerprint("POST", request.path, body)

    def earlier(self) -> dict[str, Any] | None:
        """Return what was answered before."""
        if not self.key:
            return None
        kept = idempotency.find(db.session, user_id=self.user_id, key=self.key, body_hash=self.body_hash)
        return dict(json.loads(kept.body)) if kept is not None and kept.body else None

    def begin(self, session: Session) -> dict[str, Any] | None:
        """Take the key, or return what a faster copy was answered."""
        if not self.key:
            return None
        kept = idempotency.begin(session, user_id=self.user_id, key=self.key, body_hash=self.body_hash)
        return dict(json.loads(kept.body)) if kept is not None and kept.body else None

    def keep(self, session: Session, told: dict[str, Any]) -> dict[str, Any]:
        """Keep the answer in the transaction of the work."""
        if self.key:
            idempotency.keep(session, user_id=self.user_id, key=self.key, status=201, body=json.dumps(told))
        return told


def _told(made: Evidence) -> dict[str, Any]:
    return {
        "number": made.number,
        "name": made.filename,
        "size": made.size,
        "url": url_for("respond.evidence", public_id=made.public_id),
        "remove_url": url_for("respond.remove_evidence", public_id=made.public_id),
    }


@blueprint.get("/replies/<public_id>/files")
@requires(Permission.VIEW_ANSWERS, on=own_reply)
def files(head: SubmissionHead) -> ResponseReturnValue:
    """Show what supports a reply: captions, who may see each file, whether it was scanned, and the room left."""
    return _files_page(head)


def _files_page(head: SubmissionHead, *, typed: Mapping[str, str] | None = None, error: str = "") -> str:
    """Draw the files of a reply; ``typed`` and ``error`` are of a link that was not taken."""
    definition, ids = load(head)
    may = can(who(), Permission.ANSWER_SUBMISSION, head)
    codes = {question_id: code for code, question_id in ids.items()}
    room = receiving.room(head.institution_id)
    rows = []
    for one in evidence_of(db.session, head.id):
        code = codes.get(one.question_id or 0)
        rows.append(
            {
                "one": one,
                "title": one.filename or one.url,
                "url": url_for("respond.evidence", public_id=one.public_id) if one.sha256 else one.url,
                "size": receiving.megabytes(one.size) if one.size else "",
                "code": code,
                "open": may and _is_open(definition, head, code),
                "page_url": url_for("respond.section", public_id=head.public_id, code=definition.page_of(code).code)
                + f"#q-{code}-item"
                if code
                else "",
            }
        )
    return render_template(
        "respond/files.html",
        head=head,
        rows=rows,
        link_questions=_link_questions(definition, head) if may and head.status in EDITABLE else [],
        typed=typed or {},
        error=error,
        room=room,
        room_words=receiving.room_words(room),
        scanning=bool(current_app.config["SETTINGS"].clamd),
        check_url=url_for("respond.check", public_id=head.public_id),
        owed_url=url_for("respond.owed", round=head.round_slug),
    )


def _link_questions(definition: Definition, head: SubmissionHead) -> list[tuple[str, str]]:
    """Return the questions that a link may be given for: code and label; a cell of a table takes files only."""
    language, languages = g.view.language, g.country.languages
    return [
        (item.code, item.text("label", language, languages).partition("${")[0].strip() or item.code)
        for item in definition.questions()
        if question_type(item.type).control == "file"
        and table_of(definition, item.code) is None
        and item.code not in head.hidden
        and may_change(definition, item.code, head.unlocked)
    ]


@blueprint.post("/replies/<public_id>/links")
@requires(Permission.ANSWER_SUBMISSION, on=own_reply)
def add_link(head: SubmissionHead) -> ResponseReturnValue:
    """Attach a link to a question, where a file is too large or stands in public anyway."""
    definition, ids = load(head)
    if head.status not in EDITABLE:
        raise IllegalTransition
    typed = {name: request.form.get(name, "").strip() for name in ("question", "url", "caption")}
    if typed["question"] not in {code for code, _label in _link_questions(definition, head)}:
        raise IllegalTransition
    of = Asked(head, definition, ids, context_for(who(), head, definition))
    try:
        with write() as session:
            made = attach_link(
                session, of, AnswerKey(typed["question"]), typed["url"], caption=typed["caption"], by=who()
            )
            number = made.number
    except Invalid as error:
        return _files_page(head, typed=typed, error=str(error)), 422
    notice(_("The link is attached."))
    return redirect(url_for("respond.files", public_id=head.public_id) + f"#evidence-{number}", code=303)


def _is_open(definition: Definition, head: SubmissionHead, code: str | None) -> bool:
    if head.status not in EDITABLE or head.unlocked is None:
        return head.status in EDITABLE
    return code is not None and may_change(definition, code, head.unlocked)


def _code_of(on: EvidenceOf, ids: Mapping[str, int]) -> str | None:
    return next((code for code, question_id in ids.items() if question_id == on.evidence.question_id), None)


@blueprint.get("/evidence/<public_id>")
@requires(Permission.VIEW_ANSWERS, on=evidence_on)
def evidence(on: EvidenceOf) -> ResponseReturnValue:
    """Give a file, always as a download, never rendered (ASVS 3.2.1, 5.3.1); a link is shown, not followed."""
    one = on.evidence
    if one.sha256 is None:
        return redirect(one.url or url_for("public.home"), code=303)
    return receiving.give(one.sha256, one.media_type, one.filename, one.number)


@blueprint.post("/evidence/<public_id>/describe")
@requires(Permission.ANSWER_SUBMISSION, on=evidence_on)
def describe_evidence(on: EvidenceOf) -> ResponseReturnValue:
    """Say what a piece of evidence shows and who may see it, while the reply is open."""
    definition, ids = load(on.head)
    if not _is_open(definition, on.head, _code_of(on, ids)):
        raise IllegalTransition
    try:
        visibility = Visibility(request.form.get("visibility", ""))
    except ValueError:
        raise Invalid(_("Say who may see this file.")) from None
    with write() as session:
        one = session.get_one(Evidence, on.evidence.id)
        caption = request.form.get("caption", "")
        evidence_service.describe(session, one, caption=caption, visibility=visibility, by=who())
    notice(_("Saved."))
    return redirect(
        url_for("respond.files", public_id=on.head.public_id) + f"#evidence-{on.evidence.number}", code=303
    )


@blueprint.post("/evidence/<public_id>/remove")
@requires(Permission.ANSWER_SUBMISSION, on=evidence_on)
def remove_evidence(on: EvidenceOf) -> ResponseReturnValue:
    """Take a file off a reply that may still be changed."""
    head = on.head
    definition, ids = load(head)
    code = _code_of(on, ids)
    if not _is_open(definition, head, code):
        raise IllegalTransition
    of = Asked(head, definition, ids, context_for(who(), head, definition))
    with write() as session:
        detach(session, of, session.get_one(Evidence, on.evidence.id), by=who())
    if wants_json():
        return {"removed": True}
    notice(_("The file was removed.") if on.evidence.sha256 else _("The link was removed."))
    target = (
        url_for("respond.section", public_id=head.public_id, code=definition.page_of(code).code)
        if code
        else url_for("respond.check", public_id=head.public_id)
    )
    return redirect(target, code=303)
