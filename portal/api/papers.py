"""Packs signed on paper, the covers that came back, and receipts of hand-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from flask_babel import lazy_gettext as _l
from spectree import Response

from portal.api import paper_shapes as shapes
from portal.api.door import answer, blueprint, named, once, operation, take_query
from portal.api.replies import REFUSALS
from portal.blueprints.guard import requires, who
from portal.blueprints.respond.packs import cover_form, cover_of, own_pack
from portal.blueprints.respond.receipts import receipt_of
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.permissions import Permission
from portal.queries import packs as queries
from portal.queries.receipts import Receipt, is_code, spell
from portal.queries.rounds import find_round
from portal.services import packs
from portal.table import Problem

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from portal.models import SigningPack


def _pack(public_id: str) -> SigningPack:
    return own_pack(named(public_id))


def _receipt(code: str) -> Receipt:
    if not is_code(spell(code)):
        raise NotFound
    return receipt_of(code)


def _state(one: SigningPack) -> Literal["out", "signed", "taken_back"]:
    if one.signed_at is not None:
        return "signed"
    return "taken_back" if one.cancelled_at is not None else "out"


def _shape(one: SigningPack) -> shapes.Pack:
    packed = queries.packed_in(db.session, one.id)
    return shapes.Pack(
        id=one.public_id,
        code=one.code,
        round=packed[0].head.round_slug if packed else "",
        state=_state(one),
        sha256=one.sha256,
        made_at=one.made_at,
        signed_at=one.signed_at,
        letter_number=one.letter_number or None,
        letter_on=one.letter_on,
        signer_name=one.signer_name or None,
        signer_post=one.signer_post or None,
        cover_sha256=one.cover_sha256,
        replies=[
            shapes.PackedReply(
                submission=each.head.public_id,
                sha256=each.sha256,
                in_pack=each.open,
                signed=each.signed,
                receipt=each.receipt or None,
            )
            for each in packed
        ],
    )


@blueprint.get("/packs")
@requires(Permission.VIEW_OWED)
@operation("listPacks", query=shapes.PacksQuery, resp=Response(HTTP_200=shapes.Packs, **REFUSALS))
def list_packs() -> ResponseReturnValue:
    """List the packs that the caller's institution printed in a round, the newest first."""
    of = find_round(db.session, take_query(shapes.PacksQuery).round)
    institution_id = who().institution_id
    if of is None or institution_id is None:
        raise NotFound
    return answer(shapes.Packs(items=[_shape(one) for one in queries.packs_of(db.session, institution_id, of.id)]))


@blueprint.get("/packs/<public_id>")
@requires(Permission.VIEW_SUBMISSION, on=_pack)
@operation("getPack", resp=Response(HTTP_200=shapes.Pack, **REFUSALS))
def get_pack(thing: SigningPack) -> ResponseReturnValue:
    """Tell how a pack of the caller's institution stands."""
    return answer(_shape(thing))


@blueprint.post("/packs/<public_id>/cover")
@requires(Permission.COMPLETE_SUBMISSION, on=_pack)
@operation("sendCover", form=shapes.CoverIn, resp=Response(HTTP_200=shapes.Pack, **REFUSALS))
def send_cover(thing: SigningPack) -> ResponseReturnValue:
    """Take the photo or scan of the signed cover: every reply still in the pack is signed on paper with it, or none.

    multipart/form-data with ``cover``, ``letter_number``, ``letter_on`` (YYYY-MM-DD), ``signer_name``, ``signer_post``.
    Nobody signs by this: it writes down what was signed on paper, as the page of the pack does, and asks no password.
    """
    form = cover_form(thing, meta={"csrf": False})
    if not form.validate():
        problems = [Problem(str(said), field=name) for name, many in form.errors.items() for said in many]
        raise Invalid(_l("This request does not fit the contract."), problems=problems)
    cover = cover_of(form)

    def act(session: Session) -> tuple[shapes.Pack, int]:
        packs.sign_pack(session, thing, cover, by=who())
        return _shape(thing), 200

    told = (cover.file.sha256, cover.letter_number, cover.letter_on.isoformat(), cover.signer_name, cover.signer_post)
    return once(act, body=told)


@blueprint.get("/receipts/<code>")
@requires(Permission.VIEW_SUBMISSION, on=_receipt)
@operation("getReceipt", resp=Response(HTTP_200=shapes.Receipt, **REFUSALS))
def get_receipt(thing: Receipt) -> ResponseReturnValue:
    """Tell what was handed in under a code, and whether it still stands: of one's own institution, or for the desk."""
    return answer(
        shapes.Receipt(
            code=thing.code,
            submission=thing.head.public_id,
            institution=thing.head.institution_code,
            round=thing.head.round_slug,
            action=thing.action.value,
            at=thing.at,
            sha256=thing.sha256,
            answers=thing.answers,
            whole=thing.whole,
            signed_at=thing.signed_at,
            stands=thing.stands,
            ended_by=thing.ended.value if thing.ended else None,
            ended_at=thing.ended_at,
        )
    )
