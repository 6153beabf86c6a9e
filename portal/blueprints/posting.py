"""What a post to an answering page says: the reply's questionnaire, its facts, the answers as changes for the gate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forms.answers import AnswerKey, field_name, parse_field_name
from forms.context import Context, looked_up
from forms.question_types import question_type
from forms.questionnaire import SectionForm, asked, cell_keys, read_answers
from forms.tables import table_of
from portal import clock
from portal.extensions import db
from portal.incoming import present
from portal.queries.people import email_of
from portal.queries.questionnaires import definition as load_definition
from portal.queries.questionnaires import question_ids
from portal.services.submissions import Change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.datastructures import MultiDict

    from forms.definition.model import Definition, Item
    from portal.permissions import Principal
    from portal.queries.countries import CountryFacts
    from portal.queries.submissions import SubmissionHead


def context_for(principal: Principal, head: SubmissionHead, definition: Definition) -> Context:
    """Gather the facts that rules and parsing may need."""
    here = present().g
    country: CountryFacts = here.country
    person, institution = {"login": principal.login}, {"code": head.institution_code}
    if definition.reads_email and principal.user_id is not None:
        person["email"] = email_of(db.session, principal.user_id)
    return Context(
        today=clock.today(country.time_zone),
        languages=languages_of(definition, country),
        language=here.view.language,
        time_zone=country.time_zone,
        now=clock.now(),
        person=person,
        institution=institution,
        tables=looked_up(definition.table_rows, person, institution),
    )


def languages_of(definition: Definition, country: CountryFacts) -> tuple[str, ...]:
    """Return the languages in which texts may be written: the questionnaire's, the national one first."""
    ordered = [code for code in country.languages if code in definition.languages]
    return tuple(ordered) or definition.languages


def load(head: SubmissionHead) -> tuple[Definition, Mapping[str, int]]:
    """Return the questionnaire of a reply, and its question ids by code (both cached: a published one is frozen)."""
    return load_definition(db.session, head.version_id), question_ids(db.session, head.version_id)


def read_changes(
    definition: Definition, page: Item, context: Context, post: MultiDict[str, str]
) -> dict[AnswerKey, Change]:
    """Read a post of a page into changes, each with the revision its writer saw.

    Files have their own door; a page without script may resolve a conflict: mine, theirs or both (the joined text
    stands for the answer already, see :mod:`portal.blueprints.respond.conflicts`).
    """
    spoken_of = {key for name in post if (key := parse_field_name(name)) is not None}
    # an autosave speaks of one answer: a form of that question alone judges it just the same
    codes = {key.code for key in spoken_of}
    items = [item for item in asked([page]) if item.code in codes]
    cells = {key: item for key in spoken_of if key.row and (item := _column(definition, key, context)) in items}
    plain = [item for item in items if table_of(definition, item.code) is None]
    form = SectionForm(plain, context, post, cells=cells)
    form.validate()
    changes: dict[AnswerKey, Change] = {}
    for key, parsed in read_answers(form, items).items():
        if question_type(definition.question(key.code).type).control == "file":
            continue
        name = field_name(key)
        base = post.get(f"base:{name}", type=int) or 0
        match post.get(f"resolve:{name}"):
            case "theirs":
                continue
            case "mine" | "both":
                base = post.get(f"theirs:{name}", type=int) or base
            case _:
                pass
        changes[key] = Change(parsed, base)
    return changes


def _column(definition: Definition, key: AnswerKey, context: Context) -> Item | None:
    """Return the column in which a cell stands; None where the key names no cell of a table."""
    if table_of(definition, key.code) is None:
        return None
    item = definition.question(key.code)
    return item if key in cell_keys(item, key.row, context.languages) else None
