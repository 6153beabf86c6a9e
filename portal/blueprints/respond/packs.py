"""Signing on paper: what can be printed, a pack that is out, its cover that came back signed and stamped."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

from flask import g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from forms.signing import AnotherCoverForm, CoverForm, LetterForm
from portal import clock
from portal.blueprints import receiving
from portal.blueprints.answering import recommendation_box
from portal.blueprints.frozen import frozen_pages
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.papers import about, bare_pages, evidence_line, in_each_language, page_of, paper, pdf_of
from portal.blueprints.posting import languages_of, load
from portal.blueprints.reading import action_words
from portal.blueprints.respond.door import blueprint
from portal.database import write
from portal.errors import Conflict, Invalid, NotFound
from portal.extensions import db
from portal.models import SigningPack, Status
from portal.papers.days import both_calendars, figures, local_day
from portal.papers.typesetting import available
from portal.permissions import Permission, may
from portal.queries import owed as owed_queries
from portal.queries import packs as queries
from portal.queries.evidence import kept_confidential
from portal.queries.kept_warnings import kept_in, kind_words
from portal.queries.receipts import receipts_of, shown
from portal.queries.submissions import asked_recommendations, citation, find, title_of
from portal.reader import date_text, digits
from portal.services import packs
from portal.services.packs import SignedCover
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from portal.queries.packs import Packed
    from portal.queries.submissions import AskedRecommendation, SubmissionHead


def own_pack(public_id: str) -> SigningPack:
    """Load a pack of the person's own institution; others do not exist here, not even for staff."""
    found = queries.find_pack(db.session, public_id)
    if found is None or found.institution_id != who().institution_id:
        raise NotFound
    return found


def _listed(asked: Sequence[AskedRecommendation]) -> tuple[str, str]:
    """Return how a reply is named in a list on a page, in the digits of its reader: citation, title."""
    cite, title = _what(asked)
    return f"{asked[0].symbol}, {_('paragraph')} {digits(citation(asked))}" if asked else cite, title


def _what(asked: Sequence[AskedRecommendation]) -> tuple[str, str]:
    """Return how a reply is named on paper: citation, title."""
    language, languages = g.view.language, g.country.languages
    if not asked:
        return "", str(_("Questions about your institution"))
    return about(asked, language), title_of(asked, language, languages)


def papers_of(head: SubmissionHead) -> dict[str, Any]:
    """Return what the page of a reply says of its papers."""
    holding = queries.pack_holding(db.session, head.id)
    return {
        "pack": holding,
        "pack_code": shown(holding.code) if holding is not None else "",
        "can_pack": queries.may_be_packed(head) and may(who(), Permission.COMPLETE_SUBMISSION),
        "receipts": receipts_of(db.session, head.id),
    }


def on_paper(heads: Sequence[SubmissionHead]) -> dict[str, Any]:
    """Return what of some replies can be printed to be signed, and which packs are out; a query if one is complete."""
    complete = [head for head in heads if queries.may_be_packed(head)]
    if not complete or not may(who(), Permission.COMPLETE_SUBMISSION):
        return {"ready": [], "out": []}
    held = queries.packs_out(db.session, [head.id for head in complete])
    out = {one.id: one for one in held.values()}
    return {
        "ready": [head.public_id for head in complete if head.id not in held],
        "out": [(one, shown(one.code)) for one in out.values()],
    }


@blueprint.get("/sign-on-paper")
@requires(Permission.VIEW_OWED)
def packs_page() -> ResponseReturnValue:
    """Show what can be printed to be signed, and the packs of the round."""
    return _packs_page()


