"""The signed cover of a pack to be read, and its letter, corrected until the secretariat reads what was signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import redirect, url_for
from flask_babel import gettext as _

from forms.signing import AnotherCoverForm
from portal.blueprints import receiving
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.respond.door import blueprint
from portal.blueprints.respond.packs import letter_form, own_pack, pack_page
from portal.database import write
from portal.errors import Conflict, Invalid, NotFound
from portal.extensions import db
from portal.permissions import Permission
from portal.queries import packs as queries
from portal.services import packs

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.models import EarlierCover, SigningPack


def signed_pack(public_id: str) -> SigningPack:
    """Load a pack for its cover: of one's own institution, for the secretariat any that was handed in with it."""
    found = queries.find_pack(db.session, public_id)
    if found is None or (found.institution_id != who().institution_id and not (who().staff and found.signed_at)):
        raise NotFound
    return found


@dataclass(frozen=True)
class GivenBefore:
    """A cover that was given before the one that stands, and whose it is."""

    cover: EarlierCover
    institution_id: int


def given_before(public_id: str, number: int) -> GivenBefore:
    """Load an earlier cover for whoever may read the one that stands."""
    pack = signed_pack(public_id)
    for one in queries.earlier_covers(db.session, pack):
        if one.number == number:
            return GivenBefore(one, pack.institution_id)
    raise NotFound


@blueprint.get("/packs/<public_id>/cover")
@requires(Permission.VIEW_SUBMISSION, on=signed_pack)
def cover(thing: SigningPack) -> ResponseReturnValue:
    """Give the signed cover, always as a download."""
    if thing.cover_sha256 is None:
        raise NotFound
    return receiving.give(thing.cover_sha256, thing.cover_type, thing.cover_name, thing.id)


@blueprint.get("/packs/<public_id>/cover/<int:number>")
@requires(Permission.VIEW_SUBMISSION, on=given_before)
def earlier_cover(thing: GivenBefore) -> ResponseReturnValue:
    """Give a cover that was sent before the one that stands, always as a download."""
    return receiving.give(thing.cover.sha256, thing.cover.media_type, thing.cover.name, thing.cover.pack_id)


@blueprint.post("/packs/<public_id>/cover/another")
@requires(Permission.COMPLETE_SUBMISSION, on=own_pack)
def replace_cover(thing: SigningPack) -> ResponseReturnValue:
    """Give another photo of the signed cover, until its review begins; the one before it stays in the history."""
    form = AnotherCoverForm()
    try:
        packs.check_correctable(db.session, thing)
        if not form.validate():
            return pack_page(thing, another=form, status=422)
        file = receiving.received_cover(form.cover)
        before = thing.cover_sha256
        with write() as session:
            packs.replace_cover(session, thing, file, by=who())
    except Invalid as error:
        form.cover.errors = [str(error)]
        return pack_page(thing, another=form, status=422)
    except Conflict as error:
        return pack_page(thing, error=str(error), status=error.status)
    if file.sha256 == before:
        notice(_("This is the photo that is here already. Nothing was changed."), "info")
    else:
        notice(_("The photo of the cover is another one now. The one before it stays in the history."))
    return redirect(url_for("respond.pack", public_id=thing.public_id), code=303)


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
