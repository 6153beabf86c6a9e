"""The register of evidence: an institution's own; for the secretariat, what was handed in with a round's replies."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from flask import g, render_template, request, send_file, url_for
from flask_babel import gettext as _

from portal import clock
from portal.blueprints.follow.door import round_of, say
from portal.blueprints.guard import requires, who
from portal.blueprints.recommendations.importing import XLSX
from portal.blueprints.remember.door import blueprint
from portal.blueprints.remember.sifting import Sifted, sift, visibility_names
from portal.errors import NotFound
from portal.extensions import db
from portal.models import EvidenceKind, Visibility
from portal.permissions import Permission
from portal.queries import handed_in
from portal.queries.register import RegisterLine, cited_in, question_labels, register
from portal.queries.report_annexes import evidence_rows
from portal.queries.submissions import citation
from portal.table import Column, Table
from portal.workbooks.writer import ReportBook

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flask.typing import ResponseReturnValue

    from portal.models import ReportingRound


@blueprint.get("/evidence")
@requires(Permission.VIEW_OWED)
def own_evidence() -> ResponseReturnValue:
    """Show the evidence of one's own institution: number, file, where attached, where cited."""
    return _page(sift(_own(), staff=False), export="remember.own_evidence_file")


def _own() -> list[RegisterLine]:
    institution_id = who().institution_id
    if institution_id is None:
        raise NotFound
    return register(db.session, institution_id)


@blueprint.get("/evidence/register.xlsx")
@requires(Permission.VIEW_OWED)
def own_evidence_file() -> ResponseReturnValue:
    """Give the register as a workbook, filtered as the page is."""
    part = who().part
    return _workbook(sift(_own(), staff=False).shown, of=part.institution_code if part else "own")


@blueprint.get("/rounds/<slug>/evidence")
@requires(Permission.EXPORT_ROUND, on=round_of)
def round_evidence(of: ReportingRound) -> ResponseReturnValue:
    """Show the evidence that was handed in with the replies of a round; a draft's files are not among it."""
    return _page(sift(_handed_in(of), staff=True), export="remember.round_evidence_file", of=of)


@blueprint.get("/rounds/<slug>/evidence.xlsx")
@requires(Permission.EXPORT_ROUND, on=round_of)
def round_evidence_file(of: ReportingRound) -> ResponseReturnValue:
    """Give the register of a round as a workbook, filtered as the page is."""
    return _workbook(sift(_handed_in(of), staff=True).shown, of=of.slug)


def _handed_in(of: ReportingRound) -> list[RegisterLine]:
    replies = handed_in.replies(db.session, of.id)
    lines: dict[tuple[int, str], RegisterLine] = {}
    by_number: dict[tuple[int, int], RegisterLine] = {}
    for reply, row in evidence_rows(db.session, of.id, replies):
        is_file = row.kind is EvidenceKind.FILE
        key = (reply.head.institution_id, row.sha256 or row.url or row.public_id)
        line = lines.setdefault(
            key,
            RegisterLine([], row.public_id, is_file, (row.filename if is_file else row.url) or "", row.caption,
                         row.media_type or "", row.size, row.sha256 or "", row.added_at, of.slug,
                         reply.head.institution_names),
        )  # fmt: skip
        line.institution_code = reply.head.institution_code
        line.attach(row, reply.asked)
        line.attached.append((reply.head.public_id, citation(reply.asked), row.question or ""))
        by_number[reply.head.institution_id, row.number] = line
    for reply in replies:
        for answer, entry in reply.content.answers.items() if reply.content is not None else ():
            for number in cited_in(entry.value):
                # an institution cites its own evidence, never another's
                if (known := by_number.get((reply.head.institution_id, number))) is not None:
                    place = (reply.head.public_id, citation(reply.asked), answer.code)
                    known.cited += [place] if place not in known.cited else []
    return list(lines.values())


