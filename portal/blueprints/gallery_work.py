# ruff: noqa: E501 - sample sentences in two scripts read better on one line
"""Sample data of the gallery's second page: sharing, collecting, documents, earlier answers, notices of the device."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from forms.definition.word_diff import Piece
from portal.blueprints.gallery_samples import DUE, SAVED_AT, items, say

if TYPE_CHECKING:
    from collections.abc import Iterator

STAGES = (
    ("made", "Not opened yet", "មិនទាន់បើក"), ("opened", "Opened", "បានបើក"), ("started", "Answering", "កំពុងឆ្លើយ"),
    ("finished", "Finished", "បានបញ្ចប់"), ("expired", "The day has passed", "ហួសកាលកំណត់"), ("revoked", "Taken back", "បានដកវិញ"),
)  # fmt: skip


def work(language: str) -> dict[str, Any]:
    """Return the view data of templates/gallery/work.html."""
    focal = say(language, "Focal point, Ministry of Justice", "មន្ត្រីទំនាក់ទំនង ក្រសួងយុត្តិធម៌")
    unit = say(language, "Kampot department", "មន្ទីរខេត្តកំពត")
    remembered = next(one for one in items(language) if one.texts)
    remembered.memory = [
        _earlier(language, verdict, number)
        for number, verdict in enumerate(("", "still_true", "update", "no_longer_true"))
    ]
    return {
        "lines": list(_lines(language, unit)),
        "documents": [_document(language, state, number) for number, state in enumerate(("received", "entered", "set_aside"))],
        "scanned_at": SAVED_AT, "remembered": remembered, "focal": focal,
        "row_conflicts": [_row_conflict(language, focal, removed=removed) for removed in (True, False)],
        "changes": _changes(language),
        "earlier": {"still_true": 4, "update": 1, "no_longer_true": 1, "unchanged": [(say(language, "3. Measures", "៣. វិធានការ"), "#q-B3")], "open": [(say(language, "5. Figures", "៥. តួលេខ"), "#q-C1")]},
        "offline": {"download_url": "#", "upload_url": "#", "help_url": "#how", "round": "sample", "alone": True, "in_app": True},
        "problems": [
            SimpleNamespace(message=say(language, "The paragraph “28x” is not in the document.", "កថាខណ្ឌ «28x» មិនមានក្នុងឯកសារទេ។"), sheet="People", row=12, column="B", mend=say(language, "Write it as in the list, for example 28 (a).", "សូមសរសេរដូចក្នុងបញ្ជី ឧទាហរណ៍ 28 (a)។")),
            SimpleNamespace(message=say(language, "A name is missing.", "ខ្វះឈ្មោះ។"), sheet="", row=0, column="", mend=""),
        ],
        "pieces": [Piece(say(language, "Three ", "បី "), "gone"), Piece(say(language, "Four ", "បួន "), "new"), Piece(say(language, "courts opened", "តុលាការបានបើក"), "same")],
        "owed": {"cite": "CCPR · 28 (a)", "title": say(language, "Access to a lawyer", "សិទ្ធិទទួលបានមេធាវី"), "lang": "", "mark": "", "role": "lead", "due": DUE, "done": False, "answered": 4, "total": 7, "holder": focal, "documents": 1, "from_paper": True, "url": "#reply", "reading": False, "action": say(language, "Go on", "បន្ត")},
    }  # fmt: skip


def _lines(language: str, unit: str) -> Iterator[dict[str, Any]]:
    """Return one line of shared work per stage."""
    for number, (stage, english, khmer) in enumerate(STAGES):
        yield {
            "public_id": f"sample-{stage}", "name": f"{unit} {number + 1}", "contact": "012 345 678" if number else "", "account": number == 1,
            "stage": stage, "words": say(language, english, khmer), "running": number < 3, "answered": min(number, 2), "asked": 2, "until": DUE,
            "message": say(language, "The figures of March are missing.", "ខ្វះតួលេខខែមីនា។") if stage == "finished" else "", "note": "",
            "finished_at": SAVED_AT if stage == "finished" else None, "new_day": DUE + timedelta(days=7),
            "questions": [say(language, "Measures", "វិធានការ"), say(language, "Figures", "តួលេខ")],
            "remind": [(language, say(language, "English", "ខ្មែរ"), say(language, "Please answer by the day named.", "សូមឆ្លើយតាមថ្ងៃកំណត់។"))] if number < 3 else [],
        }  # fmt: skip


def _document(language: str, state: str, number: int) -> dict[str, Any]:
    return {
        "url": "#document", "title": say(language, f"Letter {number + 1}.pdf", f"លិខិត {number + 1}.pdf"), "size": "412 kB", "state": state, "on_behalf": number == 1,
        "scanned_at": SAVED_AT if number else None, "from_secretariat": number == 1, "by": say(language, "Coordinator", "អ្នកសម្របសម្រួល"), "at": SAVED_AT - timedelta(days=2),
        "settled_at": SAVED_AT if number else None, "settled_by": say(language, "Coordinator", "អ្នកសម្របសម្រួល"), "note": "", "read_url": "#" if not number else "",
        "reason": say(language, "The same letter came twice.", "លិខិតដដែលបានមកពីរដង។") if state == "set_aside" else "",
    }  # fmt: skip


def _earlier(language: str, verdict: str, number: int) -> dict[str, Any]:
    return {
        "title": say(language, f"Answered in 202{number}", f"បានឆ្លើយក្នុងឆ្នាំ ២០២{number}"), "texts": [(language, say(language, "A sub-decree was drafted.", "អនុក្រឹត្យមួយត្រូវបានព្រាង។"))],
        "at": SAVED_AT, "source_url": "#earlier", "elsewhere": number == 3, "verdict": verdict, "url": "#say", "value": f"x{number}",
    }  # fmt: skip


def _row_conflict(language: str, by: str, *, removed: bool) -> dict[str, Any]:
    cell = {
        "name": "course[A]",
        "label": say(language, "Course", "វគ្គ"),
        "text": say(language, "Rights in custody", "សិទ្ធិក្នុងការឃុំខ្លួន"),
        "raw": [],
        "state": "answered",
        "base": 1,
        "by": by,
        "at": "10:00",
    }
    return {
        "name": "C5[A]",
        "label": say(language, "Row 3", "ជួរ ៣"),
        "removed": removed,
        "revision": 2,
        "by": by,
        "at": "10:00",
        "mine": [cell],
        "theirs": [cell],
    }


def _changes(language: str) -> dict[str, Any]:
    label = say(language, "Measures", "វិធានការ")
    answer = {
        "code": "B3",
        "label": label,
        "row": "",
        "kind": "changed",
        "lang": "",
        "pieces": [
            Piece(say(language, "Two ", "ពីរ "), "gone"),
            Piece(say(language, "Three ", "បី "), "new"),
            Piece(say(language, "courses", "វគ្គ"), "same"),
        ],
    }
    rows = {
        "label": say(language, "Courses", "វគ្គបណ្តុះបណ្តាល"),
        "keys": ["a", "b"],
        "kind": "added",
        "lines": [say(language, "Kampot, 12 women", "កំពត ស្ត្រី ១២")],
    }
    return {
        "at": SAVED_AT,
        "answers": [answer],
        "rows": [rows],
        "evidence": [{"number": 2, "name": "circular.pdf", "kind": "removed"}],
    }
