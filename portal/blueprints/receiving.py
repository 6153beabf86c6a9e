"""Files as they come by HTTP: whole in a form, or in pieces; and how they are given out again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from flask import current_app, request, send_file
from flask_babel import gettext as _

from portal.blueprints.guard import who
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.models import EvidenceKind
from portal.page_views import FileView
from portal.queries.evidence import Room, used_bytes
from portal.reader import digits
from portal.services import covers, evidence, uploads
from portal.table import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from flask import Response
    from flask_wtf.file import FileField
    from werkzeug.datastructures import FileStorage

    from config import Settings
    from portal.models import Evidence
    from portal.permissions import Principal
    from portal.services.evidence import ReceivedFile


View = TypeVar("View", bound="Callable[..., Any]")


def takes_workbook(view: View) -> View:
    """Mark a view that takes one workbook: what may come at once is less there than where evidence is sent."""
    view.portal_workbooks = "one"  # type: ignore[attr-defined] # a mark on the view
    return view


def takes_workbooks(view: View) -> View:
    """Mark a view that takes several workbooks, each as large as one may be."""
    view.portal_workbooks = "several"  # type: ignore[attr-defined] # a mark on the view
    return view


def settings() -> Settings:
    """Return the settings in force."""
    found: Settings = current_app.config["SETTINGS"]
    return found


def quota() -> int:
    """Return how many bytes an institution may keep."""
    return settings().evidence_quota_bytes


def room(institution_id: int) -> Room:
    """Return how much an institution may keep and keeps."""
    return Room(used_bytes(db.session, institution_id), quota())


def room_words(of: Room, *, institution: str = "") -> str:
    """Say how much room is used, before it is reached and when it is; ``institution`` names it to the secretariat."""
    if institution:
        used, whole = megabytes(of.used), megabytes(of.quota)
        return str(_("%(institution)s: %(used)s of %(quota)s used.", institution=institution, used=used, quota=whole))
    if not of.left:
        return str(
            _(
                "All %(quota)s of your institution are used: no more files are taken. "
                "Remove what is not needed, or ask the secretariat for more room.",
                quota=megabytes(of.quota),
            )
        )
    return str(
        _("Your institution has used %(used)s of %(quota)s.", used=megabytes(of.used), quota=megabytes(of.quota))
    )


def megabytes(size: int) -> str:
    """Return a size as people read it."""
    if size < 1024**2:
        return f"{digits(f'{-(-size // 1024)}')} kB"
    if size < 1024**3:
        return f"{digits(f'{size / 1024**2:.0f}')} MB"
    return f"{digits(f'{size / 1024**3:.1f}'.removesuffix('.0'))} GB"


def file_view(one: Evidence, url: str, remove_url: str) -> FileView:
    """Return what stands beside a question: a file with its size, or a link by what it shows, with its address."""
    if one.kind is EvidenceKind.LINK:
        address = one.url or ""
        return FileView(
            one.number, one.caption or address, address, address if one.caption else "", remove_url, is_link=True
        )
    return FileView(one.number, one.filename or "", url, megabytes(one.size) if one.size else "", remove_url)


def receive(given: FileStorage, kinds: Sequence[str] = ()) -> ReceivedFile:
    """Take one file of a form into the store; its row comes afterwards."""
    of = settings()
    return evidence.receive(
        given.stream, given.filename or "",
        folder=of.evidence_dir, tmp=of.tmp_dir, limit=of.evidence_max_bytes, kinds=kinds,
    )  # fmt: skip


def posted_files(
    about: str, *, by: Principal | None = None, field: str = "", kinds: Sequence[str] = ()
) -> list[ReceivedFile]:
    """Take what a form brings: its files, or (``upload``, ``name``, ``size``) one that came in pieces for ``about``.

    ``by`` is who sends it: the signed-in person, unless somebody without an account does. ``field`` names the one that
    is meant where a form has several, ``kinds`` the endings that the question takes.

    Raises:
        Invalid: nothing was chosen, or a file is not taken. WrongOffset: pieces are missing.
    """
    if identifier := request.form.get("upload"):
        of = settings()
        path = uploads.place(of.tmp_dir, by or who(), about, identifier)
        name, size = request.form.get("name", ""), request.form.get("size", -1, type=int)
        if size == 0:
            # nothing of it ever came, so that no piece is missing
            evidence.foresee(name, size, limit=of.evidence_max_bytes)
        draft = uploads.claim(path, size)
        return [evidence.receive_pieces(draft, name, folder=of.evidence_dir, limit=of.evidence_max_bytes, kinds=kinds)]
    given = [one for name, one in request.files.items(multi=True) if one.filename and field in {"", name}]
    if not given:
        sentence = _("Choose a file first.")
        raise Invalid(sentence, problems=[Problem(sentence, field="file")])
    return [receive(one, kinds) for one in given]


def link_given() -> str | None:
    """Return the address that a form brings in place of a file, None where it brings files."""
    given = request.form.get("link")
    return given.strip() if given is not None and "upload" not in request.form else None


def typed_link(code: str) -> str:
    """Return what stands in the field for a link beside a question: an address of this request that was not taken."""
    asked = (request.view_args or {}).get("code")
    return (link_given() or "") if asked == code else ""


def take_piece(
    about: str, institution_id: int, identifier: str, *, by: Principal | None = None
) -> tuple[Mapping[str, object], int]:
    """Answer a piece (PUT, its bytes the body), or the question how much has come (GET), with {offset}.

    Who asks and says what is to come (``?name=&size=``, and in ``kinds`` what its field offers) is told before the
    first byte whether it can be taken at all; the end is judged by the question itself.

    Raises:
        Invalid: it cannot.
    """
    of = settings()
    path = uploads.place(of.tmp_dir, by or who(), about, identifier)
    if request.method == "GET":
        if (name := request.args.get("name")) is not None:
            size = request.args.get("size", -1, type=int)
            offered = [one for one in request.args.get("kinds", "").split(",") if one]
            evidence.foresee(name, size, limit=of.evidence_max_bytes, kinds=offered)
            if size > room(institution_id).left:
                raise uploads.no_room()
        return {"offset": uploads.offset(path), "piece": uploads.PIECE}, 200
    piece = request.stream.read(uploads.LARGEST_PIECE + 1)
    if len(piece) > uploads.LARGEST_PIECE:
        raise Invalid(_("This piece is too large."), code="piece_too_large")
    at = request.args.get("offset", -1, type=int)
    try:
        after = uploads.append(path, at, piece, limit=of.evidence_max_bytes, room=room(institution_id).left)
    except uploads.WrongOffset as error:
        return {"code": error.code, "title": str(error), "offset": error.offset}, 409
    return {"offset": after}, 200


def kept_file(sha256: str, number: int | None = None) -> Path:
    """Return where a kept file lies.

    Raises:
        NotFound: it is missing from the store.
    """
    path = settings().evidence_dir / sha256[:2] / sha256
    if not path.is_file():
        raise NotFound(
            _("This file is missing from the store. Tell the administrator its number: %(number)s.", number=number)
            if number
            else None
        )
    return path


def give(sha256: str, media_type: str | None, filename: str | None, number: int | None = None) -> Response:
    """Give a kept file, always as a download, never rendered (ASVS 3.2.1, 5.3.1; names by RFC 6266).

    Raises:
        NotFound: it is missing from the store.
    """
    path = kept_file(sha256, number)
    response = send_file(
        path, mimetype=media_type or "application/octet-stream", as_attachment=True, download_name=filename or "file"
    )
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def received_cover(field: FileField) -> ReceivedFile:
    """Take the photo or scan of a cover into the store.

    Raises:
        Invalid: the file is not taken (kind, content, size, virus).
    """
    of, given = settings(), field.data
    return covers.receive(
        given.stream, given.filename or "", folder=of.evidence_dir, tmp=of.tmp_dir, limit=of.evidence_max_bytes
    )
