"""Earlier answers as the answering page shows them: read aloud, with what can be said of each."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from flask import g, url_for
from flask_babel import gettext as _

from forms.question_types import question_type
from portal.blueprints.reading import state_words
from portal.extensions import db
from portal.models import Recollection
from portal.queries.memory import Earlier, confirmed, earlier, whole_verdicts
from portal.queries.register import unknown_numbers
from portal.queries.reported import reported_on
from portal.queries.submissions import asked_recommendations, citation
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forms.answers import AnswerKey, Given
    from forms.definition.model import Definition, Item
    from portal.blueprints.answering import AnsweringPage
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


def place_of(one: Earlier, asked: Sequence[Any]) -> str:
    """Return where the same indicator was answered: the paragraph of its recommendation, else the round."""
    if asked:
        return str(_("paragraph %(paragraph)s", paragraph=citation(asked)))
    return pick(one.round_titles, g.view.language, g.country.languages)


def heading(one: Earlier, asked: Sequence[Any]) -> str:
    """Return what an earlier answer is called."""
    if one.elsewhere:
        return str(_("The same indicator, answered on %(place)s", place=place_of(one, asked)))
    return str(_("Your answer in “%(round)s”", round=pick(one.round_titles, g.view.language, g.country.languages)))


def _view(one: Earlier, item: Item, asked: Sequence[Any], url: str) -> dict[str, Any]:
    language = g.view.language
    return {
        "title": heading(one, asked),
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


def mark_confirmed(
    head: SubmissionHead, pages: Sequence[dict[str, Any]], stored: Mapping[AnswerKey, Given]
) -> Sequence[dict[str, Any]]:
    """Say in a reply read aloud which answers still stand as they were confirmed; no query without memory."""
    found = confirmed(db.session, head) if head.remembers else {}
    if found:
        revisions: dict[str, set[int]] = {}
        for key, given in stored.items():
            revisions.setdefault(key.code, set()).add(given.revision)
        for row in (row for page in pages for row in page["rows"]):
            one = found.get(row["code"])
            if one is not None and one.revision in revisions.get(row["code"], ()):
                row["confirmed"] = pick(one.round_titles, g.view.language, g.country.languages)
    return pages


def summary(head: SubmissionHead, definition: Definition, answering: AnsweringPage) -> dict[str, Any] | None:
    """Count what was said of the earlier answers of a whole reply, tables and files too; None: there are none."""
    found = earlier(db.session, head, definition, definition.items())
    ours = {code: many[0] for code, many in found.items() if not many[0].elsewhere}
    asked = {code: one for code, one in ours.items() if code not in answering.evaluation.hidden}
    whole = list(whole_verdicts(db.session, head.id).values()) if head.remembers else []
    if not asked and not whole:
        return None
    said = Counter([*(one.verdict for one in asked.values()), *whole])
    unchanged = [
        code
        for code, one in asked.items()
        if one.verdict is Recollection.UPDATE
        and any(key.code == code and given.revision == one.verdict_revision for key, given in answering.stored.items())
    ]
    open_ = [code for code, one in asked.items() if one.verdict is None]
    return {
        "still_true": said[Recollection.STILL_TRUE],
        "update": said[Recollection.UPDATE],
        "no_longer_true": said[Recollection.NO_LONGER_TRUE],
        "unchanged": [_linked(answering, definition, code) for code in unchanged],
        "open": [_linked(answering, definition, code) for code in open_],
    }


def _linked(answering: AnsweringPage, definition: Definition, code: str) -> tuple[str, str]:
    label = definition.question(code).text("label", g.view.language, answering.context.languages)
    return label, answering.page_url(definition.page_of(code).code) + f"#q-{code}-item"


def citations(head: SubmissionHead, stored: Mapping[AnswerKey, Given]) -> list[int]:
    """Return the numbers that the answers cite as [E12] and that are no evidence of this institution's."""
    return unknown_numbers(db.session, head.institution_id, head.round_id, (one.value for one in stored.values()))
