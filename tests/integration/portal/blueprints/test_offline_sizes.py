"""Files that are too large for the door of Excel and Word: told in its words, with what to do about it."""

from __future__ import annotations

import io

import pytest

from config import Settings
from tests import tables

pytestmark = pytest.mark.engines


@pytest.fixture
def _small(monkeypatch):
    monkeypatch.setattr(Settings, "max_upload_bytes", 1024)


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("owed.xlsx", "Delete sheets, pictures and empty formatted rows"),
        ("owed.docx", "Take pictures out of it"),
        ("scan.pdf", "Send it in on the page of the reply that it answers: larger files are taken there."),
    ],
)
def test_a_file_that_is_too_large_is_named_with_what_to_do_about_it(client_for, session, name, mend):
    scene = tables.scene(session)
    client = client_for(scene.focal)
    sent = {"round": scene.round.slug, "file": [(io.BytesIO(b"%" * (1025)), name)]}
    client.post("/owed/offline", sent, expect=422)
    assert f"The file {name} is larger than 1 MB. {mend}" in client.words
    assert "on the server" not in client.words
