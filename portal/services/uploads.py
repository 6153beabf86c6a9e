"""A file that comes in pieces: each is kept as it comes, so that a broken line or a restart goes on from there.

The client makes an identifier and sends pieces with their offset; the server alone knows how much it has. Pieces lie in
the data folder's tmp until the file is finished; the sweep removes what nobody has written to for a day.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from portal.database import fcntl
from portal.errors import Conflict, Invalid, NotFound
from portal.services.file_checks import refuse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from portal.permissions import Principal

PIECE = 512 * 1024
LARGEST_PIECE = 1024 * 1024
# files that one person may have under way
UNDER_WAY = 12
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{16,64}")


class WrongOffset(Conflict):
    """A piece that does not begin where the file so far ends; ``offset`` is where it does."""

    code = "wrong_offset"
    default = _l("The upload goes on from another place. The page sends what is missing by itself.")

    def __init__(self, offset: int) -> None:
        super().__init__()
        self.offset = offset


def place(tmp: Path, by: Principal, about: str, identifier: str) -> Path:
    """Return where the pieces of a file lie: of this person alone, for this thing (its public id) alone.

    Raises:
        NotFound: the identifier is not one.
    """
    if not _IDENTIFIER.fullmatch(identifier):
        raise NotFound
    person = hashlib.sha256(str(by.actor_id).encode()).hexdigest()[:16]
    which = hashlib.sha256(f"{about} {identifier}".encode()).hexdigest()[:32]
    return tmp / f"pieces-{person}-{which}"


def offset(path: Path) -> int:
    """Return how many bytes of a file have come."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def append(path: Path, at: int, piece: bytes, *, limit: int, room: int) -> int:
    """Keep a piece that begins at ``at``; return where the next one begins. A piece that came before changes nothing.

    ``limit`` is the largest file in bytes, ``room`` what the institution may still keep; what is over is refused, and
    nothing of the file stays.

    Raises:
        WrongOffset: it neither continues what came nor repeats it.
        Invalid: the file is too large, or too many are under way.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _not_too_many(path)
    with _alone(path) as file:
        have = file.seek(0, os.SEEK_END)
        if at < have:
            file.seek(at)
            if file.read(len(piece)) == piece:
                return have
        if at != have:
            raise WrongOffset(have)
        if have + len(piece) > limit:
            path.unlink(missing_ok=True)
            raise refuse(
                _l("The file is larger than %(limit)s MB. Make it smaller.", limit=limit // 1024**2),
                "file_too_large",
            )
        if have + len(piece) > room:
            path.unlink(missing_ok=True)
            raise no_room()
        try:
            file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            # a full disk must not leave half a piece
            os.ftruncate(file.fileno(), have)
            if not have:
                path.unlink(missing_ok=True)
            raise
        return have + len(piece)


def no_room() -> Invalid:
    """Return the refusal of a file for which the institution has no room left."""
    return refuse(
        _l(
            "Your institution has no room left for this file. "
            "Remove files that are not needed, or ask the secretariat for more room."
        ),
        "quota_reached",
    )


def claim(path: Path, size: int) -> Path:
    """Take a whole file out of the pieces, so that it is finished once; ``size`` is what its sender says it has.

    Raises:
        WrongOffset: pieces are missing, or another request took it first.
    """
    have = offset(path)
    draft = path.with_name(f"upload-{secrets.token_hex(8)}")
    if have != size:
        raise WrongOffset(have)
    try:
        os.utime(path)
        path.rename(draft)
    except FileNotFoundError:
        raise WrongOffset(0) from None
    return draft


def _not_too_many(path: Path) -> None:
    if not path.exists() and len(list(path.parent.glob(path.name.rpartition("-")[0] + "-*"))) >= UNDER_WAY:
        raise refuse(
            _l("Too many of your files are under way. Finish one of them first, or try again tomorrow."),
            "too_many_uploads",
        )


@contextmanager
def _alone(path: Path) -> Iterator[BinaryIO]:
    """Open a file for one request at a time: a piece sent again may overtake itself."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(handle, "r+b", buffering=0) as file:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield file
