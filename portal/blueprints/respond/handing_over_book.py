"""The hand-over pack as a workbook: what is owed, who holds which question, what runs with others, papers, people."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from flask import current_app, g, send_file, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from forms.tables import answered_codes, countable, counted_as, may_change
from portal import clock
from portal.blueprints.guard import repeats, requires, who
from portal.blueprints.holding import held_by, last_day
from portal.blueprints.page import role_name
from portal.blueprints.posting import load
from portal.blueprints.recommendations.importing import XLSX
from portal.blueprints.respond.collected_views import label_of
from portal.blueprints.respond.door import blueprint
from portal.blueprints.respond.sharing import today
from portal.blueprints.respond.sharing_texts import stage_words
from portal.database import write
from portal.errors import NotFound
from portal.extensions import db
from portal.models import ClarificationStatus, RoundStatus, Signature, Status
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission
from portal.queries import handing_over as queries
from portal.queries import owed as owed_queries
from portal.queries import people as people_queries
from portal.queries.actors import actor_names
from portal.queries.collected import unit_replies
from portal.queries.packs import packed_in
from portal.queries.receipts import shown
from portal.queries.report_words import signature_words, state_words
from portal.queries.sharing import collections_of, shared_lines
from portal.queries.status_words import status_words
from portal.queries.submissions import citation, standing_rows, stored_reply, title_of
from portal.queries.threads import thread_lines
from portal.reader import date_text
from portal.services import audit
from portal.table import Column, Link, Table, pick
from portal.workbooks.hand_over import HandOver, build

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from flask.typing import ResponseReturnValue

    from forms.definition.model import Definition
    from portal.models import Delegation
    from portal.queries.owed import Owed, OwedRound
    from portal.queries.people import PersonLine
    from portal.queries.sharing import SharedLine
    from portal.queries.submissions import StoredReply, SubmissionHead
    from portal.table import Cell, Kind

Spec = tuple[str, str, "Kind", float]


@blueprint.post("/hand-over/workbook")
@requires(Permission.SHARE_SUBMISSION)
@repeats("the answer is a file; each download is written down")
def hand_over_workbook() -> ResponseReturnValue:
    """Hand out the hand-over pack as a workbook; who took it is written down, since it holds people's phones."""
    here = who().institution_id
    if here is None:
        raise NotFound
    content = build(_Gathered(here).pack()).content()
    part = who().part
    code = part.institution_code if part else ""
    with write() as session:
        audit.record(session, "download_hand_over", by=who(), kind="institution", thing=code)
    name = f"hand-over-{code or 'pack'}-{today().isoformat()}.xlsx"
    return send_file(BytesIO(content), XLSX, as_attachment=True, download_name=name)


def _say(texts: Any) -> str:
    return pick(texts, g.view.language, g.country.languages)


