"""Examples in a list and one by one: an institution sees its own, the secretariat judges, observers read some."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from flask import current_app, g, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _

from portal.blueprints.examples.door import STATE_KINDS, act_names, blueprint, load, state_names
from portal.blueprints.guard import requires, who
from portal.blueprints.page import notice
from portal.database import write
from portal.errors import Conflict, Invalid, NotFound
from portal.extensions import db
from portal.models import Example, ExampleAct, ExampleState
from portal.permissions import Permission, can, everywhere, may
from portal.queries import examples as queries
from portal.queries.actors import actor_names
from portal.services import examples as services
from portal.table import pick

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@blueprint.get("/examples")
@requires(Permission.VIEW_EXAMPLE)
def index() -> ResponseReturnValue:
    """List the examples: an institution's own, or all for the secretariat."""
    staff = everywhere(who(), Permission.VIEW_EXAMPLE)
    rows = queries.examples(db.session, institution_id=None if staff else who().institution_id)
    wanted = request.args.get("state", "")
    names, numbers = state_names(), Counter(one.state for one in rows)
    tabs = [(_("All"), url_for("examples.index"), not wanted, len(rows))]
    tabs += [
        (name, url_for("examples.index", state=state.value), wanted == state, numbers[state])
        for state, name in names.items()
    ]
    return render_template(
        "examples/index.html",
        rows=[one for one in rows if wanted not in set(ExampleState) or one.state == wanted],
        tabs=tabs,
        names=names,
        kinds=STATE_KINDS,
        staff=staff,
        may_send=may(who(), Permission.SEND_EXAMPLE),
    )


@blueprint.get("/examples/<public_id>")
@requires(Permission.VIEW_EXAMPLE, on=load)
def example(one: Example) -> ResponseReturnValue:
    """Show one example with what became of it."""
    return _page(one)


def _page(one: Example, *, error: Invalid | Conflict | None = None) -> str:
    events = queries.example_events(db.session, one.id)
    names, words = actor_names(db.session, [event.done_by for event in events]), act_names()
    judging = can(who(), Permission.JUDGE_EXAMPLE, one)
    follows: list[tuple[str, bool]] = [
        (action.value, needs) for (state, action), (_to, needs) in services.FOLLOWS.items() if state is one.state
    ]
    return render_template(
        "examples/example.html",
        one=one,
        line=queries.line_of(db.session, one.id),
        names=state_names(),
        kinds=STATE_KINDS,
        acts=follows if judging else [],
        error=error,
        typed=request.form,
        timeline=[
            {"at": event.done_at, "words": words[event.action][0], "icon": words[event.action][1],
             "kind": words[event.action][2], "note": event.reason or "",
             "who": pick(names.get(event.done_by), g.view.language, g.country.languages)}
            for event in reversed(events)
        ],
    )  # fmt: skip


@blueprint.post("/examples/<public_id>/<act>")
@requires(Permission.JUDGE_EXAMPLE, on=lambda public_id, act: _Acted(load(public_id), act))
def judge(on: Any) -> ResponseReturnValue:
    """Do one of the secretariat's acts on an example."""
    one = on.example
    try:
        with write() as session:
            services.act(
                session, session.get_one(Example, one.id), on.action, reason=request.form.get("reason", ""), by=who()
            )
    except (Invalid, Conflict) as error:
        return _page(load(one.public_id), error=error), error.status
    notice(act_names()[on.action][0] + ".")
    return redirect(url_for("examples.example", public_id=one.public_id), code=303)


class _Acted:
    """An example with the act asked for; permissions look at the example."""

    def __init__(self, one: Example, act: str) -> None:
        if act not in set(ExampleAct) - {ExampleAct.SEND}:
            raise NotFound
        self.example, self.action, self.institution_id = one, ExampleAct(act), one.institution_id


@blueprint.get("/examples/<public_id>/file")
@requires(Permission.VIEW_EXAMPLE, on=load)
def file(one: Example) -> ResponseReturnValue:
    """Give the file of an example, always as a download."""
    path = current_app.config["SETTINGS"].evidence_dir / (one.sha256 or "")[:2] / (one.sha256 or "-")
    if one.sha256 is None or not path.is_file():
        raise NotFound
    response = send_file(path, mimetype=one.media_type, as_attachment=True, download_name=one.filename)
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.get("/good-practices")
@requires(Permission.VIEW_PUBLISHED)
def published() -> ResponseReturnValue:
    """Show what is cleared for publication, to observers too; nothing else of any example."""
    return render_template("examples/published.html", rows=queries.published_examples(db.session))
