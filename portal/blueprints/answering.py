"""The answering page as plain view data: one reply's answers put into what its questionnaire asks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask import g, url_for
from flask_babel import gettext as _
from markupsafe import Markup, escape

from forms.answers import AnswerKey, field_name
from forms.evaluation import NAME, evaluate, fill
from forms.question_types import question_type
from forms.questionnaire import why_unreadable
from forms.spoken_choices import speaking
from forms.tables import answered_codes, countable, counted_as, may_change, table_of, tables
from portal.blueprints.drawing import clone, draw
from portal.blueprints.posting import context_for
from portal.blueprints.question_views import (
    on_offer,
    retired_but_chosen,
    say_choices,
    speak,
)
from portal.blueprints.receiving import file_view
from portal.blueprints.recollections import beside, reported_views
from portal.blueprints.skeletons import skeleton, table_view
from portal.blueprints.tables import cell_id, fill_table
from portal.extensions import db
from portal.models import SignOffPolicy, Status
from portal.models.lifecycle import EDITABLE
from portal.page_views import FileView, ItemView, TextInLanguage
from portal.permissions import Permission, can, may
from portal.queries import evidence as evidence_queries
from portal.queries.memory import asks_indicators
from portal.queries.questionnaires import question_ids
from portal.queries.submissions import StoredAnswer, asked_recommendations, citation, standing_rows
from portal.reader import digits
from portal.services.attaching import named_by
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from forms.answers import Rows
    from forms.context import Context
    from forms.definition.model import Definition, Item
    from forms.evaluation import Evaluation
    from portal.models import Evidence
    from portal.page_views import Posted
    from portal.permissions import Principal
    from portal.queries.countries import CountryFacts
    from portal.queries.submissions import AskedRecommendation, StoredReply, SubmissionHead

# what stands there in another way on each reply, whatever was answered
NEVER_UNTOUCHED = frozenset({"group", "note", "file"})
_TAG = re.compile(r"(<[^>]*>)")

def sentences(
    definition: Definition, stored: Mapping[AnswerKey, StoredAnswer], evaluation: Evaluation, context: Context
) -> dict[tuple[str, str], str]:
    """Say by question and row, in the reader's language, why an answer is not taken: unreadable ones, then refused."""
    said = why_not_taken(definition, stored, evaluation, context)
    return {(key.code, key.row): text for key, text in reversed(said.items())}


def why_not_taken(
    definition: Definition, stored: Mapping[AnswerKey, StoredAnswer], evaluation: Evaluation, context: Context
) -> dict[AnswerKey, str]:
    """Say by answer, in the reader's language, why it is not taken."""
    found = {
        key: str(why_unreadable(definition.question(key.code), key, one.typed, context))
        for key, one in stored.items()
        if one.typed is not None
    }
    return found | {key: str(text) for key, text in evaluation.refused.items()}


def _spoken_html(html: str, definition: Definition, values: Mapping[str, str], language: str) -> Markup:
    """Return HTML with answers in the place of `${name}`, marked in its text so that a script can renew them there."""

    def escaped(said: str) -> str:
        return str(escape(said))

    def marked_answer(found: re.Match[str]) -> str:
        answer = fill(found[0], definition, values, language, escaped)
        return f'<span data-says="{escape(found[1])}">{answer}</span>'

    parts = _TAG.split(html)  # Markdown's own output: "<" stands for a tag and nothing else
    parts[::2] = [NAME.sub(marked_answer, text) for text in parts[::2]]
    parts[1::2] = [fill(tag, definition, values, language, escaped) for tag in parts[1::2]]
    return Markup("".join(parts))  # noqa: S704 - what is put in is escaped


def so_far(answered: int, asked: int) -> str:
    """Say how many of a page's questions are answered; nothing of a page without any."""
    if not asked:
        return ""
    words: str = _("%(answered)s of %(total)s answered", answered=digits(answered), total=digits(asked))
    return words


