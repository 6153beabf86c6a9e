"""Files in cells of a table, with script: a row that was just added takes one, and shows it as its own."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from portal.models import ItemKind, VersionItem
from tests import factories
from tests.integration.portal.sharing.scenes import table_world
from tests.journeys.browsers import WIDE

pytestmark = pytest.mark.browser
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def test_a_row_that_was_just_added_takes_a_file(served, visit):
    with served.session() as session:
        world = table_world(session)
        table = session.scalars(
            select(VersionItem).where(VersionItem.version_id == world.version.id, VersionItem.kind == ItemKind.REPEAT)
        ).one()
        factories.question(session, world.version, "list", "file", parent=table)
        session.commit()
        path, focal = f"/replies/{world.reply.public_id}/pages/page1", world.focal
    page = visit(size=WIDE).let_in(served.session_of(focal))
    page.goto(path)
    page.wait_for_load_state("networkidle")
    page.locator("[data-row-act][value^=add]").click()
    rows = page.locator("tr.entry-row")
    expect(rows).to_have_count(2)
    rows.nth(1).locator("[name^='people[']").fill("12")
    with page.expect_navigation():
        rows.nth(1).locator("input[type=file]").set_input_files(
            {"name": "list.pdf", "mimeType": "application/pdf", "buffer": PDF}
        )
    expect(page.locator(".cell-files a")).to_have_text(["list.pdf"])
    row = page.locator("tr.entry-row").filter(has=page.locator(".cell-files a"))
    expect(row.locator("[name^='people[']")).to_have_value("12")
