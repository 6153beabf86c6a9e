"""Sharing out the work on a reply: who was handed what, and a link and a code for one person more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import segno
from flask import current_app, g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from forms.following import asked_only_if, follow_ups
from forms.quoting import quoted
from forms.sharing import UntilForm, share_form
from forms.tables import answered_codes, countable, may_change
from portal import clock
from portal.blueprints.answering import recommendation_box
from portal.blueprints.guard import requires, who
from portal.blueprints.holding import last_day
from portal.blueprints.once import shown_once
from portal.blueprints.page import notice
from portal.blueprints.posting import load
from portal.blueprints.respond.door import blueprint, own_reply
from portal.blueprints.respond.sharing_texts import messages, reminder, stage_words
from portal.database import write
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.models import Delegation
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission
from portal.queries import sharing as queries
from portal.queries.submissions import (
    asked_recommendations,
    citation,
    head_by_id,
    standing_rows,
    stored_reply,
    title_of,
)
from portal.reader import date_text, languages
from portal.services import sharing as services
from portal.table import pick

if TYPE_CHECKING:
    from datetime import datetime

    from flask.typing import ResponseReturnValue

    from forms.base import PortalForm
    from forms.definition.model import Definition, Item
    from portal.queries.sharing import SharedLine
    from portal.queries.submissions import SubmissionHead


class DelegationOf:
    """Something shared, with the reply that it serves; permissions look at the reply."""

    def __init__(self, delegation: Delegation, head: SubmissionHead) -> None:
        self.delegation, self.head = delegation, head
        self.institution_id, self.status = head.institution_id, head.status


def delegation_on(public_id: str) -> DelegationOf:
    """Load something that one's own institution shared."""
    found = queries.find_delegation(db.session, public_id)
    if found is None:
        raise NotFound
    head = head_by_id(db.session, queries.home_of(db.session, found))
    if head.institution_id != who().institution_id:
        raise NotFound
    return DelegationOf(found, head)


@blueprint.get("/replies/<public_id>/share")
@requires(Permission.SHARE_SUBMISSION, on=own_reply)
def share(head: SubmissionHead) -> ResponseReturnValue:
    """Show with whom a reply is shared, and the form that hands questions to one person more."""
    return _share_page(head, _form(head))


def _form(head: SubmissionHead) -> PortalForm:
    form = share_form(_colleagues(head))()
    if form.until.data is None and request.method == "GET":
        form.until.data = services.default_day(head.due_on, today())
    return form


def today() -> Any:
    """Return the present day in the country."""
    return clock.today(g.country.time_zone)


def _colleagues(head: SubmissionHead) -> list[tuple[str, str]]:
    return [
        (public_id, pick(one.names, g.view.language, g.country.languages))
        for public_id, one in queries.colleagues(db.session, head.institution_id).items()
        if one.id != who().user_id
    ]


def question_groups(head: SubmissionHead, definition: Definition, chosen: set[str]) -> list[dict[str, Any]]:
    """Return the questions of a reply by page, as boxes to tick: what is open to be changed.

    What is not asked at present says when it will be; a question says what goes along with it.
    """
    stored, rows = stored_reply(db.session, head.id, definition)
    done = answered_codes(definition, stored, standing_rows(rows), head.hidden)
    spoken_in = g.view.language, tuple(g.country.languages)
    groups = []
    for page in definition.pages:
        questions = [
            {
                "code": code,
                "label": spoken(definition.question(code), *spoken_in),
                "done": code in done and code not in head.hidden,
                "table": definition.question(code).kind in {"repeat", "matrix"},
                "chosen": code in chosen or page.code in chosen,
                "when": _when(definition, code) if code in head.hidden else "",
                "along": [
                    spoken(definition.question(one), *spoken_in)
                    for one in follow_ups(definition, [code], head.hidden)
                    if may_change(definition, one, head.unlocked)
                ],
            }
            for code in countable(definition, page.code)
            if may_change(definition, code, head.unlocked)
        ]
        if questions:
            title = spoken(page, *spoken_in)
            groups.append({"code": page.code, "title": title, "questions": questions, "chosen": page.code in chosen})
    return groups


def _when(definition: Definition, code: str) -> str:
    """Say when a question is asked that is not asked at present."""
    rule = asked_only_if(definition, code, g.view.language, tuple(g.country.languages))
    return str(_("Asked only if %(rule)s.", rule=rule) if rule else _("Other answers decide whether this is asked."))


