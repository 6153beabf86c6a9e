from __future__ import annotations

import io
import json
from datetime import date

import openpyxl
import pytest

from portal.errors import Invalid
from portal.workbooks import uhri, uhri_files

EXPORTED = [
    "Text", "Countries Concerned", "Reccomending Body", "Document Symbol", "Themes", "Affected Persons", "Sdgs",
    "Document Publication Date", "UPR Reccomending States", "UPR Position", "Type", "OHCHR Annotation Id", "UPR Session",
    "Regions Concerned", "Recommending Regions", "Date of publication on UHRI",
]  # fmt: skip


def line(text, **change):
    cells = dict(zip(EXPORTED, [
        text, "- Cambodia", "- CCPR", "CCPR/C/XXX/CO/1", "-  Death penalty\r\n- Right to life\n- Right to life", "- Children",
        "- 16 - PEACE, JUSTICE\n- 16.3 - Promote the rule of law", 44699, None, None, "- Recommendations", "id-1", None,
        "- Asia-Pacific", None, 44700.52,
    ], strict=True))  # fmt: skip
    cells.update(change)
    return list(cells.values())


def exported(*lines, headers=EXPORTED):
    book = openpyxl.Workbook()
    book.active.append(headers)
    for one in lines:
        book.active.append(one)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_a_row_with_all_its_quirks():
    text = "Fair trials\n27.The State should&nbsp;do the judges&rsquo; work: (a) Give rooms; (b) Give time, as in paragraph (c) of 2019."
    found = uhri_files.read(exported(line(text)), ["Cambodia", "KH"])
    (row,) = found.rows
    assert (row.heading, row.paragraph, row.kind) == ("Fair trials", "27", "recommendation")
    assert row.lead == "The State should do the judges’ work:"
    assert row.sub_items == (("a", "Give rooms;"), ("b", "Give time, as in paragraph (c) of 2019."))
    assert row.themes == ("Death penalty", "Right to life")
    assert row.sdgs == ("16 - PEACE, JUSTICE", "16.3 - Promote the rule of law")
    assert [uhri.sdg_code(label) for label in row.sdgs] == ["16", "16.3"]
    assert row.published == date(2022, 5, 18)
    assert (row.sheet, row.row, row.problems) == ("Sheet", 2, ())
    assert row.raw == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rural people 49.The Committee asks for roads", ("Rural people", "49", "The Committee asks for roads")),
        ("B.Positive aspects\n3.The Committee is glad", ("Positive aspects", "3", "The Committee is glad")),
        ("137.197 Build more schools (Ruritania);", ("", "137.197", "Build more schools (Ruritania);")),
        ("Recommendation No. 41, para. 81: Do it", ("", "81", "Do it")),
        ("para. 28: Do it", ("", "28", "Do it")),
        ("In 2019. The year is no number", ("", "", "In 2019. The year is no number")),
        ("The plan of 2019-2023. It ended", ("", "", "The plan of 2019-2023. It ended")),
        ("Under article 9. It may", ("", "", "Under article 9. It may")),
        ("No number at all", ("", "", "No number at all")),
    ],
)
def test_heading_and_number_inside_the_text(text, expected):
    assert uhri.dissect(text) == expected


def test_only_the_country_is_taken_by_name_or_iso_code():
    found = uhri_files.read(
        exported(
            line("1. One", **{"OHCHR Annotation Id": "a"}),
            line("2. Two", **{"OHCHR Annotation Id": "b", "Countries Concerned": "- KH\n- KH"}),
            line("3. Three", **{"OHCHR Annotation Id": "c", "Countries Concerned": "- Ruritania"}),
            line("1. One", **{"OHCHR Annotation Id": "a"}),
        ),
        ["Cambodia", "KH"],
    )
    assert [row.annotation_id for row in found.rows] == ["a", "b"]
    assert (found.other_countries, found.duplicates) == (1, 1)


def test_headers_in_any_spelling_and_order():
    headers = ["recommending BODY", "OHCHR annotation ID", "TEXT", "Country", "Symbol", "SDGs"]
    found = uhri_files.read(
        exported(["- CAT", "x", "5. Do", "Cambodia", "CAT/C/1", "- 5 - GENDER"], headers=headers), ["Cambodia"]
    )
    assert (found.rows[0].body, found.rows[0].sdgs) == ("CAT", ("5 - GENDER",))


def test_another_workbook_is_refused_with_expected_and_found_headers():
    with pytest.raises(Invalid) as caught:
        uhri_files.read(exported(["1"], headers=["Ministry"]), ["Cambodia"])
    assert "Document Symbol" in str(caught.value)
    assert "Ministry" in str(caught.value)


@pytest.mark.parametrize(
    ("said", "position"),
    [
        ("- Supported", "supported"),
        ("- Noted", "noted"),
        ("- Supported/Noted", "partly"),
        ("- Under consideration", "under_consideration"),
        (None, ""),
    ],
)
def test_positions_of_the_state(said, position):
    assert uhri.state_position(said) == position


def test_what_is_missing_is_a_problem_of_its_row():
    found = uhri_files.read(
        exported(line("1. x", **{"OHCHR Annotation Id": None, "Document Publication Date": "soon"})), ["Cambodia"]
    )
    assert [(problem.row, problem.field) for problem in found.rows[0].problems] == [
        (2, "annotation_id"),
        (2, "published"),
    ]


def entry(number, country="Cambodia"):
    return {
        "AnnotationId": f"id-{number}", "Symbol": "A/HRC/1/1", "Body": "UPR", "AnnotationType": "Recommendations",
        "Text": f"<p>12.{number} Do &amp; tell ខ្មែរ</p>", "PublicationDate": "2024-07-01T00:00:00", "Countries": [country],
        "Themes": ["A", " A"], "UprRecommendingCountry": ["Ruritania"], "UprPosition": "Supported",
    }  # fmt: skip


def test_json_is_read_piece_by_piece():
    content = json.dumps(
        [entry(n, "Cambodia" if n % 100 == 0 else "Else") for n in range(1, 3001)], ensure_ascii=False
    ).encode()

    class Slow(io.BytesIO):
        def read(self, size=-1):
            assert 0 < size <= 1 << 18
            return super().read(min(size, 7001))

    found = uhri_files.read(Slow(content), ["Cambodia"])
    assert len(found.rows) == 30
    assert found.other_countries == 2970
    row = found.rows[0]
    assert (row.paragraph, row.text, row.published) == ("12.100", "Do & tell ខ្មែរ", date(2024, 7, 1))
    assert (row.themes, row.recommending_states, row.state_position) == (("A",), ("Ruritania",), "supported")


@pytest.mark.parametrize(
    "content",
    [b"[", b"[]", b'{"a": 1}', b'[{"a": 1}]', b"[1]", b'[{"Text": "x", "AnnotationId": "y"}', b"[" * 5000, b"[\xff"],
)
def test_json_that_is_cut_or_foreign_is_refused(content):
    with pytest.raises(Invalid) as caught:
        uhri_files.read(content, ["Cambodia"])
    assert caught.value.code == "not_uhri"
