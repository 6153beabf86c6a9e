"""What can go wrong, as the few errors that views turn into pages and the API into ``application/problem+json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from flask_babel import lazy_gettext as _l

from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.table import Speakable


class PortalError(Exception):
    """Base of all errors that a person may meet: an HTTP status, a stable code, a sentence."""

    status: ClassVar[int] = 500
    code: str = "error"
    default: ClassVar[Speakable] = _l("Something went wrong. Nothing was changed.")

    def __init__(self, message: Speakable | None = None, *, code: str | None = None) -> None:
        self.message: Speakable = message if message is not None else self.default
        if code:
            self.code = code
        super().__init__(str(code or self.code))

    def __str__(self) -> str:
        return str(self.message)


class NotFound(PortalError):
    """The thing does not exist, or must not be known to exist (404)."""

    status = 404
    code = "not_found"
    default = _l("This page does not exist, or you may not see it.")


class NotAllowed(PortalError):
    """The actor may see the thing but not do this to it (403)."""

    status = 403
    code = "not_allowed"
    default = _l("You may not do this. Ask your coordinator if you think you should.")


class Conflict(PortalError):
    """Somebody else, or an earlier click, was first (409)."""

    status = 409
    code = "conflict"
    default = _l("Somebody else changed this in the meantime. Look at it again, then repeat what you wanted to do.")


class IllegalTransition(Conflict):
    """The action does not follow from the present status (409)."""

    code = "illegal_transition"
    default = _l("This is not possible in the present state. Reload the page to see how things stand.")


class Unavailable(PortalError):
    """Something that the portal needs for this does not answer; later it may (503)."""

    status = 503
    code = "unavailable"
    default = _l("The portal is busy for a moment. Nothing was lost: try again in a few seconds.")


class Invalid(PortalError):
    """What was given cannot be taken (422); ``problems`` lists every reason with its place."""

    status = 422
    code = "invalid"
    default = _l("Something in what you sent is not right.")

    def __init__(
        self, message: Speakable | None = None, *, problems: Sequence[Problem] = (), code: str | None = None
    ) -> None:
        if message is None and problems:
            message = problems[0].message
        super().__init__(message, code=code)
        self.problems: tuple[Problem, ...] = tuple(problems) or (Problem(self.message),)


class Incomplete(Invalid):
    """A reply cannot be completed yet: required answers are missing or refused."""

    code = "incomplete"
    default = _l("Some questions still need an answer.")


class DuplicateCode(Invalid):
    """A code or name that must be unique exists already."""

    code = "duplicate"

    def __init__(self, field: str, message: Speakable | None = None) -> None:
        text = message if message is not None else _l("This is already in use. Choose another.")
        super().__init__(text, problems=[Problem(text, field=field)])
        self.field = field
