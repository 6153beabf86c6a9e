"""Reading a document that was sent in, within the portal: beside the questions, or in a tab of its own.

The file itself is only ever a download (ASVS 5.3.1). What is read here is made of it: pictures of the pages of a PDF,
the words and tables of a Word document, the photo as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, make_response, render_template
from flask_babel import gettext as _

from portal.blueprints import receiving
from portal.blueprints.documents.door import DocumentOf, PageOf, blueprint, document_on, page_on
from portal.blueprints.documents.inbox import document_row
from portal.blueprints.guard import requires
from portal.errors import Invalid, NotFound
from portal.extensions import db
from portal.papers.pages_of_pdf import NotDrawn, pages, picture
from portal.papers.typesetting import NotInstalled
from portal.permissions import Permission
from portal.workbooks.word.reading import read_document

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

# the portal's own pages may show this one within them (a browser without frame-ancestors reads the second)
_WITHIN = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "X-Frame-Options": "SAMEORIGIN",
}


@blueprint.get("/documents/<public_id>/read")
@requires(Permission.VIEW_SUBMISSION, on=document_on)
def read(on: DocumentOf) -> ResponseReturnValue:
    """Show a document to be read, with a way to download it where it cannot be shown."""
    row, sha256, number = document_row(on.document), on.document.sha256, on.document.id
    # files are read without a transaction: nobody waits for a database meanwhile
    db.session.rollback()
    total, words, why = 0, None, ""
    try:
        path = receiving.kept_file(sha256, number)
        if row["reading"] == "pages":
            total = pages(path)
        elif row["reading"] == "words":
            words = read_document(path, filename=row["title"], limit_bytes=receiving.settings().evidence_max_bytes)
    except (NotInstalled, NotDrawn) as error:
        why = _why(error)
    except (Invalid, NotFound) as error:
        why = str(error)
    response = make_response(render_template("documents/read.html", row=row, total=total, words=words, why=why))
    response.headers.update(_WITHIN)
    return response


def _why(error: NotInstalled | NotDrawn) -> str:
    sentence = _("This file cannot be shown: it is damaged or locked by a password. Download it.")
    if isinstance(error, NotInstalled):
        sentence = _(
            "PDFs cannot be shown yet: this server is still being prepared. Come back in some minutes, or download it."
        )
    return str(sentence)


@blueprint.get("/documents/<public_id>/pages/<int:number>")
@requires(Permission.VIEW_SUBMISSION, on=page_on)
def page(on: PageOf) -> ResponseReturnValue:
    """Give a page of a PDF as a picture that was drawn here; a page that it has not, or that is broken, is refused."""
    path = receiving.kept_file(on.document.sha256, on.document.id)
    db.session.rollback()
    try:
        drawn = picture(path, on.number)
    except (NotInstalled, NotDrawn) as error:
        raise Invalid(_why(error), code="not_drawn") from error
    response = Response(drawn, mimetype="image/png")
    response.headers["Cache-Control"] = "private, no-store"
    return response
