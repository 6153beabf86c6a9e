"""Papers as plain data: receipts, certificates, packs to be signed, replies in full; as a page and as a PDF."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import segno
from flask import Response, current_app, g, make_response, render_template, url_for
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _

from portal.extensions import db
from portal.models import Action
from portal.papers.days import both_calendars, figures, local_day, moment_words
from portal.papers.typesetting import available, typeset
from portal.queries.actors import actor_names
from portal.queries.questionnaires import definition
from portal.queries.receipts import shown
from portal.queries.submissions import citation
from portal.reader import digits
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from flask.typing import ResponseReturnValue

    from portal.queries.receipts import Receipt
    from portal.queries.submissions import AskedRecommendation

Fact = tuple[str, str]
Paper = dict[str, Any]


@contextmanager
def _speaking(language: str) -> Iterator[None]:
    """Say words in a language of the portal, whatever the reader's is."""
    kept, g.view.language = g.view.language, language
    try:
        with force_locale(language):
            yield
    finally:
        g.view.language = kept


def _say(texts: Mapping[str, str] | None, language: str) -> str:
    return pick(texts, language, g.country.languages)


def in_each_language(make: Any) -> list[dict[str, Any]]:
    """Return what ``make(language)`` says on each side, the national language first."""
    sides = []
    for language in g.country.languages:
        with _speaking(language):
            frame = {
                "lang": language,
                "owner": _say(g.country.secretariat, language),
                "portal": _say(g.country.portal_name, language),
                "lead": "",
                "note": "",
                "standing": "",
                "check": _("Anybody can check this paper and its code here:"),
            }
            sides.append(frame | make(language))
    return sides


def paper(kind: str, title: str, code: str, sides: Sequence[Mapping[str, Any]], **more: Any) -> Paper:
    """Return what every paper has: kind, title, code, QR, page words in the reader's language, sides."""
    language = g.view.language
    url = current_app.config["SETTINGS"].base_url + url_for("verify.code", code=shown(code)) if code else ""
    return {
        "kind": kind,
        "title": title,
        "lang": language,
        "khmer_digits": language == "km",
        "code": shown(code) if code else "",
        "code_label": _("Code"),
        "page_words": _("page %(page)s of %(pages)s", page="{page}", pages="{pages}"),
        "footer": _say(g.country.portal_name, language),
        "demo": _("Demonstration: all texts, figures and replies are invented.") if g.view.demo else "",
        "qr": segno.make(url, error="m").svg_inline(scale=4, border=1) if url else "",
        "qr_words": _("QR code of the address where this paper can be checked"),
        "url": url,
        "sides": list(sides),
        "total_word": _("Total"),
        "evidence_word": _("Evidence"),
        "warnings_word": _("Warnings kept, and why"),
        **more,
    }


def about(asked: Sequence[AskedRecommendation], language: str) -> str:
    """Return what a reply is about in a line: document and paragraph, or the institution itself."""
    if not asked:
        return str(_("Questions about your institution"))
    return f"{asked[0].symbol}, {_('paragraph')} {figures(citation(asked), language)}"


def facts_of(receipt: Receipt, language: str) -> list[tuple[Any, ...]]:
    """Return what a receipt and a certificate say of a hand-in, in one language."""
    head, zone = receipt.head, g.country.time_zone
    of = receipt.content["questionnaire"]
    facts: list[tuple[Any, ...]] = [
        (_("Institution"), _say(head.institution_names, language), True),
        (_("Round"), _say(head.round_titles, language)),
        (_("About"), about(receipt.asked, language)),
        (
            _("Questionnaire"),
            _(
                "%(title)s, version %(number)s",
                title=_say(definition(db.session, head.version_id).titles, language) or of.get("code", ""),
                number=figures(of.get("version", ""), language),
            ),
        ),
        (_("Questions answered"), figures(receipt.answers, language)),
        (_("Handed in"), moment_words(receipt.at, zone, language), True),
    ]
    facts.extend(_signature(receipt, language))
    facts.append(("SHA-256", receipt.sha256))
    return facts


def _signature(receipt: Receipt, language: str) -> Iterator[Fact]:
    if receipt.action is Action.HAND_IN:
        yield _("Signature"), _("none is asked for in this round")
        return
    if receipt.signed_at is None:
        yield _("Signature"), _("to follow on paper")
        return
    if receipt.letter is None:
        signer = receipt.content.get("signer") or {}
        names = signer.get("names") or actor_names(db.session, [receipt.done_by]).get(receipt.done_by, {})
        yield _("Signed by"), " ".join(filter(None, (_say(signer.get("honorific"), language), _say(names, language))))
        if post := _say(signer.get("post"), language):
            yield _("Post"), post
        yield _("Signature"), _("on screen, with the password")
        return
    letter = receipt.letter
    if letter.name or letter.pictured:
        yield _("Signed by"), letter.name or _("as written on the signed cover")
    if letter.post:
        yield _("Post"), letter.post
    if letter.on is not None:
        words = _("letter %(number)s of %(day)s", number=letter.number, day=both_calendars(letter.on, language))
        yield _("Signature on paper"), words
    else:
        kept = letter.pictured
        yield _("Signature"), _("on paper") if kept else _("on paper; recorded by the secretariat, without a scan")
    yield _("Recorded"), moment_words(receipt.signed_at, g.country.time_zone, language)


