"""pyxform, the reference reader of XLSForm, behind one door: it judges what our own reader has accepted.

It is pinned and its way to report is kept in here: one English sentence at a time, now and then an accident instead of
a sentence, sometimes with "[row : n]". What it refuses is passed on as a warning with the place in the person's file:
the questionnaire works in this portal, but other tools of the field could not open it.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from flask_babel import lazy_gettext as _l

from forms.definition.report import Mistake
from forms.definition.writing import sheets
from portal.workbooks.opening import BROKEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forms.definition.model import Definition
    from forms.definition.rows import RawRow
    from forms.definition.writing import SheetText

_ROW = re.compile(r"\[row\s*:\s*(\d+)\]\s*")
_LONGEST = 400  # letters of a foreign sentence


def judge(definition: Definition, places: Mapping[str, RawRow]) -> tuple[Mistake, ...]:
    """Convert the questionnaire, as it would be exported, and return what pyxform refuses about it.

    `places` are the rows of the person's file by item code, so that the sentence names the row that they see.
    """
    from pyxform.errors import PyXFormError
    from pyxform.xls2xform import convert

    written = sheets(definition)
    logging.getLogger("pyxform").setLevel(logging.CRITICAL)
    try:
        convert(xlsform=workbook_of(written), validate=False)
    except PyXFormError as error:
        return (_mistake(str(error), written, places),)
    except BROKEN as error:
        # an accident of the converter says nothing that a person could use, only that it gave up
        return (_mistake(type(error).__name__, written, places),)
    return ()


def workbook_of(written: tuple[SheetText, ...]) -> dict[str, Any]:
    """Return sheets in the shape in which pyxform takes a workbook that was read already."""
    book: dict[str, Any] = {"sheet_names": [sheet.name for sheet in written]}
    for sheet in written[:3]:
        book[sheet.name] = [dict(row) for row in sheet.rows]
        book[f"{sheet.name}_header"] = [dict.fromkeys(sheet.headers)]
    return book


def _mistake(sentence: str, written: tuple[SheetText, ...], places: Mapping[str, RawRow]) -> Mistake:
    found = _ROW.search(sentence)
    survey = written[0]
    at = int(found[1]) - 2 if found and "'choices' sheet" not in sentence else -1
    place = places.get(survey.codes[at]) if 0 <= at < len(survey.codes) else None
    return Mistake(
        _l("Other XLSForm tools would refuse this questionnaire: %(reason)s", reason=_ROW.sub("", sentence)[:_LONGEST]),
        sheet=place.sheet if place else None,
        row=place.row if place else None,
        severity="warning",
        mend=_l("It can be used here all the same."),
    )
