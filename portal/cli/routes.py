"""``routes``: every address of the portal with its methods and its permission."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from portal.cli.context import with_app

if TYPE_CHECKING:
    from flask import Flask


def listing(app: Flask) -> list[dict[str, Any]]:
    """Return the rules by address: rule, methods, endpoint and permission.

    The marks of ``portal.blueprints.guard`` are read: a permission's name, "public", or None for a view that the guard
    refuses because it carries neither.
    """
    rows = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        mark = "public" if getattr(view, "portal_public", False) else getattr(view, "portal_permission", None)
        rows.append(
            {
                "rule": rule.rule,
                "methods": sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}),
                "endpoint": rule.endpoint,
                "permission": None if mark is None else str(getattr(mark, "value", mark)),
            }
        )
    return sorted(rows, key=lambda row: (row["rule"], row["methods"]))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
@with_app
def routes(app: Flask, as_json: bool) -> None:
    """List every address with methods and permission."""
    rows = listing(app)
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        click.echo(f"{'|'.join(row['methods']):12} {row['rule']:60} {row['permission'] or '-'}")
