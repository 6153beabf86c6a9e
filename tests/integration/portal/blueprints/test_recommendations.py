"""The recommendations room through HTTP: import with dry run, texts out and in, editing, states, bad files."""

from __future__ import annotations

import json
from datetime import date
from io import BytesIO

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select

from portal import clock
from portal.models import (
    Answer,
    AnswerState,
    Implementation,
    ImplementationState,
    ImportDraft,
    Institution,
    Recommendation,
    RecommendationKind,
    RecommendationRevision,
    StaffRole,
    Status,
    Tag,
    TextStatus,
)
from tests import factories

HEADERS = [
    "Text", "Countries Concerned", "Reccomending Body", "Document Symbol", "Themes", "Affected Persons", "Sdgs",
    "Document Publication Date", "UPR Reccomending States", "UPR Position", "Type", "OHCHR Annotation Id",
    "UPR Session", "Regions Concerned", "Recommending Regions", "Date of publication on UHRI",
]  # fmt: skip
BUTTON = "Take over"


def annotation(number: int, text: str, country: str = "Cambodia", kind: str = "Recommendations") -> list[object]:
    return [
        text, f"- {country}", "- CCPR", "CCPR/C/TST/CO/9", "- Right to housing\n-  Water", "- Women & girls",
        "- 16 - PEACE", 44699, None, None, f"- {kind}", f"00000000-0000-0000-0000-{number:012d}", None,
        "- Asia-Pacific", None, 44700.5,
    ]  # fmt: skip


def export(*rows: list[object], headers: list[str] = HEADERS) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.append(headers)
    for row in rows:
        sheet.append(row)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def usual(demand: str = "The State should build shelters") -> bytes:
    return export(
        annotation(1, "Shelters\n7. The Committee notes few shelters.", kind="Concerns/Observations"),
        annotation(2, f"Shelters\n8. {demand}: (a) In every province; (b) With trained staff."),
        annotation(3, "Water\n9. The State should measure water.", country="Elsewhere"),
        annotation(4, ""),
    )


@pytest.fixture
def coordinator(session, client_for):
    return client_for(factories.staff(session, StaffRole.COORDINATOR))


def upload(client, content: bytes, name: str = "export.xlsx", path: str = "/recommendations/import"):
    return client.post(path, {"file": (BytesIO(content), name), "language": "en"}, content_type="multipart/form-data")


def take_over(client, content: bytes) -> None:
    assert upload(client, content).status_code == 303, client.text
    client.follow()
    client.submit(-1, expect=200)


def count(session, model=Recommendation) -> int:
    return session.scalar(select(func.count()).select_from(model))


@pytest.mark.engines
def test_a_dry_run_writes_nothing_and_the_confirmation_everything(coordinator, session):
    assert upload(coordinator, usual()).status_code == 303
    coordinator.follow()

    assert "4 new" in coordinator.words.replace("4new", "4 new")
    assert "row 5" in coordinator.words
    assert count(session) == 0

    coordinator.submit(-1, expect=200)

    assert count(session) == 4
    assert "Taken over: 4 new, 0 changed" in coordinator.words
    assert session.scalars(select(ImportDraft)).one().confirmed_at is not None
    lettered = session.scalars(select(Recommendation).filter_by(paragraph="8", sub_item="a")).one()
    assert lettered.texts["en"].startswith("In every province")


def test_the_same_export_again_has_nothing_to_take_over(coordinator, session):
    take_over(coordinator, usual())
    upload(coordinator, usual())
    coordinator.follow()

    assert "There is nothing to take over" in coordinator.words


def test_a_changed_export_shows_old_and_new(coordinator, session):
    take_over(coordinator, usual())
    upload(coordinator, usual("The State should open shelters"))
    coordinator.follow()

    assert "The State should build shelters:" in coordinator.words
    assert "The State should open shelters:" in coordinator.words
    coordinator.submit(-1, expect=200)
    assert count(session, RecommendationRevision) == 1


