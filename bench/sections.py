"""Measures one page of 200 questions of every type: `python bench/sections.py`.

Figures: the form is built and a whole post of it is read and validated (twice the shapes of a page: with good answers,
and with answers that are refused), and the page is drawn from its macros (once its variants are kept, as in the
server). Per figure the median of the runs, the least and the greatest; then the machine and the number of runs.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import statistics
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from collections.abc import Callable

    from forms.definition.model import Item

QUESTIONS = 200
LANGUAGES = ("km", "en")
# type -> (settings, a good post, a post that is refused)
KINDS: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "text": ({"multiline": True, "word_budget": 150}, ["ក្រសួងបានចេញសារាចរមួយ។ " * 20], ["a\x00b"]),
    "integer": ({"start": "0", "end": "100000", "unit": "persons"}, ["១២០ persons"], ["១.២៣៤"]),
    "decimal": ({}, ["1,234.5"], ["1.234"]),
    "range": ({"start": "0", "end": "10", "step": "0.5"}, ["7.5"], ["11"]),
    "percentage": ({"start": "0", "end": "100"}, ["34 %"], ["340"]),
    "money": ({"unit": "KHR"}, ["25,000,000 ៛"], ["25 USD"]),
    "select_one": ({}, ["c7"], ["zz"]),
    "select_multiple": ({}, ["c1", "c7", "c19"], ["c1", "zz"]),
    "rank": ({}, ["c3", "c1", "c2"], ["c1", "c1"]),
    "acknowledge": ({}, ["OK"], ["?"]),
    "date": ({}, ["៣០/០៣/២០២២"], ["30/02/2022"]),
    "time": ({}, ["14h30"], ["25:00"]),
    "datetime": ({}, ["30/03/2022 2:30 PM"], ["30/03/2022"]),
    "year": ({"start": "2000", "end": "2030"}, ["២០២២"], ["2565"]),
    "period": ({"precision": "year"}, ["2020", "2024"], ["2024", "2020"]),
}


def items() -> tuple[Item, ...]:
    """Return 200 questions, the types in turn, lists of 20 choices."""
    from forms.definition.model import Choice, Item

    choices = tuple(Choice(f"c{n}", {"en": f"Choice {n}", "km": f"ជម្រើស {n}"}) for n in range(20))
    kinds = list(KINDS)
    return tuple(
        Item(
            None,
            "question",
            f"q{number}",
            kind := kinds[number % len(kinds)],
            texts={"label": {"en": f"Question {number}", "km": f"សំណួរ {number}"}, "hint": {"en": "Hint", "km": "ជំនួយ"}},
            settings={**KINDS[kind][0], "not_available": True},
            choices=choices if kind in {"select_one", "select_multiple", "rank"} else (),
        )
        for number in range(QUESTIONS)
    )


def timed(job: Callable[[], object], runs: int) -> list[float]:
    """Return the milliseconds of each run, the first (cold) one left out."""
    job()
    found = []
    gc.collect()
    for _ in range(runs):
        began = time.perf_counter()
        job()
        found.append((time.perf_counter() - began) * 1000)
    return found


def report(name: str, found: list[float]) -> None:
    """Print one figure."""
    print(f"{name}: {statistics.median(found):.1f} ms (least {min(found):.1f}, greatest {max(found):.1f})")


def main() -> None:
    """Measure and print."""
    from flask import g
    from werkzeug.datastructures import MultiDict

    from config import Settings
    from forms.answers import field_name
    from forms.context import Context
    from forms.definition.model import Definition, Item
    from forms.questionnaire import SectionForm, answer_keys, read_answers
    from portal.app import create_app
    from portal.blueprints.drawing import clone, draw
    from portal.blueprints.skeletons import skeleton
    from portal.page_views import PageView

    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--runs", type=int, default=50)
    runs = asked.parse_args().runs
    questions = items()
    context = Context(date(2026, 11, 25), LANGUAGES, "km", time_zone="Asia/Phnom_Penh")
    names = [(field_name(key), item.type) for item in questions for key in answer_keys(item, LANGUAGES)]
    definition = Definition(None, "bench", 1, {}, LANGUAGES, "km", (Item(None, "section", "p", children=questions),))

    def read(post: MultiDict[str, str]) -> object:
        form = SectionForm(questions, context, post)
        form.validate()
        return read_answers(form, questions)

    def filled() -> object:
        views = [clone(view) for view in skeleton(definition, "p", "km", LANGUAGES)]
        for view, item in zip(views, questions, strict=True):
            if not view.texts:
                view.raw = KINDS[item.type][1]
                view.choices = [(key, label, key in view.raw) for key, label, _was in view.choices]
        return draw(definition, "p", views)

    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Settings(data_dir=Path(folder)))
        with app.test_request_context("/", method="POST", data={}):
            g.view = PageView(language="km", languages=LANGUAGES)
            for name, place in (("good answers", 1), ("refused answers", 2)):
                post = MultiDict([(field, part) for field, kind in names for part in KINDS[kind][place]])
                report(f"{QUESTIONS} questions built and validated, {name}", timed(lambda post=post: read(post), runs))
            report(f"{QUESTIONS} questions drawn", timed(filled, runs))
    print(f"{runs} runs; {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")


if __name__ == "__main__":
    main()
