"""Files that were damaged on their way: told in one sentence as what they are, whichever byte it was."""

from __future__ import annotations

import io
import random
import zipfile

import pytest

from portal.errors import Invalid
from portal.workbooks.offline.files import read_file
from portal.workbooks.offline.marks import Seal
from tests import documents
from tests.documents import FilledDocument
from tests.offline import SECRET, Filled, download

FLIPS = 300


def flipped(content: bytes, places) -> bytes:
    changed = bytearray(content)
    for place, mask in places:
        changed[place] ^= mask
    return bytes(changed)


def told(content: bytes, filename: str) -> str:
    """Return the code of a refusal, "" for a file that is read."""
    try:
        read_file(content, Seal(SECRET), filename=filename)
    except Invalid as error:
        return error.code
    return ""


@pytest.mark.parametrize("suffix", ["xlsx", "docx"])
def test_whatever_bytes_are_flipped_the_file_is_called_damaged_and_never_too_large(session, scene, suffix):
    if suffix == "xlsx":
        filled = Filled(download(session, scene.reply, by=scene.by))
        filled.put("people", 12)
    else:
        filled = FilledDocument(documents.download(session, scene.reply, by=scene.by))
        filled.put("people", "12")
    content = filled.content()
    chance = random.Random(8)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start = archive.start_dir
    codes = []
    for at in range(FLIPS):
        # every fourth in the directory, where sizes stand
        first = start if at % 4 == 0 else 0
        places = [(chance.randrange(first, len(content)), chance.randrange(1, 256)) for _n in range(1 + at % 2)]
        codes.append(told(flipped(content, places), f"x.{suffix}"))
    assert set(codes) == {"", "damaged"}, sorted({(one, codes.count(one)) for one in codes})
    assert codes.count("damaged") > FLIPS // 2
