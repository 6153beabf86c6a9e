"""The request as the portal reads it: a field that is not there costs nothing, and the way to it is short.

Werkzeug looks for a field by an exception, and makes for it the page of a bad request, with its words. An answering
page asks for ten fields of which a save sends two. Flask's names (``request``, ``g``) find their things anew at each
word, by four calls; a page says some hundred such words.
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from flask import Request
from flask.globals import _cv_app, _cv_request
from werkzeug.datastructures import ImmutableMultiDict

if TYPE_CHECKING:
    from flask.ctx import AppContext

URLENCODED = "application/x-www-form-urlencoded"
# bytes of a form up to which it is read at once
SHORT = 256 * 1024


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
    """A request whose fields, parameters and cookies are :class:`Fields`, and whose short forms are read at once."""

    parameter_storage_class = Fields
    dict_storage_class = Fields

    def _load_form_data(self) -> None:
        """Read a short form, of the kind that pages and their scripts post, without a parser for files around it.

        What is no UTF-8 is no form, and escapes that make none stay as they are written: as Werkzeug reads it.
        """
        known = vars(self)
        # whoever took the body before has its stream
        if "form" in known or "stream" in known or not self.is_short_form():
            super()._load_form_data()
            return
        body = self.environ["wsgi.input"].read(self.content_length)
        try:
            fields = parse_qsl(body.decode(), keep_blank_values=True, errors="werkzeug.url_quote")
        except ValueError:
            fields = []
        known["stream"], known["form"], known["files"] = BytesIO(), Fields(fields), Fields()

    def is_short_form(self) -> bool:
        """Tell whether the body is a short form all of which is here: the door gathers what says its length."""
        kind = self.environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        if kind != URLENCODED or "HTTP_EXPECT" in self.environ:
            return False
        # of one that does not say how long it is, or in no number, Werkzeug knows best
        length, most = self.content_length, self.max_content_length
        return length is not None and 0 < length <= SHORT and (most is None or length <= most)

    @property
    def max_content_length(self) -> int | None:
        """Return how long a body may be: the application's limit, looked up once, unless this request has its own."""
        if self._max_content_length is None:
            self._max_content_length = super().max_content_length
        return self._max_content_length

    @max_content_length.setter
    def max_content_length(self, value: int | None) -> None:
        self._max_content_length = value
