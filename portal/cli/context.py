"""What every command may ask for: the settings, the application, and the exit codes."""

from __future__ import annotations

from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from config import Settings, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

EXIT_REFUSED = 1
EXIT_SETTINGS = 3
EXIT_SCHEMA = 4
EXIT_CHILD = 5

P = ParamSpec("P")
R = TypeVar("R")


class Context:
    """Handed to each command as click's ``obj``; settings and application are made when first asked for."""

    def __init__(self, create_app: Callable[[Settings], Flask]) -> None:
        """Keep the factory; nothing is read yet."""
        self.create_app = create_app
        self._overrides: dict[str, Any] = {}
        self._settings: Settings | None = None
        self._app: Flask | None = None

    def override(self, **values: Any) -> None:
        """Let options of the command line win over the environment; None means not given."""
        self._overrides |= {name: value for name, value in values.items() if value is not None}
        self._settings = self._app = None

    @property
    def settings(self) -> Settings:
        """The settings of this run."""
        if self._settings is None:
            self._settings = load(**self._overrides)
        return self._settings

    @property
    def app(self) -> Flask:
        """The application of this run."""
        if self._app is None:
            self._app = self.create_app(self.settings)
        return self._app

    def children_environment(self) -> dict[str, str]:
        """Return the ``PORTAL_*`` variables that give a child process the same settings."""
        names = {*self._overrides, "data_dir", "cache_dir"}
        values = {name: getattr(self.settings, name) for name in names}
        return {f"PORTAL_{name.upper()}": str(value) for name, value in values.items()}


pass_context = click.make_pass_decorator(Context)


def with_app(command: Callable[Concatenate[Flask, P], R]) -> Callable[P, R]:
    """Give a command the application as its first argument, inside an application context."""

    @click.pass_obj
    def run(context: Context, /, *args: P.args, **kwargs: P.kwargs) -> R:
        from portal import wording  # not before a command runs: listing them imports nothing

        with context.app.app_context():
            wording.refresh()
            return command(context.app, *args, **kwargs)

    return update_wrapper(run, command)


class Refused(click.ClickException):
    """End a command with one sentence and a documented exit code."""

    def __init__(self, sentence: str, code: int = EXIT_REFUSED) -> None:
        """Say the sentence on standard error and leave with ``code``."""
        super().__init__(sentence)
        self.exit_code = code  # type: ignore[misc]  # click reads it here

    def show(self, file: Any = None) -> None:
        """Write the sentence without click's "Error:"."""
        click.echo(f"portal: {self.message}", err=file is None, file=file)
