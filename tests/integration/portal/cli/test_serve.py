"""``serve`` as a real process: it comes up, says where, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from config import ROOT
from portal.cli.supervisor import dying_with


@pytest.fixture
def environment(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    return kept | {
        "PORTAL_BOOTSTRAP": "0", "PORTAL_DATA_DIR": str(tmp_path / "data"), "PORTAL_CACHE_DIR": str(ROOT / ".cache"),
        "PYTHONUNBUFFERED": "1",
    }  # fmt: skip


def portal(environment, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "portal", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip


def running(group_of: str) -> list[str]:
    """Processes whose environment names the data folder of this test."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if group_of.encode() in file.read():
                        found.append(entry)
            except OSError:
                continue
    return found


@pytest.fixture
def served(environment):
    assert portal(environment, "init").returncode == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "portal", "serve", "--port", "0"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process, re.search(r"http://\S+", process.stdout.readline()).group(0)
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(40)
        process.stdout.close()


def test_a_database_of_another_version_is_refused(environment):
    refused = portal(environment, "serve", "--port", "0")
    assert refused.returncode == 4
    assert "python3 -m portal db upgrade" in refused.stderr


def test_settings_that_cannot_be_used_end_with_code_3(environment):
    refused = portal(environment | {"PORTAL_BASE_URL": "http://portal.example"}, "db", "check")
    assert refused.returncode == 3
    assert "in the clear" in refused.stderr


def test_a_port_in_use_is_one_sentence(environment):
    assert portal(environment, "init").returncode == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = portal(environment, "serve", "--port", str(taken.getsockname()[1]))
    assert refused.returncode == 1
    assert "Choose another with --port" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_it_answers_and_term_ends_everything(served, environment):
    process, address = served
    with urllib.request.urlopen(f"{address}/healthz", timeout=60) as response:
        assert response.status == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(40) == 0
    assert running(environment["PORTAL_DATA_DIR"]) == []


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux")
def test_a_killed_supervisor_leaves_no_process(served, environment):
    process, _ = served
    process.kill()
    process.wait(10)
    until = time.monotonic() + 60
    while running(environment["PORTAL_DATA_DIR"]) and time.monotonic() < until:
        time.sleep(0.2)
    assert running(environment["PORTAL_DATA_DIR"]) == []


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux")
def test_a_child_whose_parent_is_gone_before_it_begins_does_not_begin():
    command = [sys.executable, "-c", "raise SystemExit(7)"]
    # the parent it was to die with is not the one it has
    gone = subprocess.run(command, preexec_fn=dying_with(-1), check=False)
    assert gone.returncode == 1
    begun = subprocess.run(command, preexec_fn=dying_with(os.getpid()), check=False)
    assert begun.returncode == 7


def test_the_command_line_lists_its_commands_without_importing_them(environment):
    listed = portal(environment, "--help")
    assert listed.returncode == 0
    assert "serve" in listed.stdout
    code = "import sys, portal.cli; print('flask_sqlalchemy_lite' in sys.modules, 'openpyxl' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
