# ruff: noqa: E501 - sample sentences in two scripts read better on one line
"""Every question type of the house in every state, drawn by the code that draws real pages, with its settings form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import g
from flask_babel import gettext as _

from forms.context import Context
from forms.definition.model import Choice, Definition, Item
from forms.question_types import question_type
from forms.type_settings import TypeSettingsForm, settings_data, settings_form
from portal import clock
from portal.blueprints.drawing import clone
from portal.blueprints.skeletons import skeleton

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from portal.page_views import ItemView

LANGUAGES = ("km", "en")
OBSTACLES = (("legal", "Legal", "ច្បាប់"), ("budget", "Budget", "ថវិកា"), ("staff", "Staff", "បុគ្គលិក"), ("data", "Data", "ទិន្នន័យ"))
SCALE = (("none", "Not at all", "គ្មានសោះ"), ("little", "A little", "តិចតួច"), ("much", "Much", "ច្រើន"), ("fully", "Fully", "ពេញលេញ"))
PLACES = tuple((f"p{number:02}", f"Demo district {number}", f"ស្រុកគំរូទី {number}") for number in range(1, 21))


@dataclass(frozen=True)
class Sample:
    """One question of the gallery: its type, wording, settings, a good answer and one that is refused, both as typed."""

    type: str
    label: tuple[str, str]
    good: Sequence[str] = ()
    bad: Sequence[str] = ()
    settings: Mapping[str, Any] | None = None
    choices: Sequence[tuple[str, str, str]] = ()


BOTH = {"not_available": True, "not_applicable": True}
SAMPLES = (
    Sample("text", ("Name of the law", "ឈ្មោះច្បាប់"), ["Demo circular 7"], ["a\x00b"], {"one_language": True}),
    Sample("text", ("What changed for people?", "តើមានអ្វីផ្លាស់ប្តូរសម្រាប់ប្រជាជន?"), ["ក្រសួងបានចេញសារាចរមួយ។"], ["a\x00b"], {"multiline": True, "rows": 4, "word_budget": 150, **BOTH}),
    Sample("integer", ("Persons trained", "ចំនួនអ្នកទទួលការបណ្តុះបណ្តាល"), ["១២០"], ["១២,៤៥០"], {"start": "0", "unit": {"en": "persons", "km": "នាក់"}, **BOTH}),
    Sample("decimal", ("Area", "ផ្ទៃដី"), ["12.5"], ["1.234"], {"unit": {"en": "hectares", "km": "ហិកតា"}, **BOTH}),
    Sample("range", ("How sure are you?", "តើអ្នកប្រាកដប៉ុណ្ណា?"), ["7.5"], ["11"], {"start": "0", "end": "10", "step": "2.5"}),
    Sample("percentage", ("Share of women", "ភាគរយស្ត្រី"), ["34 %"], ["1.234"], {"start": "0", "end": "100", **BOTH}),
    Sample("money", ("Budget spent", "ថវិកាបានចំណាយ"), ["25,000,000"], ["25 USD"], {"unit": "KHR", **BOTH}),
    Sample("select_one", ("Main obstacle", "ឧបសគ្គចម្បង"), ["budget"], ["other"], BOTH, OBSTACLES),
    Sample("select_one", ("Main obstacle, folded", "ឧបសគ្គចម្បង (បង្រួម)"), ["budget"], ["other"], {"appearance": "minimal"}, OBSTACLES),
    Sample("select_one", ("How far was it put into practice?", "តើបានអនុវត្តដល់កម្រិតណា?"), ["much"], ["other"], {"appearance": "likert"}, SCALE),
    Sample("select_one", ("District", "ស្រុក"), ["p07"], ["p99"], None, PLACES),
    Sample("select_multiple", ("Obstacles", "ឧបសគ្គ"), ["legal", "data"], ["legal", "x"], BOTH, OBSTACLES),
    Sample("select_multiple", ("Obstacles, in columns", "ឧបសគ្គ (ជាជួរឈរ)"), ["legal"], ["x"], {"appearance": "columns"}, OBSTACLES),
    Sample("select_multiple", ("Obstacles, folded", "ឧបសគ្គ (បង្រួម)"), ["legal"], ["x"], {"appearance": "minimal"}, OBSTACLES),
    Sample("select_multiple", ("Districts", "ស្រុកនានា"), ["p03", "p11"], ["x"], None, PLACES),
    Sample("rank", ("What would help most?", "តើអ្វីអាចជួយបានច្រើនជាងគេ?"), ["staff", "budget"], ["staff", "staff"], None, OBSTACLES),
    Sample("acknowledge", ("The answer may be published", "ចម្លើយនេះអាចផ្សព្វផ្សាយបាន"), ["OK"], ["?"]),
    Sample("date", ("In force since", "ចូលជាធរមានតាំងពី"), ["៣០ មីនា ២០២២"], ["30/02/2565"], BOTH),
    Sample("time", ("Begin of the hearing", "ម៉ោងចាប់ផ្តើមសវនាការ"), ["២:៣០ រសៀល"], ["25:00"]),
    Sample("datetime", ("Begin of the meeting", "ពេលចាប់ផ្តើមប្រជុំ"), ["30/03/2022 14h30"], ["30/03/2022"]),
    Sample("year", ("Year", "ឆ្នាំ"), ["២០២២"], ["2565"], {"start": "2000", "end": "2030"}),
    Sample("period", ("Period covered", "រយៈពេលរបាយការណ៍"), ["01/01/2022", "31/12/2025"], ["31/12/2025", "01/01/2022"]),
    Sample("period", ("Years of the plan", "ឆ្នាំនៃផែនការ"), ["2020", ""], ["2024", "2020"], {"precision": "year", "open_end": True, **BOTH}),
    Sample("file", ("Evidence", "ភស្តុតាង")),
    Sample("image", ("Picture", "រូបភាព")),
    Sample("note", ("Please answer for **your institution** only:\n\n* figures with their source\n* no names of victims\n\nSee the [guide](https://guide.example/).", "សូមឆ្លើយសម្រាប់ **ស្ថាប័នរបស់អ្នក** តែប៉ុណ្ណោះ៖\n\n* តួលេខដោយមានប្រភព\n* កុំបញ្ចេញឈ្មោះជនរងគ្រោះ\n\nសូមមើល [សេចក្តីណែនាំ](https://guide.example/)។")),
    Sample("calculate", ("Women and men together", "ស្ត្រី និងបុរសសរុប"), ["460"]),
    Sample("hidden", ("Round", "វគ្គ"), ["demo"]),
)  # fmt: skip


@lru_cache(maxsize=1)
def definition() -> Definition:
    """Return the questionnaire of the gallery: one page per sample, and one with a table of choices."""
    pages = [Item(None, "section", f"page{number}", children=(_item(sample, number),)) for number, sample in enumerate(SAMPLES)]
    return Definition(None, "gallery", 1, {"en": "Gallery"}, LANGUAGES, "km", (*pages, _table_page()))


def _item(sample: Sample, number: int) -> Item:
    return Item(
        None,
        "note" if sample.type == "note" else "question",
        f"g{number}",
        sample.type,
        texts={"label": {"en": sample.label[0], "km": sample.label[1]}},
        settings=sample.settings or {},
        choices=tuple(Choice(key, {"en": english, "km": khmer}) for key, english, khmer in sample.choices),
    )


def _table_page() -> Item:
    words = (("police", "Police", "នគរបាល"), ("courts", "Courts", "តុលាការ"), ("prisons", "Prisons", "ពន្ធនាគារ"))
    rows = tuple(
        replace(_item(Sample("select_one", (english, khmer), choices=SCALE), 0), code=f"t_{key}") for key, english, khmer in words
    )
    texts = {"label": {"en": "How far was it put into practice by…", "km": "តើបានអនុវត្តដល់កម្រិតណាដោយ…"}}
    group = Item(None, "group", "t", texts=texts, settings={"appearance": "table-list"}, children=rows)
    return Item(None, "section", "page_table", children=(group,))


def kinds(language: str) -> list[tuple[str, list[tuple[str, list[ItemView]]], TypeSettingsForm | None]]:
    """Return (name of the type, [(name of the state, items)], settings form) of every sample, then the table."""
    context = Context(clock.today(g.view.time_zone), LANGUAGES, language, g.view.time_zone)
    found: list[tuple[str, list[tuple[str, list[ItemView]]], TypeSettingsForm | None]] = []
    drawn: set[str] = set()
    for number, sample in enumerate(SAMPLES):
        kind = question_type(sample.type)
        views = list(skeleton(definition(), f"page{number}", language, LANGUAGES))
        item = definition().question(f"g{number}")
        states = [(name, [made]) for view in views for name, made in _states(sample, item, view, context)]
        form = None
        if sample.type not in drawn:
            drawn.add(sample.type)
            made = settings_form(kind, LANGUAGES)
            form = made(prefix=f"{sample.type}-", data=settings_data(kind, item.settings, LANGUAGES))
        found.append((str(kind.title), states, form))
    table = list(skeleton(definition(), "page_table", language, LANGUAGES))
    found.append((_("Table of choices"), [(_("empty"), table)], None))
    return found


def _states(sample: Sample, item: Item, view: ItemView, context: Context) -> list[tuple[str, ItemView]]:
    """Return the states in which the question can be met."""
    kind = question_type(sample.type)
    if kind.computed:
        return [(_("computed"), _in_state(view, "value", raw=sample.good))]
    if not kind.asks or kind.control == "file":
        return [("", view)]
    lang = next((key.lang for key in kind.keys(item, LANGUAGES)), "")
    good, bad = kind.parse(sample.good, item, context, lang), kind.parse(sample.bad, item, context, lang)
    refused = bad.message or kind.validate(bad.value, item) or ""
    typed = bad.typed if bad.typed is not None else kind.typed(sample.bad)
    states = [
        (_("empty"), _in_state(view, "empty")),
        (_("answered"), _in_state(view, "answered", raw=kind.raw(good.value, item))),
        (_("refused"), _in_state(view, "refused", raw=kind.raw_typed(typed), error=str(refused))),
        (_("missing"), _in_state(view, "missing", missing=True, required=True)),
        (_("to read only"), _in_state(view, "readonly", raw=kind.raw(good.value, item), readonly=True)),
    ]
    if view.states:
        states.append((_("not available"), _in_state(view, "unavailable", state=view.states[0][0])))
    return states


def _in_state(view: ItemView, name: str, **facts: Any) -> ItemView:
    """Return the question in a state, under a name of its own."""
    made = clone(view)
    made.code = made.name = f"{view.code}-{name}"
    made.id = f"q-{made.code}"
    for key, value in facts.items():
        setattr(made, key, value)
    chosen = set(made.raw)
    made.choices = [(key, label, key in chosen) for key, label, _was in view.choices]
    made.texts = [
        replace(text, name=f"{made.name}@{text.language}", value=made.raw[0] if made.raw and not at else "")
        for at, text in enumerate(view.texts)
    ]
    return made

