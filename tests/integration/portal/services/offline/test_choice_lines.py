"""Several choices and rankings in a workbook: a line for each choice to mark, and a cell of a table that names them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from openpyxl.utils import range_boundaries
from sqlalchemy import select

from portal.models import ItemKind, Role, VersionItem
from portal.queries.questionnaires import definition
from portal.queries.submissions import stored_reply
from portal.services.offline.taking import choices, take_offline
from tests import factories
from tests.excel import faults
from tests.offline import Filled, download, judge

pytestmark = pytest.mark.engines

BODIES = [
    {"key": "police", "texts": {"en": "Police, gendarmerie", "km": "នគរបាល"}},
    {"key": "courts", "texts": {"en": "Courts", "km": "តុលាការ"}},
    {"key": "prisons", "texts": {"en": "Prisons", "km": "ពន្ធនាគារ"}},
]


@pytest.fixture
def scene(session, context):
    moj = factories.institution(session)
    version = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    factories.question(
        session, version, "who", "select_multiple", parent=page, choices=BODIES, settings={"not_available": True}
    )
    factories.question(session, version, "first", "rank", parent=page, choices=BODIES)
    lines = factories.item(session, version, "lines", kind=ItemKind.REPEAT, parent=page)
    factories.question(session, version, "trained", "select_multiple", parent=lines, choices=BODIES)
    factories.question(session, version, "order", "rank", parent=lines, choices=BODIES)
    reply = factories.submission(session, factories.assignment(session, to=moj, version=version))
    focal = factories.person(session, moj, Role.FOCAL_POINT)
    session.commit()
    return SimpleNamespace(reply=reply, version=version, by=factories.principal(session, focal))


def take(session, scene, filled, key):
    plan = judge(session, filled.content(), by=scene.by)
    take_offline(session, plan, choices(plan), by=scene.by, request_key=key, source="x")
    session.commit()
    kept = stored_reply(session, scene.reply.id, definition(session, scene.version.id)).answers
    return plan, {key.code: one.value for key, one in kept.items()}


def test_choices_are_marked_line_by_line_and_come_back_as_they_were(session, scene, tmp_path):
    content = download(session, scene.reply, by=scene.by)
    (tmp_path / "x.xlsx").write_bytes(content)
    assert faults(tmp_path / "x.xlsx") == []
    filled = Filled(content)
    filled.mark("who", police="x", prisons="✓")
    filled.mark("first", courts=1, police=2)
    # in a table: by number, by label of either language, a label with a comma in it, parted as people part
    filled.put("trained", "1, 3", line=1)
    filled.put("order", "courts; Police, gendarmerie\nពន្ធនាគារ", line=1)
    _plan, kept = take(session, scene, filled, "first")
    assert kept == {
        "who": ["police", "prisons"], "first": ["courts", "police"],
        "trained": ["police", "prisons"], "order": ["courts", "police", "prisons"],
    }  # fmt: skip
    # it goes out as it stands, and an untouched copy changes nothing
    again = Filled(download(session, scene.reply, by=scene.by))
    plan, _kept = take(session, scene, again, "again")
    assert not plan.takes
    again.mark("who", police=None, courts="x")
    again.mark("first", courts=2, police=1, prisons=3)
    plan, kept = take(session, scene, again, "then")
    answers = {one.name: one for one in plan.replies[0].answers}
    assert (answers["who"].outcome, answers["who"].options[0].text) == ("changed", "Courts; Prisons")
    assert answers["who"].place.address.count(":") == 1
    assert (kept["who"], kept["first"]) == (["courts", "prisons"], ["police", "courts", "prisons"])


def test_what_is_marked_wrongly_is_told_with_its_cell_and_lines_that_are_gone_too(session, scene):
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.mark("who", police="perhaps")
    filled.mark("first", police=1, courts=1)
    filled.put("trained", "4", line=1)
    plan, kept = take(session, scene, filled, "wrong")
    refused = {one.name: str(one.sentence) for one in plan.replies[0].answers}
    assert "stands “perhaps”" in refused["who"]
    assert refused["first"] == "Two choices have the place 1. Please give each choice one place."
    assert "“4” is not a choice" in str(plan.replies[0].rows[0].cells[0].sentence)
    assert "trained" not in kept
    filled = Filled(download(session, scene.reply, by=scene.by))
    filled.mark("who", police="x")
    filled.ws.delete_rows(next(row for row, parts in filled.marks() if parts[2] == "courts"))
    plan, _kept = take(session, scene, filled, "gone")
    assert "Lines of the choices of this question were deleted" in str(plan.replies[0].answers[0].sentence)


def test_each_choice_has_a_drop_down_or_takes_its_place(session, scene):
    ws = Filled(download(session, scene.reply, by=scene.by)).ws
    rules = {
        (row, one.type): one
        for one in ws.data_validations.dataValidation
        for area in str(one.sqref).split()
        for row in range(range_boundaries(area)[1], range_boundaries(area)[3] + 1)
    }
    lines = {parts[6].split(":")[1]: row for row, parts in Filled(download(session, scene.reply, by=scene.by)).marks() if parts[0] == "choice"}
    assert (lines["who"], "list") in rules
    assert (rules[lines["first"], "whole"].formula1, rules[lines["first"], "whole"].formula2) == ("1", "3")
