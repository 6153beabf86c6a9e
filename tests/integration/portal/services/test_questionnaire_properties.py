"""Whatever is done to a questionnaire: no answer is lost from the exports, and no choice key changes what it means."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from forms.answers import AnswerKey, Parsed
from forms.context import Context
from forms.definition.model import Choice as Option
from forms.definition.model import Definition, Item
from portal import clock
from portal.errors import PortalError
from portal.models import QuestionChoice, QuestionnaireScope, QuestionnaireVersion, Status, Submission, VersionStatus
from portal.queries import questionnaires as look
from portal.queries.answer_lines import Versions, lines
from portal.queries.handed_in import replies
from portal.queries.questionnaire_versions import open_draft
from portal.queries.submissions import head_by_id
from portal.services import questionnaires
from portal.services.questionnaire_adoption import Choice, adopt_version
from portal.services.questionnaire_choices import add_choice, bring_choice_back, retire_choice, reword_choice
from portal.services.questionnaire_drafts import Edit, rename_item, set_rules, set_wording
from portal.services.questionnaire_places import Place, add_item, bring_back, move_item, retire_item
from portal.services.questionnaire_versions import begin_draft, discard_draft, publish_draft
from portal.services.submissions import Change, save_answers
from portal.services.verification import faults_of
from tests import factories

CODES = ("a", "b", "c")
KEYS = ("x", "y")
MEANING = re.compile(r"meaning (\d+)")
EDITS = (
    "word", "rule", "add", "take_out", "take_out", "bring_back", "move", "rename", "word_choice", "choice_back",
)  # fmt: skip


def question(code, meaning):
    return Item(
        None, "question", code, "select_one", {"label": {"en": f"Question {code}"}},
        choices=tuple(Option(key, {"en": f"meaning {next(meaning)}"}) for key in (*KEYS, "z")),
    )  # fmt: skip


class World:
    """One questionnaire in one round with two replies, and what was ever answered: (reply, code) -> (key, meaning)."""

    def __init__(self, session):
        self.session = session
        self.meaning = itertools.count(1)
        self.words = itertools.count(1)
        self.by = factories.principal(session, factories.staff(session))
        page = Item(None, "section", "page", texts={"label": {"en": "Page"}}, children=(question("a", self.meaning), question("b", self.meaning)))
        made = Definition(None, "form", None, {"en": "Form"}, ("en",), "en", (page,))
        first = questionnaires.store(session, made, source_sha256=None, scope=QuestionnaireScope.RECOMMENDATION, length="short", by=self.by)
        publish_draft(session, first, by=self.by)
        self.questionnaire_id = first.questionnaire_id
        self.round = factories.reporting_round(session, factories.document(session), short_version_id=first.id)
        self.replies = []
        for _number in range(2):
            at = factories.institution(session)
            focal = factories.principal(session, factories.person(session, at), at)
            reply = factories.submission(session, factories.assignment(session, at, self.round, version=first))
            self.replies.append((reply.id, focal))
        self.said = {}

    def versions(self):
        return self.session.scalars(
            select(QuestionnaireVersion).where(QuestionnaireVersion.questionnaire_id == self.questionnaire_id).order_by(QuestionnaireVersion.number)
        ).all()

    def do(self, action, code, key, number):
        session, by = self.session, self.by
        draft = open_draft(session, self.questionnaire_id)
        versions = self.versions()
        if action == "begin":
            begin_draft(session, versions[number % len(versions)], by=by)
        elif action == "adopt":
            out = [one for one in versions if one.status is VersionStatus.PUBLISHED]
            choice = list(Choice)[number % 3]
            adopt_version(session, self.round, out[-1], choice=choice, reason="Because", by=by)
        elif action == "answer":
            self.answer(code, key, number)
        elif action == "file":
            self.bring_by_file(code, key)
        elif draft is not None:
            self.edit(draft, action, code, key, number)

    def edit(self, draft, action, code, key, number):
        session, by = self.session, self.by
        match action:
            case "discard":
                discard_draft(session, draft, by=by)
            case "publish":
                publish_draft(session, draft, by=by)
            case "word":
                item = self.item(draft, code)
                set_wording(session, draft, code, [Edit("label", item.text("label", "en"), f"Words {next(self.words)}", "en")], by=by)
            case "rule":
                item = self.item(draft, code)
                set_rules(session, draft, code, [Edit("required", item.required, "" if item.required else "yes")], by=by)
            case "add":
                add_item(session, draft, question(code, self.meaning), Place("page"), by=by)
            case "take_out":
                retire_item(session, draft, code, by=by)
            case "bring_back":
                bring_back(session, draft, code, Place("page"), by=by)
            case "move":
                move_item(session, draft, code, Place("page"), was=None, by=by)
            case "rename":
                rename_item(session, draft, code, CODES[number % len(CODES)], by=by)
            case "add_choice":
                # half of the time another meaning, half of the time the words that a version had
                known = self.wordings(code, key)
                text = known[number % len(known)] if known and number % 2 else f"meaning {next(self.meaning)}"
                add_choice(session, draft, code, key, {"en": text}, by=by)
            case "word_choice":
                before = next(one.texts["en"] for one in self.item(draft, code).choices if one.key == key)
                meaning = MEANING.search(before)[0]
                reword_choice(session, draft, code, key, [Edit("label", before, f"{meaning}, words {next(self.words)}", "en")], by=by)
            case "retire_choice":
                retire_choice(session, draft, code, key, by=by)
            case "choice_back":
                bring_choice_back(session, draft, code, key, by=by)
            case "other_choice_back":
                self.reword_what_is_retired(draft, code, key)
                bring_choice_back(session, draft, code, key, by=by)

    def reword_what_is_retired(self, draft, code, key):
        """Let a choice that went out of use say something else; while it is in use, a rewording is believed."""
        question = look.question_ids(self.session, draft.id)[code]
        known = select(QuestionChoice.retired).where(QuestionChoice.question_id == question, QuestionChoice.key == key)
        if self.session.scalar(known):
            before = next(one for one in self.item(draft, code).choices if one.key == key).texts["en"]
            edit = Edit("label", before, f"meaning {next(self.meaning)}", "en")
            reword_choice(self.session, draft, code, key, [edit], by=self.by)

    def bring_by_file(self, code, key):
        """Import the newest version with a choice that it offers no longer, under another meaning, and publish it."""
        newest = look.definition(self.session, [one for one in self.versions() if one.published_at][-1].id)
        item = newest.question(code)
        if not item.choice_by_key[key].retired:
            return
        other = tuple(
            Option(key, {"en": f"meaning {next(self.meaning)}"}) if one.key == key else one for one in item.choices
        )
        changed = replace(item, choices=other)
        pages = tuple(
            replace(page, children=tuple(changed if one.code == code else one for one in page.children))
            for page in newest.pages
        )
        made = replace(newest, id=None, pages=pages)
        version = questionnaires.store(
            self.session, made, source_sha256=None, scope=QuestionnaireScope.RECOMMENDATION, length="short", by=self.by
        )
        questionnaires.publish(self.session, version, by=self.by)

    def item(self, version, code):
        return next(one for one in look.definition(self.session, version.id).items() if one.code == code)

    def wordings(self, code, key):
        return [
            choice.texts["en"]
            for version in self.versions()
            for item in look.definition(self.session, version.id).items()
            if item.code == code
            for choice in item.choices
            if choice.key == key
        ]

    def answer(self, code, key, number):
        submission_id, focal = self.replies[number % 2]
        head = head_by_id(self.session, submission_id)
        of = look.definition(self.session, head.version_id)
        chosen = of.question(code).choice_by_key[key]
        if chosen.retired:
            return
        done = save_answers(
            self.session, head, of, look.question_ids(self.session, of.id), {AnswerKey(code): Change(Parsed(key), None)},
            context=Context(today=clock.today(), languages=("en",)), by=focal,
        )  # fmt: skip
        if AnswerKey(code) in done.saved and not done.refused:
            self.said[submission_id, code] = (key, MEANING.search(chosen.texts["en"])[1])

    def check(self):
        for submission_id, _focal in self.replies:
            self.session.get_one(Submission, submission_id).status = Status.SUBMITTED
        self.session.flush()
        shown = {
            (line.reply.head.id, line.key.code): (line.value, MEANING.search(line.text("en"))[1])
            for line in lines(replies(self.session, self.round.id), Versions(self.session))
            if line.state == "answered"
        }
        assert shown == self.said
        meanings = {}
        for version in self.versions():
            if version.published_at is None:
                continue
            ids = look.question_ids(self.session, version.id)
            for item in look.definition(self.session, version.id).items():
                for choice in item.choices:
                    meaning = MEANING.search(choice.texts["en"])[1]
                    assert meanings.setdefault((ids[item.code], choice.key), meaning) == meaning


NUMBER = st.integers(0, 11)
PLACE = st.tuples(st.sampled_from(CODES), st.sampled_from(KEYS), NUMBER)
EDIT = st.tuples(st.sampled_from(EDITS), st.sampled_from(CODES), st.sampled_from(KEYS), NUMBER)
# what a key means is at stake where a choice goes and one of the same name comes
CHOICE = st.tuples(st.sampled_from(("retire_choice", "add_choice", "other_choice_back")), st.sampled_from("ab"), st.sampled_from(KEYS), NUMBER)


@st.composite
def lives(draw):
    """What happens to a questionnaire: again and again it is answered, changed in a draft, published, handed on."""
    steps = []
    for _cycle in range(draw(st.integers(1, 4))):
        steps += [("answer", *place) for place in draw(st.lists(PLACE, max_size=4))]
        steps += [("begin", "a", "x", draw(NUMBER))]
        steps += draw(st.lists(EDIT | CHOICE | CHOICE, min_size=1, max_size=9))
        steps += [(draw(st.sampled_from(("publish", "publish", "publish", "discard"))), "a", "x", 0)]
        steps += [("adopt", "a", "x", number) for number in draw(st.lists(NUMBER, max_size=2))]
        steps += [("file", *place) for place in draw(st.lists(PLACE, max_size=1))]
    return steps


def life(*steps):
    """Return a life of which every step is about choice x of question a."""
    return [(step, "a", "x", 0) for step in steps]


RETIRED = ("begin", "retire_choice", "publish")


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=lives())
# a key comes back with another meaning: in the draft that retired it, in a later one, reworded meanwhile, by a file
@example(steps=life("answer", "begin", "retire_choice", "add_choice", "publish"))
@example(steps=life("answer", *RETIRED, "begin", "add_choice", "publish"))
@example(steps=life("answer", *RETIRED, "begin", "other_choice_back", "publish"))
@example(steps=life("answer", *RETIRED, "begin", "other_choice_back", "retire_choice", "publish"))
@example(steps=life("answer", *RETIRED, "file"))
def test_nothing_that_was_answered_is_lost_or_changes_its_meaning(session, steps):
    try:
        world = World(session)
        for step in steps:
            point = session.begin_nested()
            try:
                world.do(*step)
                session.flush()
            except (PortalError, KeyError, StopIteration):
                point.rollback()  # a refusal changes nothing
                session.expire_all()
            else:
                point.commit()
        assert [fault for fault in faults_of(session) if "status" not in fault] == []
        world.check()
    finally:
        session.rollback()
