"""One question to many institutions: choose whom, look at who gets it, send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import current_app, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from forms.question_types import question_type
from portal.blueprints.follow.door import cite, round_of, say
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.blueprints.talk.door import blueprint
from portal.database import write
from portal.errors import Invalid
from portal.extensions import db
from portal.models.base import uuid7
from portal.permissions import Permission
from portal.queries import asking as queries
from portal.queries.questionnaires import question_ids
from portal.services import asking as services
from portal.services.clarifications import body_of
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask.typing import ResponseReturnValue

    from forms.definition.model import Item
    from portal.models import ReportingRound
    from portal.queries.asking import Candidate

BATCH_LENGTH = 32


@blueprint.get("/rounds/<slug>/ask")
@requires(Permission.ASK_CLARIFICATION, on=round_of)
def ask(of: ReportingRound) -> ResponseReturnValue:
    """Choose whom a question goes to: by what was answered, by recommendation, by institution."""
    return _choosing(of, request.args)


def _wanted(given: Mapping[str, Any]) -> queries.Wanted:
    return queries.Wanted(*(given.get(name, "") for name in ("question", "answer", "recommendation", "institution")))


def _choosing(of: ReportingRound, given: Any, *, error: Invalid | None = None) -> str:
    wanted = _wanted(given)
    questions = queries.questions_of(db.session, of.id)
    found = queries.candidates(db.session, of.id, wanted, language=g.view.language)
    everybody = (
        found if wanted == queries.Wanted() else queries.candidates(db.session, of.id, queries.Wanted(), language="")
    )
    chosen = set(given.getlist("reply")) if error else {one.head.public_id for one in found}
    return render_template(
        "talk/ask.html",
        slug=of.slug,
        round_title=say(of.titles),
        fields=_fields(wanted, questions, everybody),
        wanted=wanted,
        clear_url=url_for("talk.ask", slug=of.slug),
        rows=[_row(one) | {"chosen": one.head.public_id in chosen} for one in found],
        label=_label(questions.get(wanted.question)),
        body=given.get("body", ""),
        error=error,
    )


def _label(item: Item | None) -> str:
    return item.text("label", g.view.language, tuple(g.country.languages)) if item is not None else ""


def _fields(
    wanted: queries.Wanted, questions: Mapping[str, Item], everybody: Sequence[Candidate]
) -> list[dict[str, Any]]:
    item = questions.get(wanted.question)
    answers: list[tuple[str, str]] = []
    if item is not None:
        answers = [*question_type(item.type).shown_choices(item, g.view.language)] if item.choices else []
        answers += [
            (queries.ANSWERED, _("answered")), (queries.NOT_ANSWERED, _("not answered")),
            (queries.NOT_AVAILABLE, _("not available")), (queries.NOT_APPLICABLE, _("not applicable")),
        ]  # fmt: skip
    recommendations = {asked.public_id: cite([asked]) for one in everybody for asked in one.asked}
    institutions = {one.head.institution_code: say(one.head.institution_names) for one in everybody}
    fields = [
        ("question", _("Question"), [(code, f"{code} · {_label(one)}") for code, one in questions.items()]),
        *([("answer", _("Answered with"), answers)] if item is not None else []),
        ("recommendation", _("Recommendation"), list(recommendations.items())),
        ("institution", _("Institution"), list(institutions.items())),
    ]
    return [
        {"name": name, "label": label, "kind": "select", "value": getattr(wanted, name), "choices": choices}
        for name, label, choices in fields
    ]


def _row(one: Candidate) -> dict[str, Any]:
    return {
        "public_id": one.head.public_id,
        "institution": say(one.head.institution_names),
        "cite": cite(one.asked),
        "status": one.head.status,
        "said": one.said,
    }


def _some(found: Sequence[Candidate]) -> None:
    if not found:
        sentence = _("Choose at least one reply.")
        raise Invalid(sentence, problems=[Problem(sentence, field="replies")])


@blueprint.post("/rounds/<slug>/ask")
@requires(Permission.ASK_CLARIFICATION, on=round_of)
def send(of: ReportingRound) -> ResponseReturnValue:
    """Show who gets the question, then send it: a thread for each reply, a mail for each person who is told."""
    wanted, picked = _wanted(request.form), set(request.form.getlist("reply"))
    found = [
        one
        for one in queries.candidates(db.session, of.id, wanted, language=g.view.language)
        if one.head.public_id in picked
    ]
    try:
        body = body_of(request.form.get("body", ""))
        _some(found)
    except Invalid as error:
        return _choosing(of, request.form, error=error), 422
    if request.form.get("step") != "send":
        return render_template(
            "talk/ask_sure.html",
            slug=of.slug,
            round_title=say(of.titles),
            rows=[_row(one) for one in found],
            institutions=len({one.head.institution_id for one in found}),
            wanted=wanted,
            label=_label(queries.questions_of(db.session, of.id).get(wanted.question)),
            body=body,
            batch=uuid7(),
        )
    batch = request.form.get("batch", "")[:BATCH_LENGTH] or uuid7()
    asked = [
        (one.head, question_ids(db.session, one.head.version_id).get(wanted.question) if wanted.question else None)
        for one in found
    ]
    base_url = str(current_app.config["SETTINGS"].base_url).rstrip("/")
    with write() as session:
        made = services.ask_many(session, asked, body, batch=batch, by=who(), base_url=base_url)
    notice(
        ngettext(
            "Your question was sent: %(num)s thread was opened.",
            "Your question was sent: %(num)s threads were opened.",
            made.threads,
        )
    )
    return redirect(url_for("talk.index", round=of.slug, state="open"), code=303)
