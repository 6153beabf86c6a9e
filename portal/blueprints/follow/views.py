"""A round as the secretariat follows it: its board, by recommendation, the grid, and who is late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import g, render_template, request, url_for
from flask_babel import gettext as _

from portal.blueprints.follow import words
from portal.blueprints.follow.door import address, blueprint, cite, rooms, round_of, say, today
from portal.blueprints.follow.reminders import owed_of, reminder
from portal.blueprints.follow.rounds import next_date
from portal.blueprints.guard import requires, who
from portal.blueprints.holding import Holding
from portal.blueprints.paging import paged
from portal.extensions import db
from portal.models import Status
from portal.models.lifecycle import EDITABLE
from portal.permissions import Permission, may
from portal.queries import grid as grids
from portal.queries import implementation, reviews
from portal.queries.documents import waiting_documents
from portal.queries.rates import Rates, rates
from portal.queries.submissions import asked_recommendations

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from flask.typing import ResponseReturnValue

    from portal.models import ReportingRound
    from portal.queries.rates import InstitutionRate, RecommendationRate, Reply
    from portal.queries.reviews import Contact, OpenThread, Waiting

# the board names the latest; the page of late replies names all
LATE_ON_BOARD = 8


def counted(of: ReportingRound) -> Rates:
    """Count a round as of today in the country."""
    return rates(db.session, of.id, today=today(), time_zone=g.country.time_zone)


def frame(of: ReportingRound, current: str, found: Rates) -> dict[str, Any]:
    """Return what all pages of a round show: title, dates, tabs, ways out."""
    tabs = [
        (_("Board"), "board", None),
        (_("By recommendation"), "by_recommendation", None),
        (_("Grid"), "grid", None),
        (_("Late replies"), "late", found.overall.late),
    ]
    return {
        "slug": of.slug,
        "title": say(of.titles),
        "status": of.status.value,
        "dates": [
            (_("Opens"), of.opens_on),
            (_("Replies due"), of.due_on),
            (_("Closes"), of.closes_on),
            (_("Frozen for the report"), of.freezes_on),
            *([(_("Report due at the UN"), of.un_due_on)] if of.un_due_on else []),
        ],
        "next_date": next_date(of, today()),
        "today": today(),
        "tabs": [
            (label, url_for(f"follow.{view}", slug=of.slug), view == current, *([] if number is None else [number]))
            for label, view, number in tabs
        ],
        "rooms": rooms(of.slug),
        "rounds_url": url_for("follow.rounds"),
        "count": found.overall,
    }


@blueprint.get("/rounds/<slug>")
@requires(Permission.VIEW_ROUND, on=round_of)
def board(of: ReportingRound) -> ResponseReturnValue:
    """Show how a round stands and what waits: the coordinator's daily page."""
    found = counted(of)
    everyone = request.args.get("show") == "all"
    shown = list(found.institutions) if everyone else _not_answered(found)
    inside = may(who(), Permission.VIEW_SUBMISSION)
    queue = reviews.waiting(db.session, of.id)
    threads = reviews.open_threads(db.session, of.id)
    asked = asked_recommendations(
        db.session, {one.assignment_id for one in queue} | {one.assignment_id for one in threads}
    )
    chart = [one for one in found.institutions if one.count.issued]
    rows = _institution_rows(of, found, shown)
    late_rows = sorted((row for row in rows if row["days_late"]), key=lambda row: -row["days_late"])
    return render_template(
        "follow/board.html",
        round=frame(of, "board", found),
        late=late_rows[:LATE_ON_BOARD],
        late_institutions=len(late_rows),
        everyone=everyone,
        missing=len(_not_answered(found)),
        institutions=rows,
        all_institutions=len(found.institutions),
        claims=[_waiting_row(one, asked, inside=inside) for one in queue if one.status is Status.CLAIMED],
        to_review=[_waiting_row(one, asked, inside=inside) for one in queue if one.status is Status.SUBMITTED],
        threads=[_thread_row(one, asked, inside=inside) for one in threads],
        papers=_papers(of, inside=inside),
        series=words.series(),
        bars=[(say(one.names), "", words.parts(one.replies, one.count)) for one in chart],
        state=_state(of),
    )


def _papers(of: ReportingRound, *, inside: bool) -> list[dict[str, Any]]:
    """Return the replies for which a document came that is still to be entered; they are not received yet."""
    found = waiting_documents(db.session, of.id)
    asked = asked_recommendations(db.session, [one.assignment_id for one in found]) if found else {}
    return [
        {
            "institution": say(one.institution_names),
            "cite": cite(asked.get(one.assignment_id, [])),
            "title": _heading(asked.get(one.assignment_id, [])),
            "count": one.count,
            "at": one.since,
            "url": url_for("documents.desk", public_id=one.submission) if inside else "",
        }
        for one in found
    ]


def _not_answered(found: Rates) -> list[InstitutionRate]:
    """Return the institutions that still owe something, late ones first, else in protocol order."""
    return sorted((one for one in found.institutions if owed_of(one)), key=lambda one: -one.days_late)


