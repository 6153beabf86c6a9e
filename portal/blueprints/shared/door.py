"""The door of what is shared: a cookie per browser that link and code opened, and what stands behind it.

The cookie is signed and holds, per delegation, a stamp of its link and code: a new link makes every browser ask again.
It is sent to these pages alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask import Blueprint, current_app, g, render_template, request, url_for
from flask_babel import gettext as _
from itsdangerous import BadSignature, URLSafeSerializer

from portal.blueprints.guard import wants_json
from portal.blueprints.posting import load
from portal.blueprints.signed_in import somebody
from portal.blueprints.typed_words import typed_words
from portal.errors import NotFound
from portal.extensions import db
from portal.models.lifecycle import EDITABLE
from portal.permissions import Principal
from portal.queries.sharing import actor_of, find_delegation, home_of, of_unit, scope_of, shared_head
from portal.queries.submissions import head_by_id
from portal.services.delegated import ShareEnded, check_standing, open_to
from portal.services.sessions import token_digest

if TYPE_CHECKING:
    from flask import Response
    from flask.typing import ResponseReturnValue

    from forms.definition.model import Definition
    from portal.models import Delegation, Status
    from portal.queries.submissions import SubmissionHead

blueprint = Blueprint("shared", __name__, url_prefix="/shared")

COOKIE = "tamdan-shared"
MOST_KEPT = 20


@dataclass(frozen=True)
class Shared:
    """Some questions of a reply and the person who was handed them; ``head.unlocked`` names what is open.

    ``home`` is the state of the reply that they serve: a unit of a collection answers apart (``head``), and goes on
    where its institution's reply is closed.
    """

    delegation: Delegation
    head: SubmissionHead
    principal: Principal
    definition: Definition
    home: Status
    code: str = ""

    @property
    def beyond_reach(self) -> bool:
        """Return whether what a unit writes cannot come into its institution's reply as that stands."""
        return self.delegation.collection_id is not None and self.home not in EDITABLE

    @property
    def gives_links(self) -> bool:
        """Return whether a link may be given for a file: what a unit attaches is taken over by its bytes."""
        return self.delegation.collection_id is None


@dataclass(frozen=True)
class Ended:
    """What was shared and no longer is: whoever comes is told so, and gets back what they typed."""

    delegation: Delegation
    sentence: str

    def ended(self) -> ResponseReturnValue:
        """Answer with the sentence; nothing that was typed is lost on the way."""
        if wants_json():
            told = {"type": "about:blank", "title": self.sentence, "status": 409, "code": ShareEnded.code}
            return told, 409, {"Content-Type": "application/problem+json"}
        page = render_template("shared/ended.html", sentence=self.sentence, kept=_typed(self.delegation))
        return page, 409 if request.method == "POST" else 403


def _typed(delegation: Delegation) -> list[tuple[str, str]]:
    """Return what a post says in words, with the wording of its question."""
    if request.method != "POST":
        return []
    definition, _ids = load(shared_head(db.session, delegation))
    return typed_words(definition, request.form.items(multi=True))


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.secret_key or "", salt="shared")


def stamp(delegation: Delegation) -> str:
    """Return by what a browser proves that it was let in by the present link and code."""
    return token_digest(f"{delegation.token_hash}:{delegation.code_hash}")[:24]


def opened() -> dict[str, str]:
    """Return what this browser was let in to: stamps by public id."""
    try:
        found = _signer().loads(request.cookies.get(COOKIE, ""))
    except BadSignature:
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def let_in(response: Response, delegation: Delegation) -> None:
    """Let this browser in until the delegation's day."""
    kept = {key: value for key, value in opened().items() if key != delegation.public_id}
    kept = dict(list(kept.items())[1 - MOST_KEPT :]) | {delegation.public_id: stamp(delegation)}
    _send(response, kept)


def let_out(response: Response, delegation: Delegation) -> None:
    """Let this browser forget the delegation (a shared computer)."""
    _send(response, {key: value for key, value in opened().items() if key != delegation.public_id})


def _send(response: Response, kept: dict[str, str]) -> None:
    settings = current_app.config["SETTINGS"]
    response.set_cookie(
        COOKIE, str(_signer().dumps(kept)), path="/shared", httponly=True, samesite="Lax", secure=settings.secure,
        max_age=180 * 24 * 3600,
    )  # fmt: skip


@dataclass(frozen=True)
class SignedOut:
    """The browser is not, or no longer, known here: the page stays open, and may go on once it is."""

    public_id: str

    def ended(self) -> ResponseReturnValue:
        """Answer a script; nothing is told of whether there is such a thing."""
        return {
            "code": "signed_out",
            "title": str(_("Your access has ended. Open the link again and type the code; your text is kept.")),
            "login": url_for("shared.again", public_id=self.public_id),
        }, 401


def shared(public_id: str, **more: Any) -> Shared | Ended | SignedOut:
    """Load what was shared, for the browser that link and code opened or the colleague who was named.

    To everybody else it does not exist; a script is told, of anything, that the browser is not known.
    """
    try:
        return _shared(public_id, **more)
    except NotFound:
        if wants_json():
            return SignedOut(public_id)
        raise


def _shared(public_id: str, **more: Any) -> Shared | Ended:
    delegation = find_delegation(db.session, public_id)
    if delegation is None:
        raise _unknown()
    principal = _principal(delegation)
    try:
        check_standing(delegation.revoked_at, delegation.expires_at)
    except ShareEnded as error:
        return Ended(delegation, str(error))
    home = head_by_id(db.session, home_of(db.session, delegation))
    head = home if delegation.collection_id is None else of_unit(db.session, home, delegation.submission_id)
    scope = scope_of(delegation, head.institution_id)
    if delegation.user_id is not None and (principal.part is None or head.institution_id not in _homes(principal)):
        raise _unknown()
    definition, _ids = load(head)
    open_now = open_to(db.session, scope, definition, head.unlocked)
    narrowed = replace(head, unlocked=tuple(open_now))
    mine = replace(principal, delegation=scope)
    return Shared(delegation, narrowed, mine, definition, home.status, more.get("code", ""))


def _homes(principal: Principal) -> set[int]:
    return {part.institution_id for part in principal.parts}


def _principal(delegation: Delegation) -> Principal:
    """Return as whom the caller writes: a colleague as themselves, anybody else as the person who was named."""
    if delegation.user_id is not None:
        me = somebody()
        if me is None or me.user_id != delegation.user_id:
            raise _unknown()
        return me
    if opened().get(delegation.public_id) != stamp(delegation):
        raise _unknown()
    return Principal(actor_id=actor_of(db.session, delegation), names={"": delegation.name}, language=g.view.language)


def _unknown() -> NotFound:
    return NotFound(
        _("This browser does not know these questions. Open the link that you were given once more and type the code.")
    )
