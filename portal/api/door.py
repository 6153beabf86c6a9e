"""The API's door: who a token speaks for, what a body must look like, and the same answer for the same request."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Blueprint, abort, current_app, g, request
from flask_babel import lazy_gettext as _l
from pydantic import BaseModel, ValidationError
from spectree import SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData
from sqlalchemy import update

from portal import clock
from portal.blueprints.guard import who
from portal.blueprints.respond import door as respond
from portal.blueprints.sessions import SUBMISSIONS, asked_again, expect_reply, note
from portal.database import write
from portal.errors import Invalid, NotFound
from portal.models import ApiToken
from portal.queries.sessions import find_token
from portal.services import idempotency
from portal.services.sessions import token_digest
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Request, Response
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

    from portal.permissions import Principal
    from portal.queries.submissions import SubmissionHead
    from portal.table import Speakable

Model = TypeVar("Model", bound=BaseModel)
View = TypeVar("View", bound="Callable[..., Any]")
blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
# page_templates: spectree's own pages load scripts from other servers
spec = SpecTree(
    "flask",
    title="Tamdan",
    version="1",
    openapi_version="3.1.0",
    mode="strict",
    page_templates={},
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _outer, inner: inner,
    security_schemes=[SecurityScheme(name="token", data=SecuritySchemeData(type=SecureType.HTTP, scheme="bearer"))],
    security={"token": []},
)
TOUCH_EVERY = timedelta(hours=1)
_BEARER = re.compile(r"Bearer ([A-Za-z0-9_-]{20,200})", re.IGNORECASE)
_PUBLIC_ID = re.compile(r"[0-9a-f]{32}")


def operation(name: str, **described: Any) -> Callable[[View], View]:
    """Describe a view in the OpenAPI document under a stable operationId (query, json, form, resp, security).

    Only described: bodies are judged by :func:`take`, after the permission, and refused in the API's own words.
    """

    def mark(view: View) -> View:
        wrapped = spec.validate(operation_id=name, **described)(view)
        if (told := spec.get_function_metadata(wrapped)) is not None:
            spec._function_metadata[view] = told  # noqa: SLF001 - there is no public way
        return view

    return mark


def load_bearer(asked: Request) -> Principal | None:
    """Return whom the bearer token of an API request speaks for; pages know no tokens."""
    if asked.blueprint != "api":
        return None
    found = _BEARER.fullmatch(asked.headers.get("Authorization", ""))
    if found:
        expect_reply(asked.path, SUBMISSIONS)
    token = asked_again(find_token, token_digest(found[1])) if found else None
    if token is None:
        return None
    g.api_token = token
    return token.principal


@blueprint.after_request
def note_use(response: Response) -> Response:
    """Note, at most once an hour, that a token is in use; say which log-in is wanted."""
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    token = g.get("api_token")
    moment = clock.now()
    if token is None or response.status_code >= 400:
        return response
    if token.last_used_at is None or moment - token.last_used_at > TOUCH_EVERY:
        note(update(ApiToken).where(ApiToken.id == token.id).values(last_used_at=moment))
    return response


def own_reply(public_id: str) -> SubmissionHead:
    """Load a reply of the caller's own institution."""
    return respond.own_reply(named(public_id))


def any_reply(public_id: str) -> SubmissionHead:
    """Load a reply; the permission decides whether the caller sees it."""
    return respond.reply_of(named(public_id))


def named(public_id: str) -> str:
    """Return a public id. Raises: NotFound: it cannot be one."""
    if not _PUBLIC_ID.fullmatch(public_id):
        raise NotFound
    return public_id


def take(model: type[Model]) -> Model:
    """Read the JSON body strictly: no unknown field, no other type.

    Raises:
        Invalid: with one problem per field. Answers 415 and 400 when it is not JSON at all.
    """
    if request.mimetype != "application/json":
        abort(415)
    try:
        given = json.loads(request.get_data(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        abort(400)
    return _judged(model, given)


def take_query(model: type[Model]) -> Model:
    """Read the query string; each name once. Raises: Invalid."""
    return _judged(model, {name: request.args[name] for name in request.args}, strict=False)


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _judged(model: type[Model], given: Any, *, strict: bool = True) -> Model:
    try:
        return model.model_validate(given, strict=strict)
    except ValidationError as error:
        problems = [
            Problem(_sentence(one["type"]), field=".".join(str(part) for part in one["loc"]) or None)
            for one in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise Invalid(_l("This request does not fit the contract."), problems=problems[:50]) from None


def _sentence(kind: str) -> Speakable:
    told: Speakable = _l("This field has a value of the wrong kind, or one that is too long.")
    if kind == "missing":
        told = _l("This field is missing.")
    elif kind == "extra_forbidden":
        told = _l("This field is not known here.")
    return told


def once(act: Callable[[Session], tuple[BaseModel, int]], *, body: Any = None) -> ResponseReturnValue:
    """Do something in one write transaction, and only once for the same ``Idempotency-Key``."""
    key, user_id = request.headers.get("Idempotency-Key"), who().user_id
    if key is None or user_id is None:
        with write() as session:
            made, status = act(session)
            text = spoken(made)
        return _json(text, status)
    body_hash = idempotency.fingerprint(request.method, request.path, body)
    with write() as session:
        kept = idempotency.begin(session, user_id=user_id, key=key, body_hash=body_hash)
        if kept is None:
            made, status = act(session)
            text = spoken(made)
            idempotency.keep(session, user_id=user_id, key=key, status=status, body=text)
    if kept is not None:
        response = _json(kept.body or "", kept.status)
        response.headers["Idempotent-Replayed"] = "true"
        return response
    return _json(text, status)


def answer(made: BaseModel, status: int = 200) -> ResponseReturnValue:
    """Answer with JSON."""
    return _json(spoken(made), status)


def spoken(made: BaseModel) -> str:
    """Return a model as JSON text."""
    return made.model_dump_json()


def _json(text: str, status: int) -> Response:
    return current_app.response_class(text, status, mimetype="application/json")
