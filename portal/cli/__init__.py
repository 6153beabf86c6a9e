"""The project's one command line. Each family of commands is a module here, imported only when it is called.

To add a command: write ``portal/cli/<family>.py`` with a click command or group, and name it in ``COMMANDS``.
Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 settings, 4 schema, 5 a child process, 130 interrupted.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, NoReturn

import click

from config import SettingsError
from portal.cli.context import EXIT_REFUSED, EXIT_SETTINGS, Context
from portal.errors import PortalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from config import Settings

# name -> ("module:attribute", one line for --help); a module that is not there yet is not listed.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("portal.cli.demo:demo", "Prepare the demo country, print its log-ins and serve it."),
    "test": ("portal.cli.test:test", "Run the test suite; arguments go to pytest."),
    "serve": ("portal.cli.serve:serve", "Serve the portal: web processes and one worker."),
    "worker": ("portal.cli.worker:worker", "Run background jobs and send mail."),
    "init": ("portal.cli.init:init", "Make the data folder, its key and an empty database."),
    "db": ("portal.cli.db:db", "Upgrade or check the database schema."),
    "routes": ("portal.cli.routes:routes", "List every address with methods and permission."),
    "assets": ("portal.cli.assets:assets", "Build styles, scripts, fonts and catalogues."),
    "config": ("portal.cli.settings:config", "Show the settings in force, without secrets."),
    "seed": ("portal.cli.seed:seed", "Fill an empty portal with the demo country or a big one."),
    "people": ("portal.cli.people:people", "Import institutions and persons from a workbook."),
    "recommendations": ("portal.cli.recommendations:recommendations", "Import recommendations."),
    "wording": ("portal.cli.wording:wording", "Export and import the words of the interface and the mails."),
    "questionnaire": ("portal.cli.questionnaire:questionnaire", "Check, import, export or evaluate an XLSForm file."),
    "round": ("portal.cli.round:round_", "List reporting rounds and their status."),
    "workbook": ("portal.cli.workbook:workbook", "Write the consolidated workbook of a round."),
    "offline": ("portal.cli.offline:offline", "Export and import offline questionnaires."),
    "user": ("portal.cli.user:user", "Add a person and print the first entry link."),
    "token": ("portal.cli.token:token", "Add or revoke API tokens."),
    "backup": ("portal.cli.backup:backup", "Write a backup of database, evidence and key."),
    "restore": ("portal.cli.backup:restore", "Restore a backup into an empty data folder."),
    "dump": ("portal.cli.dump:dump", "Print the canonical dump of all tables."),
    "verify-audit": ("portal.cli.audit:verify_audit", "Check the audit chain and every signature."),
    "housekeep": ("portal.cli.housekeep:housekeep", "Remove expired rows and files without a row."),
    "doctor": ("portal.cli.doctor:doctor", "Check the installation and say what to mend."),
}


class Commands(click.Group):
    """A group that imports a command's module only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the commands whose module exists, in the order of the table."""
        return [name for name, (place, _) in COMMANDS.items() if find_spec(place.partition(":")[0])]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, or None for a name that is not in the table."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}.{attribute} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list from the table, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])


@click.command(cls=Commands, name="portal", context_settings={"help_option_names": ["-h", "--help"]})
def portal() -> None:
    """Tamdan: UN recommendations go out as questionnaires and come back as workbooks."""


def main(create_app: Callable[[Settings], Flask], arguments: list[str] | None = None) -> NoReturn:
    """Run one command and exit; a refusal is one sentence on standard error.

    ``create_app`` is ``portal.app.create_app``, handed in because the application lies above this room.
    """
    try:
        code = portal.main(args=arguments, prog_name="portal", obj=Context(create_app), standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_SETTINGS)
    except PortalError as error:
        click.echo(f"portal: {error}", err=True)
        sys.exit(EXIT_REFUSED)
    sys.exit(code if isinstance(code, int) else 0)
