"""The reminder to one person as a text to copy into a chat or a letter, in that person's own language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babel import Locale
from babel.dates import format_date
from flask import current_app, g, url_for
from flask_babel import force_locale, ngettext
from flask_babel import gettext as _

from portal.queries.submissions import citation
from portal.reader import KHMER_DIGITS
from portal.table import pick

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from portal.models import ReportingRound
    from portal.queries.rates import InstitutionRate, RecommendationRate, Reply
    from portal.queries.reviews import Contact

LISTED = 8


def owed_of(one: InstitutionRate) -> list[Reply]:
    """Return what an institution has not handed in and nobody but itself can move, the latest first."""
    return sorted(
        (reply for reply in one.replies if reply.status in {"issued", "in_progress", "awaiting_sign_off", "lapsed"}),
        key=lambda reply: -reply.days_late,
    )


def reminder(
    one: InstitutionRate,
    contact: Contact | None,
    of: ReportingRound,
    recommendations: Mapping[int, RecommendationRate],
) -> str:
    """Return the words to send; without a contact they are in the national language and name nobody."""
    country = g.country
    known = contact is not None and contact.language in country.languages
    language = str(contact.language) if contact is not None and known else country.national
    owed = owed_of(one)
    with force_locale(language):
        text = "\n".join(_lines(one, contact, of, recommendations, owed, language))
    return text.translate(KHMER_DIGITS) if contact is not None and contact.digits == "khmr" else text


def _lines(
    one: InstitutionRate,
    contact: Contact | None,
    of: ReportingRound,
    recommendations: Mapping[int, RecommendationRate],
    owed: Sequence[Reply],
    language: str,
) -> list[str]:
    languages = g.country.languages
    name = " ".join(filter(None, (pick(part, language, languages) for part in
                                  ((contact.honorific, contact.names) if contact else ()))))  # fmt: skip
    institution = pick(one.names, language, languages)
    title = pick(of.titles, language, languages)
    late = [reply for reply in owed if reply.days_late]
    lines = [_("Dear %(name)s,", name=name or institution), ""]
    lines.append(
        ngettext(
            "for “%(round)s” one reply of %(institution)s has not been handed in yet:",
            "for “%(round)s” %(num)s replies of %(institution)s have not been handed in yet:",
            len(owed),
            round=title,
            institution=institution,
        )
    )
    lines += [f"• {_item(reply, recommendations, language)}" for reply in owed[:LISTED]]
    if len(owed) > LISTED:
        more = len(owed) - LISTED
        lines.append("• " + ngettext("and %(num)s more", "and %(num)s more", more))
    due = min((reply.due_on for reply in owed), default=of.due_on)
    day = _day(due, language)
    lines += ["", _("They were due on %(day)s.", day=day) if late else _("They are due on %(day)s.", day=day)]
    base = str(current_app.config["SETTINGS"].base_url).rstrip("/")
    lines.append(_("Sign in and answer here: %(url)s", url=base + url_for("respond.owed", round=of.slug)))
    lines.append(_("If something is not for your institution, say so there: that is an answer too."))
    lines += ["", _("With thanks,"), pick(g.country.secretariat, language, languages)]
    return lines


def _item(reply: Reply, recommendations: Mapping[int, RecommendationRate], language: str) -> str:
    asked: list[Any] = [recommendations[one] for one in reply.recommendation_ids if one in recommendations]
    languages = g.country.languages
    headings = [pick(one.heading, language, languages) or pick(one.summary, language, languages) for one in asked]
    heading = next(filter(None, headings), "")
    cited = f"{asked[0].mechanism}, {_('paragraph')} {citation(asked)}" if asked else ""
    words = f"{cited}: {heading}" if heading else cited
    if reply.days_late:
        late = ngettext("%(num)s day late", "%(num)s days late", reply.days_late)
        return f"{words} ({late})"
    return words


def _day(day: date, language: str) -> str:
    return format_date(day, format="d MMMM y", locale=Locale.parse(language.replace("-", "_")))
