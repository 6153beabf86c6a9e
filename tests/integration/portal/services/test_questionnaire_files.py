"""Files and the database: what a workbook says is stored and loaded whole, tables and attached sheets included."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from forms.answers import AnswerKey
from forms.context import Context, looked_up
from forms.definition.writing import canonical
from forms.evaluation import evaluate
from portal import clock
from portal.models import QuestionnaireScope
from portal.queries import questionnaires as look
from portal.services import questionnaires
from portal.workbooks import xlsform_out
from portal.workbooks.xlsform_check import examine, source_of
from tests import factories
from tests.xlsform_cases import cases

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from forms.definition.model import Definition

pytestmark = pytest.mark.engines()


def stored(session: Session, definition: Definition, number: int = 0) -> Definition:
    by = factories.principal(session, factories.staff(session, login=f"staff{number}"))
    version = questionnaires.store(
        session, definition, source_sha256=None, scope=QuestionnaireScope.RECOMMENDATION, length="full", by=by
    )
    session.commit()
    return look.definition(session, version.id)


def test_every_construct_comes_back_from_the_database(session: Session) -> None:
    from dataclasses import replace

    for number, (title, (form, _said, held)) in enumerate(cases().items()):
        if held:
            first = examine(form.encode(), filename="form.md").definition
            assert first is not None
            first = replace(first, code=f"case-{number}")  # each a questionnaire of its own
            loaded = stored(session, first, number)
            assert canonical(loaded) == canonical(first), title
            assert xlsform_out.write(loaded) == xlsform_out.write(first), title


PREFILLED = """
| survey |
| | type | name | label | calculation |
| | calculate | mine | | pulldata('institution', 'code', 'me', 'yes') |
| | calculate | planned | | pulldata('budget', 'amount', 'institution', ${mine}) |
| | username | who | | |
| | email | mail | | |
| | decimal | spent | Spent of ${planned} | |
| budget |
| | institution | amount |
| | moj | 120 |
| | moi | 95 |
"""


def test_figures_are_prefilled_per_institution_from_an_attached_table(session: Session) -> None:
    first = examine(PREFILLED.encode(), filename="prefilled.md").definition
    assert first is not None
    loaded = stored(session, first)
    assert loaded.reads_email
    person = {"login": "focal.moi", "email": "focal@moi.example"}
    context = Context(today=clock.today(), tables=looked_up(loaded.table_rows, person, {"code": "moi"}), person=person)
    calculated = evaluate(loaded, {}, context).calculated
    assert {key.code: str(value) for key, value in calculated.items()} == {
        "mine": "moi", "planned": "95", "who": "focal.moi", "mail": "focal@moi.example",
    }  # fmt: skip
    assert AnswerKey("planned") in calculated


def test_what_is_kept_of_a_file_is_a_workbook() -> None:
    report = examine(PREFILLED.encode(), filename="prefilled.md")
    assert report.definition is not None
    kept = source_of(PREFILLED.encode(), report.definition, alone=True)
    assert kept.content.startswith(b"PK")
    assert kept.sha256 == hashlib.sha256(kept.content).hexdigest()
    again = source_of(kept.content, report.definition, alone=True)
    assert again == kept


def test_the_same_file_makes_one_version_and_a_longer_list_keeps_its_keys(session: Session) -> None:
    by = factories.principal(session, factories.staff(session))
    form = "| survey |\n| | type | name | label |\n| | select_one l | a | A |\n| choices |\n| | list_name | name | label |\n"
    made = []
    for rows in (2, 2, 3):
        lines = "".join(f"| | l | k{number} | K {number} |\n" for number in range(rows))
        settings = "| settings |\n| | form_id |\n| | listed |\n"
        report = examine((form + lines + settings).encode(), filename="l.md")
        assert report.definition is not None
        source = source_of(b"", report.definition, alone=True)
        version = questionnaires.store(
            session, report.definition, source_sha256=source.sha256, scope=QuestionnaireScope.RECOMMENDATION,
            length="full", by=by,
        )  # fmt: skip
        questionnaires.publish(session, version, by=by)
        session.commit()
        made.append(version.number)
    assert made == [1, 1, 2]