def _packs_page(error: str = "", status: int = 200) -> ResponseReturnValue:
    institution_id = who().institution_id
    if institution_id is None:
        raise NotFound
    language, languages = g.view.language, g.country.languages
    rounds = owed_queries.rounds_of(db.session, institution_id)
    wanted = request.values.get("round")
    chosen = next((one for one in rounds if one.slug == wanted), None)
    if chosen is None and rounds:
        # where somebody waits for a signature, else the newest
        waiting = queries.rounds_waiting(db.session, institution_id) if len(rounds) > 1 else set()
        chosen = next((one for one in rounds if one.id in waiting), rounds[0])
    ready = queries.ready(db.session, institution_id, chosen.id) if chosen else []
    asked = asked_recommendations(db.session, [head.assignment_id for head in ready])
    out = queries.packs_of(db.session, institution_id, chosen.id) if chosen else []
    empty = queries.emptied(db.session, out)
    page = render_template(
        "respond/packs.html",
        error=error,
        institution=g.view.account.detail,
        round=pick(chosen.titles, language, languages) if chosen else "",
        slug=chosen.slug if chosen else "",
        rounds=[(one.slug, pick(one.titles, language, languages), one is chosen) for one in rounds],
        rows=[(head, *_listed(asked.get(head.assignment_id, []))) for head in ready],
        packs=[(one, shown(one.code), one.id in empty) for one in out],
        can_print=may(who(), Permission.COMPLETE_SUBMISSION),
        owed_url=url_for("respond.owed", round=chosen.slug if chosen else None),
    )
    return page, status


@blueprint.post("/sign-on-paper")
@requires(Permission.COMPLETE_SUBMISSION)
def print_pack() -> ResponseReturnValue:
    """Freeze the chosen replies as one pack, ready to be printed and signed."""
    heads = [find(db.session, public_id) for public_id in dict.fromkeys(request.form.getlist("reply"))]
    mine = [head for head in heads if head is not None and head.institution_id == who().institution_id]
    if who().institution_id is None or len(mine) != len(heads):
        raise NotFound
    try:
        with write() as session:
            made = packs.print_pack(session, mine, by=who())
            target = url_for("respond.pack", public_id=made.public_id, printed="now")
    except (Invalid, Conflict) as error:
        return _packs_page(str(error), error.status)
    notice(_("Frozen and ready to print. Until the signed cover is here its replies stay closed."))
    return redirect(target, code=303)


@blueprint.get("/packs/<public_id>")
@requires(Permission.VIEW_SUBMISSION, on=own_pack)
def pack(thing: SigningPack) -> ResponseReturnValue:
    """Show a pack: print it, upload its signed cover, hand it in before that, take it back.

    Right after it was made its PDF comes by itself: whoever pressed "Print" wants paper.
    """
    page = make_response(pack_page(thing))
    # told once, like the notice that comes with it: a page loaded again, or in another language, brings no second file
    if request.args.get("printed") and g.view.notice and thing.out and available():
        page.headers["Refresh"] = f"0; url={url_for('respond.pack_pdf', public_id=thing.public_id)}"
    return page


def pack_page(
    thing: SigningPack,
    form: CoverForm | None = None,
    *,
    letter: LetterForm | None = None,
    another: AnotherCoverForm | None = None,
    error: str = "",
    status: int = 200,
) -> ResponseReturnValue:
    """Draw the page of a pack, after a refusal with its form: of its cover, its ``letter``, ``another`` cover."""
    packed = queries.packed_in(db.session, thing.id)
    head = packed[0].head
    leaders = may(who(), Permission.COMPLETE_SUBMISSION)
    held = sum(1 for one in packed if one.open)
    after = queries.pack_after(db.session, thing) if thing.signed_at is None and not held else None
    page = render_template(
        "respond/pack.html",
        pack=thing,
        code=shown(thing.code),
        form=form or cover_form(thing, formdata=None),
        letter=letter or letter_form(thing, formdata=None),
        another=another or AnotherCoverForm(formdata=None),
        earlier=queries.earlier_covers(db.session, thing) if thing.signed_at is not None else [],
        can_correct=leaders and queries.may_be_corrected(db.session, thing),
        first=_first(thing),
        error=error,
        rows=[_row(one) for one in packed],
        left=sum(1 for one in packed if one.left_by is not None),
        held=held,
        empty=thing.out and not held,
        after=after,
        after_code=shown(after.code) if after is not None else "",
        institution=g.view.account.detail,
        round=pick(head.round_titles, g.view.language, g.country.languages),
        can_sign=leaders and thing.out and held > 0,
        can_cancel=leaders and thing.out and held > 0,
        can_hand_in=leaders
        and thing.out
        and any(one.open and one.head.status is Status.AWAITING_SIGN_OFF for one in packed),
        letter_on=date_text(thing.letter_on),
        pdf=available(),
        packs_url=url_for("respond.packs_page", round=head.round_slug),
    )
    return page, status


