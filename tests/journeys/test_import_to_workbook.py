"""The main job through HTTP alone, every page checked: people and recommendations in, a workbook out."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO

from openpyxl import Workbook, load_workbook
from sqlalchemy import select

from portal import clock
from portal.models import (
    Institution,
    Invitation,
    Recommendation,
    ReportingRound,
    Role,
    SourceDocument,
    StaffRole,
    Status,
    Submission,
    UserAccount,
)
from portal.workbooks import people
from tests import factories
from tests.client import Client
from tests.factories import PASSWORD

HEADERS = [
    "Text", "Countries Concerned", "Reccomending Body", "Document Symbol", "Themes", "Affected Persons", "Sdgs",
    "Document Publication Date", "UPR Reccomending States", "UPR Position", "Type", "OHCHR Annotation Id",
    "UPR Session", "Regions Concerned", "Recommending Regions", "Date of publication on UHRI",
]  # fmt: skip


def annotation(number, text, kind):
    return [
        text, "- Cambodia", "- CCPR", "CCPR/C/TST/CO/9", "- Right to housing\n-  Water", "- Women & girls", "- 16 - PEACE",
        44699, None, None, f"- {kind}", f"00000000-0000-0000-0000-{number:012d}", None, "- Asia-Pacific", None, 44700.5,
    ]  # fmt: skip


def uhri_export():
    book = Workbook()
    book.active.append(HEADERS)
    book.active.append(annotation(1, "Shelters\n7. The Committee notes few shelters.", "Concerns/Observations"))
    book.active.append(annotation(2, "Shelters\n8. The State should build shelters.", "Recommendations"))
    out = BytesIO()
    book.save(out)
    out.seek(0)
    return out


def people_workbook():
    roles = {role.value: {"en": role.value} for role in [*Role, *StaffRole]}
    places = [
        {"code": "moi", "names": {"en": "Interior", "km": "មហាផ្ទៃ"}, "rank": 10},
        {"code": "mowa", "names": {"en": "Women's Affairs", "km": "កិច្ចការនារី"}, "rank": 20},
    ]
    persons = [
        {"names": {"en": f"{role} of {code}"}, "role": role, "institution": code, "phone": f"012 345 {number:03d}"}
        for number, (code, role) in enumerate((c, r) for c in ("moi", "mowa") for r in ("focal_point", "approver"))
    ]
    return BytesIO(people.template(("km", "en"), roles, (), places, persons))


def send_file(client, path, content, name):
    client.get(path)
    field = client.page.xpath("//main//input[@type='file']/@name")[0]
    fields = {field: (content, name)}
    return client.post(path, fields, content_type="multipart/form-data", follow=True)


def enter(app, session, coordinator, person):
    """Let a person in by the link and the code on the coordinator's page, and return their browser."""
    coordinator.get(f"/people/persons/{person.public_id}")
    coordinator.submit(f"/colleagues/{person.public_id}/invite", expect=200)
    link = re.search(r"/enter/[\w-]+", coordinator.text)[0]
    code = re.search(r"\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", coordinator.words)[0]
    client = Client(app, session)
    for _robot in range(2):  # a preview robot opens the link and spends nothing
        Client(app, session).get(link, expect=200)
    client.get(link)
    client.post(link, {"code": code, "password": PASSWORD}, follow=True)
    assert session.scalar(select(Invitation.used_at).order_by(Invitation.id.desc())) is not None
    client.post("/language", {"language": "en", "next": "/"}, follow=True)
    return client


def fields_of(client, **answers):
    """Answer every question of the open page in its simplest way."""
    given = {}
    for name in dict.fromkeys(
        client.page.xpath("//main//form[@data-autosave]//input[@type='radio' and not(contains(@name, '!'))]/@name")
    ):
        given[name] = client.page.xpath(f"//input[@type='radio' and @name='{name}']/@value")[0]
    for area in client.page.xpath("//main//form[@data-autosave]//textarea/@name"):
        given[area] = f"ចម្លើយ {area}"
    return given | answers


