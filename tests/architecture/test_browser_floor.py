"""Styles and scripts use nothing newer than Chrome 109 and Firefox 115 without a way round: what older browsers lack is named here.

Each pattern stands with the first Chrome that knows it. A use that older browsers may pass over, because something plain
stands beside it, is named in ``SPARED`` with its reason.
"""

from __future__ import annotations

import re

import pytest

from config import ROOT

STYLES = {
    r"(?m)^\s*&|[{;]\s*&": "nested rules (112)",
    r"@scope\b": "@scope (118)",
    r"@starting-style": "@starting-style (117)",
    r"color-mix\(": "color-mix (111)",
    r"\b(?:oklch|oklab|lch|lab)\(": "lab and lch colours (111)",
    r"light-dark\(": "light-dark (123)",
    r"text-wrap(?:-style)?:": "text-wrap (114)",
    r"field-sizing:": "field-sizing (123)",
    r"subgrid": "subgrid (117)",
    r"animation-timeline|scroll-timeline|view-timeline": "scroll timelines (115)",
    r"anchor-name|position-anchor|anchor\(": "anchors (125)",
    r"overflow-block|overlay:|transition-behavior": "discrete transitions (117)",
    r":popover-open|:user-(?:in)?valid": "states (114, 119)",
    r"@media[^{]*scripting": "scripting (120)",
    r"@property|@container style": "style queries (111)",
    r"\b\d*(?:cap|rlh|rch|rex|ric|ic)\b\s*[;)}]": "units of fonts (111 and later)",
    r"\blh\b": "lh (109 only, not Firefox 115)",
    r"(?m)^(?!.*-webkit-mask:).*(?<![\w-])mask(?:-image)?:": "mask without its prefix (120)",
    r":has\(": "Chrome 105, but not Firefox 115",
}
SCRIPTS = {
    r"\.to(?:Sorted|Reversed|Spliced)\(|\.with\(": "copies of lists (110)",
    r"\btoWellFormed|isWellFormed": "well-formed texts (111)",
    r"Promise\.(?:withResolvers|try)\b": "Promise (119, 128)",
    r"URL\.(?:canParse|parse)\b": "URL (120, 126)",
    r"(?:Object|Map)\.groupBy\b": "groupBy (117)",
    r"Array\.fromAsync\b": "fromAsync (121)",
    r"\.(?:union|intersection|difference|symmetricDifference|isSubsetOf|isSupersetOf|isDisjointFrom)\(": "sets (122)",
    r"\.(?:values|entries|keys)\(\)\.(?:map|filter|take|drop|toArray|some|every|find|forEach|reduce)\(": "iterators (122)",
    r"\bIterator\.": "iterators (122)",
    r"/[dgimsuy]*v[dgimsuy]*(?=[.,;)\s])(?<=/v)": "regular expressions with v (112)",
    r"\bwith\s*\{\s*type:": "import attributes (123)",
    r"showPopover|togglePopover|\bpopover\b": "popover (114)",
    r"\.(?:replaceAll)\((?=/[^g]*/\))": "replaceAll without g",
    r"AbortSignal\.any|scheduler\.yield|setHTMLUnsafe|getHTML\(|checkVisibility": "later doors (116 and later)",
    r"startViewTransition": "view transitions (111)",
    r"requestClose|\bclosedby\b|\bcommandfor\b": "dialogs (134)",
    r"Intl\.(?:DurationFormat)|Temporal\.": "dates (129)",
    r"\busing\s+\w+\s*=": "using (134)",
}
SPARED = {
    ("portal/static/css/portal.css", "text-wrap (114)"): "a heading breaks plainly instead",
    ("portal/static/css/answering.css", "field-sizing (123)"): "tables.js grows the field where this is not known",
    ("portal/static/css/questionnaire_proof.css", "field-sizing (123)"): "the page says how many lines a field has",
    ("portal/static/js/keeping.js", "well-formed texts (111)"): "asked for before it is used",
}
# where :has is not known (Firefox 115 to 120) only looks are lost; a sheet that is not here has to be looked at first
MAY_HAVE = {
    "answering.css", "components.css", "designer.css", "follow.css", "portal.css", "questionnaire_proof.css",
    "recommendations.css", "recovery.css",
}  # fmt: skip


def uses(pattern: str, suffix: str, known: dict[str, str]) -> list[tuple[str, int, str]]:
    found = []
    for path in sorted((ROOT / "portal/static").rglob(f"*{suffix}")):
        text = re.sub(r"/\*.*?\*/", lambda one: "\n" * one[0].count("\n"), path.read_text(encoding="utf-8"), flags=re.DOTALL)
        text = re.sub(r"(?m)(?<![:\"'])//.*$", "", text) if suffix == ".js" else text
        for match in re.finditer(pattern, text):
            found.append((path.relative_to(ROOT).as_posix(), text.count("\n", 0, match.start()) + 1, known[pattern]))
    return found


@pytest.mark.parametrize(("suffix", "known"), [(".css", STYLES), (".js", SCRIPTS)], ids=["styles", "scripts"])
def test_nothing_is_newer_than_the_oldest_browser(suffix, known):
    found = [
        f"{name}:{line}: {what}"
        for pattern in known
        for name, line, what in uses(pattern, suffix, known)
        if (name, what) not in SPARED and not (":has" in pattern and name.rsplit("/", 1)[-1] in MAY_HAVE)
    ]
    assert found == []


def test_a_rule_with_has_stands_alone():
    # where one selector of a list is not known the whole rule is passed over: :has takes nothing along with it
    taken = []
    for path in sorted((ROOT / "portal/static/css").glob("*.css")):
        text = re.sub(r"/\*.*?\*/|\"[^\"]*\"", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        for rule in re.findall(r"[^{}]+(?=\{)", text):
            if ":has(" not in rule or rule.strip().startswith("@"):
                continue
            while rule != (rule := re.sub(r"\([^()]*\)", lambda one: ":has" if ":has" in one[0] else "", rule)):
                pass
            lists = [one for one in rule.split(",") if ":has" not in one]
            taken += [f"{path.name}: {rule.strip()}"] * bool(lists)
    assert taken == []
