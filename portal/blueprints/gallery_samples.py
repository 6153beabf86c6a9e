# ruff: noqa: E501 - sample sentences in two scripts read better on one line
"""Sample data of the component gallery: the shapes the pages expect, in every state, in both languages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from forms.merging import merge_texts
from portal.blueprints.drawing import draw_cells
from portal.blueprints.respond.conflicts import apart
from portal.page_views import ColumnView, FileView, ItemView, RowView, TableView, TextInLanguage
from portal.templating import answer_words

if TYPE_CHECKING:
    from collections.abc import Callable

SAVED_AT = datetime(2026, 11, 23, 7, 2, tzinfo=UTC)
DUE = date(2026, 12, 5)
STATES = (("not_applicable", {"en": "Not applicable", "km": "មិនពាក់ព័ន្ធ"}), ("not_available", {"en": "Not available", "km": "មិនមានទិន្នន័យ"}))


def say(language: str, english: str, khmer: str) -> str:
    """Choose the sample text of a language."""
    return khmer if language == "km" else english


def sample_table(language: str) -> TableView:
    """Return a table with two rows, a sum in its foot and a cell that could not be read."""
    columns = [
        ColumnView("course", say(language, "Course", "វគ្គបណ្តុះបណ្តាល"), required=True),
        ColumnView("f", say(language, "Women", "ស្ត្រី"), kind="number", total=say(language, "112", "១១២")),
        ColumnView("m", say(language, "Men", "បុរស"), kind="number", total=say(language, "340", "៣៤០")),
    ]
    texts = [say(language, "Rights in custody", "សិទ្ធិក្នុងការឃុំខ្លួន"), say(language, "Work of lawyers", "ការងារមេធាវី")]
    rows = []
    for number, (key, text) in enumerate(zip(("Aaaaaaaaaaaaaaa1", "Aaaaaaaaaaaaaaa2"), texts, strict=True), start=1):
        given = [("course", "line", text, ""), ("f", "integer", ("112", "many")[number - 1], ("", say(language, "Please write a whole number.", "សូមសរសេរចំនួនគត់។"))[number - 1]), ("m", "integer", ("340", "")[number - 1], "")]
        cells = [
            ItemView(code, f"{code}[{key}]", f"q-C5-{key}-{code}", column.label, variant=variant, raw=[raw] if raw else [], error=error, row=key, labels=f"q-C5-r-{key} q-C5-c-{code}", revision=1)
            for (code, variant, raw, error), column in zip(given, columns, strict=True)
        ]
        rows.append(RowView(key, f"C5[{key}]", say(language, str(number), "១២"[number - 1]), number, 1, cells=cells))
    blank = RowView("{C5}", "C5[{C5}]", "", cells=[])
    made = TableView("C5", columns=columns, rows=rows, blank=blank, most=500, can_add=True)
    draw_cells(ItemView("C5", "C5", "q-C5", "", table=made), {}, (), answer_words())
    return made


def recommendation(language: str) -> dict[str, Any]:
    """Return the parameters of the recommendation box (our own words, not UN text)."""
    english = "Make sure that every person in detention can reach a lawyer, a doctor and the family from the first hour."
    khmer = "ធានាថាជនគ្រប់រូបដែលត្រូវបានឃុំខ្លួន អាចទាក់ទងមេធាវី គ្រូពេទ្យ និងក្រុមគ្រួសារ តាំងពីម៉ោងដំបូង។"
    return {
        "cite": say(language, "Demo document, paragraph 28 (a)", "ឯកសារគំរូ កថាខណ្ឌ ២៨ (a)"),
        "text": say(language, english, khmer),
        "lang": language,
        "summary": say(
            language,
            "Say what has changed in the rules and in practice since the last report. Give figures where you have them.",
            "សូមរៀបរាប់ពីអ្វីដែលបានផ្លាស់ប្តូរក្នុងវិធាន និងការអនុវត្ត ចាប់តាំងពីរបាយការណ៍លើកមុន។ សូមផ្តល់តួលេខ ប្រសិនបើមាន។",
        ),
        "original": english if language == "km" else "",
        "original_lang": "en",
        "official": language != "km",
    }


def items(language: str, *, readonly: bool = False) -> list[ItemView]:
    """Return one item per control, with an error, a missing answer, a kept text and an answer in two languages."""
    states = tuple((key, texts[language]) for key, texts in STATES)
    choices = [
        ("not_started", say(language, "Not started", "មិនទាន់ចាប់ផ្តើម"), False),
        ("in_progress", say(language, "In progress", "កំពុងអនុវត្ត"), True),
        ("largely_done", say(language, "Largely done", "បានអនុវត្តភាគច្រើន"), False),
        ("done", say(language, "Done and ongoing", "បានអនុវត្ត និងបន្ត"), False),
    ]
    obstacles = [
        ("legal", say(language, "Legal", "ច្បាប់"), False),
        ("budget", say(language, "Budget", "ថវិកា"), True),
        ("staff", say(language, "Staff", "បុគ្គលិក"), True),
        ("data", say(language, "Data", "ទិន្នន័យ"), False),
    ]
    khmer = "ក្រសួងបានចេញសារាចរមួយ ស្តីពីសិទ្ធិទទួលបានមេធាវី។"
    found = [
        ItemView("N1", "N1", "q-N1", say(language, "Answer for the period since the last report. Do not name victims.", "សូមឆ្លើយសម្រាប់រយៈពេលចាប់តាំងពីរបាយការណ៍លើកមុន។ សូមកុំបញ្ចេញឈ្មោះជនរងគ្រោះ។"), control="note"),
        ItemView(
            "B1", "B1", "q-B1", say(language, "What is the state of implementation in your institution?", "តើស្ថានភាពអនុវត្តនៅក្នុងស្ថាប័នរបស់អ្នកយ៉ាងណា?"),
            control="choice", variant="list", number=say(language, "1", "១"), required=True, choices=choices, revision=2,
            guidance=say(language, "“Done” needs evidence: a law, a report or figures.", "«បានអនុវត្ត» ត្រូវមានភស្តុតាង៖ ច្បាប់ របាយការណ៍ ឬតួលេខ។"),
        ),
        ItemView(
            "B6", "B6@km", "q-B6", say(language, "What changed for people?", "តើមានអ្វីផ្លាស់ប្តូរសម្រាប់ប្រជាជន?"), number=say(language, "2", "២"), required=True,
            hint=say(language, "Before and after, with figures.", "មុន និងក្រោយ ដោយមានតួលេខ។"), word_budget=250, states=states,
            texts=[TextInLanguage("km", "B6@km", khmer, 3, "ខ្មែរ"), TextInLanguage("en", "B6@en", "", 0, "English")],
            history_url="#history", who=say(language, "Focal point, 23 Nov, 14:02", "មន្ត្រីទំនាក់ទំនង ២៣ វិច្ឆិកា ម៉ោង ១៤:០២"),
        ),
        ItemView(
            "C1", "C1", "q-C1", say(language, "Number of persons who saw a lawyer within 24 hours, 2025", "ចំនួនជនដែលបានជួបមេធាវីក្នុងរយៈពេល ២៤ ម៉ោង ឆ្នាំ២០២៥"),
            variant="integer", number=say(language, "3", "៣"), raw=["12,4O8"], unit=say(language, "persons", "នាក់"), states=states,
            error=say(language, "Enter a whole number, for example 12,408.", "សូមបញ្ចូលចំនួនគត់ ឧទាហរណ៍ ១២,៤០៨។"),
        ),
        ItemView(
            "B9", "B9", "q-B9", say(language, "Which obstacles did you meet?", "តើអ្នកបានជួបឧបសគ្គអ្វីខ្លះ?"), control="choices", number=say(language, "4", "៤"),
            choices=obstacles, hint=say(language, "Tick all that apply.", "សូមជ្រើសរើសទាំងអស់ដែលពាក់ព័ន្ធ។"), missing=True,
        ),
        ItemView("B4", "B4", "q-B4", say(language, "When did the circular enter into force?", "តើសារាចរនេះចូលជាធរមាននៅពេលណា?"), control="date", number=say(language, "5", "៥"), raw=["2026-03-27"]),
        ItemView(
            "B7", "B7", "q-B7", say(language, "Which unit leads?", "តើអង្គភាពណាដឹកនាំ?"), control="choice", variant="minimal", number=say(language, "6", "៦"),
            choices=[("a", say(language, "General Department of Prisons", "អគ្គនាយកដ្ឋានពន្ធនាគារ"), False), ("b", say(language, "Legal department", "នាយកដ្ឋានច្បាប់"), False)],
        ),
        ItemView(
            "C5", "C5", "q-C5", say(language, "Officers trained", "ចំនួនមន្ត្រីដែលបានបណ្តុះបណ្តាល"), control="table", number=say(language, "7", "៧"),
            table=sample_table(language),
        ),
        ItemView(
            "B11", "B11", "q-B11", say(language, "What would help most? Put in order.", "តើអ្វីអាចជួយបានច្រើនជាងគេ? សូមដាក់តាមលំដាប់។"), control="rank", choices=obstacles, raw=["staff", "budget"],
        ),
        ItemView(
            "D1", "D1", "q-D1", say(language, "Evidence", "ភស្តុតាង"), control="file", number=say(language, "8", "៨"), hint=say(language, "PDF, Word, Excel or picture, up to 25 MB each.", "PDF, Word, Excel ឬរូបភាព មិនលើសពី ២៥ MB ក្នុងមួយឯកសារ។"),
            files=[FileView(1, say(language, "Circular on access to a lawyer.pdf", "សារាចរស្តីពីសិទ្ធិទទួលបានមេធាវី.pdf"), "#file", "412 kB", "#remove")], upload_url="#upload", accept=".pdf,.docx,.xlsx,.jpg,.png",
        ),
    ]  # fmt: skip
    for item in found:
        item.readonly = readonly
    return found


def section(language: str, *, readonly: bool = False, conflict: bool = False) -> dict[str, Any]:
    """Return the view data of templates/respond/section.html."""
    pages = [
        (say(language, "Your role", "តួនាទីរបស់អ្នក"), "#1", "done", say(language, "complete", "បំពេញចប់")),
        (say(language, "Measures and results", "វិធានការ និងលទ្ធផល"), "#2", "current", say(language, "5 of 8 answered", "បានឆ្លើយ ៥ លើ ៨")),
        (say(language, "Figures", "តួលេខ"), "#3", "missing", say(language, "1 not answered", "មិនទាន់ឆ្លើយ ១")),
        (say(language, "Check and complete", "ពិនិត្យ និងបំពេញចប់"), "#4", "open", ""),
    ]
    both: dict[str, Any] = {
        "name": "B6@km", "label": say(language, "What changed for people?", "តើមានអ្វីផ្លាស់ប្តូរសម្រាប់ប្រជាជន?"), "mine": "ក្រសួងបានចេញសារាចរមួយ។",
        "theirs": "ក្រសួងបានចេញសារាចរមួយ ស្តីពីសិទ្ធិទទួលបានមេធាវី។", "by": say(language, "Alternate", "មន្ត្រីជំនួស"), "at": SAVED_AT, "revision": 4,
    }  # fmt: skip
    both |= apart(str(both["mine"]), str(both["theirs"])) | {"merged": merge_texts(str(both["mine"]), str(both["theirs"]))}
    return {
        "title": pages[1][0], "institution": say(language, "Ministry of Justice", "ក្រសួងយុត្តិធម៌"), "round": say(language, "Demo round 2026", "វគ្គរាយការណ៍គំរូ ២០២៦"),
        "page_number": 2, "page_total": 4, "recommendation": recommendation(language), "status": "submitted" if readonly else "in_progress", "due": DUE,
        "days_left": 12, "done": readonly, "items": items(language, readonly=readonly),
        "readonly": say(language, "It was handed in on 20 November 2026 and waits for review.", "ចម្លើយតបនេះត្រូវបានបញ្ជូននៅថ្ងៃទី ២០ វិច្ឆិកា ២០២៦ ហើយកំពុងរង់ចាំការពិនិត្យ។") if readonly else "",
        "errors": [] if readonly else [("q-C1", say(language, "Question 3: enter a whole number, for example 12,408.", "សំណួរទី ៣៖ សូមបញ្ចូលចំនួនគត់ ឧទាហរណ៍ ១២,៤០៨។"))],
        "conflicts": [both] if conflict else [], "steps": pages, "missing": [(say(language, "4. Which obstacles did you meet?", "៤. តើអ្នកបានជួបឧបសគ្គអ្វីខ្លះ?"), "#q-B9-item")],
        "answered": 5, "total": 8, "saved_at": SAVED_AT, "previous_url": "#back", "next_url": "#next", "complete_url": "#complete", "not_ours_url": "#not-ours",
        "owed_url": "#owed", "rules_url": "", "request_key": "sample", "keeps": "", "here_url": "#here",
    }  # fmt: skip


def owed(language: str) -> dict[str, Any]:
    """Return the view data of templates/respond/owed.html."""

    def row(status: str, days_left: int | None, answered: int, **more: Any) -> SimpleNamespace:
        facts: dict[str, Any] = {
            "cite": say(language, "Demo document, paragraph 28 (a)", "ឯកសារគំរូ កថាខណ្ឌ ២៨ (a)"),
            "title": say(language, "Reach of lawyer, doctor and family from the first hour of detention", "សិទ្ធិទាក់ទងមេធាវី គ្រូពេទ្យ និងគ្រួសារ តាំងពីម៉ោងដំបូងនៃការឃុំខ្លួន"),
            "lang": "", "status": status, "mark": "", "role": "lead", "due": DUE, "days_left": days_left, "done": False, "answered": answered, "total": 7,
            "holder": "", "url": "#reply", "action": say(language, "Continue", "បន្ត"),
        }  # fmt: skip
        return SimpleNamespace(**{**facts, **more})

    focal = say(language, "Focal point", "មន្ត្រីទំនាក់ទំនង")
    approver = say(language, "With the approver since 20 November", "នៅជាមួយអ្នកអនុម័តតាំងពីថ្ងៃទី ២០ វិច្ឆិកា")
    return {
        "institution": say(language, "Ministry of Justice", "ក្រសួងយុត្តិធម៌"), "round": say(language, "Demo round 2026", "វគ្គរាយការណ៍គំរូ ២០២៦"), "slug": "demo", "total": 5, "late": 1, "open": 2, "keeps": "",
        "institution_questions": None,
        "groups": [
            {"title": say(language, "Late", "យឺត"), "text": "", "rows": [row("returned", -3, 6, holder=focal)]},
            {"title": say(language, "To answer", "ត្រូវឆ្លើយ"), "text": "", "rows": [row("in_progress", 5, 4, holder=focal), row("issued", 12, 0, role="contributing", action=say(language, "Start", "ចាប់ផ្តើម"))]},
            {"title": say(language, "With others", "នៅជាមួយអ្នកដទៃ"), "text": "", "rows": [row("awaiting_sign_off", 12, 7, holder=approver, action=say(language, "Read", "អាន"), done=True)]},
            {"title": say(language, "Done", "រួចរាល់"), "text": "", "rows": [row("cleared", None, 7, done=True, action=say(language, "Read", "អាន"))]},
        ],
    }  # fmt: skip


def sayer(language: str) -> Callable[[str, str], str]:
    """Return `say` bound to a language, for the template."""
    return partial(say, language)


def components(language: str) -> dict[str, Any]:
    """Return the view data of templates/gallery/index.html."""
    page = section(language, conflict=True)
    read_only = items(language, readonly=True)
    for item in read_only:
        item.code, item.name, item.id = f"{item.code}-r", f"{item.name}-r", f"{item.id}-r"
    series = [
        ("cleared", say(language, "Cleared", "បានបញ្ចប់ការពិនិត្យ"), "good"),
        ("submitted", say(language, "Handed in", "បានបញ្ជូន"), "strong"),
        ("in_progress", say(language, "Being answered", "កំពុងឆ្លើយ"), "info"),
        ("late", say(language, "Late", "យឺត"), "bad"),
        ("issued", say(language, "Not started", "មិនទាន់ចាប់ផ្តើម"), "quiet"),
    ]
    ministries = [
        (say(language, "Ministry of Interior", "ក្រសួងមហាផ្ទៃ"), (14, 6, 4, 0, 2)),
        (say(language, "Ministry of Justice", "ក្រសួងយុត្តិធម៌"), (11, 9, 3, 1, 1)),
        (say(language, "Ministry of Labour and Vocational Training", "ក្រសួងការងារ និងបណ្តុះបណ្តាលវិជ្ជាជីវៈ"), (9, 4, 6, 0, 3)),
        (say(language, "Ministry of Women's Affairs", "ក្រសួងកិច្ចការនារី"), (12, 3, 1, 0, 0)),
        (say(language, "Ministry of Health", "ក្រសួងសុខាភិបាល"), (5, 6, 7, 3, 2)),
    ]
    keys = [key for key, _label, _kind in series]
    cells = [("C", "good"), ("H", "strong"), ("A", "info"), ("L", "bad"), ("–", "quiet"), None, ("S", "warn"), ("N", "violet")]
    words = {
        "good": series[0][1], "strong": series[1][1], "info": series[2][1], "bad": series[3][1], "quiet": series[4][1],
        "warn": say(language, "Waiting for signature", "រង់ចាំចុះហត្ថលេខា"), "violet": say(language, "Not ours", "មិនពាក់ព័ន្ធនឹងយើង"),
    }  # fmt: skip
    focal = say(language, "Focal point, Ministry of Justice", "មន្ត្រីទំនាក់ទំនង ក្រសួងយុត្តិធម៌")
    coordinator = say(language, "Coordinator", "អ្នកសម្របសម្រួល")
    return {
        "day": DUE, "saved_at": SAVED_AT, "recommendation": page["recommendation"], "steps": page["steps"], "both": page["conflicts"][0],
        "items": page["items"], "read_only": read_only, "series": series,
        "bars": [(name, "#institution", dict(zip(keys, counts, strict=True))) for name, counts in ministries],
        "grid_columns": [(f"{number}", say(language, f"Paragraph {number}", f"កថាខណ្ឌ {number}"), f"#p{number}") for number in range(8, 28)],
        "grid_rows": [
            (name, "#institution", [found and (found[0], found[1], words[found[1]], "#reply") for found in (cells[(row * 3 + place * 5) % 8] for place in range(20))])
            for row, (name, _counts) in enumerate(ministries)
        ],
        "legend": [(found[0], found[1], words[found[1]]) for found in cells if found],
        "table_columns": [("who", say(language, "Post", "មុខតំណែង")), ("role", say(language, "Role", "តួនាទី")), ("open", say(language, "Open replies", "ចម្លើយតបដែលនៅសល់"), "number")],
        "table_rows": [{"who": focal, "role": say(language, "focal point", "មន្ត្រីទំនាក់ទំនង"), "open": "4"}, {"who": say(language, "Approver, Ministry of Justice", "អ្នកអនុម័ត ក្រសួងយុត្តិធម៌"), "role": say(language, "approver", "អ្នកអនុម័ត"), "open": "1"}],
        "events": [
            {"at": SAVED_AT, "words": say(language, "Returned", "បានប្រគល់ត្រឡប់"), "who": coordinator, "note": say(language, "Please add the number of the circular.", "សូមបញ្ជាក់លេខសារាចរ។"), "icon": "arrow-return-left", "kind": "bad"},
            {"at": SAVED_AT, "words": say(language, "Handed in", "បានបញ្ជូន"), "who": focal, "note": "", "icon": "send-check", "kind": "info"},
            {"at": SAVED_AT, "words": say(language, "Sent out", "បានផ្ញើចេញ"), "who": coordinator, "note": "", "icon": "envelope", "kind": "quiet"},
        ],
        "evidence": [
            {"number": 1, "title": say(language, "Circular on access to a lawyer.pdf", "សារាចរស្តីពីសិទ្ធិទទួលបានមេធាវី.pdf"), "url": "#file", "detail": "412 kB", "visibility": "public", "is_link": False, "remove_url": "#remove"},
            {"number": 2, "title": say(language, "Statistics of the courts", "ស្ថិតិតុលាការ"), "url": "https://statistics.example/", "detail": "statistics.example", "visibility": "internal", "is_link": True, "remove_url": ""},
            {"number": 3, "title": say(language, "Case list.xlsx", "បញ្ជីសំណុំរឿង.xlsx"), "url": "#file3", "detail": "88 kB", "visibility": "confidential", "is_link": False, "remove_url": ""},
        ],
        "messages": [
            {"who": coordinator, "at": SAVED_AT, "text": say(language, "Does the figure of 2025 include the provinces?", "តើតួលេខឆ្នាំ២០២៥ រាប់បញ្ចូលខេត្តដែរឬទេ?"), "lang": "", "ours": False},
            {"who": focal, "at": SAVED_AT, "text": say(language, "Yes, all of them.", "បាទ/ចាស ទាំងអស់។"), "lang": "", "ours": True},
        ],
        "qr": Markup('<svg viewBox="0 0 21 21" shape-rendering="crispEdges"><path d="M0 0h7v7H0zM14 0h7v7h-7zM0 14h7v7H0zM9 3h3v2H9zM8 8h4v4H8zM14 9h5v2h-5zM10 14h3v6h-3zM15 15h5v4h-5z"/></svg>'),
    }  # fmt: skip