class _Gathered:
    """What an institution's workbook holds, read once."""

    def __init__(self, here: int) -> None:
        self.here = here
        self.rounds = [one for one in owed_queries.rounds_of(db.session, here) if one.status is RoundStatus.OPEN]
        self.owed = {one.id: owed_queries.owed(db.session, here, one.id, today()) for one in self.rounds}
        self.everything = [(one, reply) for one in self.rounds for reply in self.owed[one.id]]
        self.heads = {reply.head.id: reply.head for _round, reply in self.everything}
        self.named = {reply.head.id: _named(reply) for _round, reply in self.everything}
        self.held = held_by(list(self.heads.values()))
        self.lines: dict[int, list[SharedLine]] = {}
        self.collections = collections_of(db.session, queries.open_collections(db.session, here))

    def pack(self) -> HandOver:
        """Return all lists."""
        title = str(_("Hand-over pack"))
        lists = [
            self._owed(), self._questions(), self._shares(), self._units(), self._clarifications(), self._papers(),
            self._people(),
        ]  # fmt: skip
        return HandOver(
            title=f"{title}: {g.view.account.detail}",
            facts=[
                (_("Institution"), g.view.account.detail),
                (_("As of"), clock.now()),
                (_("Made by"), g.view.account.name),
                (_("In the portal"), Link(_address(url_for("respond.hand_over_pack")), title)),
                (_("Links and codes"), _("Never stand in this file. Whoever lost theirs gets new ones on the page “Share the work” of the reply.")),  # noqa: E501 - a sentence stays in one piece
            ],
            dates=[(_say(one.titles), self._dates(one)) for one in self.rounds],
            lists=lists,
            language=g.view.language,
            languages=g.country.languages,
            time_zone=g.country.time_zone,
        )  # fmt: skip

    def _dates(self, one: OwedRound) -> str:
        replies = self.owed[one.id]
        waiting = [reply for reply in replies if reply.head.status in EDITABLE | {Status.AWAITING_SIGN_OFF}]
        late = sum(1 for reply in waiting if reply.late)
        coming = min((reply.head.due_on for reply in waiting if not reply.late), default=None)
        said = [str(_("Next date: replies due %(day)s.", day=date_text(coming)))] if coming else []
        if late:
            said.append(str(ngettext("%(num)s reply is late.", "%(num)s replies are late.", late)))
        if replies:
            said.append(str(_("The round closes %(day)s.", day=date_text(replies[0].head.closes_on))))
        return " ".join(said)

    def _owed(self) -> Table:
        rows: list[Sequence[Cell]] = [
            (
                self._link(reply.head), self.named[reply.head.id][1], status_words(reply.head.status),
                signature_words(reply.head.signature), reply.head.due_on,
                reply.days_left if reply.late or reply.head.status in EDITABLE else None,
                reply.head.answered if reply.head.asked else None, reply.head.asked or None,
                reply.head.missing if reply.head.asked else None, _say(reply.saved_by), reply.head.saved_at,
                self.held[reply.head.id] or _("nobody: it is done"), _say(one.titles),
            )
            for one, reply in self.everything
        ]  # fmt: skip
        about = _("Every reply of the open rounds: by when, how far it is, who holds it.")
        return _table(_("What is owed"), about, rows, (
            ("reply", _("Which reply"), "link", 24), ("title", _("About"), "text", 40),
            ("state", _("State"), "text", 18), ("signature", _("Signature"), "text", 16), ("due", _("Due"), "date", 13),
            ("left", _("Days left"), "integer", 8), ("answered", _("Questions answered"), "integer", 11),
            ("asked", _("Questions asked"), "integer", 11), ("missing", _("Required, missing"), "integer", 11),
            ("by", _("Last written by"), "text", 30), ("at", _("Last saved"), "datetime", 17),
            ("held", _("Who holds it now"), "text", 28), ("round", _("Round"), "text", 34),
        ))  # fmt: skip

    def _questions(self) -> Table:
        """List each question that can still be changed, with whoever holds it."""
        rows: list[Sequence[Cell]] = []
        for _round, reply in self.everything:
            if reply.head.status in EDITABLE:
                definition, _ids = load(reply.head)
                rows.extend(self._questions_of(reply.head, definition))
        about = _(
            "Every question that can still be changed: whether it is answered, who wrote it last, with whom it is now."
        )
        return _table(_("Who holds which question"), about, rows, (
            ("reply", _("Which reply"), "link", 24), ("title", _("About"), "text", 34), ("page", _("Page"), "text", 24),
            ("question", _("Question"), "text", 56), ("state", _("State"), "text", 16),
            ("by", _("Last written by"), "text", 30), ("at", _("Last saved"), "datetime", 17),
            ("held", _("Who holds it now"), "text", 30), ("until", _("Link ends after"), "date", 14),
        ))  # fmt: skip

    def _questions_of(self, head: SubmissionHead, definition: Definition) -> Iterable[Sequence[Cell]]:
        stored = stored_reply(db.session, head.id, definition)
        done = answered_codes(definition, stored.answers, standing_rows(stored.rows), head.hidden)
        last = _last_written(definition, stored)
        names = actor_names(db.session, [by for by, _at in last.values()])
        handed = [line.delegation for line in self._lines(head) if line.running and not line.delegation.finished_at]
        for page in definition.pages:
            for code in countable(definition, page.code):
                if code in head.hidden or not may_change(definition, code, head.unlocked):
                    continue
                holders = [(one.name, one.expires_at) for one in handed if may_change(definition, code, one.items)]
                holders += [
                    (str(ngettext("%(num)s unit asked", "%(num)s units asked", one.units)), one.collection.expires_at)
                    for one in self.collections
                    if one.collection.submission_id == head.id
                    and one.collection.expires_at > clock.now()
                    and may_change(definition, code, one.collection.items)
                ]
                by, at = last.get(code, (0, None))
                yield (
                    self._link(head), self.named[head.id][1], label_of(page), label_of(definition.question(code)),
                    state_words("answered" if code in done else "not_answered"), _say(names.get(by)), at,
                    ", ".join(name for name, _until in holders) or _("with the focal point"),
                    max((last_day(until) for _name, until in holders), default=None),
                )  # fmt: skip

    def _lines(self, head: SubmissionHead) -> list[SharedLine]:
        if head.id not in self.lines:
            definition, _ids = load(head)
            self.lines[head.id] = shared_lines(db.session, head, definition)
        return self.lines[head.id]

    def _shares(self) -> Table:
        running = {one.id for one in queries.running_shares(db.session, self.here)}
        found = [
            (head, line) for head in self.heads.values() for line in self._lines(head) if line.delegation.id in running
        ]
        found.sort(key=lambda pair: (pair[1].delegation.expires_at, pair[1].delegation.id))
        keepers = actor_names(db.session, [line.delegation.held_by for _head, line in found])
        rows: list[Sequence[Cell]] = [
            (
                line.delegation.name, line.delegation.contact, self._link(head), self.named[head.id][1],
                _asked(load(head)[0], line.delegation), stage_words(line), line.answered, line.asked,
                last_day(line.delegation.expires_at), line.delegation.message,
                _say(keepers.get(line.delegation.held_by)),
            )
            for head, line in found
        ]  # fmt: skip
        about = _(
            "Questions handed to one person, a colleague or somebody without an account, whose link is still open."
        )
        return _table(_("Handed to persons"), about, rows, (
            ("name", _("Name"), "text", 24), ("contact", _("How to reach them"), "text", 22),
            ("reply", _("Which reply"), "link", 22), ("title", _("About"), "text", 30),
            ("asked", _("Questions handed over"), "text", 44), ("stage", _("How far they are"), "text", 20),
            ("answered", _("Questions answered"), "integer", 11), ("of", _("Questions asked"), "integer", 11),
            ("until", _("Link ends after"), "date", 13), ("message", _("Their message"), "text", 22),
            ("held", _("Looked after by"), "text", 20),
        ))  # fmt: skip

    def _units(self) -> Table:
        keepers = actor_names(db.session, [one.collection.held_by for one in self.collections])
        rows: list[Sequence[Cell]] = []
        for one in self.collections:
            head = self.heads.get(one.collection.submission_id)
            if head is None:  # of a round that is closed
                continue
            definition, _ids = load(head)
            asked = _asked(definition, one.collection)
            for unit in unit_replies(db.session, one.collection, definition):
                line = unit.line
                if line.delegation.left_out_at is None:
                    rows.append((
                        unit.name, line.delegation.contact, self._link(head), self.named[head.id][1], asked,
                        stage_words(line), line.answered, line.asked, last_day(line.delegation.expires_at),
                        line.last_saved, line.delegation.taken_at, _say(keepers.get(one.collection.held_by)),
                    ))  # fmt: skip
        about = _("Questions asked of many units, unit by unit: who has answered, what was taken over into the reply.")
        return _table(_("Asked of units"), about, rows, (
            ("unit", _("Name of the unit"), "text", 26), ("contact", _("How to reach them"), "text", 18),
            ("reply", _("Which reply"), "link", 22), ("title", _("About"), "text", 28),
            ("asked", _("Questions handed over"), "text", 38), ("stage", _("How far they are"), "text", 18),
            ("answered", _("Questions answered"), "integer", 11), ("of", _("Questions asked"), "integer", 11),
            ("until", _("Link ends after"), "date", 13), ("at", _("Last saved"), "datetime", 17),
            ("taken", _("Taken over into the reply"), "datetime", 17), ("held", _("Looked after by"), "text", 20),
        ))  # fmt: skip

    def _clarifications(self) -> Table:
        open_ones = [
            one
            for one in thread_lines(db.session, actor_id=who().actor_id, staff=False, institution_id=self.here)
            if one.status is not ClarificationStatus.CLOSED
        ]
        by_public_id = {head.public_id: head for head in self.heads.values()}
        rows: list[Sequence[Cell]] = []
        for one in open_ones:
            head = by_public_id.get(one.submission)
            link = self._link(head) if head else Link(_address(url_for("respond.check", public_id=one.submission)), "")
            definition = load(head)[0].compiled.by_code if head else {}
            item = definition.get(one.question_code or "")
            rows.append((
                link, self.named[head.id][1] if head else _say(one.round_titles),
                label_of(item) if item is not None else one.question_code or _("About the whole reply"), one.body,
                _("we answer") if one.status is ClarificationStatus.OPEN else _("answered; the secretariat reads it"),
                one.opened_at, one.age(clock.now()),
            ))  # fmt: skip
        about = _("What the secretariat asked about a reply and has not closed; the newest words of each.")
        return _table(_("Clarifications"), about, rows, (
            ("reply", _("Which reply"), "link", 24), ("title", _("About"), "text", 34),
            ("question", _("Question"), "text", 44), ("said", _("Last words"), "text", 60),
            ("turn", _("Whose turn"), "text", 24), ("opened", _("Asked on"), "datetime", 17),
            ("days", _("Days open"), "integer", 10),
        ))  # fmt: skip

    def _papers(self) -> Table:
        rows: list[Sequence[Cell]] = []
        packed: set[int] = set()
        for made in queries.packs_out(db.session, self.here):
            for one in packed_in(db.session, made.id):
                if one.open:
                    packed.add(one.head.id)
                    rows.append((
                        _("printed, the signed cover is awaited"), shown(made.code), self._link(one.head),
                        self.named.get(one.head.id, ("", ""))[1], status_words(one.head.status), made.made_at,
                        Link(_address(url_for("respond.pack", public_id=made.public_id)), _("Open the pack")),
                    ))  # fmt: skip
        for _round, reply in self.everything:
            head = reply.head
            pending = head.signature is Signature.PENDING and head.status in {Status.SUBMITTED, Status.CLEARED}
            if head.id not in packed and (pending or head.status is Status.AWAITING_SIGN_OFF):
                rows.append((
                    _("handed in, signature to follow") if pending else _("complete, waits for the approver"), "",
                    self._link(head), self.named[head.id][1], status_words(head.status),
                    head.handed_in_at if pending else None, None,
                ))  # fmt: skip
        about = _("Packs that are printed and not back yet, and replies that are not signed in any way.")
        return _table(_("Waiting for a signature"), about, rows, (
            ("what", _("What is awaited"), "text", 32), ("code", _("Code on the paper"), "text", 22),
            ("reply", _("Which reply"), "link", 24), ("title", _("About"), "text", 40),
            ("state", _("State"), "text", 20), ("since", _("Since"), "datetime", 17),
            ("pack", _("In the portal"), "link", 20),
        ))  # fmt: skip

    def _people(self) -> Table:
        ours = [one for one in people_queries.persons_of(db.session, self.here) if one.active]
        staff = [
            one
            for one in people_queries.staff(db.session)
            if one.active and any(part.role == "coordinator" for part in one.parts)
        ]
        rows = [_person(one, self.here) for one in ours] + [_person(one, None) for one in staff]
        about = _("The people of the institution and whom to call at the secretariat.")
        return _table(_("People"), about, rows, (
            ("where", _("Where"), "text", 20), ("name", _("Name"), "text", 30), ("roles", _("Part"), "text", 22),
            ("post", _("Post"), "text", 36), ("phone", _("Phone"), "text", 20), ("telegram", _("Telegram"), "text", 20),
            ("email", _("E-mail"), "text", 30),
        ))  # fmt: skip

    def _link(self, head: SubmissionHead) -> Link:
        words = self.named.get(head.id, ("", ""))[0]
        return Link(_address(url_for("respond.check", public_id=head.public_id)), words or _("Open the reply"))