def _institution_rows(of: ReportingRound, found: Rates, shown: Sequence[InstitutionRate]) -> list[dict[str, Any]]:
    people = reviews.contacts(db.session, [one.id for one in shown])
    recommendations = {one.id: one for one in found.recommendations}
    holding = Holding(of.id)
    return [
        _institution_row(of, one, people.get(one.id, []), recommendations) | {"held": holding.parts(owed_of(one))}
        for one in shown
    ]


def _institution_row(
    of: ReportingRound,
    one: InstitutionRate,
    people: Sequence[Contact],
    recommendations: dict[int, RecommendationRate],
) -> dict[str, Any]:
    owed = owed_of(one)
    # one text for each language that its people read; writing to each by name is the invitation's business
    first = list({_language(person): person for person in reversed(people)}.values())[::-1]
    reached: Sequence[Contact | None] = (first or [None]) if of.status == "open" and owed else []
    texts = [(person, reminder(one, person, of, recommendations)) for person in reached]
    told = [_person(person) for person in people]
    return {
        "code": one.code,
        "id": f"i-{one.id}",
        "name": say(one.names),
        "count": one.count,
        "owed": len(owed),
        "started": sum(1 for reply in owed if reply.status != "issued"),
        "to_sign": sum(1 for reply in owed if reply.status is Status.AWAITING_SIGN_OFF),
        "days_late": one.days_late,
        "extended_to": one.extended_to,
        "due_on": min((reply.due_on for reply in owed), default=None),
        "last_saved": max((reply.saved_at for reply in owed if reply.saved_at), default=None),
        "parts": words.parts(one.replies, one.count),
        "grid_url": url_for("follow.grid", slug=of.slug) + f"#i-{one.id}",
        "late_url": url_for("follow.late", slug=of.slug) + f"#i-{one.id}",
        "people": told,
        "call": next((person for person in told if person["phone"]), None),
        "reminders": [(say(person.names) if person else "", _language(person), text) for person, text in texts],
    }


def _person(person: Contact) -> dict[str, Any]:
    telegram = (person.telegram or "").strip().lstrip("@")
    return {
        "name": " ".join(filter(None, (say(person.honorific), say(person.names)))),
        "post": say(person.post),
        "role": person.role.value,
        "phone": person.phone,
        "phone_url": f"tel:{''.join(c for c in person.phone if c.isdigit() or c == '+')}" if person.phone else "",
        "telegram": telegram,
        "telegram_url": f"https://t.me/{telegram}" if telegram and not telegram.startswith("+") else "",
        "email": person.email,
        "entered": person.entered,
    }


def _language(person: Contact | None) -> str:
    known = person is not None and person.language in g.country.languages
    return str(person.language) if person is not None and known else str(g.country.national)


def _waiting_row(one: Waiting, asked: Any, *, inside: bool) -> dict[str, Any]:
    about = asked.get(one.assignment_id, [])
    return {
        "institution": say(one.institution_names),
        "cite": cite(about),
        "title": _heading(about),
        "at": one.at,
        "again": one.hand_in > 1,
        "under_review": one.under_review,
        "instead": one.instead,
        "reason": one.reason,
        "url": url_for("follow.submission", public_id=one.public_id) if inside else "",
    }


def _thread_row(one: OpenThread, asked: Any, *, inside: bool) -> dict[str, Any]:
    url = url_for("follow.submission", public_id=one.submission) if inside else ""
    return {
        "institution": say(one.institution_names),
        "cite": cite(asked.get(one.assignment_id, [])),
        "answered": one.answered,
        "at": one.said_at,
        "body": one.body,
        "url": f"{url}#thread-{one.public_id}" if url else "",
    }


def _heading(asked: Iterable[Any]) -> str:
    return next((text for one in asked if (text := say(one.heading) or say(one.summary))), "")


def _state(of: ReportingRound) -> dict[str, Any]:
    """Return the state of implementation: another measure than the response rate, and never mixed with it."""
    found = implementation.summary(db.session, round_id=of.id, own=False)
    known = [(say(names), found.count(state), state.value) for state, names in implementation.STATES.items()]
    return {
        "total": found.total,
        "known": sum(number for _words, number, _key in known),
        "rows": [row for row in known if row[1]],
        "url": rooms(of.slug)["implementation"],
    }


