"""Receipts and certificates of what was handed in, and a reply in full to be printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, url_for
from flask_babel import gettext as _

from portal.blueprints.answering import AnsweringPage, recommendation_box
from portal.blueprints.guard import requires, who
from portal.blueprints.papers import (
    about,
    bare_pages,
    evidence_line,
    in_each_language,
    page_of,
    paper,
    pdf_of,
    receipt_paper,
)
from portal.blueprints.posting import load
from portal.blueprints.reading import read_aloud
from portal.blueprints.respond.door import blueprint, own_reply
from portal.blueprints.respond.findings import kept_of
from portal.errors import NotFound
from portal.extensions import db
from portal.models import Status, Visibility
from portal.permissions import Permission
from portal.queries import submissions as queries
from portal.queries.evidence import evidence_of
from portal.queries.receipts import Receipt, find_receipt, shown, spell
from portal.reader import date_text, digits
from portal.table import pick

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.queries.submissions import SubmissionHead


def receipt_of(code: str) -> Receipt:
    """Load a hand-in of the person's own institution by its code, or any for the secretariat."""
    found = find_receipt(db.session, spell(code))
    if found is None or not (who().staff or found.institution_id == who().institution_id):
        raise NotFound
    return found


@blueprint.get("/receipts/<code>")
@requires(Permission.VIEW_SUBMISSION, on=receipt_of)
def receipt(thing: Receipt) -> ResponseReturnValue:
    """Show the receipt of a hand-in, in all languages of the portal."""
    code = shown(thing.code)
    data = receipt_paper(thing, "receipt")
    data["others"] = [
        (_("Certificate"), url_for("respond.certificate", code=code)),
        (_("Certificate (PDF)"), url_for("respond.certificate_pdf", code=code)),
        (_("Check this code"), url_for("verify.code", code=code)),
    ]
    if thing.letter is not None and thing.letter.public_id:
        data["others"].append((_("The signed cover"), url_for("respond.cover", public_id=thing.letter.public_id)))
    elif thing.letter is not None and thing.letter.scan:
        data["others"].append((_("Signed sheet"), url_for("respond.evidence", public_id=thing.letter.scan)))
    return page_of(data, pdf_url=url_for("respond.receipt_pdf", code=code), **_back(thing))


@blueprint.get("/receipts/<code>/receipt.pdf")
@requires(Permission.VIEW_SUBMISSION, on=receipt_of)
def receipt_pdf(thing: Receipt) -> ResponseReturnValue:
    """Give the receipt as a PDF."""
    return pdf_of(receipt_paper(thing, "receipt"), f"{_('Receipt')} {shown(thing.code)}")


@blueprint.get("/receipts/<code>/certificate")
@requires(Permission.VIEW_SUBMISSION, on=receipt_of)
def certificate(thing: Receipt) -> ResponseReturnValue:
    """Show the certificate of a hand-in: one page to frame or to file."""
    url = url_for("respond.certificate_pdf", code=shown(thing.code))
    return page_of(receipt_paper(thing, "certificate"), pdf_url=url, **_back(thing))


@blueprint.get("/receipts/<code>/certificate.pdf")
@requires(Permission.VIEW_SUBMISSION, on=receipt_of)
def certificate_pdf(thing: Receipt) -> ResponseReturnValue:
    """Give the certificate as a PDF of one page."""
    return pdf_of(receipt_paper(thing, "certificate"), f"{_('Certificate')} {shown(thing.code)}")


def _back(thing: Receipt) -> dict[str, str]:
    if who().institution_id == thing.institution_id:
        return {"back_url": url_for("respond.check", public_id=thing.head.public_id), "back": _("The reply")}
    return {"back_url": url_for("follow.submission", public_id=thing.head.public_id), "back": _("The reply")}


@blueprint.get("/replies/<public_id>/paper")
@requires(Permission.VIEW_ANSWERS, on=own_reply)
def reply_paper(head: SubmissionHead) -> ResponseReturnValue:
    """Show a reply in full, as it stands, to be printed."""
    return page_of(
        _paper(head),
        pdf_url=url_for("respond.reply_pdf", public_id=head.public_id),
        back_url=url_for("respond.check", public_id=head.public_id),
        back=_("The reply"),
    )


@blueprint.get("/replies/<public_id>/paper.pdf")
@requires(Permission.VIEW_ANSWERS, on=own_reply)
def reply_pdf(head: SubmissionHead) -> ResponseReturnValue:
    """Give a reply in full as a PDF."""
    return pdf_of(_paper(head), f"{_('Reply')} {head.public_id[:8]}")


def _paper(head: SubmissionHead) -> dict[str, Any]:
    definition, _ids = load(head)
    answering = AnsweringPage(head, queries.stored_reply(db.session, head.id, definition), who(), definition)
    asked = queries.asked_recommendations(db.session, [head.assignment_id]).get(head.assignment_id, [])
    language, languages = g.view.language, g.country.languages
    box = recommendation_box(asked, language, g.country) if asked else {}
    drafted = head.status not in {Status.SUBMITTED, Status.CLEARED}
    cite = f"{asked[0].symbol}, {_('paragraph')} {digits(queries.citation(asked))}" if asked else about(asked, language)
    facts = [
        (_("Institution"), pick(head.institution_names, language, languages)),
        (_("Round"), pick(head.round_titles, language, languages)),
        (_("State"), _("draft, not handed in") if drafted else _("handed in")),
        (_("Printed"), date_text(answering.context.today)),
    ]
    one = {
        "number": "",
        "cite": cite if asked else "",
        "title": (queries.title_of(asked, language, languages) if asked else "") or cite,
        "sha256": "",
        "text": box.get("text", ""),
        "text_lang": box.get("lang", language),
        "facts": facts,
        "pages": bare_pages(read_aloud(answering)),
        "evidence": [
            evidence_line(
                row.number, row.filename or row.url or "", row.sha256, secret=row.visibility is Visibility.CONFIDENTIAL
            )
            for row in evidence_of(db.session, head.id)
        ],
        "warnings": [(f"{one['label']}: {one['sentence']}", one["reason"]) for one in kept_of(answering)],
    }
    # no official paper: its figures are in the reader's digits throughout, as on the page it is printed from
    return paper(
        "reply", one["title"], "", in_each_language(lambda _language: {"title": ""}), replies=[one],
        khmer_digits=g.view.digits == "khmr",
    )  # fmt: skip
