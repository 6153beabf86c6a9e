"""The request as the portal reads it: a field that is not there costs nothing.

Werkzeug looks for a field by an exception, and makes for it the page of a bad request, with its words. An answering
page asks for ten fields of which a save sends two.
"""

from __future__ import annotations

from typing import Any

from flask import Request
from werkzeug.datastructures import ImmutableMultiDict


class Fields(ImmutableMultiDict[str, Any]):
    """The fields of a form, the parameters of an address or the cookies of a browser."""

    def get(self, key: str, default: Any = None, type: Any = None) -> Any:  # type: ignore[override]  # noqa: A002 - Werkzeug's signature, without its overloads
        """Return the first value of a field, made a ``type``; the default where it is missing or cannot be made one."""
        return super().get(key, default, type) if key in self else default


class Incoming(Request):
    """A request whose fields, parameters and cookies are :class:`Fields`."""

    parameter_storage_class = Fields
    dict_storage_class = Fields
