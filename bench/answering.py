"""Measures the answering page and the autosave against the real server: `python bench/answering.py`.

Starts `serve` on loopback with a fresh SQLite data folder (synchronous=FULL), one page of 20 questions in Khmer and
English, and drives it with `wrk` (Debian package wrk) over keep-alive connections. Prints per figure
the median of the runs, the machine, the number of runs. Each autosave is a new revision of an answer of its own
submission, as typing makes them.
"""

from __future__ import annotations

import argparse
import http.cookiejar
import os
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

PAGE = """
wrk.headers["Cookie"] = "{cookie}"
wrk.headers["Accept-Encoding"] = "gzip"
local paths = {{ {paths} }}
local mine = 0
local threads = 0
function setup(thread) thread:set("number", threads); threads = threads + 1 end
function request() return wrk.format("GET", paths[(number % #paths) + 1]) end
"""
SAVE = """
local paths = {{ {paths} }}
local threads = 0
local base = {base}
function setup(thread) thread:set("number", threads); threads = threads + 1 end
function request()
  local body = "measures%40km=%E1%9E%85%E1%9E%98%E1%9F%92%E1%9E%9B%E1%9E%BE%E1%9E%99+" .. base
    .. "&base%3Ameasures%40km=" .. base .. "&request_key=k" .. number .. "-" .. base
  local headers = {{ ["Cookie"] = "{cookie}", ["Accept"] = "application/json", ["X-CSRFToken"] = "{token}",
    ["Content-Type"] = "application/x-www-form-urlencoded" }}
  return wrk.format("POST", paths[(number % #paths) + 1], headers, body)
end
function response(status) if status == 200 then base = base + 1 end end
"""


def scene(data: Path, submissions: int) -> tuple[str, list[str]]:
    """Make a database with one person and some replies to a page of 20 questions; return log-in and page paths."""
    from sqlalchemy import select

    from config import Settings
    from portal import migrations
    from portal.app import create_app
    from portal.database import write
    from portal.extensions import db
    from portal.models import ItemKind, VersionItem
    from tests import factories

    app = create_app(Settings(data_dir=data))
    with app.app_context():
        migrations.upgrade(db.engine)
        with write() as session:
            factories.country(session)
            factories.system_actor(session)
            institution = factories.institution(session, "MOJ")
            person = factories.person(session, institution, language="km")
            version = factories.questionnaire_version(session)
            page = session.scalars(select(VersionItem).where(VersionItem.kind == ItemKind.SECTION)).one()
            kinds = ("text", "integer", "select_one", "date")
            for number in range(17):
                kind = kinds[number % 4]
                more = {}
                if kind == "select_one":
                    more["choices"] = [
                        {"key": f"c{n}", "texts": {"en": f"Choice {n}", "km": f"ជម្រើស {n}"}} for n in range(5)
                    ]
                rule = "" if number % 5 else "selected(${state}, 'done')"
                factories.question(session, version, f"x{number}", kind, parent=page, relevant=rule, **more)
            round_ = factories.reporting_round(session)
            replies = [
                factories.submission(
                    session, factories.assignment(session, to=institution, in_round=round_, version=version)
                )
                for _ in range(submissions)
            ]
            login, paths = person.login, [f"/replies/{reply.public_id}/pages/page1" for reply in replies]
        db.engine.dispose()
    return login, paths


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(data: Path, port: int, processes: int) -> subprocess.Popen[bytes]:
    """Start the server and wait until it answers."""
    environment = os.environ | {
        "PORTAL_DATA_DIR": str(data),
        "PORTAL_PORT": str(port),
        "PORTAL_PROCESSES": str(processes),
        "PORTAL_BOOTSTRAP": "0",
        "PORTAL_LOG_LEVEL": "ERROR",
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "portal", "serve"], cwd=ROOT, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2)
        except OSError:
            time.sleep(0.1)
        else:
            return server
    server.kill()
    raise SystemExit("the server did not start")


def sign_in(port: int, login: str, page: str) -> tuple[str, str]:
    """Return cookie header and CSRF token of a signed-in person."""
    from tests.factories import PASSWORD

    jar = http.cookiejar.CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    base = f"http://127.0.0.1:{port}"

    def token(path: str) -> str:
        text = browser.open(base + path).read().decode()
        return re.search(r'name="csrf_token"[^>]*value="([^"]+)"', text)[1]  # type: ignore[index] # it is there

    fields = {"email": login, "password": PASSWORD, "csrf_token": token("/login")}
    browser.open(base + "/login", urllib.parse.urlencode(fields).encode())
    fresh = token(page)
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar), fresh


def wrk(script: str, port: int, connections: int, seconds: int) -> dict[str, float]:
    """Run wrk once; return requests per second, p50, p95-ish (p90/p99) in ms and failures."""
    program = shutil.which("wrk")
    if program is None:
        raise SystemExit("wrk is not installed (Debian package wrk)")
    done = """
function done(summary, latency, requests)
  io.write(string.format("RESULT %f %f %f %d %d\\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, summary.errors.status,
    summary.errors.timeout + summary.errors.read))
end
"""
    with tempfile.NamedTemporaryFile("w", suffix=".lua", delete=False) as file:
        file.write(script + done)
    command = [program, f"-t{connections}", f"-c{connections}", f"-d{seconds}s", "-s", file.name, f"http://127.0.0.1:{port}"]
    out = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30, check=True).stdout
    Path(file.name).unlink()
    rate, p50, p95, status, other = re.search(r"RESULT (\S+) (\S+) (\S+) (\d+) (\d+)", out).groups()  # type: ignore[union-attr] # it is there
    return {"per_second": float(rate), "p50_ms": float(p50), "p95_ms": float(p95), "failures": int(status) + int(other)}


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--runs", type=int, default=3)
    asked.add_argument("--seconds", type=int, default=6)
    asked.add_argument("--processes", type=int, default=2)
    asked.add_argument("--connections", type=int, nargs="*", default=[8])
    given = asked.parse_args()
    data = Path(tempfile.mkdtemp(prefix="bench-"))
    # each run of saves takes replies of its own
    login, paths = scene(data, max(64, given.runs * sum(given.connections)))
    port = free_port()
    server = start(data, port, given.processes)
    try:
        cookie, token = sign_in(port, login, paths[0])
        listed = ", ".join(f'"{path}"' for path in paths)
        base = first = 0
        for connections in given.connections:
            pages, saves = [], []
            for _run in range(given.runs):
                pages.append(wrk(PAGE.format(cookie=cookie, paths=listed), port, connections, given.seconds))
                # each run takes other replies, so that every first base is 0
                fresh = ", ".join(f'"{path}"' for path in paths[first : first + connections])
                first += connections
                script = SAVE.format(cookie=cookie, token=token, paths=fresh, base=base)
                saves.append(wrk(script, port, connections, given.seconds))
            for name, runs in (("page of 20 questions", pages), ("autosave of one answer", saves)):
                middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
                print(
                    f"{name}, {connections} connections: {middle['per_second']:.0f}/s, p50 {middle['p50_ms']:.1f} ms, "
                    f"p95 {middle['p95_ms']:.1f} ms, failures {middle['failures']:.0f} (median of {given.runs} runs)"
                )
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)
        shutil.rmtree(data, ignore_errors=True)
    python = platform.python_version()
    print(f"machine: {os.cpu_count()} cores, {platform.machine()}, Python {python}, {given.processes} web processes")


if __name__ == "__main__":
    main()
