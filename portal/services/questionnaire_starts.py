"""A questionnaire begun from nothing: a code for ever, a title, and a draft with one empty page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from forms.definition.model import Definition, Item
from forms.definition.reading import good_name
from portal.errors import DuplicateCode, Invalid
from portal.models import Questionnaire
from portal.permissions import Permission, require
from portal.services import questionnaires
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.orm import Session

    from portal.models import QuestionnaireScope, QuestionnaireVersion
    from portal.permissions import Principal

FIRST_PAGE = "page1"


def begin_questionnaire(
    session: Session,
    code: str,
    titles: Mapping[str, str],
    *,
    languages: Sequence[str],
    page: Mapping[str, str],
    scope: QuestionnaireScope,
    length: str,
    by: Principal,
) -> QuestionnaireVersion:
    """Begin a questionnaire as a draft with one page; ``page`` is how that page is called, per language.

    Raises:
        Invalid: if the code cannot be a name or there is no title; with everything at once.
        DuplicateCode: if a questionnaire has the code.
    """
    require(by, Permission.EDIT_QUESTIONNAIRE)
    said = {language: text.strip() for language, text in titles.items() if text.strip()}
    problems = []
    if not said:
        problems.append(Problem(_l("Write a title in at least one language."), field="titles"))
    if not good_name(code):
        sentence = _l("A code starts with a letter and holds letters, digits, hyphens and underscores, no spaces.")
        problems.append(Problem(sentence, field="code"))
    if problems:
        raise Invalid(problems=problems)
    if session.scalar(select(Questionnaire.id).where(Questionnaire.code == code)) is not None:
        raise DuplicateCode("code", _l("There is a questionnaire “%(code)s” already. Choose another code.", code=code))
    first = Item(None, "section", FIRST_PAGE, texts={"label": {one: page[one] for one in languages if page.get(one)}})
    made = Definition(None, code, 1, said, tuple(languages), languages[0], (first,))
    return questionnaires.store(session, made, source_sha256=None, scope=scope, length=length, by=by)
