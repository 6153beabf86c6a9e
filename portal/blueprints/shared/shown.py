"""The shared questions as plain view data: the answering page, narrowed and silent about everything else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask import g, url_for
from flask_babel import gettext as _

from forms.answers import AnswerKey
from forms.blinding import blinded, silenced
from forms.evaluation import evaluate
from forms.quoting import muted, readable_codes, telling_defaults, untold_codes
from forms.tables import answered_codes, countable, counted_as, may_change
from portal.blueprints.answering import AnsweringPage, so_far
from portal.blueprints.posting import context_for
from portal.blueprints.receiving import file_view, typed_link
from portal.extensions import db
from portal.models import Status, Visibility
from portal.queries.evidence import evidence_of
from portal.queries.questionnaires import question_ids
from portal.queries.submissions import standing_rows
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from forms.definition.model import Definition, Item
    from portal.blueprints.shared.door import Shared
    from portal.models import Evidence
    from portal.page_views import FileView, ItemView, Posted
    from portal.queries.submissions import StoredReply
    from portal.services.submissions import Saved


class SharedPage(AnsweringPage):
    """What a person who was handed some questions sees of a reply.

    The rules are evaluated on the whole reply, since they decide what is asked, but for those by which a hidden answer
    could be found out (forms/blinding.py); what is shown, counted, spoken and linked is narrowed to the shared
    questions (forms/quoting.py).
    """

    def __init__(self, on: Shared, reply: StoredReply) -> None:
        self.shared = on
        scope = on.principal.delegation
        self.codes = scope.codes if scope else frozenset()
        # what hangs on both sides is not judged here: by trying, a hidden answer could be found out
        judged = blinded(on.definition, self.codes, scope.quoted if scope else ())
        self.readable = readable_of(on)
        super().__init__(on.head, self._unbegun(reply, on, judged), on.principal, judged)
        # what a script is told of computed values leaves these out too
        self.untold = untold_codes(self.evaluation, self.definition, self.readable)
        self.evaluation = muted(self.evaluation, self.definition, self.codes, self.readable, self.context.language)
        self.sentences = {
            place: said for place, said in self.sentences.items() if may_change(self.definition, place[0], self.codes)
        } | {(key.code, key.row): str(said) for key, said in self.evaluation.refused.items()}

    def _unbegun(self, reply: StoredReply, on: Shared, judged: Definition) -> StoredReply:
        """Return the reply without what a save let begin with a value that tells a hidden answer: nobody wrote it."""
        telling = telling_defaults(judged, self.readable)
        first = {key for key, one in reply.answers.items() if key.code in telling and one.revision == 1}
        if not first:
            return reply
        others = {key: one for key, one in reply.answers.items() if key not in first}
        context = context_for(on.principal, on.head, judged)
        begun = evaluate(judged, others, context, standing_rows(reply.rows)).defaults
        kept = {key: one for key, one in reply.answers.items() if key not in first or begun.get(key) != one.value}
        return reply._replace(answers=kept)

    def told(self, saved: Saved, key: AnswerKey) -> bool:
        """Tell whether a person may learn why an answer just saved is not taken."""
        return key not in saved.evaluation.refused or key in self.evaluation.refused

    def silent(self, rule: str) -> frozenset[str]:
        """Return the codes of which this rule is not judged here."""
        return silenced(self.shared.definition, self.definition, rule)

    def items(
        self, page: Item, evidence: Sequence[Evidence], mine: Mapping[AnswerKey, Posted] | None = None
    ) -> list[ItemView]:
        """Return the shared questions of a page, with the headings and notes that stand with them."""
        # what is not shared is taken off the stored answers too: nothing that is drawn can find it
        kept = self.stored
        self.stored = {key: one for key, one in kept.items() if key.code in self.readable}
        try:
            found = super().items(page, evidence, mine)
        finally:
            self.stored = kept
        return [view for view in found if self._belongs(view)]

    def _belongs(self, view: ItemView) -> bool:
        known = self.definition.compiled
        if view.control == "group":
            return any(may_change(self.definition, one.code, self.codes) for one in known.by_code[view.code].items())
        if view.control == "note" and not known.by_code[view.code].calculation:
            around = known.by_code[known.parents[view.code]]
            return any(may_change(self.definition, one.code, self.codes) for one in around.children)
        return view.code in self.readable and (
            may_change(self.definition, view.code, self.codes) or view.control == "computed" or view.variant == "value"
        )

    def evidence(self) -> Sequence[Evidence]:
        """Return what is attached to the shared questions; of what is confidential only what the person attached."""
        ids = question_ids(db.session, self.head.version_id)
        mine = {ids[code] for code in ids if may_change(self.definition, code, self.codes)}
        return [
            one
            for one in evidence_of(db.session, self.head.id)
            if one.question_id in mine
            and (one.visibility is not Visibility.CONFIDENTIAL or one.added_by == self.principal.actor_id)
        ]

    def pages(self) -> list[Item]:
        """Return the pages on which a shared question is asked; all of them when none is asked at present."""
        hidden = self.evaluation.hidden
        holding = [page for page in self.definition.pages if self.counted(page)]
        return [page for page in holding if not hidden.issuperset(self.counted(page))] or holding

    def counted(self, page: Item) -> list[str]:
        """Return the shared questions and tables of a page, in their order."""
        return [code for code in countable(self.definition, page.code) if code in self.codes]

    def asked_codes(self) -> list[str]:
        """Return the shared questions that are asked, in their order."""
        return [code for page in self.pages() for code in self.counted(page) if code not in self.evaluation.hidden]

    def done_codes(self) -> set[str]:
        """Return which of them are answered."""
        hidden = self.evaluation.hidden
        return answered_codes(self.definition, self.stored, self.rows, hidden) & set(self.asked_codes())

    def troubled(self) -> list[tuple[str, str, str]]:
        """List what was answered and needs another look, with why: (question, address, sentence or "")."""
        done, first = self.done_codes(), dict[str, AnswerKey]()
        evaluation = self.evaluation
        for key in (*evaluation.refused, *evaluation.unreadable):
            first.setdefault(key.code, key)
        for key in evaluation.missing:
            if counted_as(self.definition, key.code) in done:
                first.setdefault(key.code, key)
        found = [first[code] for code in sorted(first, key=self._order)]
        return [(*self.place_of(key), self.sentences.get((key.code, key.row), "")) for key in found]

    def unanswered(self) -> list[tuple[str, str]]:
        """List the shared questions without an answer: (question, address); what cannot be read is one, of a kind."""
        unread = {counted_as(self.definition, key.code) for key in self.evaluation.unreadable}
        done = self.done_codes() | unread
        language, languages = self.context.language, self.context.languages
        return [
            (
                self.definition.question(code).text("label", language, languages).partition("${")[0].strip() or code,
                f"{self.page_url(self.definition.page_of(code).code)}#q-{code}-item",
            )
            for code in self.asked_codes()
            if code not in done
        ]

    def first_page(self) -> Item:
        """Return where to go on: the first page with an unanswered shared question, else the first page."""
        done = self.done_codes()
        pages = self.pages()
        for page in pages:
            if any(code not in done and code not in self.evaluation.hidden for code in self.counted(page)):
                return page
        return pages[0]

    def steps(self, current: str) -> list[tuple[str, str, str, str]]:
        """List the pages: (label, address, state, detail)."""
        blocking = {
            counted_as(self.definition, key.code)
            for key in (*self.evaluation.missing, *self.evaluation.refused, *self.evaluation.unreadable)
        }
        done, steps = self.done_codes(), []
        for page in self.pages():
            asked = [code for code in self.counted(page) if code not in self.evaluation.hidden]
            ready = sum(1 for code in asked if code in done)
            state = "current" if page.code == current else "missing" if blocking & set(asked) else "open"
            if state != "current" and asked and ready == len(asked) and not blocking & set(asked):
                state = "done"
            steps.append((self.page_title(page), self.page_url(page.code), state, so_far(ready, len(asked))))
        return steps

    def page_title(self, page: Item) -> str:
        """Return the heading of a page, without what it quotes."""
        return page.text("label", self.context.language, self.context.languages).partition("${")[0].strip()

    def page_url(self, code: str) -> str:
        """Return the address of a page of what is shared."""
        return url_for("shared.section", public_id=self.shared.delegation.public_id, code=code)

    def upload_url(self, code: str) -> str:
        """Return where a file for a question is sent to."""
        return url_for("shared.upload", public_id=self.shared.delegation.public_id, code=code)

    def link(self, code: str) -> str | None:
        """Return the address that was typed beside a question and not taken, else an empty field; None for units."""
        return typed_link(code) if self.shared.gives_links else None

    def _file(self, one: Evidence) -> FileView:
        public_id, mine = self.shared.delegation.public_id, one.added_by == self.principal.actor_id
        view = file_view(
            one,
            url_for("shared.evidence", public_id=public_id, number=one.number),
            url_for("shared.remove_evidence", public_id=public_id, number=one.number) if mine else "",
        )
        # what a unit attached gets another number with its institution: a text that cites this one would cite nothing
        return replace(view, number=0) if self.shared.delegation.collection_id is not None else view


# states in which an institution has said that its reply is complete
COMPLETED = frozenset({Status.AWAITING_SIGN_OFF, Status.SUBMITTED, Status.CLEARED})


def closed_of(on: Shared) -> tuple[str, str]:
    """Say to a unit that its institution's reply is closed, and what becomes of what it writes; "" while it is open."""
    if not on.beyond_reach:
        return "", ""
    institution = pick(on.head.institution_names, g.view.language, g.country.languages)
    title = (
        _("%(institution)s has completed its reply", institution=institution)
        if on.home in COMPLETED
        else _("%(institution)s can no longer change its reply", institution=institution)
    )
    body = _(
        "What you write is saved and %(institution)s can read it, but it does not go into the reply any more, "
        "unless the reply is opened again.",
        institution=institution,
    )
    return str(title), str(body)


def readable_of(on: Shared) -> frozenset[str]:
    """Return whose answers a person may read: the shared ones, what they quote, what is computed from these alone."""
    scope = on.principal.delegation
    if scope is None:
        return frozenset()
    return readable_codes(on.definition, scope.codes, scope.quoted)
