"""Whether the database fits this code, asked without the application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal import migrations
from portal.cli.context import EXIT_SCHEMA, Refused

if TYPE_CHECKING:
    from config import Settings


def require(settings: Settings) -> None:
    """Refuse to go on with a database of another version.

    Raises:
        Refused: with exit code 4 and the command that mends it.
    """
    judge(migrations.standing(settings))


def judge(found: str | None) -> None:
    """Refuse a revision that is not this code's.

    Raises:
        Refused: with exit code 4 and the command that mends it.
    """
    needed = migrations.head()
    if found != needed:
        sentence = f"the database is at {found or 'nothing'}, this version needs {needed}: python3 -m portal db upgrade"
        raise Refused(sentence, EXIT_SCHEMA)
