"""Creating and changing a round, closing and freezing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, redirect, render_template, request, url_for
from flask_babel import gettext as _

from forms.rounds import round_form
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.rounds.door import after, blueprint, languages, list_url, round_of
from portal.database import write
from portal.errors import Invalid
from portal.extensions import db
from portal.models import QuestionnaireScope, ReportingRound, SignOffPolicy
from portal.permissions import Permission
from portal.queries import questionnaires
from portal.queries import rounds as look
from portal.services import rounds
from portal.table import pick

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

    from forms.people import TextsForm

DATES = ("opens_on", "due_on", "closes_on", "freezes_on")


def _form(of: ReportingRound | None) -> Any:
    language = g.view.language
    versions = questionnaires.versions(db.session, published=True)

    def named(scope: QuestionnaireScope) -> list[tuple[int, str]]:
        return [
            (
                one.id,
                _(
                    "%(title)s, version %(number)s (%(count)s questions)",
                    title=pick(one.titles, language, g.country.languages),
                    number=one.number,
                    count=one.questions,
                ),
            )
            for one in versions
            if one.scope == scope
        ]

    made = round_form(
        languages(),
        documents=[
            (one.id, f"{one.symbol} · {pick(one.titles, language, g.country.languages)}")
            for one in look.documents(db.session)
        ],
        about_recommendations=named(QuestionnaireScope.RECOMMENDATION),
        about_institutions=named(QuestionnaireScope.INSTITUTION),
    )
    form = made()
    if request.method == "GET":
        _fill(form, of, versions)
    return form


def _fill(form: Any, of: ReportingRound | None, versions: list[questionnaires.VersionHead]) -> None:
    if of is None:
        short = [one for one in versions if one.scope == QuestionnaireScope.RECOMMENDATION and one.length == "short"]
        full = [one for one in versions if one.scope == QuestionnaireScope.RECOMMENDATION and one.length != "short"]
        about = [one for one in versions if one.scope == QuestionnaireScope.INSTITUTION]
        for name, found in (("short_version", short), ("full_version", full), ("institution_version", about)):
            form[name].data = found[0].id if found else None
        return
    for name in (*DATES, "un_due_on", "kind", "slug", "revision"):
        form[name].data = getattr(of, name)
    form.sign_off_policy.data = of.sign_off_policy.value
    for name in ("short_version", "full_version", "institution_version"):
        form[name].data = getattr(of, f"{name}_id")
    form.documents.data = [one.id for one in look.documents(db.session, of.id)]
    form.fill("titles", of.titles, languages())
    form.fill("message", of.message, languages())


def _facts(form: Any) -> rounds.RoundFacts:
    codes = list(languages())
    return rounds.RoundFacts(
        titles=form.texts("titles", codes),
        opens_on=form.opens_on.data,
        due_on=form.due_on.data,
        closes_on=form.closes_on.data,
        freezes_on=form.freezes_on.data,
        un_due_on=form.un_due_on.data,
        document_ids=form.documents.data or [],
        kind=form.kind.data,
        sign_off_policy=SignOffPolicy(form.sign_off_policy.data),
        short_version_id=form.short_version.data,
        full_version_id=form.full_version.data,
        institution_version_id=form.institution_version.data,
        message=form.texts("message", codes),
        slug=form.slug.data or "",
    )


def _page(form: Any, of: ReportingRound | None = None, status: int = 200) -> ResponseReturnValue:
    return (
        render_template(
            "rounds/edit.html",
            form=form,
            round=of,
            codes=list(languages()),
            errors=form.summary(),
            list_url=list_url(),
            before=rounds.BEFORE_UN_DUE,
        ),
        status,
    )


def _propose(form: Any) -> None:
    """Fill the four dates, counted back from the day the report is due at the UN."""
    if form.un_due_on.data is None:
        form.un_due_on.errors = [_("Write the day the report is due at the UN first.")]
        return
    for name, day in rounds.propose_dates(form.un_due_on.data).items():
        form[name].data = day
        # a date field shows what was typed rather than its value
        form[name].raw_data = None


@blueprint.get("/rounds/new")
@requires(Permission.EDIT_ROUND)
def new() -> ResponseReturnValue:
    """Show the empty facts of a new round."""
    return _page(_form(None))


@blueprint.post("/rounds/new")
@requires(Permission.EDIT_ROUND)
def create() -> ResponseReturnValue:
    """Start to prepare a round."""
    form = _form(None)
    if request.form.get("action") == "propose":
        form.un_due_on.validate(form)
        _propose(form)
        return _page(form)
    if not form.validate():
        return _page(form, status=422)
    try:
        with write() as database:
            made = rounds.create_round(database, _facts(form), by=who())
    except Invalid as error:
        return _refused(form, error)
    notice(_("The round is prepared. Now say who is asked about what."))
    return redirect(url_for("rounds.matrix", slug=made.slug), code=303)


@blueprint.get("/rounds/<slug>/edit")
@requires(Permission.EDIT_ROUND, on=round_of)
def edit(of: ReportingRound) -> ResponseReturnValue:
    """Show a round's facts and dates."""
    return _page(_form(of), of)


@blueprint.post("/rounds/<slug>/edit")
@requires(Permission.EDIT_ROUND, on=round_of)
def change(of: ReportingRound) -> ResponseReturnValue:
    """Change a round's facts and dates."""
    form = _form(of)
    if request.form.get("action") == "propose":
        _propose(form)
        return _page(form, of)
    if not form.validate():
        return _page(form, of, 422)
    try:
        with write() as database:
            rounds.change_round(database, of, _facts(form), revision=form.revision.data or 0, by=who())
    except Invalid as error:
        return _refused(form, error, of)
    notice(_("The round is changed."))
    return redirect(url_for("rounds.matrix", slug=of.slug), code=303)


def _refused(form: TextsForm, error: Invalid, of: ReportingRound | None = None) -> ResponseReturnValue:
    form.place(error.problems)
    return _page(form, of, 422)


@blueprint.post("/rounds/<slug>/close")
@requires(Permission.CLOSE_ROUND, on=round_of)
def close(of: ReportingRound) -> ResponseReturnValue:
    """Close a round: what is not handed in lapses."""
    with write() as database:
        lapsed = rounds.close_round(database, of, by=who())
    notice(_("The round is closed. Replies that lapsed: %(count)s.", count=lapsed))
    return redirect(after(of), code=303)


@blueprint.post("/rounds/<slug>/freeze")
@requires(Permission.CLOSE_ROUND, on=round_of)
def freeze(of: ReportingRound) -> ResponseReturnValue:
    """Freeze a closed round, so that the report can be written from it."""
    with write() as database:
        rounds.freeze_round(database, of, by=who())
    notice(_("The round is frozen: nothing is taken in late any more."))
    return redirect(after(of), code=303)
