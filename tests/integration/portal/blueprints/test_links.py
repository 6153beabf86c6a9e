"""A link as evidence: given on the page of the files, named by the answer, listed wherever a file is."""

from __future__ import annotations

import io
from types import SimpleNamespace

import openpyxl
import pytest
from sqlalchemy import select

from portal.models import Answer, Evidence, EvidenceKind, ItemKind, Role, Status, Submission, VersionItem
from tests import factories
from tests.integration.portal.blueprints.test_documents import only, send
from tests.integration.portal.blueprints.test_documents import scene as paper
from tests.integration.portal.blueprints.test_uploads import PDF, whole

pytestmark = pytest.mark.engines

__all__ = ["paper"]
LINK = "https://www.example.org/ច្បាប់/2026?page=1"


@pytest.fixture
def scene(session):
    moj = factories.institution(session, "MOJ")
    version = factories.questionnaire_version(session)
    page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
    factories.question(session, version, "proof", "file", parent=page)
    reply = factories.submission(session, factories.assignment(session, to=moj, version=version))
    made = SimpleNamespace(
        reply=reply,
        path=f"/replies/{reply.public_id}",
        focal=factories.person(session, moj, Role.FOCAL_POINT),
        reader=factories.person(session, moj, Role.READER),
        stranger=factories.person(session, factories.institution(session, "MOI"), Role.FOCAL_POINT),
    )
    session.commit()
    return made


def give(client, scene, url=LINK, expect=303, **more):
    fields = {"question": "proof", "url": url, "caption": "The law as published"} | more
    return client.post(f"{scene.path}/links", fields, expect=expect)


def test_a_link_is_given_beside_the_files_and_listed_as_they_are(client_for, scene, session):
    client = client_for(scene.focal)
    whole(client, scene.path, PDF, 201)
    client.get(f"{scene.path}/pages/page1", expect=200)
    (way,) = client.page.xpath("//a[.='Give a link instead of a file']/@href")
    assert way == f"{scene.path}/files#give-link"
    client.get(way.partition("#")[0], expect=200)
    assert client.page.xpath("//form[@id='give-link']//input[@name='question']/@value") == ["proof"]
    give(client, scene, f" {LINK} ")
    file, link = session.scalars(select(Evidence).order_by(Evidence.number)).all()
    assert (link.kind, link.url, link.number, link.caption) == (EvidenceKind.LINK, LINK, 2, "The law as published")
    assert session.scalars(select(Answer.value)).one() == [file.public_id, link.public_id]
    # the same one again is not doubled
    give(client, scene)
    assert len(session.scalars(select(Evidence)).all()) == 2
    client.get(f"{scene.path}/pages/page1", expect=200)
    (shown,) = client.page.xpath("//ul[@class='files']//a[@rel='noreferrer']")
    assert (shown.get("href"), shown.text) == (LINK, "The law as published")
    for page in (f"{scene.path}/files", f"{scene.path}/check", "/evidence"):
        client.get(page, expect=200)
        assert client.page.xpath("//a[@rel='noreferrer']/@href") == [LINK], page
    book = openpyxl.load_workbook(io.BytesIO(client.get("/evidence/register.xlsx", expect=200).data))
    assert LINK in [row[1] for row in book["Evidence"].iter_rows(values_only=True)]
    client.post(f"/evidence/{link.public_id}/remove", expect=303)
    session.expire_all()
    assert session.scalars(select(Answer.value)).one() == [file.public_id]


@pytest.mark.parametrize(
    "url",
    ["", "www.example.org", "ftp://example.org/a", "javascript:alert(1)", "https://", "https://nowhere", "https://a b.org",
     "https://[::", "https://me:secret@example.org/", "https://example.org/" + "x" * 2000],
)  # fmt: skip
def test_what_is_no_address_is_said_at_its_field_and_kept(client_for, scene, session, url):
    client = client_for(scene.focal)
    give(client, scene, url, expect=422)
    assert client.page.xpath("//*[@id='link-error']")[0].text_content().strip().startswith("Give the whole address")
    assert client.page.xpath("//input[@id='link-url']/@value") == [url]
    assert client.page.xpath("//input[@id='link-caption']/@value") == ["The law as published"]
    assert session.scalars(select(Evidence)).all() == []


def test_only_whoever_answers_gives_a_link_and_only_while_it_is_open(client_for, scene, session):
    give(client_for(scene.reader), scene, expect=403)
    give(client_for(scene.stranger), scene, expect=404)
    client_for(scene.reader).get(f"{scene.path}/files", expect=200)
    client = client_for(scene.focal)
    give(client, scene, question="state", expect=409)
    session.get_one(Submission, scene.reply.id).status = Status.SUBMITTED
    session.commit()
    give(client, scene, expect=409)
    client.get(f"{scene.path}/files", expect=200)
    assert not client.page.xpath("//form[@id='give-link']")


def test_a_link_that_a_paper_names_is_entered_with_it(client_for, session, paper):
    coordinator = client_for(paper.coordinator)
    send(coordinator, paper.desk)
    path = f"{paper.desk}/paper/{only(session).public_id}"
    coordinator.get(path, follow=True)
    assert coordinator.page.xpath("//form[@id='link-q-proof']/@action") == [f"{path}/questions/proof/files#q-proof-item"]
    coordinator.post(f"{path}/questions/proof/files", {"link": "example.org"}, expect=422)
    assert coordinator.page.xpath("//input[@name='link']/@value") == ["example.org"]
    assert "Give the whole address" in coordinator.words
    coordinator.post(f"{path}/questions/proof/files", {"link": LINK}, expect=303)
    made = session.scalars(select(Evidence)).one()
    assert session.scalars(select(Answer.value)).one() == [made.public_id]
    assert made.url == LINK
