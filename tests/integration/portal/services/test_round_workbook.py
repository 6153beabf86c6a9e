"""The consolidated workbook: every figure against figures counted in another way, and what must never be in it."""

from __future__ import annotations

import openpyxl
import pytest

from portal import clock
from portal.queries.sessions import system_principal
from portal.services import round_workbook
from portal.services.round_workbook import Addresses
from tests import scenes

ADDRESSES = Addresses("https://portal.example", lambda one: f"https://portal.example/r/{one}", lambda one: f"https://portal.example/e/{one}")


@pytest.fixture
def scene(session):
    with clock.at(scenes.NOW):
        yield scenes.every_status(session)


@pytest.fixture
def make(scene, session, context, tmp_path):
    def make(language="en", name="book.xlsx"):
        path = tmp_path / name
        made = round_workbook.write_workbook(
            session, scene.round.id, path, language=language, addresses=ADDRESSES, by=system_principal(session)
        )
        return made, path, openpyxl.load_workbook(path)

    return make


def test_it_is_made(make):
    made, path, book = make()
    print(book.sheetnames, made)
    for row in book["About"].iter_rows(values_only=True):
        print(row)

