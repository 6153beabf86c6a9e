"""Replies through Excel and Word for machines: what an institution owes as one file, out and back."""

from __future__ import annotations

import hashlib
import re
from io import BytesIO
from typing import TYPE_CHECKING

from flask import current_app, g, request, send_file
from flask_babel import lazy_gettext as _l
from spectree import Response

from portal.api.door import answer, blueprint, once, operation, take_query
from portal.api.offline_shapes import OfflineIn, OfflineQuery, OfflineResult
from portal.api.replies import REFUSALS
from portal.blueprints.guard import requires, who
from portal.database import write
from portal.errors import IllegalTransition, Invalid, NotFound
from portal.extensions import db
from portal.permissions import Permission
from portal.queries import owed as queries
from portal.services.offline import gathering, judging, taking, telling
from portal.services.offline.kinds import KINDS
from portal.table import Problem
from portal.workbooks.offline.files import read_file
from portal.workbooks.offline.marks import Seal

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from sqlalchemy.orm import Session

MOST_COPIES = 60
_SLUG = re.compile(r"[A-Za-z0-9_.-]{1,80}")


@blueprint.post("/rounds/<slug>/offline")
@requires(Permission.ANSWER_SUBMISSION)
@operation("exportOffline", query=OfflineQuery, resp=Response("HTTP_200", **REFUSALS))
def export_offline(slug: str) -> ResponseReturnValue:
    """Give everything that the caller's institution may still change in a round as one workbook or document."""
    institution_id = who().institution_id
    rounds = queries.rounds_of(db.session, institution_id) if institution_id and _SLUG.fullmatch(slug) else []
    of = next((one for one in rounds if one.slug == slug), None)
    if of is None or institution_id is None:
        raise NotFound
    heads = gathering.still_owed(db.session, institution_id, of.id, g.country)
    if not heads:
        raise IllegalTransition
    kind = KINDS[take_query(OfflineQuery).format]
    content = kind.write(
        db.session, heads, g.country, secret=str(current_app.secret_key), by=who(), language=g.view.language
    )
    with write() as session:
        gathering.note_download(session, heads, by=who())
    return send_file(BytesIO(content), kind.media_type, as_attachment=True, download_name=f"{slug}.{kind.suffix}")


@blueprint.post("/offline")
@requires(Permission.ANSWER_SUBMISSION)
@operation("importOffline", form=OfflineIn, resp=Response(HTTP_200=OfflineResult, **REFUSALS))
def import_offline() -> ResponseReturnValue:
    """Judge returned files, several copies together; ``confirm=true`` takes over what is new or changed.

    Conflicts, emptied cells, answers on which copies differ or that break a rule where a good one stands are told and
    never taken here.
    """
    sent = [one for one in request.files.getlist("file") if one.filename]
    if not sent or len(sent) > MOST_COPIES:
        sentence = (
            _l("Choose a file first.") if not sent else _l("At most %(count)s files can be sent at once.", count=60)
        )
        raise Invalid(sentence, problems=[Problem(sentence, field="file")])
    settings = current_app.config["SETTINGS"]
    contents = [(one.filename or "", one.stream.read(settings.max_upload_bytes + 1)) for one in sent]
    seal = Seal(str(current_app.secret_key))
    books = [
        read_file(content, seal, filename=name, limit_bytes=settings.max_upload_bytes) for name, content in contents
    ]
    plan = judging.plan_offline(db.session, books, g.country, by=who(), language=g.view.language)
    chosen = taking.choices(plan)
    if request.form.get("confirm") != "true":
        return answer(OfflineResult.model_validate(telling.told(plan, chosen)))
    source = hashlib.sha256(b"".join(content for _name, content in contents)).hexdigest()

    def act(session: Session) -> tuple[OfflineResult, int]:
        taken = taking.take_offline(
            session, plan, chosen, by=who(), request_key=f"offline-{source[:40]}", source=source
        )
        return OfflineResult.model_validate(telling.told(plan, chosen, taken)), 200

    return once(act, body={"files": [name for name, _content in contents], "sha256": source})
