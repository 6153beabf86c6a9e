"""Earlier answers as the answering page shows them: read aloud, with what can be said of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, url_for
from flask_babel import gettext as _

from forms.question_types import question_type
from portal.blueprints.reading import state_words
from portal.extensions import db
from portal.models import Recollection
from portal.queries.memory import Earlier, earlier
from portal.queries.reported import reported_on
from portal.queries.submissions import asked_recommendations, citation
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forms.definition.model import Definition, Item
    from portal.queries.submissions import AskedRecommendation, SubmissionHead

CHOICES = (Recollection.STILL_TRUE, Recollection.UPDATE, Recollection.NO_LONGER_TRUE)


def beside(
    head: SubmissionHead, definition: Definition, page: Item, *, open_codes: Mapping[str, bool]
) -> dict[str, list[dict[str, Any]]]:
    """Return by question what stands beside it; ``open_codes`` tells which questions may be changed now.

    One query where the institution has something to remember, two where another recommendation is cited.
    """
    found = earlier(db.session, head, definition, page.items())
    if not found:
        return {}
    elsewhere = {one.assignment_id for many in found.values() for one in many if one.elsewhere}
    asked = asked_recommendations(db.session, elsewhere) if elsewhere else {}
    url = url_for("remember.recall", public_id=head.public_id, code=page.code)
    return {
        code: [
            _view(one, definition.question(code), asked.get(one.assignment_id, ()), url if open_codes.get(code) else "")
            for one in many
        ]
        for code, many in found.items()
    }


def _view(one: Earlier, item: Item, asked: Sequence[Any], url: str) -> dict[str, Any]:
    language = g.view.language
    title = pick(one.round_titles, language, g.country.languages)
    place = _("paragraph %(paragraph)s", paragraph=citation(asked)) if asked else ""
    return {
        "title": _("The same indicator, answered on %(place)s", place=place or title)
        if one.elsewhere
        else _("Your answer in “%(round)s”", round=title),
        "round": title,
        "texts": read_answers(one, item, language),
        "at": one.at,
        "source_url": url_for("respond.check", public_id=one.source) + f"#q-{one.source_code}",
        "elsewhere": one.elsewhere,
        "verdict": one.verdict.value if one.verdict else "",
        "url": url,
        "value": f"{one.code}:{one.source}:{one.source_code}",
    }


def read_answers(one: Earlier, item: Item, language: str) -> list[tuple[str, str]]:
    """Return the texts of an earlier answer by language; a state is said in words."""
    # a choice that is offered no more still has its wording in the register of this question, if it is the same one
    return [
        (lang, state_words(state) if state != "answered" else question_type(item.type).text(value, item, language))
        for lang, (value, state) in one.answers.items()
    ]


def reported_views(asked: Sequence[AskedRecommendation]) -> list[dict[str, Any]]:
    """Return what the last report said on some recommendations; no query where nothing is known of it."""
    known = [one.id for one in asked if one.reported]
    if not known:
        return []
    language, languages = g.view.language, g.country.languages
    return [
        {
            "source": one.source,
            "paragraph": one.paragraph,
            "on": one.reported_on,
            "sub_item": one.sub_item if len(asked) > 1 else "",
            "text": pick(one.texts, language, languages),
            "lang": language if one.texts.get(language) else next(iter(one.texts), ""),
        }
        for one in reported_on(db.session, known)
    ]
