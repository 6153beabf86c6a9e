"""A questionnaire file judged from its bytes: read, checked by our own rules, and by pyxform behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forms.definition.check import check
from portal.workbooks.opening import LIMIT_BYTES
from portal.workbooks.xlsform import read
from portal.workbooks.xlsform_judge import judge

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    report = check(read(source, filename=filename, limit_bytes=limit_bytes, tables=tables))
    if report.definition is None:
        return report
    return report.and_also(judge(report.definition, report.places))
