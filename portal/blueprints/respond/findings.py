"""What the check page finds: unanswered, too long, contradictory, without evidence, different between languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import redirect, request, url_for
from flask_babel import ngettext

from forms.answers import AnswerKey
from forms.tables import answered_codes, countable
from forms.warnings import over_budget
from portal.blueprints.answering import AnsweringPage
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.posting import load
from portal.blueprints.respond.door import blueprint, own_reply
from portal.database import write
from portal.errors import IllegalTransition, Invalid
from portal.extensions import db
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission, can
from portal.queries import submissions as queries
from portal.queries.collected import still_open
from portal.queries.kept_warnings import kind_words
from portal.services import kept_warnings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask.typing import ResponseReturnValue

    from portal.queries.submissions import SubmissionHead
    from portal.services.kept_warnings import Open


def warned_of(answering: AnsweringPage) -> list[Open]:
    """Look for everything that warns in a reply."""
    reply = queries.StoredReply(answering.stored, answering.stored_rows)
    return kept_warnings.warned(
        db.session, answering.head, answering.definition, reply, answering.evaluation, answering.context
    )


def findings(answering: AnsweringPage) -> dict[str, Any]:
    """Return what the check page lists beside what blocks: warnings, what is not answered, what is too long."""
    hidden = answering.evaluation.hidden
    answered = answered_codes(answering.definition, answering.stored, answering.rows, hidden)
    blocking = {key.code for key in answering.evaluation.missing}
    empty = [
        AnswerKey(code)
        for code in countable(answering.definition)
        if code not in hidden and code not in answered and code not in blocking
    ]
    return {
        "warnings": [warning_view(answering, one) for one in warned_of(answering)],
        "unanswered": [answering.place_of(key) for key in empty],
        "long": [
            (*answering.place_of(one.key), one.words, one.budget)
            for one in over_budget(answering.definition, answering.stored, hidden)
        ],
        "units": _units(answering.head),
        "can_keep": answering.head.status in EDITABLE
        and can(who(), Permission.ANSWER_SUBMISSION, answering.head),
    }


def _units(head: queries.SubmissionHead) -> list[tuple[str, int, int]]:
    """Return where units were asked and something is still to come: address, how many are at work, how many are new."""
    if head.status not in EDITABLE or not can(who(), Permission.SHARE_SUBMISSION, head):
        return []
    return [
        (url_for("respond.collection", public_id=one.public_id), one.unfinished, one.untaken)
        for one in still_open(db.session, head.id)
    ]


def warning_view(answering: AnsweringPage, one: Open) -> dict[str, str]:
    """Return one warning as pages show it."""
    label, url = answering.place_of(one.warned.key)
    return {
        "name": one.warned.name,
        "kind": kind_words()[one.warned.kind],
        "label": label,
        "url": url,
        "sentence": str(one.warned.sentence),
        "reason": one.reason,
    }


def kept_of(answering: AnsweringPage) -> list[dict[str, str]]:
    """Return the warnings that were kept with a reason, for whoever signs or reads."""
    return [warning_view(answering, one) for one in warned_of(answering) if one.reason]


@blueprint.post("/replies/<public_id>/warnings")
@requires(Permission.ANSWER_SUBMISSION, on=own_reply)
def keep_warnings(head: SubmissionHead) -> ResponseReturnValue:
    """Keep warnings, each with the reason written beside it."""
    from portal.blueprints.respond.acts import check_page

    definition, _ids = load(head)
    answering = AnsweringPage(head, queries.stored_reply(db.session, head.id, definition), who(), definition)
    found = warned_of(answering)
    try:
        with write() as session:
            done = kept_warnings.keep_warnings(session, head, found, _reasons(found), by=who())
    except IllegalTransition:
        raise
    except Invalid as error:
        return check_page(head, error=str(error), status=422, at="warnings")
    notice(ngettext("%(num)s warning is kept with its reason.", "%(num)s warnings are kept with their reasons.", done))
    return redirect(url_for("respond.check", public_id=head.public_id) + "#warnings", code=303)


def _reasons(found: Sequence[Open]) -> dict[str, str]:
    """Return the reasons that were written, by warning; one whose answers changed meanwhile is asked anew."""
    return {
        one.warned.name: request.form.get(f"reason:{one.warned.name}", "")
        for one in found
        if request.form.get(f"basis:{one.warned.name}", one.warned.basis) == one.warned.basis
    }
