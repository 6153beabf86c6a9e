"""The request as the portal reads it: a field that is not there costs nothing, and the way to it is short.

Werkzeug looks for a field by an exception, and makes for it the page of a bad request, with its words. An answering
page asks for ten fields of which a save sends two. Flask's names (``request``, ``g``) find their things anew at each
word, by four calls; a page says some hundred such words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Request
from flask.globals import _cv_app, _cv_request
from werkzeug.datastructures import ImmutableMultiDict

if TYPE_CHECKING:
    from flask.ctx import AppContext


def present() -> AppContext:
    """Return the application's context, for whoever asks it several things. Raises: LookupError outside of one."""
    return _cv_app.get()


def asked() -> Request:
    """Return the request at hand, for whoever asks it several things. Raises: LookupError outside of one."""
    return _cv_request.get().request


class Fields(ImmutableMultiDict[str, Any]):
    """The fields of a form, the parameters of an address or the cookies of a browser."""

    def get(self, key: str, default: Any = None, type: Any = None) -> Any:  # type: ignore[override]  # noqa: A002 - Werkzeug's signature, without its overloads
        """Return the first value of a field, made a ``type``; the default where it is missing or cannot be made one."""
        return super().get(key, default, type) if key in self else default


class Incoming(Request):
    """A request whose fields, parameters and cookies are :class:`Fields`."""

    parameter_storage_class = Fields
    dict_storage_class = Fields

    @property
    def max_content_length(self) -> int | None:
        """Return how long a body may be: the application's limit, looked up once, unless this request has its own."""
        if self._max_content_length is None:
            self._max_content_length = super().max_content_length
        return self._max_content_length

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        self._max_content_length = value
