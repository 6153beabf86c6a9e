"""What an institution keeps confidential is counted in every workbook that leaves the portal, and named in none."""

from __future__ import annotations

import io
import zipfile

import openpyxl
import pytest
from sqlalchemy import select

from portal import clock
from portal.models import Assignment, Evidence, EvidenceKind, Institution, Role, StaffRole, Visibility
from tests import factories, scenes

pytestmark = pytest.mark.engines

SECRET = "CANARY-OF-A-CONFIDENTIAL-FILE"
FINGERPRINT = "c0ffee" * 10 + "c0ff"


@pytest.fixture
def scene(session):
    with clock.at(scenes.NOW):
        made = scenes.every_status(session)
    # one that was handed in, and one in a draft that goes out to be filled in
    for number, fingerprint in ((1, FINGERPRINT), (2, FINGERPRINT[::-1])):
        one = session.scalars(select(Evidence).where(Evidence.number == number)).one()
        one.visibility, one.filename, one.caption, one.sha256 = (
            Visibility.CONFIDENTIAL, f"{SECRET}.pdf", SECRET, fingerprint,
        )  # fmt: skip

    def focal(name):
        assignment = session.get_one(Assignment, made.replies[name].assignment_id)
        return factories.person(session, session.get_one(Institution, assignment.institution_id), Role.FOCAL_POINT)

    made.handed_in, made.drafting = focal("submitted"), focal("draft")
    made.writer = factories.staff(session, StaffRole.REPORT_WRITER)
    session.commit()
    return made


def everything_in(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def assert_named_nowhere(content):
    whole = everything_in(content)
    assert SECRET not in whole
    assert FINGERPRINT not in whole
    assert FINGERPRINT[::-1] not in whole


def evidence_of(content):
    return list(openpyxl.load_workbook(io.BytesIO(content))["Evidence"].iter_rows(values_only=True))


def line(content, number):
    return next(row for row in evidence_of(content) if str(row[0]).startswith(number))


def test_the_register_of_a_round_counts_it_and_does_not_name_it(client_for, scene):
    client = client_for(scene.writer)
    client.get("/rounds/periodic-4/evidence", expect=200)
    assert SECRET in client.text, "whoever may see it does so in the portal"
    for query in ("", f"?q={SECRET}", "?visibility=confidential"):
        content = client.get(f"/rounds/periodic-4/evidence.xlsx{query}", expect=200).data
        assert_named_nowhere(content)
        told = line(content, "E1")
        assert told[1] == "(confidential: open it in the portal)"
        assert "confidential" in told
        assert 1001 in told
    whole = client.get("/rounds/periodic-4/evidence.xlsx", expect=200).data
    assert "table.xlsx" in line(whole, "E3"), "what is not confidential is named"


def test_the_register_of_ones_own_institution_does_not_either(client_for, scene):
    client = client_for(scene.handed_in)
    client.get("/evidence", expect=200)
    assert SECRET in client.text
    content = client.get("/evidence/register.xlsx", expect=200).data
    assert_named_nowhere(content)
    assert line(content, "E1")[1] == "(confidential: open it in the portal)"


def test_a_file_that_is_confidential_in_one_place_is_not_named_for_the_other(client_for, scene, session):
    """One line stands for a file that was attached twice: its name is the same in both places."""
    session.add(
        Evidence(
            submission_id=scene.replies["submitted"].id, round_id=scene.round.id, number=4, kind=EvidenceKind.FILE,
            filename=f"{SECRET}.pdf", size=1001, sha256=FINGERPRINT, visibility=Visibility.PUBLIC,
            added_by=scene.by, added_at=clock.now(),
        )
    )  # fmt: skip
    session.commit()
    content = client_for(scene.handed_in).get("/evidence/register.xlsx", expect=200).data
    assert_named_nowhere(content)
    assert line(content, "E1, E4")[1] == "(confidential: open it in the portal)"


def test_a_confidential_link_is_no_more_named_than_a_file(client_for, scene, session):
    one = session.scalars(select(Evidence).where(Evidence.number == 1)).one()
    one.kind, one.filename, one.sha256, one.url = EvidenceKind.LINK, None, None, f"https://example.org/{SECRET}"
    session.commit()
    assert_named_nowhere(client_for(scene.writer).get("/rounds/periodic-4/evidence.xlsx", expect=200).data)
    assert_named_nowhere(client_for(scene.handed_in).get("/evidence/register.xlsx", expect=200).data)


@pytest.mark.parametrize("kind", ["xlsx", "docx"])
def test_a_file_to_be_filled_in_offline_names_none(client_for, scene, kind):
    client = client_for(scene.drafting)
    given = client.post("/owed/workbook", {"round": scene.round.slug, "as": kind}, expect=200)
    assert_named_nowhere(given.data)


def test_handing_questions_over_names_none(client_for, scene):
    given = client_for(scene.drafting).post("/hand-over/workbook", {"round": scene.round.slug}, check=False)
    assert given.status_code == 200
    assert_named_nowhere(given.data)
