"""What befalls a workbook between download and return: its rules, refusals, files that are none (peers.md 3.6, 65-68)."""

from __future__ import annotations

import io

import openpyxl
import pytest
from sqlalchemy import select

from portal.errors import Invalid
from portal.models import VersionItem
from portal.workbooks.offline.marks import Seal
from portal.workbooks.offline.returned import read_offline
from tests import factories
from tests.offline import SECRET, Filled, download, edited, judge, outcomes

# -- 65: one source of truth -------------------------------------------------------------------------------------------


def test_rules_on_the_sheet_are_those_by_which_it_is_judged(session, scene):
    page = session.scalars(select(VersionItem).where(VersionItem.code == "tables")).one()
    factories.question(
        session,
        scene.version,
        "age",
        "integer",
        parent=page,
        settings={"start": "0", "end": "120", "not_available": True},
    )
    session.commit()
    filled = Filled(download(session, scene.reply, by=scene.by))
    cell = filled.place("age")
    how_to = filled.ws.cell(cell.row, 4).value
    assert "A number from 0 to 120" in how_to
    rule = next(one for one in filled.ws.data_validations.dataValidation if cell.coordinate in one.cells)
    assert (rule.type, rule.formula1, rule.formula2) == ("whole", "0", "120")
    assert "A number from 0 to 120" in rule.error
    cell.value = 121
    refused = judge(session, filled.content(), by=scene.by).replies[0].answers[0]
    assert str(refused.sentence) == "Please write a number from 0 to 120."
    assert refused.expected == "A number from 0 to 120"


def test_bounds_that_a_rule_sets_are_those_of_the_cell_and_no_others(session, scene):
    page = session.scalars(select(VersionItem).where(VersionItem.code == "tables")).one()
    message = {"constraint_message": {"en": "Between 0 and 100, please."}}
    for code, rule, texts in (
        ("share", ". >= 0 and . <= 100", message),
        ("free", ". >= 0 or . = -1", {}),
    ):
        factories.question(
            session, scene.version, code, "integer", parent=page, constraint=rule,
            texts={"label": {"en": code.title()}} | texts,
        )  # fmt: skip
    session.commit()
    filled = Filled(download(session, scene.reply, by=scene.by))

    def rule_of(code):
        place = filled.place(code).coordinate
        return next(one for one in filled.ws.data_validations.dataValidation if place in one.cells)

    share, free = rule_of("share"), rule_of("free")
    assert (share.type, share.formula1, share.formula2) == ("whole", "0", "100")
    assert "Between 0 and 100, please." in share.error
    assert free.formula1.startswith("-999")
    filled.put("share", "about 5")
    refused = judge(session, filled.content(), by=scene.by).replies[0].answers[0]
    assert refused.example == "100", "1234 would break the rule"


# -- 66, 67: cell, found, expected, example; no failure without a message ----------------------------------------------


def test_a_refusal_names_cell_value_found_value_expected_and_an_example(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    places = {
        "held": filled.put("held", "31/02/2026", line=1), "women": filled.put("women", "many", line=1),
        "place": filled.put("place", "Atlantis", line=1), "received": filled.put("received", "about 5", line=1),
    }  # fmt: skip
    plan = judge(session, filled.content(), by=scene.by)
    reply = plan.replies[0]
    refused = {one.key.code: one for row in reply.rows for one in row.cells} | {
        one.key.code: one for one in reply.answers
    }
    for code, place in places.items():
        one = refused[code]
        assert one.outcome == "refused", code
        assert one.place.address == place
        assert str(one.sentence), code
        assert one.found, code
        assert one.expected, code
        assert one.example, code
    assert refused["held"].found == "31/02/2026"
    assert refused["held"].example == "27/03/2026"
    assert refused["place"].expected == "from the list: Kandal; Takeo; Kep"
    assert plan.counts["refused"] == 4


def test_the_example_of_a_year_is_the_one_that_its_form_names(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("programme", "Legal aid", line=1)
    filled.put_parent("b3", 1, line=1)
    filled.put("year", "last year", line=1)
    rows = judge(session, filled.content(), by=scene.by).replies[0].rows
    (year,) = [one for row in rows for one in row.cells if one.key.code == "year"]
    assert (year.expected, year.example) == ("A year with four digits, for example 2026", "2026")


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"a,b\n1,2\n", b"%PDF-1.4", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600]
)
def test_a_file_that_is_no_workbook_is_refused_with_a_sentence(content):
    with pytest.raises(Invalid) as error:
        read_offline(content, Seal(SECRET), filename="x.xlsx")
    assert error.value.problems
    assert all(str(one.message) for one in error.value.problems)


def test_half_broken_encrypted_with_macros_and_other_workbooks_are_told_apart(session, scene):
    content = download(session, scene.reply, by=scene.by)
    strange = io.BytesIO()
    openpyxl.Workbook().save(strange)
    locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le") + b"\0" * 600
    macros = edited(
        content,
        "[Content_Types].xml",
        lambda part: part.replace(b"spreadsheetml.sheet.main+xml", b"sheet.macroEnabled.main+xml"),
    )
    broken = edited(content, "xl/worksheets/sheet2.xml", lambda part: part[: len(part) // 2])
    codes = {}
    for name, one in {
        "half": content[: len(content) // 2], "cut": broken, "encrypted": locked, "macros": macros, "strange": strange.getvalue(),
    }.items():  # fmt: skip
        with pytest.raises(Invalid) as error:
            read_offline(one, Seal(SECRET), filename="x.xlsx")
        codes[name] = error.value.code
    assert codes == {
        "half": "damaged", "cut": "damaged", "encrypted": "encrypted", "macros": "macros", "strange": "wrong_template",
    }  # fmt: skip


# -- 68: blank but formatted -------------------------------------------------------------------------------------------


def test_blank_cells_and_spaces_are_no_data(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.put("people", "   ")
    filled.put("activity", " \n ", "km", line=3)
    filled.put("women", "\u00a0", line=4)
    for row in range(filled.ws.max_row + 1, filled.ws.max_row + 40):
        filled.ws.cell(row, 6).number_format = "0.00"
    plan = judge(session, filled.content(), by=scene.by)
    assert outcomes(plan) == {}
    assert plan.counts["refused"] == 0