def _page(found: Sifted, *, export: str, of: Any = None) -> str:
    staff = of is not None
    page = "follow.submission" if staff else "respond.check"
    names = _names(found.shown)
    more: dict[str, Any] = dict(found.chosen) | ({"slug": of.slug} if staff else {})
    return render_template(
        "remember/evidence.html",
        staff=staff,
        of=of,
        fields=found.fields,
        clear_url=request.path,
        total=found.total,
        export_url=url_for(export, **more),
        rows=[
            {
                "line": one,
                "over": say(one.round_titles),
                "visibilities": sorted(one.visibilities),
                "url": url_for("respond.evidence", public_id=one.public_id) if one.is_file else one.name,
                "attached": [_place(page, place, names) for place in dict.fromkeys(one.attached)],
                "cited": [_place(page, place, names) for place in one.cited],
            }
            for one in found.shown
        ],
    )


def _names(lines: Sequence[RegisterLine]) -> dict[tuple[str, str], str]:
    """Return (reply, question code) -> the question as a person reads it; a code where it has no label."""
    labels = question_labels(db.session, [place for one in lines for place in (*one.attached, *one.cited)])
    return {key: say(texts) or key[1] for key, texts in labels.items()}


def _place(page: str, place: tuple[str, str, str], names: Mapping[tuple[str, str], str]) -> tuple[str, str]:
    reply, cited, code = place
    about = _("paragraph %(paragraph)s", paragraph=cited) if cited else ""
    words = " · ".join(filter(None, (about, names.get((reply, code), code))))
    anchor = f"#q-{code}" if code else ""
    return words or _("About the whole reply"), url_for(page, public_id=reply) + anchor


def _readers(one: RegisterLine) -> str:
    return ", ".join(visibility_names()[each] for each in sorted(one.visibilities))


def _is_secret(one: RegisterLine) -> bool:
    """Tell whether a line is confidential anywhere: a file attached twice bears the name it has in both places."""
    return Visibility.CONFIDENTIAL in one.visibilities


def _told_in_a_workbook(one: RegisterLine) -> tuple[str, str]:
    return (_("(confidential: open it in the portal)"), "") if _is_secret(one) else (one.name, one.caption)


def _workbook(lines: Sequence[RegisterLine], *, of: str) -> ResponseReturnValue:
    language, languages = g.view.language, g.country.languages
    columns = tuple(
        Column(key, {language: str(title)}, kind, width, wrap=True)  # type: ignore[arg-type] # the kinds are literal
        for key, title, kind, width in (
            ("number", _("Number"), "text", 12), ("file", _("File or link"), "text", 44),
            ("caption", _("Caption"), "text", 40), ("whose", _("Round or institution"), "text", 34),
            ("attached", _("Attached to"), "text", 40), ("cited", _("Cited in"), "text", 40),
            ("visibility", _("Who may see it"), "text", 20), ("scanned_at", _("Scanned for viruses"), "datetime", 18),
            ("size", _("Size in bytes"), "integer", 14), ("sha256", _("SHA-256"), "text", 68),
            ("added_at", _("Added"), "datetime", 18),
        )
    )  # fmt: skip

    names = _names(lines)

    def places(many: Sequence[tuple[str, str, str]]) -> str:
        told = (" · ".join(filter(None, (cited, names.get((reply, code), code)))) for reply, cited, code in many)
        return "\n".join(dict.fromkeys(told))

    # as in the workbook of a round: what is confidential is counted, and named on the page only
    rows = [
        (
            ", ".join(f"E{number}" for number in one.numbers), *_told_in_a_workbook(one), say(one.round_titles),
            places(one.attached), places(one.cited),
            _readers(one), one.scanned_at, one.size, "" if _is_secret(one) else one.sha256, one.added_at,
        )
        for one in lines
    ]  # fmt: skip
    title = str(_("Evidence"))
    book = ReportBook(language=language, languages=languages, time_zone=g.country.time_zone, title=title)
    book.sheet(Table("Evidence", {language: title}, columns, rows))
    name = f"evidence-{of}-{clock.today(g.country.time_zone).isoformat()}.xlsx"
    return send_file(BytesIO(book.content()), XLSX, as_attachment=True, download_name=name)
