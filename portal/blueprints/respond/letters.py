"""The signed cover of a pack to be read, and its letter, corrected until the secretariat reads what was signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, url_for
from flask_babel import gettext as _

from portal.blueprints import receiving
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.respond.door import blueprint
from portal.blueprints.respond.packs import letter_form, own_pack, pack_page
from portal.database import write
from portal.errors import Conflict, NotFound
from portal.extensions import db
from portal.permissions import Permission
from portal.queries import packs as queries
from portal.services import packs

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.models import SigningPack


def signed_pack(public_id: str) -> SigningPack:
    """Load a pack for its cover: of one's own institution, for the secretariat any that was handed in with it."""
    found = queries.find_pack(db.session, public_id)
    if found is None or (found.institution_id != who().institution_id and not (who().staff and found.signed_at)):
        raise NotFound
    return found


@blueprint.get("/packs/<public_id>/cover")
@requires(Permission.VIEW_SUBMISSION, on=signed_pack)
def cover(thing: SigningPack) -> ResponseReturnValue:
    """Give the signed cover, always as a download."""
    if thing.cover_sha256 is None:
        raise NotFound
    return receiving.give(thing.cover_sha256, thing.cover_type, thing.cover_name, thing.id)


@blueprint.post("/packs/<public_id>/letter")
@requires(Permission.COMPLETE_SUBMISSION, on=own_pack)
def correct_letter(thing: SigningPack) -> ResponseReturnValue:
    """Correct number and date of the letter of a signed pack, and who signed it; the photo stays."""
    form = letter_form(thing)
    if thing.signed_at is not None and not form.validate():
        return pack_page(thing, letter=form, status=422)
    try:
        with write() as session:
            packs.correct_letter(
                session,
                thing,
                packs.Letter(
                    form.letter_number.data or "", form.letter_on.data, form.signer_name.data or "",
                    form.signer_post.data or "",
                ),
                by=who(),
            )  # fmt: skip
    except Conflict as error:
        return pack_page(thing, error=str(error), status=error.status)
    notice(_("The letter is corrected. What it said before stays in the history."))
    return redirect(url_for("respond.pack", public_id=thing.public_id), code=303)
