"""A form sent twice - a double click, a resend after a broken line - is done once and answered the same.

Every form carries a fresh hidden key (:func:`portal.fragments.form_keys`). The guard runs each signed-in POST of a
plain page through :func:`answered`: the first ``write()`` of the view takes the key in the very transaction of the
work, and the answer is kept there too. Scripts that ask for JSON have protocols of their own (``request_key``, bases,
the API's header).
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from flask import current_app, g, redirect, request
from flask_babel import gettext as _

from portal.blueprints.page import notice
from portal.database import Deferred, deferred
from portal.errors import Conflict, Invalid, PortalError
from portal.extensions import db
from portal.services import idempotency

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Response
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

FIELD = "idempotency_key"
# of no meaning for what is done: who sends it and from which page
_ASIDE = frozenset({FIELD, "csrf_token", "held_post"})


class _Once:
    """One POST with its key: what its view's first ``write()`` takes, and what is kept of its answer."""

    def __init__(self, user_id: int, key: str) -> None:
        self.user_id, self.key = user_id, key
        self.body_hash = idempotency.fingerprint("POST", request.full_path, _content())
        self.work: Deferred | None = None
        self.taken = False

    def earlier(self) -> Response | None:
        """Return what was answered to this form before, if it was."""
        with _in_words_of_a_page():
            kept = idempotency.find(db.session, user_id=self.user_id, key=self.key, body_hash=self.body_hash)
        return _again(kept) if kept is not None else None

    def take(self, session: Session) -> None:
        """Take the key before the view's first change.

        Raises:
            Conflict: a faster copy of this request has just done it; what the view makes of it is not shown.
        """
        with _in_words_of_a_page():
            kept = idempotency.begin(session, user_id=self.user_id, key=self.key, body_hash=self.body_hash)
        if kept is not None:
            raise Conflict
        self.taken = True

    def keep(self, session: Session, response: Response | None, told: tuple[str, str] | None = None) -> None:
        """Keep where the view leads to; a refusal, or a page shown in place, is worked out anew each time."""
        if response is None or not 300 <= response.status_code < 400:
            idempotency.forget(session, user_id=self.user_id, key=self.key)
            return
        told = told or g.get("new_notice")
        idempotency.keep(
            session,
            user_id=self.user_id,
            key=self.key,
            status=response.status_code,
            location=response.headers["Location"],
            body=json.dumps(told, ensure_ascii=False) if told else None,
        )


@contextmanager
def _in_words_of_a_page() -> Iterator[None]:
    """Tell a key that fits another body to a reader of pages, who knows nothing of keys."""
    try:
        yield
    except Invalid as error:
        if error.code != "idempotency_key_reused":
            raise
        sentence = _(
            "This page was sent once already, with other content, and that was done. "
            "Go back, reload the page, and send what is new from there."
        )
        raise Invalid(sentence, code=error.code) from None


def answered(view: Callable[[], ResponseReturnValue], *, user_id: int, key: str) -> ResponseReturnValue:
    """Answer a POST by its view; one that was answered before gets the same answer, and nothing is done again.

    Raises:
        Invalid: the key came with another body before (``idempotency_key_reused``).
    """
    once = _Once(user_id, key)
    if (before := once.earlier()) is not None:
        return before
    response: Response | None = None
    with deferred(once.take) as once.work:
        g.once = once
        try:
            response = current_app.make_response(view())
        except PortalError:
            # a faster copy of this request may have changed what this one stumbled over
            if not once.work.begun and (before := once.earlier()) is not None:
                return before
            raise
        finally:
            g.once = None
            once.work.settle(lambda session: once.keep(session, response))
    # one that had nothing to write may have met what a faster copy had just done
    if (response.status_code >= 400 or not once.taken) and (before := once.earlier()) is not None:
        return before
    return response


def answer_now(made: ResponseReturnValue) -> ResponseReturnValue:
    """Keep an answer and commit, for a view that goes on with work in transactions of its own."""
    response = current_app.make_response(made)
    once = cast("_Once | None", g.get("once"))
    if once is not None and once.work is not None:
        once.work.settle(lambda session: once.keep(session, response))
    return response


def shown_once(url: str) -> None:
    """Commit what a view made whose page is shown this once: the same form sent again is led to ``url`` and told so."""
    once = cast("_Once | None", g.get("once"))
    if once is not None and once.work is not None:
        response = cast("Response", redirect(url, code=303))
        told = ("info", _("Made already; codes are shown only once. Make new ones if you have lost them."))
        once.work.settle(lambda session: once.keep(session, response, told))


def _again(kept: idempotency.KeptAnswer) -> Response:
    if kept.body:
        kind, text = json.loads(kept.body)
        notice(text, kind)
    return cast("Response", redirect(kept.location or "/", code=kept.status))


def _content() -> dict[str, Any]:
    content: dict[str, Any] = {name: values for name, values in request.form.lists() if name not in _ASIDE}
    for name, files in request.files.lists():
        content[f"file {name}"] = [[one.filename, _sha256(one.stream)] for one in files]
    return content


def _sha256(stream: Any) -> str:
    made = hashlib.file_digest(stream, "sha256").hexdigest()
    stream.seek(0)
    return made