def test_from_the_files_to_the_workbook(app, session, client_for):
    version = factories.questionnaire_version(session)
    coordinator = client_for(factories.staff(session))
    send_file(coordinator, "/people/import", people_workbook(), "people.xlsx")
    assert session.query(Institution).count() == 0
    coordinator.submit(0)
    assert session.query(Institution).count() == 2
    send_file(coordinator, "/recommendations/import", uhri_export(), "export.xlsx")
    assert session.query(Recommendation).count() == 0
    coordinator.submit(0)
    assert session.query(Recommendation).count() == 2
    coordinator.get("/recommendations", expect=200)

    day = clock.today()
    document = session.scalars(select(SourceDocument)).one()
    coordinator.get("/rounds/new", expect=200)
    facts = {
        "titles_en": "Round one", "titles_km": "វគ្គទីមួយ", "documents": document.id, "short_version": version.id,
        "full_version": "", "institution_version": "", "kind": "periodic", "sign_off_policy": "screen", "opens_on": day, "due_on": day + timedelta(days=30),
        "closes_on": day + timedelta(days=40), "freezes_on": day + timedelta(days=50),
    }  # fmt: skip
    coordinator.post("/rounds/new", facts, expect=303)
    slug = session.scalars(select(ReportingRound.slug)).one()
    coordinator.get(f"/rounds/{slug}/matrix", expect=200)
    lines = "paragraph\tinstitution\trole\tlength\n8\tmoi\tlead\t\n8\tmowa\tcontributing\t\n"
    coordinator.post(f"/rounds/{slug}/matrix/paste", {"lines": lines}, expect=303)
    coordinator.get(f"/rounds/{slug}/preview", expect=200)
    assert "Interior" in coordinator.words
    coordinator.post(f"/rounds/{slug}/issue", follow=True)
    replies = session.scalars(select(Submission).order_by(Submission.id)).all()
    assert [reply.status for reply in replies] == [Status.ISSUED, Status.ISSUED]

    by_login = {one.login: one for one in session.scalars(select(UserAccount))}
    focal = enter(app, session, coordinator, by_login["focal.moi"])
    focal.get("/owed", expect=200)
    link = focal.page.xpath("//li[contains(@class, 'owed-row')]//a/@href")[0]
    focal.get(link, follow=True)
    answers = fields_of(focal, beds="១២")
    focal.submit(0, **answers, action="next")
    assert focal.response.status_code == 200, focal.words
    focal.submit(
        next(f.get("action") for f in focal.page.xpath("//main//form") if "/complete" in (f.get("action") or ""))
    )
    session.expire_all()
    assert replies[0].status is Status.AWAITING_SIGN_OFF
    approver = enter(app, session, coordinator, by_login["approver.moi"])
    approver.get("/sign", expect=200)
    approver.post("/sign", {"reply": replies[0].public_id, "password": PASSWORD}, follow=True)

    for page in ("", "/grid", "/late", "/recommendations"):
        coordinator.get(f"/rounds/{slug}{page}", expect=200)
    coordinator.get(f"/rounds/{slug}")
    assert "1 of 2" in coordinator.words or "50" in coordinator.words
    coordinator.get(f"/review/{replies[0].public_id}", expect=200)
    coordinator.post(f"/review/{replies[0].public_id}/clear", follow=True)
    session.expire_all()
    assert replies[0].status is Status.CLEARED
    coordinator.get("/implementation", expect=200)

    writer = client_for(factories.staff(session, StaffRole.REPORT_WRITER))
    writer.get(f"/rounds/{slug}/workbooks")
    writer.submit(0)
    download = writer.page.xpath("//main//a[contains(@href, '/workbooks/')]/@href")[0]
    book = load_workbook(BytesIO(writer.get(download, expect=200).get_data()))
    cells = {cell for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row}
    assert {12, "ចម្លើយ measures@km"} <= cells
    assert any("build shelters" in str(cell) for cell in cells)