@blueprint.get("/rounds/<slug>/recommendations")
@requires(Permission.VIEW_ROUND, on=round_of)
def by_recommendation(of: ReportingRound) -> ResponseReturnValue:
    """Show response rates by recommendation and by theme."""
    found = counted(of)
    names = {one.id: say(one.names) for one in found.institutions}
    wanted, said = request.args.get("show", ""), request.args.get("q", "").strip()[:200]
    holding = Holding(of.id)
    rows = [
        {
            "cite": one.citation,
            "document": one.symbol,
            "title": say(one.heading) or say(one.summary) or say(one.texts),
            "url": address("recommendations.recommendation", public_id=one.public_id),
            "count": one.count,
            "parts": words.parts(one.replies, one.count),
            "missing": [
                (names[reply.institution_id], reply.days_late, holding.part(reply.submission_id, reply.status))
                for reply in one.replies
                if _open(reply)
            ],
        }
        for one in found.recommendations
    ]
    return render_template(
        "follow/by_recommendation.html",
        round=frame(of, "by_recommendation", found),
        only_missing=wanted == "missing",
        listed=paged(_that_say(said, rows, only_missing=wanted == "missing"), keep=("show", "q")),
        said=said,
        total=len(rows),
        series=words.series(),
        themes=[(say(one.labels), one.count) for one in found.themes],
    )


def _that_say(said: str, rows: Iterable[dict[str, Any]], *, only_missing: bool) -> list[dict[str, Any]]:
    """Return the recommendations with these words in place or title, all of them or those that miss replies."""
    return [
        row
        for row in rows
        if (row["missing"] or not only_missing)
        and said.casefold() in f"{row['document']} {row['cite']} {row['title']}".casefold()
    ]


def _open(reply: Reply) -> bool:
    return not reply.received and reply.status is not Status.WITHDRAWN


@blueprint.get("/rounds/<slug>/grid")
@requires(Permission.VIEW_ROUND, on=round_of)
def grid(of: ReportingRound) -> ResponseReturnValue:
    """Show the grid of institutions and recommendations, with colours and letters."""
    found = grids.grid(db.session, of.id, today=today(), time_zone=g.country.time_zone)
    holding = Holding(of.id)
    inside = may(who(), Permission.VIEW_SUBMISSION)
    told = words.letters()
    papers = {one.submission for one in waiting_documents(db.session, of.id)}
    # one address per page, not one per cell: building 2,000 of them would be half the page's time
    address_of = url_for("follow.submission", public_id="x").removesuffix("x") if inside else ""
    symbols = list(dict.fromkeys(column.first.symbol for column in found.columns))
    return render_template(
        "follow/grid.html",
        round=frame(of, "grid", found.rates),
        columns=[(column.label, _heading(column.recommendations), column.first.symbol) for column in found.columns],
        spans=[(symbol, sum(1 for column in found.columns if column.first.symbol == symbol)) for symbol in symbols],
        rows=[
            (
                f"i-{row.institution.id}",
                say(row.institution.names),
                row.institution.count,
                [
                    [_cell(reply, told, address_of, holding, papers) for reply in sorted(cell, key=words.urgency)]
                    for cell in row.cells
                ],
            )
            for row in found.rows
        ],
        legend=list(told.values()),
    )


def _cell(
    reply: Reply,
    told: dict[Status, tuple[str, str, str]],
    address_of: str,
    holding: Holding,
    papers: set[str],
) -> tuple[str, str, str, str, bool, bool]:
    letter, kind, sentence = told[reply.status]
    if reply.days_late:
        sentence = _("%(status)s, late", status=sentence)
    if reply.unsigned:
        sentence = _("%(status)s, signature to follow", status=sentence)
    if reply.public_id in papers:
        sentence = _("%(status)s, document received, to be entered", status=sentence)
    # the other statuses say it themselves
    if reply.status in EDITABLE and (held := holding.part(reply.submission_id, reply.status)):
        sentence = f"{sentence} · {held}"
    url = address_of + reply.public_id if address_of else ""
    return letter, kind, sentence, url, reply.days_late > 0, reply.unsigned


@blueprint.get("/rounds/<slug>/late")
@requires(Permission.VIEW_ROUND, on=round_of)
def late(of: ReportingRound) -> ResponseReturnValue:
    """Show who is late, by how many days, whom to call and what to write."""
    found = counted(of)
    rows = _institution_rows(of, found, found.late)
    recommendations = {one.id: one for one in found.recommendations}
    told = words.letters()
    holding = Holding(of.id)
    inside = may(who(), Permission.VIEW_SUBMISSION)
    papers = {one.submission for one in waiting_documents(db.session, of.id)}
    for row, one in zip(rows, found.late, strict=True):
        row["replies"] = [
            {
                "cite": "; ".join(recommendations[key].citation for key in reply.recommendation_ids),
                "title": _heading(recommendations[key] for key in reply.recommendation_ids),
                "status": reply.status.value,
                "words": _("%(status)s, document received, to be entered", status=told[reply.status][2])
                if reply.public_id in papers
                else told[reply.status][2],
                "held": holding.part(reply.submission_id, reply.status),
                "due_on": reply.due_on,
                "days_late": reply.days_late,
                "answered": reply.answered,
                "asked": reply.asked,
                "url": url_for("follow.submission", public_id=reply.public_id) if inside else "",
            }
            for reply in sorted(one.replies, key=lambda reply: -reply.days_late)
            if reply.days_late
        ]
    return render_template("follow/late.html", round=frame(of, "late", found), institutions=rows, series=words.series())