def test_a_confirmation_after_somebody_elses_change_shows_the_new_judgement(coordinator, session):
    upload(coordinator, usual())
    address = coordinator.response.headers["Location"]
    coordinator.follow()
    stale = coordinator.page.xpath("//input[@name='fingerprint']/@value")[0]
    take_over(coordinator, usual())

    coordinator.post(address, {"fingerprint": stale}, expect=409)

    assert "Something changed since you looked" in coordinator.words


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.xlsx", b""),
        ("words.xlsx", b"this is a letter, not a workbook"),
        ("old.xlsx", bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 2000),
        ("cut.xlsx", usual()[:900]),
        ("other.xlsx", export(["x"] * 5, headers=["A", "B", "C", "D", "E"])),
        ("cut.json", b'[{"AnnotationId": "1", "Text": "7. The'),
        ("list.json", b"[1, 2, 3]"),
        ("odd.json", b'{"recommendations": 7}'),
        ("deep.json", b"[" * 100_000),
    ],
)
def test_a_bad_file_gets_one_sentence_and_writes_nothing(coordinator, session, name, content):
    upload(coordinator, content, name)

    assert coordinator.response.status_code == 422
    assert len(coordinator.page.xpath("//div[@role='alert']//li")) == 1
    assert (count(session), count(session, ImportDraft)) == (0, 0)


def test_a_file_over_the_limit_is_refused(make_app, session, app):
    from tests.client import Client

    person = factories.staff(session, StaffRole.COORDINATOR)
    client = Client(make_app(max_upload_mb=1), session)
    client.sign_in(person.login)

    head = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="big.xlsx"\r\n\r\nPK'
    body = head + b"\0" * 1_500_000 + b"\r\n--edge--\r\n"
    client.open(
        "/recommendations/import",
        method="POST",
        input_stream=BytesIO(body),
        content_length=len(body),
        content_type="multipart/form-data; boundary=edge",
        headers={"X-CSRFToken": client.token()},
        expect=422,
    )

    assert "larger than 1 MB" in client.words


def test_the_template_comes_back_as_it_was_filled(coordinator, session):
    coordinator.get("/recommendations/template.xlsx", expect=200)
    book = load_workbook(BytesIO(coordinator.response.get_data()))
    sheet = book["Recommendations"]
    columns = {str(cell.value): cell.column for cell in sheet[1]}
    filled = {
        "Document symbol": "T/1", "Mechanism": "CEDAW", "Paragraph": "12", "Sub-item": "a",
        "Text, English (en)": "Do it.", "Text, Khmer (km)": "សូមធ្វើ។",
    }  # fmt: skip
    for wanted, value in filled.items():
        at = next(column for title, column in columns.items() if wanted in [line.strip(" *") for line in title.split("\n")])
        sheet.cell(2, at, value)
    out = BytesIO()
    book.save(out)

    take_over(coordinator, out.getvalue())

    one = session.scalars(select(Recommendation)).one()
    assert (one.paragraph, one.sub_item, one.texts["km"]) == ("12", "a", "សូមធ្វើ។")


def test_a_demo_document_can_be_imported_as_it_is(coordinator, session):
    document = {
        "symbol": "D/1", "mechanism": "UPR", "kind": "upr_report", "titles": {"en": "Review"}, "country": "Cambodia",
        "recommendations": [{"paragraph": "100.1", "texts": {"en": "Do."}, "state_position": "supported", "tags": {"theme": ["X"]}}],
    }  # fmt: skip
    take_over(coordinator, json.dumps(document).encode())

    assert session.scalars(select(Recommendation)).one().state_position == "supported"
    assert session.scalars(select(Tag.key)).all() == ["X"]


def test_texts_go_out_and_come_back_and_two_translators_are_kept_apart(coordinator, session):
    one = factories.recommendation(session, texts={"en": "Do it."}, summary={})
    coordinator.get("/recommendations/texts", expect=200)
    coordinator.post("/recommendations/texts.xlsx", {"document": ""}, expect=200)
    first = load_workbook(BytesIO(coordinator.response.get_data()))
    columns = {str(cell.value): cell.column for cell in first["Texts"][1]}
    khmer = next(column for title, column in columns.items() if "(km)" in title and "Text," in title)
    first["Texts"].cell(2, khmer, "សូមធ្វើ។")
    mine, theirs = BytesIO(), BytesIO()
    first.save(mine)
    first["Texts"].cell(2, khmer, "សូមអនុវត្ត។")
    first.save(theirs)

    def bring(content: BytesIO) -> None:
        data = {"file": (BytesIO(content.getvalue()), "texts.xlsx")}
        assert coordinator.post("/recommendations/texts", data, content_type="multipart/form-data").status_code == 303
        coordinator.follow()

    bring(mine)
    assert session.get(Recommendation, one.id).texts == {"en": "Do it."}
    coordinator.submit(-1, expect=200)
    assert session.get(Recommendation, one.id).texts["km"] == "សូមធ្វើ។"
    bring(theirs)
    assert "សូមធ្វើ។" in coordinator.words
    assert "សូមអនុវត្ត។" in coordinator.words
    assert "There is nothing to take over" in coordinator.words