def _table(title: str, about: str, rows: Sequence[Sequence[Cell]], columns: Sequence[Spec]) -> Table:
    language = g.view.language
    shape = tuple(
        Column(key, {language: str(words)}, kind, width, wrap=kind in {"text", "link"})
        for key, words, kind, width in columns
    )
    return Table(str(title), {language: str(title)}, shape, rows, {language: str(about)})


def _address(path: str) -> str:
    """Return a full address, from the settings alone, never from a request (host header attacks)."""
    base: str = current_app.config["SETTINGS"].base_url
    return base.rstrip("/") + path


def _named(reply: Owed) -> tuple[str, str]:
    """Return how a reply is cited, and what it is about."""
    if not reply.asked:
        return str(_("Our institution")), str(_("Questions about your institution"))
    title = title_of(reply.asked, g.view.language, g.country.languages)
    return f"{reply.asked[0].mechanism} · {_('paragraph')} {citation(reply.asked)}", title


def _last_written(definition: Definition, stored: StoredReply) -> Mapping[str, tuple[int, Any]]:
    """Return who wrote last under each code that counts as a question, and when."""
    last: dict[str, tuple[int, Any]] = {}
    for key, one in stored.answers.items():
        code = counted_as(definition, key.code)
        if one.answered_at is not None and (code not in last or one.answered_at > last[code][1]):
            last[code] = one.answered_by, one.answered_at
    return last


def _asked(definition: Definition, of: Any) -> str:
    """Name the questions that were handed over, one a line; a newer version may not ask one any more."""
    shared: Delegation = of
    known = definition.compiled.by_code
    return "\n".join(label_of(known[code]) for code in shared.items if code in known)


def _person(one: PersonLine, here: int | None) -> Sequence[Cell]:
    roles = [role_name(part.role) for part in one.parts if part.institution_id == here]
    return (
        _("Our institution") if here is not None else _("The secretariat"),
        " ".join(filter(None, (_say(one.honorific), _say(one.names)))), ", ".join(roles), _say(one.post),
        one.phone, one.telegram, one.email,
    )  # fmt: skip
