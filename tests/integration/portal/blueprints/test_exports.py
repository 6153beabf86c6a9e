"""Workbooks through the pages: made by POST, listed, downloaded, refused to everybody else."""

from __future__ import annotations

import io

import openpyxl
import pytest
from sqlalchemy import select

from portal import clock
from portal.jobs import worker
from portal.models import AuditEvent, Export, Job, JobStatus, Role, StaffRole
from portal.services import exports, round_workbook
from tests import factories, scenes


@pytest.fixture
def scene(session):
    with clock.at(scenes.NOW):
        made = scenes.every_status(session)
    made.writer = factories.staff(session, StaffRole.REPORT_WRITER)
    session.commit()
    return made


def test_two_clicks_make_and_download_the_workbook(client_for, scene, session):
    client = client_for(scene.writer)
    client.get("/rounds/periodic-4/workbooks")
    assert "No workbook yet" in client.words
    client.submit(form="/rounds/periodic-4/workbooks")
    assert "ready to download" in client.text
    link = client.page.xpath("//a[contains(@href, '/workbooks/')]/@href")[0]
    response = client.get(link)
    assert response.headers["Cache-Control"] == "no-store"
    assert "attachment" in response.headers["Content-Disposition"]
    book = openpyxl.load_workbook(io.BytesIO(response.data))
    assert book["About"]["A1"].value == "Fourth report: consolidated workbook"
    export = session.scalars(select(Export)).one()
    assert (export.status, export.size) == (JobStatus.DONE, len(response.data))
    assert session.scalars(select(Job)).one().status is JobStatus.DONE
    assert {"request_export", "make_export"} <= set(session.scalars(select(AuditEvent.action)))


def test_a_large_round_is_left_to_the_worker(app, client_for, scene, session, monkeypatch):
    monkeypatch.setattr(exports, "AT_ONCE", 0)
    client = client_for(scene.writer)
    client.get("/rounds/periodic-4/workbooks")
    client.submit(form="/rounds/periodic-4/workbooks")
    assert "Being made" in client.words
    assert client.page.xpath("//a[contains(@href, '/workbooks/')]") == []
    worker.work_all(app)
    client.get("/rounds/periodic-4/workbooks")
    assert client.page.xpath("//a[contains(@href, '/workbooks/')]")


def test_an_export_that_cannot_be_proved_is_not_given_out(client_for, scene, session, monkeypatch):
    true = round_workbook.report_counts.counts
    monkeypatch.setattr(
        round_workbook.report_counts, "counts", lambda *given: true(*given) | {"answers": true(*given)["answers"] + 1}
    )
    client = client_for(scene.writer)
    client.get("/rounds/periodic-4/workbooks")
    client.submit(form="/rounds/periodic-4/workbooks")
    assert "was not given out" in client.words
    assert session.scalars(select(Export)).one().status is JobStatus.FAILED
    assert client.page.xpath("//a[contains(@href, '/workbooks/')]") == []


@pytest.mark.parametrize("role", [StaffRole.ADMINISTRATOR, StaffRole.OBSERVER, Role.FOCAL_POINT, Role.APPROVER])
def test_others_neither_make_nor_read_workbooks(client_for, scene, session, role):
    writer = client_for(scene.writer)
    writer.get("/rounds/periodic-4/workbooks")
    writer.submit(form="/rounds/periodic-4/workbooks")
    public_id = session.scalars(select(Export.public_id)).one()
    who = (
        factories.staff(session, role)
        if isinstance(role, StaffRole)
        else factories.person(session, factories.institution(session), role)
    )
    client = client_for(who)
    client.get("/rounds/periodic-4/workbooks", expect=403)
    client.get(f"/workbooks/{public_id}", expect=403)
    client.post("/rounds/periodic-4/workbooks", expect=403)


def test_unknown_rounds_and_workbooks_are_not_found(client_for, scene):
    client = client_for(scene.writer)
    client.get("/rounds/nowhere/workbooks", expect=404)
    client.get("/workbooks/0123456789abcdef0123456789abcdef", expect=404)
