"""Pages and JSON leave the portal compressed: a slow line is the rule, not the exception (docs/decisions/0007)."""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import TYPE_CHECKING

import brotli
from flask import request
from isal import isal_zlib
from werkzeug.http import parse_accept_header

if TYPE_CHECKING:
    from flask import Flask, Response

LEAST = 1_000  # bytes; below, one packet carries it anyway
TYPES = frozenset({"text/html", "text/plain", "application/json", "application/problem+json", "image/svg+xml"})
_QUALITY = 4
# a page of tables: a tenth to a sixth less for one or two milliseconds, by gzip a third (docs/decisions/0053)
_HEAVY, _HEAVY_QUALITY, _HEAVY_LEVEL = 65_536, 6, 6
_GZIP = 31  # window bits that ask zlib for a gzip header


def install(app: Flask) -> None:
    """Compress what views answer; built assets are compressed once, by :mod:`portal.assets`."""
    app.after_request(compress)


@lru_cache(maxsize=256)
def _best(accepted: str) -> str:
    taken = parse_accept_header(accepted)
    return "br" if taken["br"] else "gzip" if taken["gzip"] else ""


def compress(response: Response) -> Response:
    """Compress a page by brotli or gzip, whichever the browser takes; files and streams stay as they are."""
    # the headers as they are: werkzeug's own attributes parse them anew at each look
    headers = response.headers
    kind = headers.get("Content-Type", "").partition(";")[0].strip()
    if kind not in TYPES or response.direct_passthrough or response.is_streamed:
        return response
    headers.add("Vary", "Accept-Encoding")
    body = response.get_data()
    if "Content-Encoding" in headers or response.status_code in {204, 206, 304} or len(body) < LEAST:
        return response
    name = _best(request.headers.get("Accept-Encoding", ""))
    if name == "br":
        packed = brotli.compress(body, mode=brotli.MODE_TEXT, quality=_quality(body))
    elif name == "gzip":
        packed = _gzipped(body)
    else:
        return response
    response.set_data(packed)  # sets the length too
    headers["Content-Encoding"] = name
    return response


def _gzipped(body: bytes) -> bytes:
    if len(body) <= _HEAVY:
        return isal_zlib.compress(body, 2, _GZIP)
    made = zlib.compressobj(_HEAVY_LEVEL, zlib.DEFLATED, _GZIP)
    return made.compress(body) + made.flush()


def _quality(body: bytes) -> int:
    return _HEAVY_QUALITY if len(body) > _HEAVY else _QUALITY