def test_editing_keeps_both_texts_when_two_people_edit(coordinator, session):
    one = factories.recommendation(session, texts={"en": "Do it.", "km": "ដើម"}, summary={})
    coordinator.get(f"/recommendations/{one.public_id}/edit", expect=200)
    page = coordinator.page
    session.get(Recommendation, one.id).texts = {"en": "Do it.", "km": "អ្នកផ្សេង"}
    coordinator.page = page

    coordinator.submit(0, expect=409, **{"texts@km": "ខ្ញុំ", "summary@en": "You are asked."})

    assert "អ្នកផ្សេង" in coordinator.words
    assert coordinator.page.xpath("//textarea[@name='texts@km']")[0].value.strip() == "ខ្ញុំ"
    assert session.get(Recommendation, one.id).summary == {"en": "You are asked."}
    coordinator.submit(0, expect=200, **{"texts@km": "ទាំងពីរ"})
    assert session.get(Recommendation, one.id).texts["km"] == "ទាំងពីរ"


def test_facts_can_be_corrected_and_a_taken_place_is_refused(coordinator, session):
    document = factories.document(session)
    one = factories.recommendation(session, document, paragraph="7")
    factories.recommendation(session, document, paragraph="8")
    address = f"/recommendations/{one.public_id}/edit"

    coordinator.get(address)
    coordinator.submit(1, expect=422, paragraph="8", sub_item="")
    coordinator.get(address)
    coordinator.submit(1, expect=200, paragraph="9", follow_up="y", pair="8", state_position="noted")

    one = session.get(Recommendation, one.id)
    assert (one.paragraph, one.follow_up, one.pair_id is not None, one.state_position) == ("9", True, True, "noted")


def test_a_state_is_added_with_day_and_reason_and_the_newest_counts(coordinator, session):
    one = factories.recommendation(session)
    address = f"/recommendations/{one.public_id}"
    coordinator.get(address)
    coordinator.post(f"{address}/state", {"state": "done", "as_of": "2026-01-31", "reason": ""}, expect=422)
    coordinator.post(f"{address}/state", {"state": "done", "as_of": "2999-01-31", "reason": "Law."}, expect=422)
    coordinator.post(f"{address}/state", {"state": "planned", "as_of": "2026-01-31", "reason": "Plan."}, expect=303)
    coordinator.post(f"{address}/state", {"state": "done", "as_of": "2026-02-28", "reason": "Law."}, expect=303)

    assert count(session, ImplementationState) == 2
    coordinator.get("/implementation", expect=200)
    assert "1 of 1 recommendations" in coordinator.words


def answer_b1(session, value: str, status: Status) -> tuple[Recommendation, Institution]:
    version = factories.questionnaire_version(session)
    item = factories.question(session, version, "b1", "select_one")
    institution, one = factories.institution(session), factories.recommendation(session)
    made = factories.submission(
        session, factories.assignment(session, institution, about=[one], version=version), status=status
    )
    session.add(
        Answer(
            submission_id=made.id, question_id=item.question_id, value=value, state=AnswerState.ANSWERED, revision=1,
            asked_in=version.id, answered_by=factories.system_actor(session).id, answered_at=clock.now(),
        )
    )  # fmt: skip
    session.flush()
    return one, institution


@pytest.mark.engines
def test_own_states_come_from_handed_in_replies_only(coordinator, session):
    from portal.queries.implementation import own_states, state_table, summary, summary_table, theme_table

    handed_in, institution = answer_b1(session, "in_progress", Status.SUBMITTED)
    answer_b1(session, "done", Status.IN_PROGRESS)
    answer_b1(session, "done", Status.RETURNED)

    found = own_states(session)

    assert [(one.recommendation_id, one.state, one.institution_code) for one in found] == [
        (handed_in.id, Implementation.IN_PROGRESS, institution.code)
    ]
    whole = summary(session)
    assert (whole.total, whole.own_recommendations, whole.count(None)) == (3, 1, 3)
    assert list(summary_table(whole).rows)[2] == ("In progress", 0, 3, 0.0, 1)
    assert len(list(state_table(whole, "en").rows)) == 3
    assert list(theme_table(whole, "en").rows) == []


