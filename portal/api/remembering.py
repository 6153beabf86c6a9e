"""Examples of recommendations carried out, and what earlier reports said on a recommendation."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from flask import request
from flask_babel import lazy_gettext as _l
from spectree import Response

from portal.api import paper_shapes as shapes
from portal.api.door import answer, blueprint, named, once, operation, take
from portal.api.replies import REFUSALS
from portal.blueprints import receiving
from portal.blueprints.examples.door import load as load_example
from portal.blueprints.guard import requires, who
from portal.blueprints.recommendations.room import country
from portal.blueprints.recommendations.room import load as load_recommendation
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.models import Example, ExampleAct, Recommendation
from portal.permissions import Permission, everywhere
from portal.queries import examples as queries
from portal.queries.reported import texts_of
from portal.services import examples as services
from portal.services import reported
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from portal.queries.examples import ExampleLine


def _example(public_id: str) -> Example:
    return load_example(named(public_id))


def _recommendation(public_id: str) -> Recommendation:
    return load_recommendation(named(public_id))


def _shape(one: ExampleLine) -> shapes.Example:
    return shapes.Example(
        id=one.public_id,
        state=one.state.value,
        institution=one.institution_code,
        recommendation=one.recommendation,
        cite=one.cite,
        titles=dict(one.titles),
        texts=dict(one.texts),
        url=one.url,
        filename=one.filename,
        consent=one.consent,
        sent_at=one.created_at,
    )


def _spoken(given: Mapping[str, str], field: str) -> dict[str, str]:
    """Return texts by language. Raises: Invalid: one is in no language of this portal."""
    if not given.keys() <= set(country().languages):
        sentence = _l("Use the languages of this portal.")
        raise Invalid(sentence, problems=[Problem(sentence, field=field)])
    return dict(given)


@blueprint.get("/examples")
@requires(Permission.VIEW_EXAMPLE)
@operation("listExamples", resp=Response(HTTP_200=shapes.Examples, **REFUSALS))
def list_examples() -> ResponseReturnValue:
    """List the examples of the caller's own institution, or of all for the secretariat."""
    principal = who()
    of_all = everywhere(principal, Permission.VIEW_EXAMPLE)
    if not of_all and principal.institution_id is None:
        raise NotFound
    found = queries.examples(db.session, institution_id=None if of_all else principal.institution_id)
    return answer(shapes.Examples(items=[_shape(one) for one in found]))


@blueprint.post("/examples")
@requires(Permission.SEND_EXAMPLE)
@operation("sendExample", json=shapes.ExampleIn, resp=Response(HTTP_201=shapes.Example, **REFUSALS))
def send_example() -> ResponseReturnValue:
    """Send an example of a recommendation carried out; it waits to be checked. Its file follows (attachExampleFile)."""
    given = take(shapes.ExampleIn)
    told = services.Told(
        _spoken(given.titles, "titles"), _spoken(given.texts, "texts"), given.url.strip(), consent=given.consent
    )
    of = _recommendation(given.recommendation)
    services.judge(told, of)

    def act(session: Session) -> tuple[shapes.Example, int]:
        made = services.send(session, session.get_one(Recommendation, of.id), told, by=who())
        return _shape(queries.line_of(session, made.id)), 201

    return once(act, body=given.model_dump(mode="json"))


@blueprint.post("/examples/<public_id>/file")
@requires(Permission.SEND_EXAMPLE, on=_example)
@operation("attachExampleFile", form=shapes.ExampleFileIn, resp=Response(HTTP_201=shapes.Example, **REFUSALS))
def attach_example_file(one: Example) -> ResponseReturnValue:
    """Add the file of an example while it waits to be checked: multipart/form-data with ``file``; one at most."""
    given = request.files.get("file")
    if given is None or not given.filename:
        sentence = _l("Choose a file first.")
        raise Invalid(sentence, problems=[Problem(sentence, field="file")])
    received = receiving.receive(given)

    def act(session: Session) -> tuple[shapes.Example, int]:
        services.attach(session, one, received, by=who())
        return _shape(queries.line_of(session, one.id)), 201

    return once(act, body={"name": received.filename, "sha256": received.sha256})


@blueprint.get("/examples/<public_id>/file")
@requires(Permission.VIEW_EXAMPLE, on=_example)
@operation("getExampleFile", resp=Response("HTTP_200", **REFUSALS))
def get_example_file(one: Example) -> ResponseReturnValue:
    """Give the file of an example, always as a download."""
    if one.sha256 is None:
        raise NotFound
    return receiving.give(one.sha256, one.media_type, one.filename, None)


@blueprint.post("/examples/<public_id>/acts")
@requires(Permission.JUDGE_EXAMPLE, on=_example)
@operation("judgeExample", json=shapes.ExampleActIn, resp=Response(HTTP_200=shapes.Example, **REFUSALS))
def judge_example(one: Example) -> ResponseReturnValue:
    """Check an example, clear it for publication, note where it is used, refuse it, or take publication back."""
    given = take(shapes.ExampleActIn)

    def act(session: Session) -> tuple[shapes.Example, int]:
        services.act(session, one, ExampleAct(given.act), reason=given.reason, by=who())
        return _shape(queries.line_of(session, one.id)), 200

    return once(act, body=given.model_dump(mode="json"))


def _texts(session: Session, recommendation_id: int) -> shapes.ReportedTexts:
    return shapes.ReportedTexts(
        items=[
            shapes.ReportedText(
                source=one.source,
                paragraph=one.paragraph,
                reported_on=one.reported_on,
                texts=dict(one.texts),
                revision=one.revision,
                newest=one.newest,
            )
            for one in texts_of(session, recommendation_id)
        ]
    )


@blueprint.get("/recommendations/<public_id>/reported")
@requires(Permission.EDIT_RECOMMENDATIONS, on=_recommendation)
@operation("getReported", resp=Response(HTTP_200=shapes.ReportedTexts, **REFUSALS))
def get_reported(one: Recommendation) -> ResponseReturnValue:
    """Tell what reports of the State said on a recommendation, each with its revision."""
    return answer(_texts(db.session, one.id))


@blueprint.post("/recommendations/<public_id>/reported")
@requires(Permission.EDIT_RECOMMENDATIONS, on=_recommendation)
@operation("setReported", json=shapes.ReportedIn, resp=Response(HTTP_200=shapes.ReportedTexts, **REFUSALS))
def set_reported(one: Recommendation) -> ResponseReturnValue:
    """Write what a report said on a recommendation, against the revision that the writer saw."""
    given = take(shapes.ReportedIn)
    texts = _spoken(given.texts, "texts")
    report = reported.Report(given.source, given.paragraph, _day(given.reported_on))

    def act(session: Session) -> tuple[shapes.ReportedTexts, int]:
        of = session.get_one(Recommendation, one.id)
        reported.set_reported(session, of, report, texts, base=given.base, by=who())
        session.flush()
        return _texts(session, one.id), 200

    return once(act, body=given.model_dump(mode="json"))


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        sentence = _l("Write the day as 2021-03-31.")
        raise Invalid(sentence, problems=[Problem(sentence, field="reported_on")]) from None
