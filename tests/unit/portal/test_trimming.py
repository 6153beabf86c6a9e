"""What pages cannot use leaves a style sheet; what they use stays, in the same order."""

from __future__ import annotations

from portal.trimming import smaller_js, used_css, words_in

SHEET = """
:root{--a:1}body{margin:0}
.btn,.button-x{color:red}.carousel .btn{left:0}.btn-primary:not(.disabled,.x){top:0}
@media (min-width:390px){.carousel{left:0}.btn{left:1px}}
@media print{.carousel{left:0}}
@font-face{font-family:"a,b";src:url(x)}
@keyframes turn{to{transform:rotate(360deg)}}
"""


def test_rules_stay_when_a_page_may_use_them(tmp_path):
    (tmp_path / "page.html").write_text('<a class="btn btn-{{ kind }} disabled x">', encoding="utf-8")
    left = used_css(SHEET, words_in(tmp_path.glob("*.html")))
    assert left.splitlines() == [
        ":root{--a:1}",
        "body{margin:0}",
        ".btn{color:red}",
        ".btn-primary:not(.disabled,.x){top:0}",
        "@media (min-width:390px){.btn{left:1px}}",
        '@font-face{font-family:"a,b";src:url(x)}',
        "@keyframes turn{to{transform:rotate(360deg)}}",
    ]


def test_the_beginning_of_a_name_keeps_no_classes_that_begin_so(tmp_path):
    sheet = ".row-a{top:0}.is-a{top:1px}.btn-a{top:2px}"
    page = """<p id="row-{{ number }}" class="x {{ "a" if b == "c" }} is-{{ d }}">{{ link("btn-" ~ kind) }}</p>"""
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    assert used_css(sheet, words_in(tmp_path.glob("*.html"))) == ".is-a{top:1px}"


def test_scripts_keep_strings_patterns_and_templates():
    script = "// a remark\nconst a = `x  ${1} // y`; /* more */\nconst b = /\\/\\/ {2}/g;\nconst c = 'a  // b';\n"
    left = smaller_js(script)
    assert "remark" not in left
    assert "more" not in left
    for kept in ("`x  ${1} // y`", "/\\/\\/ {2}/g", "'a  // b'"):
        assert kept in left
