"""The first start, without a network: what it decides and what it says."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from config import ROOT
from portal import bootstrap


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A checkout of its own with a core lock of two packages, one of them for Windows only."""
    (tmp_path / "requirements").mkdir()
    for name in ("core", "test", "pdf"):
        lock = "# x\nclick==1.0 \\\n    --hash=sha256:00\ncolorama==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
        (tmp_path / "requirements" / f"{name}.lock").write_text(lock)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "LOG", tmp_path / ".cache" / "install.log")
    return tmp_path


def refusal(capsys, act) -> str:
    with pytest.raises(SystemExit) as caught:
        act()
    assert caught.value.code == 1
    return capsys.readouterr().err


def test_only_packages_of_this_platform_are_counted(place):
    assert bootstrap.wanted(place / "requirements" / "core.lock") == {"click"}


def test_an_old_python_is_told_what_it_needs(monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    assert "Python 3.11 or newer is needed, this is 3.9.2" in refusal(capsys, lambda: bootstrap.prepare([]))


def test_it_parses_on_pythons_that_are_too_old():
    import ast

    for name in ("portal/__init__.py", "portal/__main__.py", "portal/bootstrap.py"):
        ast.parse((ROOT / name).read_text(encoding="utf-8"), feature_version=(3, 7))


def test_a_full_disk_is_told_before_anything_is_fetched(place, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 20_000_000}))
    assert "450 MB of disk are needed" in refusal(capsys, lambda: bootstrap._install("core"))
    assert not bootstrap.VENV.exists()


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("NewConnectionError: Failed to establish a new connection: Temporary failure in name resolution", "network"),
        ("error: error sending request for url", "network"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "is not the one that was locked"),
        ("something else\nERROR: strange", "ERROR: strange"),
    ],
)
def test_an_installer_is_explained_in_one_sentence(log, sentence):
    assert sentence in bootstrap.explain(log)


def test_no_network_ends_with_a_sentence_and_no_stamp(place, monkeypatch, capsys):
    # The "installer" is this Python, saying what pip says without a network.
    pip = [sys.executable, "-c", "print('Max retries exceeded'); raise SystemExit(1)"]
    monkeypatch.setattr(bootstrap.shutil, "which", lambda _: None)
    monkeypatch.setattr(bootstrap, "_pip", lambda: pip)
    assert "no connection to the package index" in refusal(capsys, lambda: bootstrap._install("core"))
    assert not bootstrap.is_complete("core")


def test_a_finished_installation_is_stamped_and_a_changed_lock_is_seen(place, monkeypatch):
    monkeypatch.setattr(bootstrap.shutil, "which", lambda _: None)
    monkeypatch.setattr(bootstrap, "_pip", lambda: [sys.executable, "-c", "print('Collecting click')"])
    bootstrap._install("core")
    assert bootstrap.is_complete("core")
    assert not bootstrap.is_complete("test")
    assert (bootstrap.site_packages() / "tamdan.pth").read_text().strip() == str(place)
    assert json.loads((bootstrap.VENV / "tamdan-core.json").read_text())[2] == str(place)
    assert not bootstrap.is_complete("pdf")
    bootstrap._install("test")
    for kind in ("core", "test", "pdf"):
        assert bootstrap.is_complete(kind)
    (place / "requirements" / "core.lock").write_text("click==2.0\n")
    assert not bootstrap.is_complete("core")


def test_an_extra_comes_later_and_waits_for_nobody(place, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap.shutil, "which", lambda _: None)
    monkeypatch.setattr(bootstrap, "_pip", lambda: [sys.executable, "-c", "print('Collecting typst')"])
    assert bootstrap.main(["pdf"]) == 1  # there is no environment to add it to
    bootstrap._install("core")
    assert bootstrap.main(["pdf"]) == 0
    assert bootstrap.is_complete("pdf")
    assert "1 package, about 34 MB" in capsys.readouterr().out
    (place / "requirements" / "pdf.lock").write_text("typst==9\n")
    monkeypatch.setattr(bootstrap, "_pip", lambda: [sys.executable, "-c", "print('Max retries'); raise SystemExit(1)"])
    assert "no connection to the package index" in refusal(capsys, lambda: bootstrap.main(["pdf"]))
    assert not bootstrap.is_complete("pdf")


def test_uv_that_fails_leaves_the_work_to_pip(place, monkeypatch):
    monkeypatch.setattr(bootstrap.shutil, "which", lambda _: "/nowhere/uv")
    monkeypatch.setattr(bootstrap, "_pip", lambda: [sys.executable, "-c", "print('Collecting click')"])
    bootstrap._install("core")
    assert bootstrap.is_complete("core")
    assert "/nowhere/uv" in bootstrap.LOG.read_text()


def test_progress_counts_packages_and_megabytes(place):
    progress = bootstrap.Progress(frozenset("abcd"), 0.0)
    for line in (
        "Collecting click",
        "  Downloading click.whl (12.5 MB)",
        "Processing ./x.whl",
        "  Downloading y (500 kB)",
    ):
        progress.read(line)
    assert "fetched 2, installed 0 of 4, 13 MB fetched" in progress.line()
    (bootstrap.site_packages() / "A-1.0.dist-info").mkdir(parents=True)
    (bootstrap.site_packages() / "setuptools-66.1.1.dist-info").mkdir()
    assert "installed 1 of 4" in progress.line()


def test_two_starts_at_once_prepare_once(place):
    code = (
        "import sys, time; from pathlib import Path; from portal import bootstrap as b; root = Path(sys.argv[1])\n"
        "b.ROOT, b.VENV, b.LOG = root, root / '.venv', root / '.cache' / 'install.log'\n"
        "b.shutil.which = lambda _: None\n"
        "def install(kind):\n"
        "    (root / 'ran').open('a').write('x'); time.sleep(0.4); b.VENV.mkdir(); (b.VENV / 'bin').mkdir()\n"
        "    (b.VENV / 'bin' / 'python').touch(); (b.VENV / 'tamdan-core.json').write_text(b.stamp_text('core'))\n"
        "b._install = install; b._enter = lambda _: print('entered'); b.prepare(['demo'])\n"
    )
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, str(place)]
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=120)[0] for process in both]
    assert all("entered" in text for text in said)
    assert (place / "ran").read_text() == "x"


def test_bytecode_is_kept_in_the_cache_where_none_may_stand_beside_the_sources(place, monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    monkeypatch.setenv(bootstrap.ENTERED, "")
    entered = {}
    monkeypatch.setattr(bootstrap.os, "execv", lambda *_: entered.update(bootstrap.os.environ))
    bootstrap._enter(["demo"])
    assert "PYTHONDONTWRITEBYTECODE" not in entered
    assert entered["PYTHONPYCACHEPREFIX"] == str(bootstrap.LOG.parent / "bytecode")
