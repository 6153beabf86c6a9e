"""Telling people what is new for them: at most one mail for a burst of work, one a day for who wishes it so.

Who is told of what stands in ``portal.queries.news``. The mark moves in the transaction that queues the mail.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from flask_babel import force_locale, ngettext
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from portal import clock
from portal.models import Action, MailWish, NewsMark, UserAccount
from portal.permissions import Permission, require
from portal.queries import news as queries
from portal.queries.countries import country_facts
from portal.queries.submissions import asked_recommendations, citation
from portal.services.mail import Recipient, is_address, queue_mail
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from portal.models import Role, StaffRole
    from portal.permissions import Principal
    from portal.queries.countries import CountryFacts
    from portal.queries.news import Happening, Subscriber

# what is being written down by others while we look stays for the next time
HORIZON = timedelta(minutes=1)
# a burst of work is told in one mail: when it has been quiet for so long, or when the first of it is so old
QUIET, PATIENCE = timedelta(minutes=5), timedelta(hours=1)
# nothing older is ever mailed: an address given late does not bring a flood
OLDEST = timedelta(days=7)
# and by chat
CHAT = timedelta(days=30)
MORNING = 7
LISTED, CITED = 12, 4


def words(what: str) -> str:
    """Return how a happening is told, in the present language."""
    told: Mapping[str, str] = {
        Action.ISSUE: _("Sent to the institution"),
        Action.COMPLETE: _("Completed, waits to be signed"),
        Action.HAND_IN: _("Handed in"),
        Action.SIGN_OFF: _("Signed and handed in"),
        Action.SIGN_ON_PAPER: _("Signed on paper and handed in"),
        Action.HAND_IN_PENDING: _("Handed in, signature to follow"),
        Action.RECORD_SIGNATURE: _("Signature on paper recorded"),
        Action.DECLINE: _("Not signed, handed back to colleagues"),
        Action.RETURN: _("Returned by the secretariat"),
        Action.RECALL: _("Taken back by the institution"),
        Action.CLEAR: _("Cleared"),
        Action.REOPEN: _("Reopened; the signature is void"),
        Action.CLAIM_NOT_OURS: _("The institution says it is not theirs"),
        Action.CONFIRM_NOT_OURS: _("Confirmed: another institution answers"),
        Action.REFUSE_NOT_OURS: _("The secretariat asks to answer all the same"),
        Action.RETRACT_CLAIM: _("The institution will answer after all"),
        Action.WITHDRAW: _("Withdrawn by the secretariat"),
        Action.LAPSE: _("The round closed without a reply"),
        Action.RESTORE: _("Opened again"),
        Action.ADOPT_VERSION: _("Moved to a newer version of the questionnaire"),
        queries.ASKED: _("The secretariat asks"),
        queries.ANSWERED: _("The institution answered a question"),
        queries.FINISHED: _("A colleague finished what was shared"),
    }
    return told[what]


def wish_of(given: MailWish | None, *, staff: bool) -> MailWish:
    """Return how a person is told who has not said: the secretariat once a day, everybody else soon."""
    return given or (MailWish.DAILY if staff else MailWish.SOON)


@dataclass(frozen=True)
class Chat:
    """What the secretariat can send to a person without an address by chat: who, and the text in their language."""

    person: Subscriber
    language: str
    text: str
    count: int


def mark_read(session: Session, *, until: datetime, by: Principal) -> None:
    """Note that a person has read what is new, up to a moment; call inside ``write()``."""
    require(by, Permission.VIEW_NEWS)
    _mark(session, by, read_until=min(until, clock.now()))


def settle_past(session: Session, *, read_until: datetime) -> None:
    """Take it that everybody who is here has read what lies before a moment, and was told of all so far."""
    ids = select(UserAccount.id).where(UserAccount.id.not_in(select(NewsMark.user_id))).order_by(UserAccount.id)
    session.add_all(
        NewsMark(user_id=one, read_until=read_until, told_until=clock.now()) for one in session.scalars(ids).all()
    )
    session.flush()


def set_wish(session: Session, wish: MailWish, *, by: Principal) -> None:
    """Note how a person wishes to be told; nothing of the time is mailed in which they wished for no mail."""
    require(by, Permission.VIEW_NEWS)
    if by.user_id is None:
        return
    _read, before = queries.read_until(session, by.user_id)
    given = {"wish": wish} | ({"told_until": clock.now()} if MailWish.NEVER in {before, wish} else {})
    _mark(session, by, **given)


def _mark(session: Session, by: Principal, **given: Any) -> None:
    if by.user_id is None:
        return
    read, _wish = queries.read_until(session, by.user_id)
    # without a mark so far they were told of nothing since the same moment
    _keep(session, {"user_id": by.user_id, "read_until": read, "told_until": read} | given, given)


def _keep(session: Session, row: Mapping[str, Any], changed: Mapping[str, Any]) -> None:
    dialect: Any = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(
        dialect.insert(NewsMark.__table__)
        .values(**row)
        .on_conflict_do_update(index_elements=["user_id"], set_=dict(changed))
    )


def due(session: Session) -> list[tuple[Subscriber, list[Happening]]]:
    """Return who is to be told of what by mail now; nothing is written."""
    until = clock.now() - HORIZON
    country = country_facts(session)
    people = [one for one in queries.subscribers(session) if is_address(one.address) and _awake(one, until, country)]
    if not people:
        return []
    since = max(min(_since(one, until) for one in people), until - OLDEST)
    roles: set[Role | StaffRole] = {role for one in people for role in one.reader.staff}
    roles |= {role for one in people for _where, role in one.reader.parts}
    found = queries.happenings(session, roles, since=since, until=until)
    told = []
    for one in people:
        lines = [
            line
            for line in found
            if line.at > _since(one, until)
            and line.what not in queries.MAILED_AT_ONCE
            and not line.batch
            and one.reader.concerns(line)
        ]
        if lines and (_wish(one) is MailWish.DAILY or _ripe(lines, until)):
            told.append((one, lines))
    return told


def _since(one: Subscriber, until: datetime) -> datetime:
    """Return from when on a person is to be told: what they have read in the portal is not mailed."""
    return max(one.told_until, one.read_until, until - OLDEST)


def _wish(one: Subscriber) -> MailWish:
    return wish_of(one.wish, staff=bool(one.reader.staff))


def _awake(one: Subscriber, until: datetime, country: CountryFacts) -> bool:
    wish = _wish(one)
    if wish is not MailWish.DAILY:
        return wish is MailWish.SOON
    zone = ZoneInfo(country.time_zone)
    here = until.astimezone(zone)
    return here.hour >= MORNING and one.told_until.astimezone(zone).date() < here.date()


def _ripe(lines: Sequence[Happening], until: datetime) -> bool:
    return until - lines[0].at >= QUIET - HORIZON or until - lines[-1].at >= PATIENCE


def by_chat(session: Session, *, base_url: str) -> list[Chat]:
    """Return a text on what they have not read for each person of an institution without an address."""
    until = clock.now()
    country = country_facts(session)
    people = [one for one in queries.subscribers(session, by_mail=False) if one.reader.parts and not one.reader.staff]
    roles = {role for one in people for _where, role in one.reader.parts}
    found = queries.happenings(session, roles, since=until - CHAT) if people else []
    news = [(one, [line for line in found if line.at > one.read_until and one.reader.concerns(line)]) for one in people]
    cited = _cited(session, [line for _one, lines in news for line in lines])
    return [_chat(one, lines, cited, country, base_url) for one, lines in news if lines]


def _chat(
    one: Subscriber, lines: Sequence[Happening], cited: Mapping[int, str], country: CountryFacts, base_url: str
) -> Chat:
    language = one.language if one.language in country.languages else country.national
    with force_locale(language):
        name = " ".join(filter(None, (pick(part, language, country.languages) for part in (one.honorific, one.names))))
        told = list(_lines(language, lines, cited, country, named=False))
        rest = len(told) - LISTED
        text = [
            _("Dear %(name)s,", name=name),
            "",
            _("This is new for you in %(portal)s:", portal=pick(country.portal_name, language, country.languages)),
            *(f"• {line}" for line in told[:LISTED]),
            *([f"• {ngettext('and %(num)s more', 'and %(num)s more', rest)}"] if rest > 0 else []),
            "",
            f"{_('Read it and go on here:')} {base_url}/news",
        ]
    return Chat(one, language, "\n".join(text), len(lines))


def tell(session: Session, *, base_url: str) -> int:
    """Queue the mails that are due and move the marks with them, inside ``write()``; return how many."""
    found = due(session)
    until = clock.now() - HORIZON
    country = country_facts(session)
    cited = _cited(session, [line for _one, lines in found for line in lines])
    queued = 0
    for one, lines in found:
        about = {code: _facts(code, one, lines, cited, country, base_url) for code in country.languages}
        to = Recipient(one.user_id, one.address, one.language or country.national)
        queued += queue_mail(session, "news", to, languages=country.languages, about=about) is not None
        row = {"user_id": one.user_id, "read_until": one.read_until, "told_until": until}
        _keep(session, row, {"told_until": until})
    return queued


def _cited(session: Session, lines: Sequence[Happening]) -> dict[int, str]:
    asked = asked_recommendations(session, {line.assignment_id for line in lines})
    return {number: f"{many[0].mechanism} {citation(many)}" for number, many in asked.items() if many}


def _facts(
    code: str,
    one: Subscriber,
    lines: Sequence[Happening],
    cited: Mapping[int, str],
    country: CountryFacts,
    base_url: str,
) -> dict[str, Any]:
    with force_locale(code):
        told = list(_lines(code, lines, cited, country, named=bool(one.reader.staff)))
        more = len(told) - LISTED
        return {
            "lines": told[:LISTED],
            "first": words(lines[0].what),
            "more": ngettext("and %(num)s more", "and %(num)s more", more) if more > 0 else "",
            "count": len(lines),
            "url": f"{base_url}/news",
            "secretariat": pick(country.secretariat, code, country.languages),
            "portal": pick(country.portal_name, code, country.languages),
        }


def _lines(
    code: str, lines: Sequence[Happening], cited: Mapping[int, str], country: CountryFacts, *, named: bool
) -> list[str]:
    """Say what happened, a line for each kind of act and institution; never an answer, a question or a reason."""
    groups: dict[tuple[str, int], list[Happening]] = {}
    for line in lines:
        groups.setdefault((line.what, line.institution_id), []).append(line)
    told = []
    for (what, _institution), many in groups.items():
        places = list(dict.fromkeys(cited.get(line.assignment_id, "") for line in many))
        places = [place or _("Questions about your institution") for place in places]
        said = ", ".join(places[:CITED])
        if len(places) > CITED:
            said += " " + ngettext("and %(num)s more", "and %(num)s more", len(places) - CITED)
        whose = f"{pick(many[0].institution_names, code, country.languages)} · " if named else ""
        told.append(whose + _("%(what)s: %(where)s", what=words(what), where=said))
    return told
