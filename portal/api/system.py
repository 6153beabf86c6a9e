"""Health, readiness, and the contract itself."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from flask import current_app
from spectree import Response

from portal.api import shapes
from portal.api.door import answer, blueprint, operation, spec
from portal.blueprints.guard import public
from portal.blueprints.public import readiness
from portal.blueprints.signed_in import somebody

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@blueprint.get("/health")
@public
@operation("health", resp=Response(HTTP_200=shapes.Health), security={})
def health() -> ResponseReturnValue:
    """Tell that the process answers."""
    return answer(shapes.Health(status="ok"))


@blueprint.get("/ready")
@public
@operation("ready", resp=Response(HTTP_200=shapes.Health, HTTP_503=shapes.Health), security={})
def ready() -> ResponseReturnValue:
    """Tell whether database, disk and schema are ready; details only to a token."""
    is_ready, details = readiness()
    body: dict[str, Any] = {"status": "ready" if is_ready else "not ready"}
    if somebody() is not None:
        body |= details
    return body, 200 if is_ready else 503


@blueprint.get("/openapi.json")
@public
def openapi() -> ResponseReturnValue:
    """Give the OpenAPI 3.1 document; errors are said to be application/problem+json."""
    made: dict[str, Any] | None = current_app.extensions.get("portal_openapi")
    if made is None:
        spec.app = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 - the app itself
        spec.__dict__.pop("_spec", None)
        kept = deepcopy(spec.models)  # spectree empties the nested ones; the next application needs them
        made = current_app.extensions["portal_openapi"] = _finished(spec.spec)
        spec.models = kept
    return made


def _finished(made: dict[str, Any]) -> dict[str, Any]:
    """Say what spectree cannot: the media type of errors, and the header that makes a POST happen once."""
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "1 to 64 visible ASCII characters; the same request under the same key happens once (7 days).",
        "schema": {"type": "string", "pattern": "^[!-~]{1,64}$"},
    }
    for methods in made["paths"].values():
        for method, described in methods.items():
            if method == "post":
                described["parameters"].append(key)
            for response in described["responses"].values():
                content = response.get("content", {})
                shape = content.get("application/json", {}).get("schema", {}).get("$ref", "")
                if shape.endswith("/ProblemDetails"):
                    content["application/problem+json"] = content.pop("application/json")
            if described["operationId"] == "saveAnswers":  # what is wrong as a whole is a problem there too
                for status in ("409", "422"):
                    problem = {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
                    described["responses"][status]["content"]["application/problem+json"] = problem
    return made
