"""Wording that comes back in a workbook, through the command line: judged first, then taken over, on both engines."""

from __future__ import annotations

import json

import openpyxl
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from portal import catalogues
from portal.cli import portal
from portal.cli.context import Context
from portal.models import AuditEvent, Country, Wording, WordingRevision

pytestmark = pytest.mark.engines


FEW = (
    "Code: %(code)s", "People", "Rounds", "Questionnaires", "Mails", "Close", "Correct", "%(num)s day late",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _few_messages(request, monkeypatch):
    """A portal of eight messages: a workbook of all of them takes seconds, and one test makes it."""
    if "whole" not in request.node.name:
        few = {key: one for key, one in catalogues.messages().items() if one.source in FEW}
        monkeypatch.setattr(catalogues, "messages", lambda: few)


@pytest.fixture
def run(app, session):
    def run(*arguments):
        session.commit()
        context = Context(lambda _settings: app)
        context._settings, context._app = app.config["SETTINGS"], app
        result = CliRunner().invoke(portal, ["wording", *map(str, arguments)], obj=context)
        session.rollback()
        session.expire_all()
        assert "Traceback" not in result.output
        return result

    return run


@pytest.fixture
def file(run, tmp_path):
    path = tmp_path / "wording.xlsx"
    result = run("export", "--out", path)
    assert result.exit_code == 0, result.output
    return path


class Book:
    """The exported workbook in the hands of a native reader."""

    def __init__(self, path):
        self.path, self.book = path, openpyxl.load_workbook(path)
        self.sheet = self.book["Wording"]
        self.columns = {str(one.value).split("\n")[-1].split(",")[0].rstrip(" *"): one.column for one in self.sheet[1]}
        self.rows = {self.sheet.cell(row, self.columns["Identifier"]).value: row for row in range(2, self.sheet.max_row + 1)}

    def row(self, source):
        return self.rows[f"{catalogues.key_of(source)}.0"]

    def put(self, source, **cells):
        for title, value in cells.items():
            self.sheet.cell(self.row(source), self.columns[title.replace("_", " ")]).value = value
        return self

    def save(self):
        self.book.save(self.path)


def judged(run, path, *more):
    result = run("import", path, "--json", *more)
    return json.loads(result.output), result.exit_code


@pytest.mark.engines("sqlite")
@pytest.mark.slow
def test_an_export_of_the_whole_portal_and_brought_back_changes_nothing(run, file, session):
    book = Book(file)
    assert len(book.rows) == sum(catalogues.forms_of(one, "km") for one in catalogues.messages().values())
    row = book.row("Code: %(code)s")
    at = {title: book.sheet.cell(row, column).value for title, column in book.columns.items()}
    assert at["English words"] == "Code: %(code)s"
    assert at["Words"] == catalogues.messages()[catalogues.key_of("Code: %(code)s")].text("km", 0)
    assert at["Keep these"] == "%(code)s"
    assert "templates/mail/issued.txt" in at["Files"]
    assert book.sheet.cell(book.row("%(num)s day late"), book.columns["Plural form"]).value
    made, code = judged(run, file, "--confirm")
    assert (made["counts"]["added"], made["counts"]["unchanged"], code) == (0, len(book.rows), 0)
    assert session.scalars(select(Wording)).all() == []


def test_a_file_is_judged_first_then_taken_over_once(run, file, session):
    Book(file).put("People", Words="មនុស្ស", Checked_by_a_native_reader="A native reader").put(
        "Rounds", Checked_by_a_native_reader="A native reader", Checked_on="2026-03-27"
    ).save()
    made, code = judged(run, file)
    assert (made["confirmed"], made["counts"]["added"], made["counts"]["refused"], code) == (False, 2, 0, 0)
    assert session.scalars(select(Wording)).all() == []
    made, code = judged(run, file, "--confirm")
    assert (made["counts"]["added"], code) == (2, 0)
    people, rounds = session.scalars(select(Wording).order_by(Wording.text.is_(None), Wording.id)).all()
    assert (people.source, people.text, people.checked_by) == ("People", "មនុស្ស", "A native reader")
    assert (rounds.text, rounds.checked_on.isoformat()) == (None, "2026-03-27")
    assert session.scalars(select(AuditEvent.action).where(AuditEvent.action == "import_wording")).all() == [
        "import_wording"
    ]
    made, code = judged(run, file, "--confirm")
    assert (made["counts"]["added"], made["counts"]["changed"], made["counts"]["stale"], code) == (0, 0, 0, 0)
    assert len(session.scalars(select(WordingRevision)).all()) == 2


def test_every_wrong_row_is_refused_with_sheet_row_and_reason_and_the_right_ones_are_taken(run, file, session):
    book = Book(file)
    book.put("Code: %(code)s", Words="លេខកូដ").put("People", Words="<b>មនុស្ស</b>").put("Rounds", Words="Rounds")
    book.put("Questionnaires", Checked_by_a_native_reader="A native reader", Checked_on="one day")
    book.put("Mails", Words="សំបុត្រ", Identifier="0" * 24 + ".0")
    book.put("Close", Words="បិទវិញ", English_words="Open")
    book.put("Correct", Words="កែតម្រូវ")
    book.save()
    made, code = judged(run, file, "--confirm")
    assert (made["counts"]["refused"], made["counts"]["added"], code) == (6, 1, 1)
    told = {one["row"]: (one["sheet"], one["reasons"][0]) for one in made["rows"] if one["outcome"] == "refused"}
    for source, part in {
        "Code: %(code)s": "missing: %(code)s", "People": "<b> </b>", "Rounds": "not in the language",
        "Questionnaires": "cannot be read", "Mails": "does not know", "Close": "another message",
    }.items():  # fmt: skip
        sheet, reason = told[book.row(source)]
        assert sheet == "Wording"
        assert part in reason
    assert session.scalars(select(Wording.text)).all() == ["កែតម្រូវ"]


def test_what_somebody_else_changed_meanwhile_is_shown_with_both_texts_and_not_written(run, tmp_path, file, session):
    other = tmp_path / "other.xlsx"
    other.write_bytes(file.read_bytes())
    Book(other).put("People", Words="មនុស្ស").save()
    judged(run, other, "--confirm")
    Book(file).put("People", Words="ប្រជាជន", Checked_by_a_native_reader="A native reader", Note="mine").save()
    made, code = judged(run, file, "--confirm")
    (stale,) = [one for one in made["rows"] if one["outcome"] == "stale"]
    assert (stale["stored"], stale["file"], code) == ("មនុស្ស", "ប្រជាជន", 1)
    one = session.scalars(select(Wording)).one()
    assert (one.text, one.checked_by, one.note) == ("មនុស្ស", None, "mine")


def test_a_check_does_not_outlive_the_words_it_was_of(run, tmp_path, file, session):
    Book(file).put("People", Words="មនុស្ស", Checked_by_a_native_reader="A native reader").save()
    judged(run, file, "--confirm")
    again = tmp_path / "again.xlsx"
    run("export", "--out", again)
    Book(again).put("People", Words="ប្រជាជន").save()
    made, _code = judged(run, again, "--confirm")
    assert [one["check_dropped"] for one in made["rows"]] == ["A native reader"]
    assert session.scalars(select(Wording.checked_by)).one() is None


def test_a_dash_takes_a_check_back_and_the_shipped_words_copied_back_hold_again(run, tmp_path, file, session):
    shipped = catalogues.messages()[catalogues.key_of("People")].text("km", 0)
    Book(file).put("People", Words="មនុស្ស", Checked_by_a_native_reader="A native reader", Note="why").save()
    judged(run, file, "--confirm")
    again = tmp_path / "again.xlsx"
    run("export", "--out", again)
    book = Book(again)
    assert book.sheet.cell(book.row("People"), book.columns["Shipped words"]).value == shipped
    book.put("People", Words=shipped, Checked_by_a_native_reader="-", Note="–").save()
    made, code = judged(run, again, "--confirm")
    assert (made["counts"]["changed"], code) == (1, 0)
    one = session.scalars(select(Wording)).one()
    assert (one.text, one.checked_by, one.checked_on, one.note) == (None, None, None, "")


def test_files_and_languages_that_cannot_be_taken_are_told_in_a_sentence(run, tmp_path, session):
    wrong = tmp_path / "wrong.xlsx"
    openpyxl.Workbook().save(wrong)
    assert run("import", wrong).exit_code == 1
    assert json.loads(run("import", wrong, "--json").output)["error"] == "wrong_template"
    assert run("export", "--out", tmp_path / "x.xlsx", "--language", "fr").exit_code == 1
    assert run("export", "--out", tmp_path / "nowhere" / "x.xlsx").exit_code == 1
    session.scalars(select(Country)).one().languages = [{"code": "en", "name": "English"}]
    assert run("export", "--out", tmp_path / "x.xlsx").exit_code == 1


def test_a_language_that_ships_no_catalogue_is_written_here_from_nothing(run, tmp_path, session, app):
    session.scalars(select(Country)).one().languages = [{"code": "fr", "name": "Français"}, {"code": "en", "name": "English"}]
    path = tmp_path / "fr.xlsx"
    assert run("export", "--out", path, "--language", "fr").exit_code == 0
    book = Book(path)
    key = catalogues.key_of("%(num)s day late")
    assert {f"{key}.0", f"{key}.1"} <= set(book.rows)  # French says 0 and 1 otherwise than 2
    book.put("People", Words="Personnes")
    book.sheet.cell(book.rows[f"{key}.0"], book.columns["Words"]).value = "%(num)s jour de retard"
    book.sheet.cell(book.rows[f"{key}.1"], book.columns["Words"]).value = "%(num)s jours de retard"
    book.save()
    made, code = judged(run, path, "--confirm")
    assert (made["counts"]["added"], code) == (3, 0)
    from flask_babel import force_locale, gettext, ngettext

    with app.test_request_context("/"), force_locale("fr"):
        app.extensions["wording"].look_again()
        app.extensions["wording"].refresh()
        said = [ngettext("%(num)s day late", "%(num)s days late", number) for number in (0, 1, 2)]
        assert [gettext("People"), *said] == [
            "Personnes", "0 jour de retard", "1 jour de retard", "2 jours de retard",
        ]  # fmt: skip
