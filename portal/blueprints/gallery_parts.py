# ruff: noqa: E501 - sample sentences in two scripts read better on one line
"""Sample data of the gallery's third page: fields, uploads, text kept by the device, replies to read, packs, lists."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from wtforms import BooleanField, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField

from forms.base import PortalForm
from portal.blueprints.gallery_samples import SAVED_AT, say
from portal.blueprints.recommendations.room import STATE_KINDS, words
from portal.models import Implementation, RecommendationKind, TextStatus
from portal.queries.recommendations import Listed


class SampleForm(PortalForm):
    """One field of each shape that components/form_field.html draws."""

    class Meta(PortalForm.Meta):
        """No token: the sample is never sent."""

        csrf = False

    name = StringField()
    note = TextAreaField()
    role = SelectField(choices=[])
    when = RadioField(choices=[])
    parts = SelectMultipleField(choices=[])
    agreed = BooleanField()


def parts(language: str) -> dict[str, Any]:
    """Return the view data of templates/gallery/parts.html."""
    colleague = say(language, "Contributor, Ministry of Justice", "មន្ត្រីចូលរួមបំពេញ ក្រសួងយុត្តិធម៌")
    return {
        "form": _form(language), "colleague": colleague,
        "kept_until": SAVED_AT,
        "recovered_sample": {"label": say(language, "What was done", "អ្វីដែលបានធ្វើ"), "at": "14:02", "kept": say(language, "Two courses were held in March.", "វគ្គពីរត្រូវបានរៀបចំក្នុងខែមីនា។"), "now": say(language, "One course was held.", "វគ្គមួយត្រូវបានរៀបចំ។")},
        "pages_waiting": [(say(language, "Measures · 28 (a)", "វិធានការ · 28 (a)"), "#measures"), (say(language, "Figures · 28 (a)", "តួលេខ · 28 (a)"), "#figures")],
        "packs": [
            (SimpleNamespace(public_id="sample", made_at=SAVED_AT, signed_at=signed, cancelled_at=cancelled, letter_number=letter), code)
            for code, signed, cancelled, letter in (("66KQ-5353-XM5W-26ZR", None, None, ""), ("RV2T-WSM3-7AWV-DX1Q", SAVED_AT, None, say(language, "No. 214", "លេខ 214")), ("SAVN-TFCZ-2SN6-SGGN", None, SAVED_AT, ""))
        ],
        "rows": [_listed(language, kind, number) for number, kind in enumerate((RecommendationKind.RECOMMENDATION, RecommendationKind.CONCERN))],
        "state": SimpleNamespace(state=next(iter(Implementation))), "state_kinds": STATE_KINDS, "words": words(),
        "groups": [SimpleNamespace(code="part-b", title=say(language, "Measures", "វិធានការ"), chosen=False, questions=[
            SimpleNamespace(code="B1", label=say(language, "What was done?", "បានធ្វើអ្វី?"), table=False, done=True, chosen=True),
            SimpleNamespace(code="B2", label=say(language, "Courses", "វគ្គបណ្តុះបណ្តាល"), table=True, done=False, chosen=False),
        ])],
        "pages": [_page(language)],
    }  # fmt: skip


def _form(language: str) -> Any:
    form: Any = SampleForm(formdata=None)
    choices = [("a", say(language, "Focal point", "មន្ត្រីទំនាក់ទំនង")), ("b", say(language, "Approver", "អ្នកអនុម័ត"))]
    labels = {
        "name": say(language, "Name", "ឈ្មោះ"), "note": say(language, "Note", "កំណត់សម្គាល់"), "role": say(language, "Part", "តួនាទី"),
        "when": say(language, "Told", "ជូនដំណឹង"), "parts": say(language, "Parts", "ផ្នែក"), "agreed": say(language, "We agree", "យើងយល់ព្រម"),
    }  # fmt: skip
    for name, text in labels.items():
        form[name].label.text = text
    form.role.choices = form.when.choices = form.parts.choices = choices
    form.when.data, form.parts.data = "a", ["b"]
    form.name.errors = [say(language, "Write a name.", "សូមសរសេរឈ្មោះ។")]
    return form


def _listed(language: str, kind: RecommendationKind, number: int) -> Listed:
    text = say(
        language,
        "Make sure that every person in detention can reach a lawyer.",
        "ធានាថាជនគ្រប់រូបដែលត្រូវបានឃុំខ្លួន អាចទាក់ទងមេធាវី។",
    )
    asked = say(language, "Say what was done, with number and date.", "សូមរៀបរាប់អ្វីដែលបានធ្វើ ជាមួយលេខ និងកាលបរិច្ឆេទ។")
    return Listed(
        number, "sample", "DEMO/1", "sample", "demo", f"{28 + number}", "a", kind,
        {language: say(language, "Access to a lawyer", "សិទ្ធិទទួលបានមេធាវី")}, {language: text}, {language: asked},
        next(iter(TextStatus)), number == 0, None, None,
    )  # fmt: skip


def _page(language: str) -> dict[str, Any]:
    """Return a page of a reply in every state of a row: answered twice, not answered, missing, refused, a table."""
    blank: dict[str, Any] = {
        "table": None,
        "texts": [],
        "missing": False,
        "message": "",
        "words": say(language, "Not answered", "មិនទាន់ឆ្លើយ"),
        "control": "text",
        "confirmed": "",
        "code": "x",
    }
    cell = {
        "label": say(language, "Women", "ស្ត្រី"),
        "texts": [("", "112")],
        "missing": False,
        "message": "",
        "words": "",
    }
    table = SimpleNamespace(
        heads=[cell["label"]],
        lines=[
            SimpleNamespace(label="1", cells=[cell]),
            SimpleNamespace(label="2", cells=[cell | {"texts": [], "missing": True}]),
        ],
        totals=["112"],
    )
    given: list[dict[str, Any]] = [
        {"label": say(language, "What was done?", "បានធ្វើអ្វី?"), "texts": [("km", "វគ្គពីរត្រូវបានរៀបចំ។"), ("en", "Two courses were held.")], "confirmed": "2024"},
        {"label": say(language, "Where?", "នៅទីណា?"), "missing": True},
        {"label": say(language, "Since when?", "តាំងពីពេលណា?"), "texts": [("", "32/13/2026")], "message": say(language, "There is no such day.", "គ្មានថ្ងៃបែបនេះទេ។")},
        {"label": say(language, "Figures", "តួលេខ"), "words": say(language, "Not available", "មិនមានទិន្នន័យ")},
        {"label": say(language, "Courses", "វគ្គបណ្តុះបណ្តាល"), "table": table},
    ]  # fmt: skip
    return {
        "label": say(language, "Measures", "វិធានការ"),
        "url": "#change",
        "rows": [{**blank, "id": f"read-{number}", **one} for number, one in enumerate(given)],
    }
