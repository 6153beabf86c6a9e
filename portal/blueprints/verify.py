"""For anybody who holds a paper of the portal: what its code vouches for, and nothing of the answers."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from portal.blueprints.guard import public
from portal.blueprints.papers import about, changed_since, facts_of, standing
from portal.database import write
from portal.extensions import db
from portal.papers.days import both_calendars, figures, local_day
from portal.queries import receipts
from portal.queries.packs import packed_in, printed
from portal.queries.receipts import is_code, shown, spell
from portal.services import lookups
from portal.services.packs import seal
from portal.table import pick

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from portal.queries.receipts import PackSeen

blueprint = Blueprint("verify", __name__)


@blueprint.get("/verify")
@public
def ask() -> ResponseReturnValue:
    """Ask for the code that stands on a paper; a code leads to what it vouches for, anything else is asked again."""
    typed = request.args.get("code", "").strip()
    if is_code(wanted := spell(typed)):
        return redirect(url_for("verify.code", code=shown(wanted)), code=303)
    return _ask(typed) if typed else render_template("verify/ask.html", typed="", error="")


@blueprint.get("/verify/<code>")
@public
def code(code: str) -> ResponseReturnValue:
    """Say what was handed in by whom and when, and whether it stands."""
    caller = lookups.caller(str(current_app.secret_key), request.remote_addr or "")
    if lookups.too_many(db.session, caller):
        sentence = _("Too many codes were looked up from here. Wait a minute, then try again.")
        page = render_template("errors/error.html", status=429, code="too_many", message=sentence)
        response = make_response(page, 429)
        response.headers["Retry-After"] = "60"
        return response
    wanted = spell(code)
    if is_code(wanted):
        if (found := receipts.find_receipt(db.session, wanted)) is not None:
            return _page(
                shown(wanted),
                facts_of(found, g.view.language),
                standing(found),
                "good" if found.stands and found.whole else "bad",
            )
        if (pack := receipts.find_pack_by_code(db.session, wanted)) is not None:
            return _pack(pack)
    with write() as session:
        lookups.note_miss(session, caller)
    return _ask(code)


def _ask(typed: str) -> ResponseReturnValue:
    """Ask again for a code that vouches for nothing, with what was typed."""
    sentence = _("Nothing was handed in under this code. Compare it with the paper, letter by letter.")
    return render_template("verify/ask.html", typed=typed[:100], error=sentence), 404


def _page(code: str, facts: Any, words: str, kind: str) -> ResponseReturnValue:
    return render_template("verify/code.html", code=code, facts=facts, standing=words, kind=kind)


def _pack(seen: PackSeen) -> ResponseReturnValue:
    """Say of a pack what was printed and what became of it."""
    pack, language, languages = seen.pack, g.view.language, g.country.languages
    rows = packed_in(db.session, pack.id)
    signed = sum(1 for one in rows if one.signed)
    left = sum(1 for one in rows if one.left_by is not None)
    facts = [
        (_("Institution"), pick(seen.institution, language, languages), True),
        (_("Round"), pick(seen.round_titles, language, languages)),
        (_("Printed for signature"), both_calendars(local_day(pack.made_at, g.country.time_zone), language)),
        (_("Replies"), figures(len(rows), language)),
        (_("About"), "; ".join(about(one.asked, language) for one in rows)),
        ("SHA-256", pack.sha256),
    ]
    if pack.signed_at is not None and pack.letter_on is not None:
        day = both_calendars(pack.letter_on, language)
        words = _("letter %(number)s of %(day)s", number=pack.letter_number, day=day)
        facts.append((_("Signature on paper"), words))
        facts.append((_("Signed with it"), figures(signed, language)))
        said, kind = _("The signed cover of this pack is here."), "good"
    elif pack.cancelled_at is not None:
        said, kind = _("This pack was taken back: its paper is void."), "bad"
    elif not any(one.open for one in rows):
        said, kind = _("Nothing in this pack waits for a signature any more: its paper is worth nothing."), "bad"
    else:
        said, kind = _("This pack is out to be signed."), "warn"
    if left:
        facts.append((_("Taken out of the pack since"), figures(left, language)))
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in printed(db.session, pack.id).values()]
    if seal(pack.code, hashes) != pack.sha256:
        said, kind = changed_since(), "bad"
    return _page(shown(pack.code), facts, said, kind)