def standing(receipt: Receipt) -> str:
    """Say whether a hand-in still stands, or since when and why it does not; first, that its bytes were changed."""
    if not receipt.whole:
        return changed_since()
    if receipt.ended is None:
        return str(_("This hand-in stands."))
    day = _day_of(receipt.ended_at) if receipt.ended_at else ""
    words = {
        Action.RECALL: _("Void since %(day)s: the institution took it back.", day=day),
        Action.RETURN: _("Void since %(day)s: it was returned with questions.", day=day),
        Action.REOPEN: _("Void since %(day)s: the reply was opened again.", day=day),
        Action.WITHDRAW: _("Void since %(day)s: the request was withdrawn.", day=day),
    }
    return str(words[receipt.ended])


def changed_since() -> str:
    """Say of frozen bytes that they have their checksum no more: nothing else that a paper vouches for counts then."""
    return str(_("What is stored is not what was handed in: its checksum differs. Tell the secretariat."))


def _day_of(moment: datetime) -> str:
    return both_calendars(local_day(moment, g.country.time_zone), g.view.language)


def receipt_paper(receipt: Receipt, kind: str) -> Paper:
    """Return a receipt, or a certificate, of one hand-in in all languages of the portal."""

    def side(language: str) -> dict[str, Any]:
        name = _say(receipt.head.institution_names, language)
        if kind == "certificate":
            title = _("Certificate")
            lead = _("It is certified that %(institution)s has handed in the reply described here.", institution=name)
        else:
            title = _("Receipt")
            lead = _("The reply of %(institution)s was received.", institution=name)
        return {
            "title": title,
            "lead": lead,
            "facts": facts_of(receipt, language),
            "standing": "" if receipt.stands and receipt.whole else standing(receipt),
        }

    title = _("Certificate") if kind == "certificate" else _("Receipt")
    return paper(kind, title, receipt.code, in_each_language(side), list_url="")


def bare_pages(pages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return pages read aloud as far as paper shows them."""
    return [{"label": page["label"], "rows": [_bare_row(row) for row in page["rows"]]} for page in pages]


def _bare_row(row: Mapping[str, Any]) -> dict[str, Any]:
    table = row.get("table")
    texts = [list(pair) for pair in row["texts"]]
    if row["control"] == "file" and texts and texts[0][1].isdecimal():
        listed = ngettext("%(num)s file, listed below", "%(num)s files, listed below", int(texts[0][1]))
        texts = [["", digits(listed)]]
    return {
        "label": row["label"],
        "words": row["words"],
        "texts": texts,
        "message": row["message"],
        "table": table
        and {
            "heads": table["heads"],
            "lines": [
                {"label": line["label"], "cells": [_bare_row(cell) for cell in line["cells"]]}
                for line in table["lines"]
            ],
            "totals": table["totals"],
        },
    }


def evidence_line(number: int, name: str, sha256: str | None, *, secret: bool) -> str:
    """Return how paper names a piece of evidence.

    Paper goes through many hands: of what is confidential it gives the number and the beginning of its hash, by which
    whoever may open it knows the file, and not its name.
    """
    if not secret:
        return f"[E{number}] {name}"
    return " ".join(filter(None, (f"[E{number}]", _("(confidential: open it in the portal)"), (sha256 or "")[:16])))


def page_of(data: Paper, *, pdf_url: str, back_url: str, back: str) -> str:
    """Draw a paper as a page that prints cleanly."""
    return render_template(
        "papers/page.html", paper=data, pdf_url=pdf_url, pdf=available(), back_url=back_url, back=back
    )


def pdf_of(data: Paper, name: str) -> ResponseReturnValue:
    """Give a paper as a PDF; while PDFs cannot be made yet, say so (503) and that the page prints as well."""
    if not available():
        sentence = _("PDFs are being prepared on this server. Until then print the page itself.")
        page = render_template("errors/error.html", status=503, code="pdf_not_ready", message=sentence)
        response = make_response(page, 503)
        response.headers["Retry-After"] = "60"
        return response
    # the answer to a reading request: no transaction is open while it is set
    db.session.rollback()
    response = Response(typeset(data), mimetype="application/pdf")
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}.pdf"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response
