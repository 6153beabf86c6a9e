"""What an offline document says of itself and of filling it in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l

from portal.workbooks.offline.words import Medium

if TYPE_CHECKING:
    from collections.abc import Sequence

    from portal.table import Speakable

WORD = Medium(
    "word",
    choose=_l("Choose from the list in the field."),
    several=_l("Tick what applies."),
    ranked=_l("Choose one for each place, the first place first."),
    confirm=_l("Tick it to confirm."),
    no_answer=_l("No answer? Choose why in the field “No answer because”."),
    files=_l("Files are attached on the page of the reply, not in this document."),
)  # fmt: skip

STEPS: Sequence[Speakable] = (
    _l("Each reply begins with a heading, each question too. Write into the grey fields below the questions; texts outside them are not answers."),  # noqa: E501 - a sentence stays in one piece
    _l("Save as a Word document (.docx). Nothing is lost if you save, close and go on another day."),
    _l("Several departments may each fill in a copy: write the name of the department above, and send all copies back together."),  # noqa: E501 - a sentence stays in one piece
    _l("A table takes one line each. If its empty lines do not suffice, send the file back and add lines on the page of the reply."),  # noqa: E501 - a sentence stays in one piece
    _l("Do not delete or copy fields, and do not paste the text into a new document: the fields say which question is answered."),  # noqa: E501 - a sentence stays in one piece
    _l("An empty field changes nothing. Where an answer stood and you empty its field, the portal asks before it takes it away."),  # noqa: E501 - a sentence stays in one piece
    _l("Tracked changes are read as if they were accepted. Comments are shown when the file is sent back, and not kept."),  # noqa: E501 - a sentence stays in one piece
    _l("Send the file back on the page “What I owe”. What is clear is taken over; what is in doubt is shown to you, and you decide."),  # noqa: E501 - a sentence stays in one piece
)  # fmt: skip
