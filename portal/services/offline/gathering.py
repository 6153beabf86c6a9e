"""What an institution still owes, gathered for one workbook."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

from flask_babel import force_locale
from flask_babel import gettext as _

from forms.context import Context, looked_up
from forms.evaluation import evaluate
from forms.spoken_choices import spoken_by
from portal import clock
from portal.errors import IllegalTransition
from portal.models.base import uuid7
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission, require
from portal.queries import submissions as queries
from portal.queries.owed import owed
from portal.queries.people import email_of
from portal.queries.questionnaires import definition as load_definition
from portal.services import audit
from portal.table import pick
from portal.workbooks.offline.book import write_offline
from portal.workbooks.offline.marks import Seal
from portal.workbooks.offline.shape import OfflineBook, OfflineReply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from forms.definition.model import Definition
    from portal.permissions import Principal
    from portal.queries.countries import CountryFacts
    from portal.queries.submissions import AskedRecommendation, SubmissionHead

SPARE_ALONE, SPARE_TOGETHER = 25, 10
SPARE_IN_WORD_ALONE, SPARE_IN_WORD_TOGETHER = 12, 5  # empty lines of a document are leafed through


def offline_context(
    session: Session,
    head: SubmissionHead,
    definition: Definition,
    country: CountryFacts,
    *,
    by: Principal,
    language: str,
) -> Context:
    """Gather the facts that rules and reading need: as for the page of the reply."""
    person: dict[str, Any] = {"login": by.login}
    if definition.reads_email and by.user_id is not None:
        person["email"] = email_of(session, by.user_id)
    institution = {"code": head.institution_code}
    return Context(
        today=clock.today(country.time_zone), languages=languages_of(definition, country), language=language,
        time_zone=country.time_zone, now=clock.now(), person=person, institution=institution,
        tables=looked_up(definition.table_rows, person, institution),
    )  # fmt: skip


def languages_of(definition: Definition, country: CountryFacts) -> tuple[str, ...]:
    """Return the languages in which texts are written: the questionnaire's, the national one first."""
    return tuple(code for code in country.languages if code in definition.languages) or definition.languages


def still_owed(session: Session, institution_id: int, round_id: int, country: CountryFacts) -> list[SubmissionHead]:
    """Return the replies of an institution in a round that it may still change, in the order of the recommendations."""
    found = owed(session, institution_id, round_id, clock.today(country.time_zone))
    return [one.head for one in found if one.head.status in EDITABLE]


def write_workbook(
    session: Session,
    heads: Sequence[SubmissionHead],
    country: CountryFacts,
    *,
    secret: str,
    by: Principal,
    language: str,
) -> bytes:
    """Return the workbook of some replies of one institution in one round; it holds what stands in them now.

    Raises: as :func:`gather`.
    """
    book = gather(session, heads, country, by=by, language=language)
    with force_locale(country.languages[0]):
        return write_offline(book, Seal(secret))


def write_word(
    session: Session,
    heads: Sequence[SubmissionHead],
    country: CountryFacts,
    *,
    secret: str,
    by: Principal,
    language: str,
) -> bytes:
    """Return the same as a Word document.

    Raises: as :func:`gather`.
    """
    from portal.workbooks.word.document import write_document  # python-docx is loaded by those who need it

    made = gather(session, heads, country, by=by, language=language)
    book = replace(made, spare=SPARE_IN_WORD_ALONE if len(heads) == 1 else SPARE_IN_WORD_TOGETHER)
    with force_locale(country.languages[0]):
        return write_document(book, Seal(secret))


def gather(
    session: Session, heads: Sequence[SubmissionHead], country: CountryFacts, *, by: Principal, language: str
) -> OfflineBook:
    """Return what a workbook or a document of some replies holds.

    Raises:
        NotAllowed: ``by`` may not answer one of them. IllegalTransition: there is none that can be changed.
    """
    if not heads:
        raise IllegalTransition
    for head in heads:
        require(by, Permission.ANSWER_SUBMISSION, head)
        if head.status not in EDITABLE:
            raise IllegalTransition
    asked = queries.asked_recommendations(session, [head.assignment_id for head in heads])
    replies = [
        _reply(session, head, asked.get(head.assignment_id, []), country, by=by, language=language) for head in heads
    ]
    return OfflineBook(
        replies=replies, institution=heads[0].institution_names, round=heads[0].round_titles,
        languages=country.languages, time_zone=country.time_zone, book=uuid7(),
        made=clock.now().astimezone(UTC).isoformat(timespec="seconds"),
        spare=SPARE_ALONE if len(heads) == 1 else SPARE_TOGETHER,
    )  # fmt: skip


def note_download(session: Session, heads: Sequence[SubmissionHead], *, by: Principal) -> None:
    """Write down who took the answers of which replies out of the portal."""
    audit.record(
        session, "download_offline", by=by, kind="round", thing=heads[0].round_slug,
        institution=heads[0].institution_code, replies=[head.public_id for head in heads],
    )  # fmt: skip


def _reply(
    session: Session, head: SubmissionHead, asked: Sequence[AskedRecommendation], country: CountryFacts, *,
    by: Principal, language: str,
) -> OfflineReply:  # fmt: skip
    definition = load_definition(session, head.version_id)
    stored = queries.stored_reply(session, head.id, definition)
    rows = queries.standing_rows(stored.rows)
    context = offline_context(session, head, definition, country, by=by, language=language)
    evaluation = evaluate(definition, stored.answers, context, rows)
    return OfflineReply(
        submission=head.public_id, round=head.round_slug, institution=head.institution_code, version=head.version_id,
        sheet=_sheet_code(head, asked), title=_titles(head, asked, country),
        cite=f"{asked[0].symbol} · {queries.citation(asked)}" if asked else "",
        texts=[_text(one) for one in asked], due=head.due_on,
        definition=spoken_by(definition, evaluation.values), answers=stored.answers, rows=rows,
        row_revisions={(name.repeat, name.key): row.revision for name, row in stored.rows.items()},
        unlocked=head.unlocked,
        values=evaluation.values, calculated=evaluation.calculated, languages=context.languages,
        seen_from=evaluation.seen_from,
    )  # fmt: skip


def _sheet_code(head: SubmissionHead, asked: Sequence[AskedRecommendation]) -> str:
    if head.about_institution or not asked:
        return head.institution_code.upper()[:28]
    return f"{asked[0].mechanism} {queries.citation(asked)}"[:28]


def _titles(head: SubmissionHead, asked: Sequence[AskedRecommendation], country: CountryFacts) -> dict[str, str]:
    found = {}
    for language in country.languages:
        with force_locale(language):
            if head.about_institution:
                found[language] = str(_("Questions about your institution"))
                continue
        texts = (pick(one.heading, language, ()) or pick(one.summary, language, ()) for one in asked)
        found[language] = next((text for text in texts if text), "")
    return found


def _text(one: AskedRecommendation) -> dict[str, str]:
    letter = f"({one.sub_item}) " if one.sub_item else ""
    return {language: f"{letter}{text}" for language, text in one.texts.items() if text}