def _first(thing: SigningPack) -> str:
    """Return the letter as its cover was sent, "" while nothing of it was corrected."""
    told = queries.first_letter(db.session, thing) if thing.signed_at is not None else {}
    now = (thing.letter_number, str(thing.letter_on), thing.signer_name, thing.signer_post)
    if not told or now == tuple(told.get(name, "") for name in ("letter", "letter_on", "name", "post")):
        return ""
    day = date_text(date.fromisoformat(told["letter_on"]))
    words = _("letter %(number)s of %(day)s", number=told["letter"], day=day)
    return ", ".join(filter(None, (words, told.get("name", ""), told.get("post", ""))))


def _row(one: Packed) -> dict[str, Any]:
    cite, title = _listed(one.asked)
    left = action_words(one.left_by)[0] if one.left_by is not None else ""
    return {
        "head": one.head,
        "cite": cite,
        "title": title,
        "sha256": one.sha256,
        "open": one.open,
        "signed": one.signed,
        "left": left,
        "left_at": one.left_at,
        "receipt": shown(one.receipt) if one.receipt else "",
    }


def cover_form(thing: SigningPack, **more: Any) -> CoverForm:
    """Return the form of a pack's cover, which was signed between the day of its printing and today."""
    zone = g.country.time_zone
    return CoverForm(first=local_day(thing.made_at, zone), last=clock.today(zone), **more)


def letter_form(thing: SigningPack, **more: Any) -> LetterForm:
    """Return the form of what is written on a pack's letter, with what is known of it."""
    zone = g.country.time_zone
    names = ("letter_number", "letter_on", "signer_name", "signer_post")
    known = {name: getattr(thing, name) for name in names}
    return LetterForm(first=local_day(thing.made_at, zone), last=clock.today(zone), data=known, **more)


def cover_of(form: CoverForm) -> SignedCover:
    """Take the file of a form that was judged into the store, with what is written on it.

    Raises:
        Invalid: the file is not taken (kind, content, size, virus).
    """
    return SignedCover(
        receiving.received_cover(form.cover),
        str(form.letter_number.data),
        form.letter_on.data,
        form.signer_name.data or "",
        form.signer_post.data or "",
    )


@blueprint.post("/packs/<public_id>/cover")
@requires(Permission.COMPLETE_SUBMISSION, on=own_pack)
def sign_pack(thing: SigningPack) -> ResponseReturnValue:
    """Take the photo or scan of the signed cover: every reply of the pack is signed on paper with it."""
    form = cover_form(thing)
    try:
        packs.check_waits(db.session, thing)
        if not form.validate():
            return pack_page(thing, form, status=422)
        cover = cover_of(form)
        with write() as session:
            done = packs.sign_pack(session, thing, cover, by=who())
    except Invalid as error:
        form.cover.errors = [str(error)]
        return pack_page(thing, form, status=422)
    except Conflict as error:
        return _refused(thing, error, form)
    notice(
        ngettext(
            "%(num)s reply is signed on paper and handed in.",
            "%(num)s replies are signed on paper and handed in.",
            done,
        )
    )
    return redirect(url_for("respond.pack", public_id=thing.public_id), code=303)


def _refused(thing: SigningPack, error: Conflict, form: CoverForm | None = None) -> ResponseReturnValue:
    """Draw the page of a pack with why nothing was done; of the pack that came after it, where its replies are now.

    What was written on the cover stays in the form: the file has to be chosen again.
    """
    after = queries.pack_after(db.session, thing) if error.code in {"pack_cancelled", "empty_pack"} else None
    if after is None:
        return pack_page(thing, form, error=str(error), status=error.status)
    sentence = _(
        "Pack %(code)s is worth nothing any more. Its replies are in this pack now: have this one signed, and send its "
        "cover.",
        code=shown(thing.code),
    )
    return pack_page(after, form, error=sentence, status=error.status)


@blueprint.post("/packs/<public_id>/hand-in")
@requires(Permission.COMPLETE_SUBMISSION, on=own_pack)
def hand_in_pack(thing: SigningPack) -> ResponseReturnValue:
    """Hand in now what the pack holds; its signature follows."""
    try:
        with write() as session:
            done = packs.hand_in_pack(session, thing, by=who())
    except Conflict as error:
        return _refused(thing, error)
    notice(
        ngettext(
            "%(num)s reply is handed in, its signature to follow.",
            "%(num)s replies are handed in, their signature to follow.",
            done,
        )
    )
    return redirect(url_for("respond.pack", public_id=thing.public_id), code=303)


