"""Numbers and dates of two languages: what differs is found, what is only written otherwise is not."""

from __future__ import annotations

import pytest

from forms.bilingual import differing

SAME = [
    (
        "នៅថ្ងៃទី៣០ ខែមីនា ឆ្នាំ២០២២ រដ្ឋាភិបាលបានបង្កើត ២៥ មណ្ឌល ដោយចំណាយ ២,៥ លានដុល្លារ",
        "On 30 March 2022 the government set up 25 centres, spending 2.5 million dollars (USD 2,500,000).",
    ),
    ("ព.ស. ២៥៦៦ មានមនុស្ស ១២.៣៤៥ នាក់", "In 2022 there were 12,345 persons."),
    ("ច្បាប់លេខ នស/រកម/០៥០៨/០១៧", "Law No. NS/RKM/0508/017"),
    ("ផែនការ ២០១៩-២០២៣ មានសកម្មភាពបី", "The plan 2019-23 has 3 activities"),
    ("១. ច្បាប់ ៥\n២. អនុក្រឹត្យ ៧", "Five laws and 7 sub-decrees were adopted"),
    ("មាន ៤៥ ភាគរយ ត្រូវនឹង ០,៥ នៃចំនួន", "45% which is 0.5 of the number"),
    ("កាលពីខែឧសភា ២០២១ ក្រសួងបានរៀបចំ", "In May 2021 the ministry may march for it"),
    ("បើកដំណើរការនៅ 30/3/2022", "It opened on 2022-03-30"),
    ("មានអ្នកចូលរួម ១២ ៥០០ នាក់ក្នុងឆ្នាំ២០២០", "12 500 took part in 2020 in the whole country"),
    ("សូមមើល https://example.org/2024/7 [E12]", "See the ministry's page for it"),
    ("ក្នុងឆ្នាំ២០២២ មានមនុស្ស ៣៤៥ នាក់", "In 2022 345 persons were there"),
]
DIFFERENT = [
    ("មាន ២៥ មណ្ឌល ក្នុងឆ្នាំ ២០២១", "There were 52 centres in 2021", {("km", "25"), ("en", "52")}),
    ("បើកនៅថ្ងៃទី៣០ ខែមីនា ឆ្នាំ២០២២", "It opened on 30 May 2022", {("km", "30 ខែមីនា ឆ្នាំ2022"), ("en", "30 May 2022")}),
    ("ឆ្នាំ២០២០ មានមនុស្ស ១២០០ នាក់", "In 2020 there were 12,000 persons", {("km", "1200"), ("en", "12,000")}),
    ("ព.ស. ២៥៦៦ មាន ៧ ករណី", "In 2019 there were 7 cases", {("km", "2566"), ("en", "2019")}),
    ("ចំណាយ ៣ លានរៀល", "They spent 3 thousand riel", set()),
]


@pytest.mark.parametrize(("khmer", "english"), SAME)
def test_what_is_only_written_otherwise_is_the_same(khmer, english):
    assert differing({"km": khmer, "en": english}) == ()


@pytest.mark.parametrize(("khmer", "english", "found"), DIFFERENT)
def test_what_differs_is_found_on_both_sides(khmer, english, found):
    assert {(one.language, one.written) for one in differing({"km": khmer, "en": english})} == found


def test_what_a_summary_leaves_out_is_no_difference_but_what_it_adds_is():
    long = "In 2019, 2020 and 2021 the ministry trained 120, 130 and 140 judges in the rights of the child. " * 3
    assert differing({"en": long, "km": "ឆ្នាំ២០២០ ចៅក្រម ១៣០"}) == ()
    assert [one.written for one in differing({"en": long, "km": "ឆ្នាំ២០២០ ចៅក្រម ១៣១"})] == ["131"]


@pytest.mark.parametrize("text", ["1" * 5000, "1,000," * 900, "១ " * 3000, "30 " * 2000 + "March", "2020-" * 2000])
def test_hostile_texts_end_at_once(text):
    differing({"km": text, "en": text + "x"})
