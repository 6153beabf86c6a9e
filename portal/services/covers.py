"""The signed cover of a pack: received as evidence is, but only what a photo or a scan can be."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from portal.errors import Invalid
from portal.services import evidence
from portal.services.file_checks import PHONE_PHOTOS, clean_name, phone_photo
from portal.table import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from portal.services.evidence import ReceivedFile

KINDS = (".pdf", ".jpg", ".jpeg", ".png")


def receive(stream: IO[bytes], filename: str, *, folder: Path, tmp: Path, limit: int) -> ReceivedFile:
    """Stream a cover into the store, judged by its content.

    Raises:
        Invalid: with one sentence, as :func:`portal.services.evidence.receive`.
    """
    name = clean_name(filename)
    if name.lower().endswith(PHONE_PHOTOS):
        raise phone_photo(name)
    if not name.lower().endswith(KINDS):
        sentence = _l("“%(name)s” is neither a picture nor a PDF. Send a photo (JPG, PNG) or a scan (PDF).", name=name)
        raise Invalid(sentence, problems=[Problem(sentence, field="cover")], code="file_refused")
    return evidence.receive(stream, filename, folder=folder, tmp=tmp, limit=limit)