def spoken(item: Item, language: str, languages: tuple[str, ...]) -> str:
    """Return the wording of an item in a list: without what it quotes."""
    label = item.text("label", language, languages)
    while "${" in label:
        before, _sign, after = label.partition("${")
        label = f"{before}…{after.partition('}')[2]}"
    return label or item.code


def about(head: SubmissionHead) -> dict[str, Any]:
    """Return what a reply is about: recommendation, citation, title."""
    asked = asked_recommendations(db.session, [head.assignment_id]).get(head.assignment_id, [])
    language, known = g.view.language, g.country.languages
    title = _("Questions about your institution") if head.about_institution else title_of(asked, language, known)
    return {
        "recommendation": recommendation_box(asked, language, g.country) if asked else None,
        "cite": f"{asked[0].mechanism} · {_('paragraph')} {citation(asked)}" if asked else "",
        "title": title,
    }


def _share_page(head: SubmissionHead, form: PortalForm, *, status: int = 200) -> ResponseReturnValue:
    definition, _ids = load(head)
    chosen = set(request.form.getlist("codes")) | ({request.args["code"]} if "code" in request.args else set())
    lines = queries.shared_lines(db.session, head, definition)
    page = render_template(
        "respond/share.html",
        head=head,
        form=form,
        open=head.status in EDITABLE,
        groups=question_groups(head, definition, chosen),
        lines=[line_view(line, head, definition) for line in lines],
        collections=collection_rows(queries.collections_of(db.session, [head.id])),
        owed_url=url_for("respond.owed", round=head.round_slug),
        institution=pick(head.institution_names, g.view.language, g.country.languages),
        **about(head),
    )
    return page, status


def collection_rows(found: list[queries.CollectionLine]) -> list[dict[str, Any]]:
    """Return collections as a list shows them."""
    return [
        {
            "url": url_for("respond.collection", public_id=one.collection.public_id),
            "units": one.units,
            "begun": one.begun,
            "finished": one.finished,
            "until": last_day(one.collection.expires_at),
            "over": one.collection.expires_at <= clock.now(),
            "taken_at": one.collection.taken_at,
            "questions": len(one.collection.items),
        }
        for one in found
    ]


def line_view(line: SharedLine, head: SubmissionHead, definition: Definition) -> dict[str, Any]:
    """Return one delegation as its focal point follows it."""
    one = line.delegation
    spoken_in = g.view.language, tuple(g.country.languages)
    known = definition.compiled.by_code
    return {
        "public_id": one.public_id,
        "name": one.name,
        "contact": one.contact,
        "account": one.user_id is not None,
        "stage": line.stage.value,
        "words": stage_words(line),
        "running": line.running,
        "answered": line.answered,
        "asked": line.asked,
        "until": last_day(one.expires_at),
        "message": one.message,
        "finished_at": one.finished_at,
        "note": one.note,
        # a newer version may not ask one any more
        "questions": [spoken(known[code], *spoken_in) for code in one.items if code in known],
        "remind": [] if one.finished_at or not line.running else [
            (own.code, own.name, reminder(one, head, own.code)) for own in languages()
        ],
        "new_day": services.default_day(head.due_on, today()),
    }  # fmt: skip


def shared_with_me() -> list[dict[str, Any]]:
    """Return what the signed-in person was handed by a colleague and has not finished."""
    me = who()
    found = queries.shared_with(db.session, me.user_id, me.institution_id) if me.user_id and me.institution_id else []
    return [
        {
            "url": url_for("shared.work", public_id=one.delegation.public_id),
            "title": about(one.head)["title"],
            "cite": about(one.head)["cite"],
            "asked": sum(1 for code in one.delegation.items if code not in one.head.hidden),
            "until": last_day(one.delegation.expires_at),
            "note": one.delegation.note,
        }
        for one in found
    ]