def why_closed(status: Status) -> str:
    """Say why a reply cannot be changed in this state; "" if it can."""
    if status in EDITABLE:
        return ""
    reasons: dict[Status, str] = {
        Status.AWAITING_SIGN_OFF: _("It is complete and waits to be signed. The approver can hand it back."),
        Status.CLAIMED: _("You said that another institution should answer; the secretariat is looking at it."),
        Status.NOT_OURS: _("The secretariat confirmed that another institution answers."),
        Status.CLEARED: _("The secretariat has cleared it."),
        Status.LAPSED: _("The round is closed. Ask the secretariat for more time."),
        Status.WITHDRAWN: _("The secretariat has withdrawn this request."),
    }
    handed_in = _("It was handed in. You can recall it until the secretariat starts its review.")
    return str(reasons.get(status, handed_in))


class AnsweringPage:
    """Everything the answering page shows of one reply: its questions filled in, its pages, what is missing."""

    def __init__(
        self,
        head: SubmissionHead,
        reply: StoredReply,
        principal: Principal,
        definition: Definition,
    ) -> None:
        self.head, self.principal, self.definition = head, principal, definition
        self.stored, self.stored_rows = reply
        self.rows: Rows = standing_rows(reply.rows)
        self.context = context_for(principal, head, definition)
        self.evaluation: Evaluation = evaluate(definition, self.stored, self.context, self.rows)
        self.sentences = sentences(definition, self.stored, self.evaluation, self.context)
        self.readonly = self._why_read_only()
        # earlier answers by question, once a page asks for them (portal/blueprints/recollections.py)
        self.memory: Mapping[str, Sequence[dict[str, Any]]] = {}
        # what is attached by public id, for the cells that name it
        self.attached: Mapping[str, Evidence] = {}
        # tables whose place alone is drawn (portal/blueprints/later_tables.py)
        self.later: frozenset[str] = frozenset()

    def _why_read_only(self) -> str:
        head = self.head
        if not can(self.principal, Permission.ANSWER_SUBMISSION, head):
            return str(_("You may read this reply; only focal points and contributors may write."))
        return why_closed(head.status)

    def remember(self, page: Item) -> None:
        """Look for earlier answers to the questions of a page; without a query where there can be none."""
        if not self.head.remembers and not asks_indicators(self.definition):
            return
        writable = {item.code: not self.readonly and not self.locked(item.code) for item in page.items()}
        self.memory = beside(self.head, self.definition, page, open_codes=writable)

    def locked(self, code: str) -> bool:
        """Tell whether a returned reply keeps this question closed."""
        return not may_change(self.definition, code, self.head.unlocked)

    def inner_tables(self, code: str) -> Sequence[ItemView]:
        """Return the tables that stand in each row of a table, without answers."""
        language, languages = self.context.language, self.context.languages
        kept: dict[tuple[str, str, tuple[str, ...]], list[ItemView]] = vars(self.definition).setdefault("_inner", {})
        key = (code, language, languages)
        if key not in kept:
            inside = [one.item for one in tables(self.definition).values() if one.inside == code]
            kept[key] = [table_view(self.definition, item, language, languages) for item in inside]
        return kept[key]

    def items(
        self, page: Item, evidence: Sequence[Evidence], mine: Mapping[AnswerKey, Posted] | None = None
    ) -> list[ItemView]:
        """Return the page's items with this reply's answers; ``mine`` keeps on the screen what was not saved."""
        self.attached = {one.public_id: one for one in evidence}
        language, languages = self.context.language, self.context.languages
        views = skeleton(self.definition, page.code, language, languages)
        missing = {key.code for key in self.evaluation.missing}
        said = {key.code for said in (self.stored, self.evaluation.defaults, mine or {}) for key in said}
        said.update(self.memory, (code for code, _row in self.sentences))
        return [
            ItemView(view.code, view.code, view.id, "", control="later", hidden=True)
            if view.code in self.later and view.table is not None
            else self._filled(view, evidence, mine or {}, missing)
            if view.code in said or view.control in NEVER_UNTOUCHED or view.table or view.filtered or view.choice_words
            else self._untouched(view, missing)
            for view in views
        ]

    def _untouched(self, view: ItemView, missing: set[str]) -> ItemView:
        """Return the view of a question on which nothing was said yet: one for all replies."""
        readonly = bool(self.readonly) or self.locked(view.code)
        blank = view.code in missing and bool(self.head.saved_at)
        hidden = view.code in self.evaluation.hidden
        kept: dict[tuple[Any, ...], ItemView] = vars(self.definition).setdefault("_untouched", {})
        key = (view.code, self.context.language, self.context.languages, hidden, readonly, blank)
        found = kept.get(key)
        if found is None:
            found = self._filled(view, (), {}, missing)
            if "${" in view.label or "${" in view.hint:
                return found  # it speaks the answers to other questions
            found.untouched = True
            kept[key] = found
        return found

    def drawn(
        self, page: Item, evidence: Sequence[Evidence], mine: Mapping[AnswerKey, Posted] | None = None
    ) -> tuple[Markup, list[ItemView]]:
        """Return the page's questions as HTML, and the item views behind it."""
        views = self.items(page, evidence, mine)
        return draw(self.definition, page.code, views), views

    def drawn_tables(self, page: Item, codes: frozenset[str]) -> dict[str, str]:
        """Return some tables of a page as HTML, by code."""
        views = skeleton(self.definition, page.code, self.context.language, self.context.languages)
        return {
            view.code: str(draw(self.definition, page.code, [fill_table(self, view, {})]))
            for view in views
            if view.code in codes and view.table is not None
        }

    def _filled(
        self, view: ItemView, evidence: Sequence[Evidence], mine: Mapping[AnswerKey, Posted], missing: set[str]
    ) -> ItemView:
        hidden = view.code in self.evaluation.hidden
        if "${" in view.label or "${" in view.hint or "${" in view.html:
            view = self._spoken(view)
        if view.control in {"group", "note"}:
            if not hidden and view.variant != "value":
                return view
            filled = clone(view)
            filled.hidden = hidden
            if view.variant == "value":
                item = self.definition.question(view.code)
                value = self.evaluation.calculated.get(AnswerKey(view.code))
                filled.raw = [question_type(item.type).text(value, item, self.context.language)]
            return filled
        if view.table is not None:
            return fill_table(self, view, mine)
        item = self.definition.question(view.code)
        readonly = bool(self.readonly) or self.locked(view.code)
        filled = clone(view)
        filled.hidden, filled.readonly = hidden, readonly
        filled.missing = view.code in missing and bool(self.head.saved_at)
        filled.memory = self.memory.get(view.code, ())
        if view.control == "file":
            filled.files = [self._file(one) for one in evidence if one.question_id == self._question_id(view.code)]
            filled.upload_url = "" if readonly else self.upload_url(view.code)
            filled.link = None if readonly else self.link(view.code)
            return filled
        if view.texts:
            keys = [AnswerKey(view.code, "", text.language) for text in view.texts]
            filled.texts = [self.text_in(text, key, mine.get(key)) for text, key in zip(view.texts, keys, strict=True)]
        else:
            key = AnswerKey(view.code)
            keys = [key]
            filled.revision = self.base_of(key, mine.get(key))
            filled.raw = self.raw(item, key, self.stored.get(key), mine.get(key))
            if view.choices:
                self._offer(filled, view, item)
        filled.state = self.state_of(keys, mine)
        filled.error = self.sentences.get((view.code, ""), "")
        return filled

    def _offer(self, filled: ItemView, view: ItemView, item: Item) -> None:
        """Give the view of a question the choices that are on offer, and those that were chosen before."""
        filled.choices = on_offer(view, filled.raw, self.evaluation.offered.get(view.code))
        filled.choices += retired_but_chosen(item, view, filled.raw, self.context.language)
        if item.code in speaking(self.definition):
            say_choices(filled, self.definition, self.evaluation.values, self.context.language)

    def _spoken(self, view: ItemView) -> ItemView:
        """Return the view with answers in the place of `${name}` in its wording; they are escaped as HTML in `html`."""
        values, language = self.evaluation.values, self.context.language
        filled = clone(view)
        speak(filled, self.definition, values, language)
        if "${" in view.html:
            filled.html = _spoken_html(view.html, self.definition, values, language)
        return filled

    def text(self, item: Item, role: str = "label") -> str:
        """Return a wording outside tables in the reader's language, with answers in it."""
        words = item.text(role, self.context.language, self.context.languages)
        return fill(words, self.definition, self.evaluation.values, self.context.language)

    def raw(self, item: Item, key: AnswerKey, answer: StoredAnswer | None, mine: Posted | None) -> list[str]:
        """Return what a control shows: what I posted in vain, else what is stored, else what the answer begins with."""
        if mine is not None:
            return list(mine.raw)
        if answer is None:
            begun = self.evaluation.defaults.get(key)
            return [] if begun is None else question_type(item.type).raw(begun, item)
        kind = question_type(item.type)
        return kind.raw_typed(answer.typed) if answer.typed is not None else kind.raw(answer.value, item)

    def base_of(self, key: AnswerKey, mine: Posted | None) -> int:
        """Return the revision that a page gives with an answer: the one that its writer saw of what it shows."""
        if mine is not None:
            return mine.base
        answer = self.stored.get(key)
        return answer.revision if answer else 0

    def state_of(self, keys: Sequence[AnswerKey], mine: Mapping[AnswerKey, Posted]) -> str:
        """Return the one state that a question shows; a text in several languages is answered if one of them is."""
        if mine and (posted := next((mine[key] for key in keys if key in mine), None)) is not None:
            return posted.state
        answers = [answer for key in keys if (answer := self.stored.get(key)) is not None]
        if any(one.value is not None or one.typed is not None for one in answers):
            return "answered"
        return next((one.state for one in answers if one.state != "answered"), "answered")

    def text_in(self, text: TextInLanguage, key: AnswerKey, mine: Posted | None) -> TextInLanguage:
        """Return one language of a text, filled in."""
        value = self.raw(self.definition.question(key.code), key, self.stored.get(key), mine)
        return TextInLanguage(
            text.language, field_name(key), value[0] if value else "", self.base_of(key, mine), text.label
        )

    def _question_id(self, code: str) -> int | None:
        return question_ids(db.session, self.head.version_id).get(code)

    def files_of(self, key: AnswerKey) -> list[FileView]:
        """Return the files that a cell of a table names and that are still attached."""
        return [self._file(self.attached[name]) for name in named_by(self.stored.get(key)) if name in self.attached]

    def _file(self, one: Evidence) -> FileView:
        return file_view(
            one,
            url_for("respond.evidence", public_id=one.public_id),
            url_for("respond.remove_evidence", public_id=one.public_id),
        )

    def upload_url(self, code: str) -> str:
        """Return where a file for a question is sent to."""
        return url_for("respond.upload", public_id=self.head.public_id, code=code)

    def link(self, code: str) -> str | None:
        """Return what stands in the field for a link beside a question; None: the page of the files has it."""
        del code
        return None

    def pages(self) -> list[Item]:
        """Return the pages that are asked."""
        return [page for page in self.definition.pages if page.code not in self.evaluation.hidden]

    def missing(self) -> list[tuple[str, str]]:
        """List what still needs an answer, over all pages: (question, address)."""
        return [(label, url) for label, url, _sentence in self.needed()]

    def needed(self) -> list[tuple[str, str, str]]:
        """List what still needs an answer, with why the answer that stands there is not taken ("" where none does)."""
        blocking: dict[AnswerKey, str] = dict.fromkeys(self.evaluation.missing, "")
        blocking |= self.evaluation.refused
        for key in self.evaluation.unreadable:
            typed = self.stored[key].typed or ""
            blocking[key] = str(why_unreadable(self.definition.question(key.code), key, typed, self.context))
        first: dict[str, AnswerKey] = {}
        for key in blocking:
            first.setdefault(key.code, key)
        return [(*self.place_of(first[code]), blocking[first[code]]) for code in sorted(first, key=self._order)]

    def place_of(self, key: AnswerKey) -> tuple[str, str]:
        """Return how a question is named and where it stands; a cell with its table, at the first of its rows."""
        label = self.text(self.definition.question(key.code))
        page = self.page_url(self.definition.page_of(key.code).code)
        table = table_of(self.definition, key.code)
        if table is None or not key.row:
            return label, f"{page}#q-{key.code}-item"
        # a cell is its field; one that holds files may have none at present
        holds_files = question_type(self.definition.question(key.code).type).control == "file"
        end = "-item" if holds_files else ""
        return f"{self.text(table.item)}: {label}", f"{page}#{cell_id(table.code, key)}{end}"

    def _order(self, code: str) -> int:
        return list(self.definition.compiled.by_code).index(code)

    def page_url(self, code: str) -> str:
        """Return the address of a page of this reply."""
        return url_for("respond.section", public_id=self.head.public_id, code=code)

    def steps(self, current: str) -> list[tuple[str, str, str, str]]:
        """List the pages: (label, address, state, detail)."""
        blocking = {
            counted_as(self.definition, key.code)
            for key in (*self.evaluation.missing, *self.evaluation.refused, *self.evaluation.unreadable)
        }
        hidden = self.evaluation.hidden
        answered = answered_codes(self.definition, self.stored, self.rows, hidden)
        steps = []
        for page in self.pages():
            asked = [code for code in countable(self.definition, page.code) if code not in hidden]
            done = sum(1 for code in asked if code in answered)
            state = (
                "current"
                if page.code == current
                else "missing"
                if blocking & set(asked) and self.head.saved_at
                else "open"
            )
            if state == "open" and asked and done == len(asked):
                state = "done"
            steps.append((self.text(page), self.page_url(page.code), state, so_far(done, len(asked))))
        return steps

    def asked(self) -> int:
        """Return how many questions are asked; a table is one."""
        return sum(1 for code in countable(self.definition) if code not in self.evaluation.hidden)

    def first_page(self) -> Item:
        """Return where to go on: the first page with an unanswered question, else the first page."""
        hidden = self.evaluation.hidden
        answered = answered_codes(self.definition, self.stored, self.rows, hidden)
        pages = self.pages()
        for page in pages:
            if any(code not in hidden and code not in answered for code in countable(self.definition, page.code)):
                return page
        return pages[0]

    def evidence(self) -> Sequence[Evidence]:
        """Return what is attached, if the questionnaire has a place for it (else without a query)."""
        has_files = any(question_type(item.type).control == "file" for item in self.definition.questions())
        return evidence_queries.evidence_of(db.session, self.head.id) if has_files else ()

    def recommendation(self) -> dict[str, Any] | None:
        """Return the parameters of the recommendation box; None for the questions about the institution."""
        asked = asked_recommendations(db.session, [self.head.assignment_id]).get(self.head.assignment_id, [])
        if not asked:
            return None
        box = recommendation_box(asked, g.view.language, g.country)
        if may(self.principal, Permission.VIEW_RECOMMENDATIONS):
            box["page_url"] = url_for("recommendations.recommendation", public_id=asked[0].public_id)
        return box

    @property
    def signed_here(self) -> bool:
        """Tell whether replies of this round are signed at all."""
        return self.head.sign_off_policy is not SignOffPolicy.NONE


def recommendation_box(asked: Sequence[AskedRecommendation], language: str, country: CountryFacts) -> dict[str, Any]:
    """Return one box for everything an assignment asks about: the national text first, the original one click away."""
    first = asked[0]
    wanted = language if any(one.texts.get(language) for one in asked) else country.national
    text = "\n".join(_with_letter(one, pick(one.texts, wanted, country.languages)) for one in asked)
    original = "\n".join(_with_letter(one, one.texts.get("en", "")) for one in asked)
    return {
        "cite": f"{first.symbol}, {_('paragraph')} {citation(asked)}",
        "text": text,
        "lang": wanted if first.texts.get(wanted) else next(iter(first.texts), "en"),
        "summary": " ".join(
            dict.fromkeys(filter(None, (pick(one.summary, language, country.languages) for one in asked)))
        ),
        "original": original if wanted != "en" and original != text else "",
        "original_lang": "en",
        "official": first.text_status != "working" or wanted == "en",
        "reported": tuple(reported_views(asked)),
    }


def _with_letter(one: AskedRecommendation, text: str) -> str:
    return f"({one.sub_item}) {text}" if one.sub_item else text
