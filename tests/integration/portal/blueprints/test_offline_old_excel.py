"""Workbooks saved in the format of an older Excel (.xls): ours is read as any other, another is handed in as it is."""

from __future__ import annotations

import io

import openpyxl
import pytest
from sqlalchemy import select

from portal.models import Answer, AssignmentDocument
from tests import tables
from tests.office import convert, needs_office
from tests.offline import Filled

pytestmark = [pytest.mark.engines, *needs_office]


@pytest.fixture
def scene(session):
    return tables.scene(session)


@pytest.fixture
def old(tmp_path):
    """Return a workbook as an older Excel saves it."""

    def old(content):
        (tmp_path / "filled.xlsx").write_bytes(content)
        convert([tmp_path / "filled.xlsx"], "xls", tmp_path)
        return (tmp_path / "filled.xls").read_bytes()

    return old


@pytest.mark.parametrize("name", ["filled.xls", "filled.xlsx"])
def test_ours_is_read_whatever_its_name_and_an_error_is_told_at_its_cell(client_for, scene, session, old, name):
    client = client_for(scene.focal)
    filled = Filled(client.post("/owed/workbook", {"round": scene.round.slug}, expect=200).get_data())
    filled.put("people", 12)
    filled.put("activity", "វគ្គបណ្ដុះបណ្ដាល", "km", line=1)
    filled.put("women", 12, line=1)
    at = filled.put("received", "=1/0", line=1)
    sent = {"round": scene.round.slug, "file": [(io.BytesIO(old(filled.content())), name)]}
    client.post("/owed/offline", {"take": "clear", **sent}, expect=303)
    client.follow()
    assert f"cell {at}" in client.words
    assert "This cell holds an error of a formula." in client.words
    assert "#DIV/0!" in client.words
    assert "The lock of these sheets was taken off" not in client.words, "the old format does not say"
    assert {12, "វគ្គបណ្ដុះបណ្ដាល"} <= set(session.scalars(select(Answer.value)))


def test_another_is_handed_in_as_it_is(client_for, scene, session, old):
    book = openpyxl.Workbook()
    book.active["A1"] = "Reply of the department"
    stream = io.BytesIO()
    book.save(stream)
    client = client_for(scene.focal)
    sent = {"round": scene.round.slug, "file": [(io.BytesIO(old(stream.getvalue())), "department.xls")]}
    client.post("/owed/offline", sent, expect=422)
    assert "not one of questions from this portal" in client.words
    assert "Hand “department.xls” in as it is" in client.words
    action = client.page.xpath("//form[contains(@action, '/owed/offline/documents/')]/@action")[0]
    client.submit(action, expect=200)
    assert session.scalars(select(AssignmentDocument.filename)).all() == ["department.xls"]
