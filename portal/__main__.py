"""``python3 -m portal``: makes the environment when there is none, then runs the command line inside it.

Standard library only above ``main``, and no syntax newer than Python 3.7, so that an old Python is told what it needs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from portal import bootstrap

if TYPE_CHECKING:
    from flask import Flask

    from config import Settings


def _create_app(settings: Settings) -> Flask:
    # portal.app lies above portal.cli, so the command line is handed the factory instead of importing it.
    from portal.app import create_app, create_worker_app

    return create_worker_app(settings) if sys.argv[1:2] == ["worker"] else create_app(settings)


def main() -> None:
    """Prepare, re-execute inside the environment, then hand over to ``portal.cli``."""
    bootstrap.prepare(sys.argv[1:])
    from portal.cli import main as command_line

    command_line(_create_app)


if __name__ == "__main__":
    main()
