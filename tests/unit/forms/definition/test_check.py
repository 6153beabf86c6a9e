"""The judging of questionnaire rows: everything that is wrong, at once, with its place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forms.definition.check import check
from forms.definition.headers import language_code
from forms.definition.rows import RawRow, SheetRows
from forms.definition.spelling import judge
from forms.definition.types import read_type
from tests.work import calls


def sheet(name: str, table: str) -> list[RawRow]:
    lines = [line.strip().split("|") for line in table.strip().splitlines()]
    headers = [header.strip() for header in lines[0]]
    columns = {header: chr(ord("A") + place) for place, header in enumerate(headers)}
    return [
        RawRow(name, number, dict(zip(headers, [cell.strip() for cell in cells], strict=False)), columns)
        for number, cells in enumerate(lines[1:], start=2)
    ]


GOOD: SheetRows = {
    "survey": sheet(
        "survey",
        """type|name|label::Khmer (km)|label::English (en)|relevant|required|constraint|calculation|appearance|word_budget|evidence_required|scope|not_available|theme
        begin group|a|ក|Part A||||||||institution||
        select_one st|B1|ស្ថានភាព|State||yes|||||${B1}='done'|||bar
        text|B6|លទ្ធផល|Results|selected(${B1},'done')|||||250||recommendation|yes|
        end group||||||||||||
        integer|n|ចំនួន|Number|||. >= 0|||||||
        calculate|c||||||${n} * 2||||||
        select_multiple ob or_other|o1|ឧបសគ្គ|Obstacles||||||||||
        select_multiple ob|o2|ឧបសគ្គ|Obstacles again||||||||||
        begin repeat|laws|ច្បាប់|Laws||||||||||
        text|title|ចំណងជើង|Title||||||||||
        end repeat||||||||||||
        geopoint|where|ទីកន្លែង|Where||||||||||""",
    ),
    "choices": sheet(
        "choices",
        """list_name|name|label::Khmer (km)|label::English (en)|weight|retired
        st|done|រួច|Done|1|
        st|old||Old|2|yes
        ob|law|ច្បាប់|Law||""",
    ),
    "settings": sheet(
        "settings",
        "form_title::Khmer (km)|form_title::English (en)|form_id|default_language\nខ្លី|Short|short|Khmer (km)",
    ),
}


def test_a_good_questionnaire():
    report = check(GOOD)
    assert report.errors == ()
    whole = report.definition
    assert whole is not None
    assert (whole.code, whole.titles, whole.languages, whole.default_language) == (
        "short",
        {"km": "ខ្លី", "en": "Short"},
        ("km", "en"),
        "km",
    )
    assert [page.code for page in whole.pages] == ["a", "page_1"]
    assert [item.code for item in whole.questions()] == ["B1", "B6", "n", "c", "o1", "o1_other", "o2", "title", "where"]
    assert whole.question("laws").kind == "repeat"
    b1, b6 = whole.question("B1"), whole.question("B6")
    assert (b1.settings["scope"], b6.settings["scope"]) == ("institution", "recommendation")
    assert b1.settings["columns"] == {"theme": "bar"}
    assert (b6.settings["word_budget"], b6.settings["multiline"], b6.settings["not_available"]) == (250, True, True)
    assert b1.choice_by_key["old"].retired
    assert b1.choice_by_key["done"].extra == {"weight": "1"}
    assert whole.page_of("B6").code == "a"
    assert b6.text("label", "fr", ("en",)) == "Results"


def test_or_other_does_not_leak():
    whole = check(GOOD).definition
    assert [choice.key for choice in whole.question("o1").choices] == ["law", "other"]
    assert [choice.key for choice in whole.question("o2").choices] == ["law"]
    assert whole.question("o1_other").texts["label"]["km"] == "សូមបញ្ជាក់"


def test_what_is_not_shown_yet_comes_in_with_a_warning():
    report = check(GOOD)
    said = {(one.sheet, one.row, one.column, str(one.message)) for one in report.warnings}
    assert ("survey", 13, "A", "The type “geopoint” is not shown as such yet.") in said
    assert ("choices", 3, "C", "The label is not translated into “km”.") in said
    assert report.definition.question("where").settings["written_type"] == "geopoint"


BAD = """type|name|label|relevant|calculation|word_budget
intger|x|X|||
text|a|A|${b}='1'||abc
text|b|B|${a}='1'||
text|b|B||foo(1)|
text|1c|||(1|
select_one nolist|d|D ${nope}|${aa} > 1||
end group|||||
begin group|g|G|||
entity|e|E|||
|f|F|||
text|h|H|${x} = 1||"""


def test_all_mistakes_at_once():
    report = check({"survey": sheet("survey", BAD)})
    assert report.definition is None
    said = [(one.row, one.column, str(one.message)) for one in report.errors]
    for expected in [
        (2, "A", "The type “intger” is not known."),
        (3, "D", "The rules go round in a circle: a, b."),
        (3, "F", "“abc” is not a whole number above zero."),
        (5, "B", "The name “b” stands twice; first in row 4."),
        (6, "B", "“1c” cannot be a name."),
        (6, "E", "The expression ends too early: something is missing, perhaps a closing bracket."),
        (7, "A", "The list “nolist” does not exist or is empty."),
        (7, "C", "The text names “nope”, which is no question."),
        (7, "D", "There is no question named “aa”."),
        (8, "A", "A group ends here that never began."),
        (9, "A", "This group is never closed."),
        (10, "A", "The type “entity” cannot be used here."),
        (11, "A", "This row has no type."),
    ]:
        assert expected in said
    assert next(one for one in report.errors if one.row == 2).mend is not None
    assert not [one for one in report.errors if one.row == 12]  # its question is named in row 2 already


def test_rules_may_read_a_table():
    report = check(
        {
            "survey": sheet(
                "survey",
                "type|name|label|relevant\nbegin repeat|r|R|\ninteger|n|N|\nend repeat|||\ntext|t|T|sum(${n}) > 3",
            )
        }
    )
    assert report.problems == ()
    assert report.definition.question("t").relevant == "sum(${n}) > 3"


@pytest.mark.parametrize(
    "rows",
    [
        {},
        {"survey": []},
        {"survey": sheet("survey", "a|b\n1|2")},
        {"survey": sheet("survey", "type|name|label\ntext||x")},
        {"survey": sheet("survey", "type|name|label\nend repeat||")},
        {"survey": sheet("survey", "type|name|label\nbegin repeat||")},
        {"survey": sheet("survey", "type|name|label\n" + "begin group||g\n" * 50)},
        {"survey": sheet("survey", "type|name|label\ntext|a|A"), "entities": sheet("entities", "x\ny")},
        {"survey": sheet("survey", "type|name|label\ntext|a|A"), "settings": sheet("settings", "submission_url\nx")},
        {
            "survey": sheet("survey", "type|name|label\nselect_one l|a|A"),
            "choices": sheet("choices", "list_name|name|label\nl|a b|x\nl||x\n|x|x\nl|k|K\nl|k|K"),
        },
    ],
)
def test_broken_files_are_refused_in_sentences(rows):
    report = check(rows)
    assert report.definition is None
    assert all(str(one.message) for one in report.errors)


def test_a_comparison_with_a_choice_that_does_not_exist_is_said():
    rows = {
        "survey": sheet("survey", "type|name|label|relevant\nselect_one st|a|A|\ntext|b|B|${a} = 'dnoe'"),
        "choices": GOOD["choices"],
    }
    assert any("dnoe" in str(one.message) for one in check(rows).warnings)


@pytest.mark.parametrize(
    ("written", "code"),
    [("Khmer (km)", "km"), ("km", "km"), ("Khmer", "km"), ("English (en-GB)", "en-gb"), ("Klingon", "klingon")],
)
def test_languages_of_headers(written, code):
    assert language_code(written) == code


@pytest.mark.parametrize(
    ("written", "kind", "list_name"),
    [
        ("select one from yn", "select_one", "yn"),
        ("select all that apply from yn", "select_multiple", "yn"),
        ("select1 yn", "select_one", "yn"),
        ("add text prompt", "text", ""),
        ("Integer", "integer", ""),
    ],
)
def test_old_spellings_of_types(written, kind, list_name):
    word = read_type(written)
    assert (word.type, word.list_name) == (kind, list_name)


def test_the_work_of_judging_grows_as_the_questions_do():
    def judge(count):
        table = "type|name|label|relevant\n" + "\n".join(
            f"text|q{n}|Q|{f'${{q{n - 1}}} = 1' if n else ''}" for n in range(count)
        )
        report = check({"survey": sheet("survey", table)})
        assert report.errors == ()

    assert calls(lambda: judge(800)) < 2.5 * calls(lambda: judge(400))
    judge(2000)


def test_rules_that_only_ride_along_keep_no_draft_from_going_out():
    rows = {
        "survey": sheet(
            "survey",
            """type|name|label|calculation|relevant
            calculate|chance||random()|
            text|a|A||distance(${chance}) > 1""",
        )
    }
    held = check(rows).definition
    assert judge(held) == ()
    # what an author writes here is judged like any other rule: it would never be computed
    [page] = held.pages
    written = replace(page, children=(replace(page.children[1], settings={}, relevant="random() > 0.5"),))
    [mistake] = judge(replace(held, pages=(written,)))
    assert (mistake.severity, mistake.field, mistake.column) == ("error", "a", "relevant")
