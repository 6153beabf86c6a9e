"""The consolidated workbook: every figure against figures counted in another way, and what must never be in it."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from datetime import date, datetime

import openpyxl
import pytest
from sqlalchemy import select

from portal import clock
from portal.models import (
    Answer,
    Assignment,
    Evidence,
    Institution,
    Participation,
    Question,
    ReportingRound,
    Signature,
    Status,
    Submission,
    VersionItem,
    Visibility,
)
from portal.queries.sessions import system_principal
from portal.services import round_workbook
from portal.services.round_workbook import Addresses, NotProved
from portal.table import Column, Figure, Table
from portal.workbooks.writer import ReportBook
from tests import factories, scenes

ADDRESSES = Addresses(
    "https://portal.example",
    lambda one: f"https://portal.example/r/{one}",
    lambda one: f"https://portal.example/e/{one}",
)
# which replies have content, and what their first text says
CONTENT = {
    name: f"Handed in: {name}"
    for name in ("submitted", "unsigned", "cleared", "returned", "recalled", "again", "lapsed_after")
} | {"about": "About the institution"}


@pytest.fixture
def scene(session):
    with clock.at(scenes.NOW):
        yield scenes.every_status(session)


@pytest.fixture
def make(scene, session, context, tmp_path):
    def make(language="en"):
        path = tmp_path / f"{language}.xlsx"
        made = round_workbook.write_workbook(
            session, scene.round.id, path, language=language, addresses=ADDRESSES, by=system_principal(session)
        )
        return made, path, openpyxl.load_workbook(path)

    return make


def rows_of(book, sheet, header=1):
    """Return the rows of a sheet as dicts by column title."""
    ws = book[sheet]
    titles = [cell.value for cell in ws[header]]
    return [
        dict(zip(titles, row, strict=True)) for row in ws.iter_rows(min_row=header + 1, values_only=True) if any(row)
    ]


def parts(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def naive_rates(session, round_id):
    """Count by walking over objects, without any query of the product."""
    counted: dict[str, Counter] = {"All together": Counter()}
    for reply in session.scalars(select(Submission)).all():
        ask = session.get(Assignment, reply.assignment_id)
        if ask.round_id != round_id or ask.about_institution:
            continue
        extended = session.get(Participation, ask.participation_id).extended_to
        due = ask.due_on or extended or session.get(ReportingRound, ask.round_id).due_on
        for key in ("All together", session.get(Institution, ask.institution_id).code):
            found = counted.setdefault(key, Counter())
            if reply.status is Status.WITHDRAWN:
                found["Withdrawn"] += 1
                continue
            found["Issued"] += 1
            if reply.status not in {Status.SUBMITTED, Status.RETURNED, Status.CLEARED, Status.NOT_OURS}:
                found["Outstanding"] += 1
                found["Overdue"] += date(2026, 10, 5) > due
                continue
            found["Received"] += 1
            found["Unsigned"] += reply.signature is Signature.PENDING
            if reply.status is Status.NOT_OURS:
                found["Confirmed not theirs"] += 1
            elif reply.handed_in_at.astimezone(scenes.ZONE).date() <= due:
                found["On time"] += 1
            else:
                found["Late"] += 1
    return counted


def test_the_header_of_the_longest_table_is_repeated_on_paper(make):
    _made, _path, book = make()
    sheet = book["State of implementation"]
    top = sheet.auto_filter.ref.partition(":")[0].lstrip("A")
    assert sheet.print_title_rows == f"${top}:${top}"


@pytest.mark.engines
def test_every_rate_equals_a_count_over_objects(make, session, scene):
    _made, _path, book = make()
    expected = naive_rates(session, scene.round.id)
    seen = set()
    for row in rows_of(book, "Response rate", header=4):
        key = row["Counted by"] if row["Counted by"] == "All together" else row["Code or citation"]
        if row["Counted by"] == "Recommendation":
            continue
        seen.add(key)
        for column in ("Issued", "Received", "On time", "Late", "Confirmed not theirs", "Outstanding", "Overdue",
                       "Unsigned", "Withdrawn"):  # fmt: skip
            assert row[column] == expected[key][column], (key, column)
        if row["Issued"]:
            assert row["Response rate"] == pytest.approx(row["Received"] / row["Issued"])
        else:
            assert row["Response rate"] is None
    assert seen == set(expected)
    overall = expected["All together"]
    assert (overall["Issued"], overall["Received"], overall["On time"], overall["Withdrawn"]) == (13, 5, 2, 2)


@pytest.mark.engines
def test_every_answer_row_equals_the_stored_answer(make, session, scene):
    _made, _path, book = make()
    rows = {row["Row key"]: row for row in rows_of(book, "Answers")}
    expected = {}
    for name, text in CONTENT.items():
        reply = scene.replies[name]
        version = scene.about if name == "about" else scene.version
        codes = session.scalars(
            select(VersionItem.code).where(VersionItem.version_id == version.id, VersionItem.kind == "question")
        ).all()
        values = {
            "state": ("answered", None, None, None, "done"), "b1": ("answered", None, None, None, "in_progress"),
            "measures": ("not answered", None, None, None, None), "beds": ("not available", None, None, None, None),
            "why": ("not asked", None, None, None, None), "share": ("answered", None, 0.125, None, None),
            "spent": ("answered", None, 1234.5, None, None), "proof": ("not answered", None, None, None, None),
            "adopted": ("answered", None, None, datetime(2024, 2, 29), None),  # noqa: DTZ001 - Excel knows no zones
            "topics": ("answered", None, None, None, "not_started done"),
            "b6@en": ("answered", f"{text} in English", None, None, None),
            "b6@km": ("answered", f"{text} ជាភាសាខ្មែរ", None, None, None),
            "b8@en": ("answered", f"{text} is a good practice", None, None, None),
        }  # fmt: skip
        assert {key.partition("@")[0] for key in values} == set(codes)
        expected |= {f"{reply.public_id}:{key}": value for key, value in values.items()}
    columns = ("State", "Answer: text", "Answer: number", "Answer: date", "Answer: choice, key")
    assert {key: tuple(row[column] for column in columns) for key, row in rows.items()} == expected
    about = rows[f"{scene.replies['about'].public_id}:b1"]
    assert about["Recommendation"] is None
    assert about["Answer: choice"] == "In progress"
    assert rows[f"{scene.replies['returned'].public_id}:b1"]["Content shown"] == "last handed-in version"


def test_recommendations_have_one_row_per_institution(make, scene):
    _made, _path, book = make()
    rows = rows_of(book, "Recommendations")
    found = Counter(row["Recommendation"] for row in rows)
    assert found == {"17 (a)": 6, "17 (b)": 6, "18": 4}
    by_code = {(row["Recommendation"], row["Institution code"]): row for row in rows}
    assert by_code["18", "UNSIGNED"]["Signature"] == "UNSIGNED: signature to follow"
    assert by_code["18", "UNSIGNED"]["Late?"] == "late"
    assert by_code["17 (a)", "SUBMITTED"]["Late?"] == "on time"
    assert by_code["17 (a)", "SUBMITTED"]["Handed in"] == datetime(2026, 9, 30, 23, 30)  # noqa: DTZ001 - Excel knows no zones
    assert by_code["17 (a)", "SUBMITTED"]["Answered together"] == "17 (a), (b)"
    assert by_code["17 (a)", "ISSUED"]["Late?"] == "overdue"
    assert by_code["17 (a)", "DRAFT"]["Questions not answered"] is None
    assert by_code["17 (a)", "SUBMITTED"]["Questions not answered"] == 2
    # the contributing institution comes last
    assert [row["Institution code"] for row in rows if row["Recommendation"] == "17 (a)"][-1] == "DRAFT"
    sheet = book["Recommendations"]
    assert sheet.cell(2, 1).hyperlink.location == "'17a'!A1"


@pytest.mark.parametrize("language", ["en", "km"])
def test_drafts_hidden_answers_and_other_rounds_are_in_no_part(make, language):
    _made, path, _book = make(language)
    for name, text in parts(path).items():
        for canary in (scenes.DRAFT, scenes.HIDDEN, scenes.OTHER_ROUND):
            assert canary not in text, (name, canary)


@pytest.mark.parametrize("language", ["en", "km"])
def test_about_proves_the_figures_and_leads_to_every_sheet(make, language):
    made, _path, book = make(language)
    about = book["About"]
    counted = [
        (row[0].value, row[2].value, row[3].value)
        for row in about.iter_rows()
        if isinstance(row[2].value, int) and isinstance(row[3].value, int)
    ]
    assert len(counted) == 14
    assert all(counted == written for _sheet, counted, written in counted)
    assert book["Answers"].max_row - 1 == next(number for sheet, number, _n in counted if sheet.partition(" · ")[0] == "Answers")
    assert made.checksum in {cell.value for row in about.iter_rows() for cell in row}
    targets = {
        link.hyperlink.location.split("!")[0].strip("'")
        for row in about.iter_rows()
        for link in row
        if link.hyperlink is not None and link.hyperlink.location
    }
    assert targets <= set(book.sheetnames)
    assert {"Answers", "Recommendations", "Codebook", "Evidence", "17a"} <= targets


def test_two_languages_have_one_checksum_and_their_own_words(make):
    english, _path, _book = make("en")
    khmer, _path, book = make("km")
    assert english.checksum == khmer.checksum
    words = [cell.value for cell in book["Answers"][1]]
    assert "អនុសាសន៍" in words
    assert "ស្ថាប័ន" in words
    assert book["17a"]["A1"].value == "17 (a) · សេរីភាព"


def test_a_dropped_row_stops_the_export(make, monkeypatch, tmp_path):
    true = round_workbook.answer_lines.lines
    monkeypatch.setattr(round_workbook.answer_lines, "lines", lambda *given: list(true(*given))[1:])
    with pytest.raises(NotProved):
        make()
    assert list(tmp_path.glob("*.xlsx")) == []
    assert list(tmp_path.glob(".*.xlsx")) == []


def test_a_file_that_lost_rows_on_the_way_is_not_given_out(make, monkeypatch, tmp_path):
    from portal.workbooks.streaming import StreamedRows

    true = StreamedRows.serialise

    def lose_one(self):
        self.rows = list(self.rows)[:-1]
        true(self)

    monkeypatch.setattr(StreamedRows, "serialise", lose_one)
    with pytest.raises(NotProved):
        make()
    assert list(tmp_path.glob("*.xlsx")) == []


NAUGHTY = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", '=HYPERLINK("http://x")', "\tx", "'quoted", "007",
           "1e5", "TRUE", "<b>&amp;</b>", "_x0041_", "a\x0bb", "ក្រ\u200bសួង", "line one\nline two", "🏛" * 3]  # fmt: skip


def test_what_people_typed_is_text_and_never_a_formula(make, session, scene):
    codes = session.scalars(select(Question).where(Question.questionnaire_id == scene.version.questionnaire_id)).all()
    text = next(one for one in codes if one.code == "b6")
    reply = scene.replies["submitted"]
    for number, naughty in enumerate(NAUGHTY):
        session.add(
            Answer(
                submission_id=reply.id, question_id=text.id, row=f"r{number}", lang="", value=naughty, revision=1,
                asked_in=scene.version.id, answered_by=scene.by, answered_at=clock.now(),
            )
        )
    session.commit()
    _made, path, book = make()
    for name, content in parts(path).items():
        if name.startswith("xl/worksheets/sheet"):
            assert "<f>" not in content
            assert "<f " not in content
    assert not [name for name in parts(path) if "externalLink" in name]
    kept = {row["Table row"]: row["Answer: text"] for row in rows_of(book, "Answers") if row["Table row"]}
    for number, naughty in enumerate(NAUGHTY):
        # Excel reads _x005F_ back as an underscore; openpyxl leaves that to us
        assert kept[f"r{number}"].replace("_x005F_", "_") == naughty.replace("\x0b", "\ufffd"), naughty
    assert [row["What was altered"] for row in rows_of(book, "Notes")] != []


def test_what_is_confidential_is_counted_and_named_nowhere(make, session, scene):
    of = scene.replies["submitted"]
    one = session.scalars(select(Evidence).where(Evidence.submission_id == of.id)).one()
    one.visibility, one.filename, one.caption = Visibility.CONFIDENTIAL, "CANARY.pdf", "CANARY"
    session.commit()
    made, path, _book = make()
    assert made
    whole = "".join(parts(path).values())
    assert "CANARY" not in whole
    assert "(confidential: open it in the portal)" in whole


def test_a_very_long_answer_goes_on_in_the_next_columns_and_is_noted(make, session, scene):
    long = "ច្បាប់ និងគោលនយោបាយ " * 4_000
    scenes.answer(session, scene.replies["cleared"], scene.version, "b6", long, scene.by, lang="km")
    session.commit()
    _made, _path, book = make()
    sheet = book["Answers"]
    titles = [cell.value for cell in sheet[1]]
    at = titles.index("Answer: text (1 of 3)") if "Answer: text (1 of 3)" in titles else titles.index("Answer: text")
    row = next(row for row in sheet.iter_rows(min_row=2, values_only=True) if row[at] and len(row[at]) > 30_000)
    assert "".join(part or "" for part in row[at : at + 3]) == long
    assert any(note["Sheet"] == "Answers" for note in rows_of(book, "Notes"))


def look(cell):
    return cell.font.name, cell.font.b, cell.alignment.wrap_text, cell.alignment.horizontal, cell.quotePrefix


def test_streamed_rows_equal_rows_written_by_openpyxl(context):
    columns = (
        Column("text", {"en": "Text"}, wrap=True), Column("whole", {"en": "Whole"}, "integer"),
        Column("figure", {"en": "Figure"}, "decimal"), Column("day", {"en": "Day"}, "date"),
        Column("moment", {"en": "Moment"}, "datetime"), Column("yes", {"en": "Yes"}, "boolean"),
    )  # fmt: skip
    naughty = [*NAUGHTY, "x" * 40_000, "", "ស្ថាប័ន", " leading", 'quote " and & < >']
    rows = [
        (text, number, Figure(number / 8, "percent"), date(2024, 2, 29), scenes.IN_TIME, number % 2 == 0)
        for number, text in enumerate(naughty)
    ]
    rows += [("wide", 10**16, None, date(1890, 1, 1), None, None)]
    books = []
    for way in ("sheet", "stream"):
        book = ReportBook(time_zone="Asia/Phnom_Penh")
        getattr(book, way)(Table("T", {"en": "T"}, columns, rows))
        books.append(openpyxl.load_workbook(io.BytesIO(book.content())))
        book.close()
    plain, streamed = (book["T"] for book in books)
    assert streamed.max_row == plain.max_row
    for one, other in zip(plain.iter_rows(), streamed.iter_rows(), strict=True):
        for left, right in zip(one, other, strict=True):
            place = left.coordinate
            if left.value is None and right.value is None:
                continue
            assert (left.value, left.data_type) == (right.value, right.data_type), place
            if left.value is not None:
                assert left.number_format == right.number_format, place
                assert look(left) == look(right), place
    assert list(books[0]["Notes"].values) == list(books[1]["Notes"].values)


def test_a_round_without_practices_and_evidence_has_empty_sheets(session, context, tmp_path):
    round_ = factories.reporting_round(session)
    factories.submission(session, factories.assignment(session, in_round=round_))
    session.commit()
    path = tmp_path / "empty.xlsx"
    round_workbook.write_workbook(
        session, round_.id, path, language="en", addresses=ADDRESSES, by=system_principal(session)
    )
    book = openpyxl.load_workbook(path)
    for sheet in ("Good practices", "Evidence", "Answers"):
        assert rows_of(book, sheet) == []
