"""Pages and JSON leave the portal compressed: a slow line is the rule, not the exception (docs/decisions/0006)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import brotli
from flask import request
from isal import isal_zlib

if TYPE_CHECKING:
    from flask import Flask, Response

LEAST = 1_000  # bytes; below, one packet carries it anyway
TYPES = frozenset({"text/html", "text/plain", "application/json", "application/problem+json", "image/svg+xml"})
_QUALITY = 4
# a page of tables: a tenth to a sixth less for one or two milliseconds
_HEAVY, _HEAVY_QUALITY = 65_536, 5
_GZIP = 31  # window bits that ask zlib for a gzip header


def install(app: Flask) -> None:
    """Compress what views answer; built assets are compressed once, by :mod:`portal.assets`."""
    app.after_request(compress)


def compress(response: Response) -> Response:
    """Compress a page by brotli or gzip, whichever the browser takes; files and streams stay as they are."""
    if response.mimetype not in TYPES or response.direct_passthrough or response.is_streamed:
        return response
    response.vary.add("Accept-Encoding")
    if (
        "Content-Encoding" in response.headers
        or response.status_code in {204, 206, 304}
        or (response.content_length or 0) < LEAST
    ):
        return response
    taken = request.accept_encodings
    body = response.get_data()
    if taken["br"]:
        packed, name = brotli.compress(body, mode=brotli.MODE_TEXT, quality=_quality(body)), "br"
    elif taken["gzip"]:
        packed, name = isal_zlib.compress(body, 2, _GZIP), "gzip"
    else:
        return response
    response.set_data(packed)  # sets the length too
    response.headers["Content-Encoding"] = name
    return response


def _quality(body: bytes) -> int:
    return _HEAVY_QUALITY if len(body) > _HEAVY else _QUALITY
