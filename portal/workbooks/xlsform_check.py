"""A questionnaire file judged from its bytes: read, checked by our own rules, and by pyxform behind them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from forms.definition.check import check
from portal.workbooks.opening import LIMIT_BYTES
from portal.workbooks.xlsform import read
from portal.workbooks.xlsform_judge import judge
from portal.workbooks.xlsform_out import write

if TYPE_CHECKING:
    from collections.abc import Iterable

    from forms.definition.model import Definition
    from forms.definition.report import Report
    from portal.workbooks.opening import Source


def examine(
    source: Source, *, filename: str = "", limit_bytes: int = LIMIT_BYTES, tables: Iterable[tuple[str, bytes]] = ()
) -> Report:
    """Return everything that is wrong with a file, and its questionnaire when it can be used.

    `tables` are files (name, content) that come beside it: attached tables.

    Raises:
        Invalid: it cannot be read at all.
    """
    report = check(read(source, filename=filename, limit_bytes=limit_bytes, tables=tables), filename)
    if report.definition is None:
        return report
    return report.and_also(judge(report.definition, report.places))


@dataclass(frozen=True)
class Kept:
    """The workbook that is kept as the source of a version, and its sha256: the same file makes no second version."""

    sha256: str
    content: bytes


def source_of(content: bytes, definition: Definition, *, alone: bool) -> Kept:
    """Return what to keep of an uploaded file: the file, or the questionnaire as .xlsx where that is another thing.

    A text file, an old .xls and a file with tables beside it (not `alone`) are kept as the workbook made of them.
    """
    kept = content if alone and content.startswith(b"PK") else write(definition)
    return Kept(hashlib.sha256(kept).hexdigest(), kept)
