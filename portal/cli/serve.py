"""``serve``: the web processes and one worker, under one supervisor."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from portal import bootstrap
from portal.cli.context import EXIT_CHILD, Context, pass_context
from portal.cli.schema import require
from portal.cli.supervisor import Child, Supervisor, listen, web_command

if TYPE_CHECKING:
    from collections.abc import Callable

RUNNER = "portal.jobs.worker"


@click.command()
@click.option("--host", help="Address to listen on (PORTAL_HOST).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (PORTAL_PORT); 0 takes a free one.")
@click.option("--data", "data_dir", type=click.Path(path_type=Path, file_okay=False), help="Data folder.")
@pass_context
def serve(context: Context, host: str | None, port: int | None, data_dir: Path | None) -> int:
    """Serve until TERM or INT; exit code 0 after those, 4 for another schema, 5 when the web server ends by itself."""
    context.override(host=host, port=port, data_dir=data_dir)
    # this process makes no application: it would be a second and a half before the web server's own begins
    settings = context.settings
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    require(settings)
    return run(context, lambda address: click.echo(f"The portal is at {address}  (stop with Ctrl-C)"))


def run(context: Context, announce: Callable[[str], None]) -> int:
    """Listen, start the children, call ``announce`` with the address once pages are answered, and supervise.

    The settings' schema must be in place. The worker begins once pages are answered: while a portal comes up again
    after a crash, its people wait for the web server alone.
    """
    settings = context.settings
    if sys.platform == "win32":
        return _serve_on_windows(context, announce)
    opened = listen(settings.host, settings.port)
    port = int(opened.getsockname()[1])
    if port != settings.port:
        context.override(port=port)
    settings = context.settings
    descriptor = opened.fileno()
    children = [Child("web server", web_command(settings, descriptor), essential=True, descriptors=(descriptor,))]
    supervisor = Supervisor(children, context.children_environment())
    supervisor.start()
    reach = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host.strip("[]")  # noqa: S104 - compared, not bound
    if supervisor.wait_ready((reach, port)):
        announce(settings.base_url)
        sys.stdout.flush()
        for child in (*_worker(), *_later()):
            supervisor.add(child)
    elif not supervisor.stopping:
        click.echo("portal: the web server did not come up; its own lines above say why.", err=True)
        supervisor.shut_down()
        return EXIT_CHILD
    opened.close()
    return supervisor.run()


def _worker() -> list[Child]:
    if not (find_spec(RUNNER.rpartition(".")[0]) and find_spec(RUNNER)):
        return []
    return [Child("worker", [sys.executable, "-m", "portal", "worker"], essential=False)]


def _later() -> list[Child]:
    """Return what is fetched once pages are answered: typst, for PDFs. Never into an environment that is not ours."""
    ours = Path(sys.prefix).resolve() == bootstrap.VENV.resolve()
    if os.environ.get("PORTAL_BOOTSTRAP") == "0" or not ours or bootstrap.is_complete("pdf"):
        return []
    command = [sys.executable, "-m", "portal.bootstrap", "pdf"]
    return [Child("fetching of PDF tools", command, essential=False, once=True)]


def _serve_on_windows(context: Context, announce: Callable[[str], None]) -> int:
    """Serve by waitress in this process; the worker is started by hand (``python -m portal worker``)."""
    import waitress

    settings = context.settings
    announce(settings.base_url)
    waitress.serve(context.app, host=settings.host, port=settings.port, threads=settings.threads)
    return 0
