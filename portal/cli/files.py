"""What commands that take a workbook in have in common: how they say that the file itself cannot be used."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from portal.cli.context import EXIT_REFUSED

if TYPE_CHECKING:
    from portal.errors import Invalid


def refused_file(error: Invalid, *, as_json: bool) -> click.exceptions.Exit:
    """Print why a whole file is refused: as JSON, or a line a reason on standard error; return the command's end."""
    problems = [{"message": str(one.message), "mend": str(one.mend or "")} for one in error.problems]
    if as_json:
        click.echo(json.dumps({"error": error.code, "problems": problems}, ensure_ascii=False, indent=1))
    else:
        for one in problems:
            click.echo(f"portal: {one['message']} {one['mend']}".strip(), err=True)
    return click.exceptions.Exit(EXIT_REFUSED)
