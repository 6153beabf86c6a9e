"""Counts the processor's instructions of one answer: `python -m bench.instructions`.

Seconds on a shared machine differ by half from one hour to the next; instructions differ by less than a thousandth, so
a change of two in a hundred is seen at once. Makes the ground of ``bench/answering.py`` (SQLite, or with
``--postgresql URL`` a database of its own there), and has valgrind (Debian package valgrind) count what the application
takes for a page of 20 questions, an autosave, a whole reply posted as a page and one by the API: from the WSGI call to
the last byte, the driver and SQLite included; gunicorn, the network, the kernel and PostgreSQL's own processes are not.
Prints thousands of instructions per request; takes about 2 minutes for each engine.
"""

from __future__ import annotations

import argparse
import ctypes
import io
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.answering import Scene, twenty_answers  # noqa: E402 - the path comes first
from bench.ground import options, portal  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = {
    "page": "page of 20 questions",
    "save": "autosave of one answer",
    "form": "complete reply posted as a page",
    "api": "complete reply by the API",
}
KINDS = tuple(NAMES)
COUNTED, WARM = 30, 16
# valgrind's macros that begin and end counting are C; the compiler that it needs is asked for nothing else
SWITCH = """
#include <valgrind/callgrind.h>
void begin(void) { CALLGRIND_START_INSTRUMENTATION; }
void end(void) { CALLGRIND_STOP_INSTRUMENTATION; }
"""


def switch(folder: Path) -> Path:
    """Compile what begins and ends the counting."""
    source, made = folder / "switch.c", folder / "switch.so"
    source.write_text(SWITCH)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", str(source), "-o", str(made)], check=True)
    return made


def environ(method: str, path: str, body: bytes = b"", **more: str) -> dict[str, Any]:
    """Return a request as gunicorn hands it over."""
    return {
        "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "RAW_URI": path, "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8000", "wsgi.url_scheme": "http", "wsgi.version": (1, 0), "wsgi.errors": sys.stderr,
        "wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True, "wsgi.multithread": True,
        "wsgi.multiprocess": True, "wsgi.run_once": False, "CONTENT_LENGTH": str(len(body)) if body else "", **more,
    }  # fmt: skip


def requests(kind: str, scene: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield as many requests of a kind as are made; each save is the next revision of one of eight replies' answers."""
    replies, run = scene["replies"][KINDS.index(kind) * 64 :], secrets.token_hex(4)
    typed = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}
    signed_in = {"HTTP_COOKIE": scene["cookie"], "HTTP_X_CSRFTOKEN": scene["csrf"]}
    given = twenty_answers()
    for number in range(WARM + COUNTED):
        page = f"/replies/{replies[number % 8 if kind in {'page', 'save'} else number]}/pages/page1"
        if kind == "page":
            yield environ("GET", page, HTTP_ACCEPT_ENCODING="gzip", **signed_in)
        elif kind == "save":
            base = number // 8
            fields: dict[str, Any] = {"measures@km": f"ចម្លើយ {base}", "base:measures@km": base}
            body = urlencode(fields | {"request_key": f"{run}-{number}"}).encode()
            yield environ("POST", page, body, HTTP_ACCEPT="application/json", **signed_in, **typed)
        elif kind == "form":
            fields = {**given, **{f"base:{name}": 0 for name in given}, "request_key": f"{run}-{number}"}
            yield environ("POST", page, urlencode(fields).encode(), **signed_in, **typed)
        else:
            answers = [{"name": name, "value": value, "base": 0} for name, value in given.items()]
            body = json.dumps({"answers": answers}, ensure_ascii=False).encode()
            more = {"HTTP_AUTHORIZATION": f"Bearer {scene['token']}", "HTTP_IDEMPOTENCY_KEY": f"{run}-{number}"}
            path = f"/api/v1/submissions/{replies[number]}/answers"
            yield environ("POST", path, body, CONTENT_TYPE="application/json", **more)


def answer(application: Any, asked: dict[str, Any]) -> None:
    """Let the application answer. Raises: SystemExit for anything but what was wanted."""
    told: list[str] = []
    parts = application(asked, lambda status, _headers, _error=None: told.append(status))
    body = b"".join(parts)
    if hasattr(parts, "close"):
        parts.close()
    if told[0][:3] not in {"200", "302", "303"}:
        raise SystemExit(f"{told[0]}: {body[:500]!r}")


def counted(kind: str, ground: Path) -> None:
    """Answer some requests, and then those that are counted; runs within valgrind."""
    from portal.extensions import db
    from portal.wsgi import application

    made = application()
    db.keep_sessions(made.config)  # as the web process does
    for number, asked in enumerate(list(requests(kind, json.loads((ground / "scene.json").read_text())))):
        if number == WARM:
            valgrind = ctypes.CDLL(str(ground / "switch.so"))
            valgrind.begin()
        answer(made, asked)
    valgrind.end()
    os._exit(0)  # nothing is left to do, and an orderly end takes valgrind a minute


def count(kind: str, ground: Path, environment: dict[str, str]) -> float:
    """Return thousands of instructions per request of a kind."""
    command = [
        "valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={ground / kind}.callgrind",
        sys.executable, "-m", "bench.instructions", "--within", kind, "--ground", str(ground),
    ]  # fmt: skip
    # sets and dictionaries in the same order each time
    ran = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment | {"PYTHONHASHSEED": "1"}
    )
    found = re.findall(r"Collected : (\d+)", ran.stderr)
    if ran.returncode or not found:
        raise SystemExit(ran.stderr)
    return int(found[-1]) / COUNTED / 1000


def main() -> int:
    """Count and print."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--kinds", nargs="*", choices=KINDS, default=KINDS)
    asked.add_argument("--keep", type=Path, help="folder for valgrind's files, for callgrind_annotate")
    asked.add_argument("--within", choices=KINDS, help=argparse.SUPPRESS)
    asked.add_argument("--ground", type=Path, help=argparse.SUPPRESS)
    options(asked)
    given = asked.parse_args()
    if given.within:
        counted(given.within, given.ground)
    if not (shutil.which("valgrind") and shutil.which("cc")):
        raise SystemExit("valgrind or a C compiler is not installed (Debian packages valgrind, gcc)")
    with portal(given.postgresql, PORTAL_PROCESSES="1") as server, tempfile.TemporaryDirectory() as folder:
        ground = Path(folder)
        scene = Scene(server, 64 * len(KINDS))
        server.kill()
        scene_of = {
            "replies": [public_id for _id, public_id in scene.replies], "cookie": scene.ticket.cookie,
            "csrf": scene.ticket.csrf, "token": scene.token,
        }  # fmt: skip
        (ground / "scene.json").write_text(json.dumps(scene_of))
        switch(ground)
        for kind in given.kinds:
            thousands = count(kind, ground, server.environment)
            print(f"{NAMES[kind]}: {thousands:,.0f} thousand instructions", flush=True)
            if given.keep:
                shutil.copy(ground / f"{kind}.callgrind", given.keep)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
