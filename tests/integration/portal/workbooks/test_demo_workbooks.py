"""The demo countries' consolidated workbooks: fit for Excel 2013 part by part, and nothing of one country in the other's."""

from __future__ import annotations

import json
import re
import shutil
import zipfile

import openpyxl
import pytest
from sqlalchemy.orm import Session

from config import ROOT
from portal.demo import seed as seeding
from portal.queries.rounds import find_round
from portal.queries.sessions import system_principal
from portal.services.round_workbook import Addresses, write_workbook
from tests.conftest import make_settings
from tests.excel import faults
from tests.factories import PASSWORD

SHEETS = {"About", "Response rate", "State of implementation", "States", "Recommendations", "Answers", "Institutions",
          "Good practices", "Evidence", "Codebook"}  # fmt: skip
ROUNDS = {"cambodia": "2026-periodic", "orvania": "2026-crc"}
KHMER = re.compile("[\u1780-\u17ff\u19e0-\u19ff]")


@pytest.fixture(scope="module")
def workbook(sqlite_template, demo_cache, tmp_path_factory):
    """Return a maker of the running round's workbook of a demo country in a language; each country is seeded once."""
    from portal.app import create_app
    from portal.extensions import db

    apps, folder = {}, tmp_path_factory.mktemp("demo-workbooks")

    def app_of(country):
        if country not in apps:
            data = folder / country / "data"
            data.mkdir(parents=True)
            shutil.copyfile(sqlite_template, data / "portal.db")
            settings = make_settings(f"sqlite:///{data / 'portal.db'}", folder / country, demo=True)
            settings.__dict__["cache_dir"] = demo_cache
            apps[country] = create_app(settings)
            seeding.seed(apps[country], password=PASSWORD, country=country)
        return apps[country]

    def make(country, language):
        path = folder / f"{country}-{language}.xlsx"
        if not path.exists():
            addresses = Addresses(
                "https://portal.example", "https://portal.example/r/{}".format, "https://portal.example/e/{}".format
            )
            with app_of(country).test_request_context(), Session(db.engine) as session:
                of = find_round(session, ROUNDS[country])
                write_workbook(
                    session, of.id, path, language=language, addresses=addresses, by=system_principal(session)
                )
        return path

    yield make
    for app in apps.values():
        with app.app_context():
            db.engine.dispose()


def words(path):
    """Return every text of every part, as stored."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


@pytest.mark.parametrize(("country", "language"), [("cambodia", "km"), ("cambodia", "en"), ("orvania", "fr")])
def test_excel_2013_finds_nothing_to_repair(workbook, country, language):
    assert faults(workbook(country, language)) == []


def test_the_second_country_s_workbook_opens_and_holds_nothing_of_the_first(workbook):
    path = workbook("orvania", "fr")
    assert set(openpyxl.load_workbook(path).sheetnames) > SHEETS
    countries = ROOT / "portal" / "demo" / "countries"
    institutions = json.loads((countries / "cambodia/institutions.json").read_text("utf-8"))["institutions"]
    # a common noun may name an institution in both countries
    own = "".join(one.read_text("utf-8") for one in sorted((countries / "orvania").rglob("*.json")))
    names = {text for one in institutions for text in one["names"].values() if text not in own}
    assert len(names) > 40
    for part, text in words(path).items():
        assert not KHMER.search(text), f"{part}: {KHMER.search(text)}"
        assert not re.search(r"Cambodia|Khmer|KHM\b|Phnom", text), part
        assert not [name for name in names if name in text], part


def test_a_khmer_workbook_names_its_sheets_and_columns_in_khmer(workbook):
    book = openpyxl.load_workbook(workbook("cambodia", "km"))
    heads = [cell.value for cell in book["Codebook"][1]]
    assert all(KHMER.search(head) for head in heads), heads
    about = [cell.value for cell in book["About"]["A"] if cell.hyperlink]
    assert all(KHMER.search(one) for one in about if not re.match(r"[A-Z]+ [0-9]", one)), about


def test_each_table_of_the_demo_is_a_sheet_of_typed_rows(workbook):
    book = openpyxl.load_workbook(workbook("cambodia", "en"), data_only=True)
    assert {"b2", "b3", "b5", "b10", "c1_years", "c2_age", "c3", "c4", "c5", "c6_forms", "c7"} <= set(book.sheetnames)
    head, *lines = book["c3"].iter_rows(values_only=True)
    rows = [dict(zip(head, line, strict=True)) for line in lines]
    assert [one["Row"] for one in rows] == [1, 2, 3, 4, 5]
    assert [one["Total"] for one in rows[:3]] == [4510, 1310, 1300]
    assert [one["Under 18"] for one in rows] == [0, 36, 71, "(not available)", 0]
    visits = [line for line in book["b5"].iter_rows(min_row=2, values_only=True) if "ncat" in line]
    assert len(visits) == 12
    named = [cell.value for cell in book["About"]["A"] if cell.hyperlink]
    assert "b5 · Practical measures: training, campaigns, services" in named


BROKEN = {
    "a wrong order": ("xl/worksheets/sheet1.xml", "<sheetData>", "<pageMargins/><sheetData>"),
    "a sheet that is called twice": ("xl/workbook.xml", 'name="Codebook"', 'name="about"'),
    "a part without a type": ("[Content_Types].xml", "/xl/styles.xml", "/xl/other.xml"),
    "a row too high": ("xl/worksheets/sheet1.xml", '<row r="3"', '<row ht="410" r="3"'),
    "overlapping merged cells": ("xl/worksheets/sheet1.xml", "</mergeCells>", '<mergeCell ref="B3:C4"/></mergeCells>'),
    "a link to nowhere": ("xl/worksheets/sheet1.xml", "'Response rate'!A1", "'Nowhere'!A1"),
    "a newer function": (
        "xl/worksheets/sheet1.xml",
        "</sheetData>",
        '<row r="9999"><c r="A9999"><f>TEXTJOIN(1,2)</f></c></row></sheetData>',
    ),
}


@pytest.mark.parametrize("what", sorted(BROKEN))
def test_what_excel_would_repair_is_found(workbook, tmp_path, what):
    part, old, new = BROKEN[what]
    broken = tmp_path / "broken.xlsx"
    with zipfile.ZipFile(workbook("orvania", "fr")) as good, zipfile.ZipFile(broken, "w") as out:
        for name in good.namelist():
            text = good.read(name)
            if name == part:
                assert old.encode() in text, text[:400]
                text = text.replace(old.encode(), new.encode(), 1)
            out.writestr(name, text)
    assert faults(broken)