def test_observers_see_recommendations_but_no_unpublished_state(session, client_for):
    one, institution = answer_b1(session, "in_progress", Status.SUBMITTED)
    by = factories.staff(session, StaffRole.REPORT_WRITER)
    actor = factories.principal(session, by).actor_id
    session.add(
        ImplementationState(
            recommendation_id=one.id, state=Implementation.PLANNED, as_of=date(2026, 1, 1), reason="An inner reason",
            set_at=clock.now(), set_by=actor,
        )
    )  # fmt: skip
    observer = client_for(factories.staff(session, StaffRole.OBSERVER))

    observer.get("/implementation", expect=403)
    for address in (f"/recommendations/{one.public_id}", "/recommendations"):
        observer.get(address, expect=200)
        assert "Planned" not in observer.words
        assert "An inner reason" not in observer.words
        assert institution.names["en"] not in observer.words
    observer.get("/recommendations/import", expect=403)
    observer.get("/implementation/any", expect=403)


def test_an_institution_reads_texts_and_nothing_internal(session, client_for):
    one = factories.recommendation(session, text_status=TextStatus.WORKING)
    client = client_for(factories.person(session, factories.institution(session)))

    client.get(f"/recommendations/{one.public_id}", expect=200)
    assert "Who is asked" not in client.words
    assert "State of implementation" not in client.words
    client.get("/implementation", expect=403)
    client.get(f"/recommendations/{one.public_id}/edit", expect=403)
    client.get("/recommendations/0000", expect=404)


def test_an_institution_finds_its_replies_and_no_others_on_the_page_of_a_recommendation(session, client_for):
    one = factories.recommendation(session)
    ours, theirs = factories.institution(session), factories.institution(session)
    mine = factories.submission(session, factories.assignment(session, to=ours, about=[one]))
    other = factories.submission(session, factories.assignment(session, to=theirs, about=[one]))
    factories.assignment(session, to=ours, about=[one], in_round=factories.reporting_round(session))  # not issued yet
    client = client_for(factories.person(session, ours))

    client.get(f"/recommendations/{one.public_id}", expect=200)
    assert client.page.xpath(f"//main//a[@href='/replies/{mine.public_id}/']")
    assert other.public_id not in client.text
    client.get(f"/replies/{mine.public_id}/", follow=True)
    assert client.page.xpath(f"//section[@class='recommendation']//a[@href='/recommendations/{one.public_id}']")


def test_a_translation_is_not_called_the_original_text(session, client_for):
    one = factories.recommendation(session, texts={"en": "The State should build", "km": "រដ្ឋគួរសាងសង់"})
    client = client_for(factories.person(session, factories.institution(session)))
    client.get(f"/recommendations/{one.public_id}", expect=200)
    assert "Original text" not in client.words
    assert "The text in ខ្មែរ" in client.words
    client.post("/language", {"language": "km"})
    client.get(f"/recommendations/{one.public_id}", expect=200)
    assert "អត្ថបទដើម" in client.words


def test_search_finds_khmer_with_and_without_zero_width_spaces(coordinator, session):
    one = factories.recommendation(session, texts={"km": "សិទ្ធិ\u200bមនុស្ស"})
    factories.recommendation(session)

    coordinator.get("/recommendations?q=សិទ្ធិមនុស្ស", expect=200)

    assert coordinator.page.xpath("//li[contains(@class, 'rec-item')]//a/@href") == [
        f"/recommendations/{one.public_id}"
    ]


def test_lists_need_as_many_queries_for_many_rows_as_for_few(coordinator, session, count_queries):
    document = factories.document(session)
    addresses = ["/recommendations", f"/recommendations/documents/{document.public_id}", "/implementation",
                 "/recommendations/missing"]  # fmt: skip
    counts = []
    for more in (2, 40):
        for _number in range(more):
            factories.recommendation(session, document, summary={})
        session.commit()
        counts.append([])
        for address in addresses:
            with count_queries() as seen:
                coordinator.get(address, expect=200)
            counts[-1].append(len(seen))
    assert counts[0] == counts[1]
    assert max(counts[1]) <= 12


def test_missing_texts_are_listed(coordinator, session):
    factories.recommendation(session)
    lacking = factories.recommendation(session, texts={"en": "Do."}, summary={})
    factories.recommendation(session, texts={"en": "Few."}, summary={}, kind=RecommendationKind.CONCERN)

    coordinator.get("/recommendations/missing", expect=200)

    assert coordinator.page.xpath("//table//a/@href") == [f"/recommendations/{lacking.public_id}/edit"]
