"""What may stand in the tree, and how large a file may be."""

from __future__ import annotations

import re
import subprocess

import pytest

from config import ROOT

# Rooms where a file may be longer than a room should be: lists and tables, not code.
LONGEST = 600
WORDS_NOT_USED = {"utils", "helpers", "common", "manager"}


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def texts(names: list[str]):
    for name in names:
        try:
            yield name, (ROOT / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a workbook or a picture


def test_no_package_registry_and_no_path_of_a_machine(tracked):
    # Written in pieces, so that this file does not find itself.
    hosts = [
        "pypi" + r"\.org",
        "python" + "hosted",
        "npm" + r"js\.(?:org|com)",
        "files\\.python",
        "proxy" + r"\.golang",
    ]
    # instance(..)/root/item is how XLSForm names the rows of a table.
    paths = ["/" + "root/(?!item)", "/" + "home/[a-z]"]
    unwanted = re.compile("|".join(hosts + paths))
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts(tracked)
        for number, line in enumerate(text.splitlines(), 1)
        if unwanted.search(line)
    ]
    assert found == []


def test_locks_hold_no_address(tracked):
    locks = [name for name in tracked if name.endswith(".lock")]
    assert {"requirements/core.lock", "requirements/test.lock"} <= set(locks)
    for name, text in texts(locks):
        assert "://" not in text, name
        assert not re.search(r"^\s*--(?!hash=)", text, re.MULTILINE), f"{name} holds an option"


def test_no_file_holds_two_rooms(tracked):
    code = [name for name in tracked if name.endswith(".py") and name.startswith(("portal/", "forms/", "config"))]
    long = {name: text.count("\n") for name, text in texts(code) if text.count("\n") > LONGEST}
    assert long == {}


def test_no_module_is_named_by_a_word_that_says_nothing(tracked):
    named = {name for name in tracked if name.endswith(".py") and WORDS_NOT_USED & set(re.split(r"[/._]", name))}
    assert named == set()


def test_no_built_or_private_file_is_committed(tracked):
    endings = (".mo", ".pyc", ".sqlite3", ".woff2", ".ttf", ".min.js", ".min.css")
    assert [name for name in tracked if name.endswith(endings)] == []


def test_no_inline_style_or_script(tracked):
    inline = re.compile(r"<style|\sstyle=|\son[a-z]+=\"|<script(?![^>]*\ssrc=)|javascript:", re.IGNORECASE)
    # A mail has no style sheet to link to; a script element that only holds data runs nothing.
    data = re.compile(r'<script[^>]*type="application/json"')
    found = [
        f"{name}:{number}"
        for name, text in texts([n for n in tracked if n.startswith("templates/") and n.endswith(".html")])
        if not name.startswith("templates/mail/")
        for number, line in enumerate(text.splitlines(), 1)
        if inline.search(line) and not data.search(line)
    ]
    assert found == []