@blueprint.post("/packs/<public_id>/cancel")
@requires(Permission.COMPLETE_SUBMISSION, on=own_pack)
def cancel_pack(thing: SigningPack) -> ResponseReturnValue:
    """Take a pack back: its paper is worth nothing any more."""
    try:
        with write() as session:
            packs.cancel_pack(session, thing, by=who())
    except Conflict as error:
        return _refused(thing, error)
    notice(_("The pack is taken back. Destroy its paper; its replies can be printed again."))
    return redirect(url_for("respond.pack", public_id=thing.public_id), code=303)


@blueprint.get("/packs/<public_id>/paper")
@requires(Permission.VIEW_SUBMISSION, on=own_pack)
def pack_paper(thing: SigningPack) -> ResponseReturnValue:
    """Show the pack as it is printed."""
    return page_of(
        _paper(thing),
        pdf_url=url_for("respond.pack_pdf", public_id=thing.public_id),
        back_url=url_for("respond.pack", public_id=thing.public_id),
        back=_("The pack"),
    )


@blueprint.get("/packs/<public_id>/paper.pdf")
@requires(Permission.VIEW_SUBMISSION, on=own_pack)
def pack_pdf(thing: SigningPack) -> ResponseReturnValue:
    """Give the pack as a PDF, its code and page n of m on each page."""
    return pdf_of(_paper(thing), _("Pack %(code)s", code=shown(thing.code)))


def _paper(thing: SigningPack) -> dict[str, Any]:
    packed = queries.packed_in(db.session, thing.id)
    texts = queries.printed(db.session, thing.id)
    language, languages = g.view.language, g.country.languages
    head = packed[0].head
    printed = [_printed(one, json.loads(texts[one.head.id]), number) for number, one in enumerate(packed, start=1)]

    def side(spoken: str) -> dict[str, Any]:
        name = pick(head.institution_names, spoken, languages)
        lead = ngettext(
            "%(institution)s hands in %(num)s reply in the round “%(round)s”. Its full text follows on the next pages.",
            "%(institution)s hands in %(num)s replies in the round “%(round)s”. Their full texts follow.",
            len(packed),
            institution=name,
            round=pick(head.round_titles, spoken, languages),
        )
        return {"title": _("Replies for signature"), "lead": figures(lead, spoken)}

    return paper(
        "pack",
        _("Replies for signature"),
        thing.code,
        in_each_language(side),
        facts=[
            (_("Printed"), both_calendars(local_day(thing.made_at, g.country.time_zone), language)),
            (_("Replies"), figures(len(packed), language)),
            ("SHA-256", thing.sha256),
        ],
        by_hand=_by_hand(),
        stamp_word=" / ".join(_each("stamp")),
        list_title=_("Replies in this pack"),
        list_heads=[_("No."), _("Reply"), "SHA-256"],
        replies=printed,
    )


def _by_hand() -> list[str]:
    return [
        " / ".join(_each(name)) for name in ("letter", "date", "name", "post", "signature")
    ]


def _each(name: str) -> list[str]:
    """Say what is filled in by hand, in each language of the portal."""

    def words(_language: str) -> dict[str, Any]:
        return {
            "said": {
                "letter": _("Letter number"), "date": _("Date"), "name": _("Name"), "post": _("Post"),
                "signature": _("Signature"), "stamp": _("Stamp"),
            }[name]
        }  # fmt: skip

    return [str(side["said"]) for side in in_each_language(words)]


def _printed(one: Packed, kept: dict[str, Any], number: int) -> dict[str, Any]:
    cite, title = _what(one.asked)
    definition, _ids = load(one.head)
    secret = kept_confidential(db.session, one.head.id)
    box = recommendation_box(one.asked, g.view.language, g.country) if one.asked else {}
    return {
        "number": figures(number, g.view.language),
        "cite": cite,
        "title": title or cite,
        "sha256": one.sha256,
        "text": box.get("text", ""),
        "text_lang": box.get("lang", g.view.language),
        "facts": [],
        "pages": bare_pages(frozen_pages(kept, definition, languages_of(definition, g.country))),
        "evidence": [
            evidence_line(row["number"], row["name"], row["sha256"], secret=row["id"] in secret)
            for row in kept["evidence"]
        ],
        "warnings": [(f"{kind_words()[was.kind]} · {was.place}", was.reason) for was in kept_in(kept)],
    }
