"""Files of shared questions: received, given out, removed by whoever attached them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import redirect, url_for
from flask_babel import gettext as _

from forms.answers import AnswerKey, field_name
from forms.tables import may_change
from portal.blueprints import receiving
from portal.blueprints.file_places import anchor_of, file_kinds, file_place, row_around
from portal.blueprints.guard import by_link, repeats, wants_json
from portal.blueprints.page import notice
from portal.blueprints.posting import context_for, load
from portal.blueprints.respond.to_look_at import refused_file
from portal.blueprints.shared.door import Ended, Shared, SignedOut, blueprint, shared
from portal.blueprints.shared.section import section_page
from portal.blueprints.shared.shown import SharedPage
from portal.database import write
from portal.errors import IllegalTransition, Invalid, NotFound
from portal.extensions import db
from portal.models import Evidence
from portal.models.lifecycle import EDITABLE
from portal.queries.submissions import stored_reply
from portal.services.attaching import Asked, attach, attach_link, detach
from portal.services.delegated import ShareEnded, open_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue


def _upload_of(public_id: str, identifier: str) -> Shared | Ended | SignedOut:
    """Load what is shared together with the identifier of an upload."""
    return shared(public_id, code=identifier)


@blueprint.route("/work/<public_id>/uploads/<identifier>", methods=["GET", "PUT"])
@by_link(_upload_of)
@repeats("a piece that came before changes nothing")
def upload_piece(on: Shared) -> ResponseReturnValue:
    """Take a piece of a file (``?offset=``), or tell how much of it has come."""
    if not on.head.unlocked or on.head.status not in EDITABLE:
        raise IllegalTransition
    told, status = receiving.take_piece(on.delegation.public_id, on.head.institution_id, on.code, by=on.principal)
    return dict(told), status


@blueprint.post("/work/<public_id>/questions/<code>/files")
@by_link(shared)
def upload(on: Shared) -> ResponseReturnValue:
    """Attach files, or a link, to a shared question."""
    definition, ids = load(on.head)
    key = file_place(definition, on.code)
    if not may_change(definition, on.code, on.head.unlocked):
        raise NotFound
    if on.head.status not in EDITABLE:
        raise IllegalTransition
    try:
        made = _attached(on, ids, key)
    except ShareEnded as error:
        return Ended(on.delegation, str(error)).ended()
    except Invalid as refused:
        if wants_json():
            raise
        # nothing was chosen, or a file is not taken: said where the file was to be sent from
        look = refused_file(definition, key, refused)
        return section_page(on, definition.page_of(on.code), look), look.status
    if wants_json():
        return _told(on, made), 201
    notice(_("“%(name)s” is attached.", name=made.filename) if made.sha256 else _("The link is attached."))
    return redirect(_page(on, on.code) + anchor_of(definition, key), code=303)


def _attached(on: Shared, ids: Mapping[str, int], key: AnswerKey) -> Evidence:
    """Attach what a form brings: files, or in their place a link."""
    if on.gives_links and not key.row and (link := receiving.link_given()) is not None:
        with write() as session:
            return attach_link(session, _asked(on, ids), key, link, by=on.principal)
    received = receiving.posted_files(
        on.delegation.public_id, by=on.principal, field=field_name(key) if key.row else "",
        kinds=file_kinds(on.definition, on.code),
    )  # fmt: skip
    with write() as session:
        return attach(
            session, _asked(on, ids), key, received, by=on.principal, parent=row_around(), quota=receiving.quota()
        )


def _asked(on: Shared, ids: Mapping[str, int]) -> Asked:
    return Asked(on.head, on.definition, ids, context_for(on.principal, on.head, on.definition))


def _told(on: Shared, made: Evidence) -> dict[str, Any]:
    public_id = on.delegation.public_id
    return {
        "number": made.number,
        "name": made.filename,
        "size": made.size,
        "url": url_for("shared.evidence", public_id=public_id, number=made.number),
        "remove_url": url_for("shared.remove_evidence", public_id=public_id, number=made.number),
    }


def _page(on: Shared, code: str) -> str:
    page = on.definition.page_of(code).code
    return url_for("shared.section", public_id=on.delegation.public_id, code=page)


def _one(on: Shared, number: int) -> Evidence:
    """Return a piece of evidence that the person may see."""
    shown = SharedPage(on, stored_reply(db.session, on.head.id, on.definition))
    found = next((one for one in shown.evidence() if one.number == number), None)
    if found is None:
        raise NotFound
    return found


def file_of(public_id: str, number: int) -> Any:
    """Load what is shared together with the number of a file."""
    found = shared(public_id)
    if not isinstance(found, Shared):
        return found
    return FileOf(found, number)


class FileOf:
    """A file of a shared question; permissions look at what is shared."""

    def __init__(self, on: Shared, number: int) -> None:
        self.shared, self.head, self.principal = on, on.head, on.principal
        self.evidence = _one(on, number)


@blueprint.get("/work/<public_id>/files/<int:number>")
@by_link(file_of)
def evidence(of: FileOf) -> ResponseReturnValue:
    """Give a file, always as a download, never rendered (ASVS 3.2.1, 5.3.1)."""
    one = of.evidence
    if one.sha256 is None:
        raise NotFound
    return receiving.give(one.sha256, one.media_type, one.filename, one.number)


@blueprint.post("/work/<public_id>/files/<int:number>/remove")
@by_link(file_of)
def remove_evidence(of: FileOf) -> ResponseReturnValue:
    """Take off a file that one attached oneself."""
    on, one = of.shared, of.evidence
    definition, ids = load(on.head)
    code = next((code for code, question_id in ids.items() if question_id == one.question_id), None)
    if code is None or one.added_by != on.principal.actor_id or on.principal.delegation is None:
        raise NotFound
    try:
        with write() as session:
            open_to(session, on.principal.delegation, definition, on.head.unlocked)
            detach(session, _asked(on, ids), session.get_one(Evidence, one.id), by=on.principal)
    except ShareEnded as error:
        return Ended(on.delegation, str(error)).ended()
    notice(_("The file was removed.") if one.sha256 else _("The link was removed."))
    return redirect(_page(on, code) + anchor_of(definition, AnswerKey(code)), code=303)