@blueprint.post("/replies/<public_id>/share")
@requires(Permission.SHARE_SUBMISSION, on=own_reply)
def delegate(head: SubmissionHead) -> ResponseReturnValue:
    """Hand questions to a person, and show link and code once: to copy, to print, as a QR picture."""
    definition, _ids = load(head)
    form = _form(head)
    codes = services.with_follow_ups(definition, request.form.getlist("codes"), head)
    # everything that is missing is said at once
    if not codes:
        form.codes_error = str(services.NONE_CHOSEN)
    if not form.validate_on_submit() or not codes:
        return _share_page(head, form, status=422)
    colleague = queries.colleagues(db.session, head.institution_id).get(form.colleague.data or "")
    name = form.name.data or (pick(colleague.names, g.view.language, g.country.languages) if colleague else "")
    asked = services.Asked(
        codes,
        services.end_of(form.until.data, g.country.time_zone),
        quoted(definition, codes) if request.form.get("quote") == "y" else (),
        form.note.data or "",
    )
    try:
        with write() as session:
            given = services.delegate(
                session, head, definition, asked, name=name, contact=form.contact.data or "", colleague=colleague,
                by=who(),
            )  # fmt: skip
    except Invalid as error:
        return _share_page(head, placed(form, error), status=422)
    if colleague is not None:
        notice(_("%(name)s finds the questions under “What I owe”.", name=name))
        return redirect(url_for("respond.share", public_id=head.public_id), code=303)
    return given_page(head, given)


def placed(form: PortalForm, error: Invalid) -> PortalForm:
    """Put the sentences of a refusal beside their fields, else beside the day."""
    for problem in error.problems:
        field = form._fields.get(problem.field or "", form._fields["until"])
        field.errors = [*field.errors, str(problem.message)]
        if problem.field == "codes":
            field.errors = list(field.errors)[:-1]
            form.codes_error = str(problem.message)
    return form


def given_page(head: SubmissionHead, given: services.Given) -> str:
    """Show link and code once; the page sent again leads to where they belong."""
    url, back_url = link_of(given), _home(head, given.delegation)
    shown_once(back_url)
    return render_template(
        "respond/shared_with.html",
        head=head,
        name=given.delegation.name,
        code=given.spoken_code,
        url=url,
        texts=messages(given, head, url),
        qr=segno.make(url, error="m").svg_data_uri(scale=5, border=2),
        until=last_day(given.delegation.expires_at),
        back_url=back_url,
    )


def _home(head: SubmissionHead, delegation: Delegation) -> str:
    """Return the page on which a delegation is followed."""
    if delegation.collection_id is not None:
        return collection_url(delegation)
    return url_for("respond.share", public_id=head.public_id)


def collection_url(delegation: Delegation) -> str:
    """Return the page of the collection that a unit belongs to."""
    from portal.models import Collection

    found = db.session.get_one(Collection, delegation.collection_id)
    return url_for("respond.collection", public_id=found.public_id)


def link_of(given: services.Given) -> str:
    """Return the address that takes a token, from the settings alone, never from a request (host header attacks)."""
    return f"{current_app.config['SETTINGS'].base_url.rstrip('/')}/shared/{given.token}"


def _until(head: SubmissionHead) -> datetime:
    form = UntilForm()
    if not form.validate_on_submit():
        return services.end_of(services.default_day(head.due_on, today()), g.country.time_zone)
    return services.end_of(form.until.data, g.country.time_zone)


def _back(on: DelegationOf) -> ResponseReturnValue:
    return redirect(_home(on.head, on.delegation), code=303)


@blueprint.post("/delegations/<public_id>/extend")
@requires(Permission.SHARE_SUBMISSION, on=delegation_on)
def extend_delegation(on: DelegationOf) -> ResponseReturnValue:
    """Give a person more time; link and code stay."""
    until = _until(on.head)
    with write() as session:
        services.extend(session, on.head, session.get_one(Delegation, on.delegation.id), until=until, by=who())
    notice(_("%(name)s has time until %(day)s.", name=on.delegation.name, day=date_text(last_day(until))))
    return _back(on)


@blueprint.post("/delegations/<public_id>/renew")
@requires(Permission.SHARE_SUBMISSION, on=delegation_on)
def renew_delegation(on: DelegationOf) -> ResponseReturnValue:
    """Make a new link and code and show them once; the old ones open nothing any more."""
    until = max(_until(on.head), on.delegation.expires_at)
    with write() as session:
        given = services.renew(
            session, on.head, session.get_one(Delegation, on.delegation.id), until=until, by=who()
        )
    return given_page(on.head, given)


@blueprint.post("/delegations/<public_id>/revoke")
@requires(Permission.SHARE_SUBMISSION, on=delegation_on)
def revoke_delegation(on: DelegationOf) -> ResponseReturnValue:
    """Take questions back from a person."""
    with write() as session:
        services.revoke(session, on.head, session.get_one(Delegation, on.delegation.id), by=who())
    notice(_("Taken back from %(name)s. What was saved stays in the reply.", name=on.delegation.name))
    return _back(on)

