"""The locks belong to pyproject.toml."""

from __future__ import annotations

import re
import runpy
import tomllib
from importlib.metadata import distributions

from packaging.requirements import Requirement

from config import ROOT


def lock(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==([^ ;\\]+)", lock(name), re.MULTILINE))


def test_locks_were_written_from_the_present_dependency_tables():
    digest = runpy.run_path(str(ROOT / ".ci" / "lock_digest.py"))["digest"]()
    for name in ("core", "server", "test", "dev", "pdf"):
        assert digest in lock(name).splitlines()[0], f"requirements/{name}.lock is out of date: run .ci/lock"


def test_every_dependency_is_pinned_with_hashes():
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    names = {re.split(r"[\[<>=!~; ]", entry)[0] for entry in wanted}
    assert names - set(pins("core")) == set()
    blocks = re.split(r"^(?=[a-z0-9])", lock("core"), flags=re.MULTILINE)[1:]
    assert [block.split("==")[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_all_locks_agree():
    everything = pins("dev")
    for name in ("core", "server", "test", "pdf"):
        assert {key: value for key, value in pins(name).items() if everything.get(key) != value} == {}


def test_pdf_tools_come_after_the_first_start():
    assert set(pins("pdf")) == {"typst"}
    assert "typst" not in pins("core")
    assert "typst" in pins("test")
    assert "--hash=sha256:" in lock("pdf")


def test_every_extra_that_a_package_asks_for_is_pinned_by_name():
    """pip before 23.3 takes `name[extra]` for another package than `name`, and then wants a hash for its newest release."""
    named = {
        found[1].lower(): set(found[2].split(","))
        for found in re.finditer(r"^([A-Za-z0-9._-]+)\[([a-z,]+)\]==", lock("test"), re.MULTILINE)
    }
    locked = {name.lower() for name in pins("test")}
    asked = [
        (package.name, wanted)
        for package in distributions()
        if package.name.lower() in locked
        for wanted in map(Requirement, package.requires or [])
        if wanted.extras and (wanted.marker is None or wanted.marker.evaluate({"extra": ""}))
    ]
    assert asked, "some package asks for an extra of another"
    missing = {
        f"{name} asks for {wanted}" for name, wanted in asked if not wanted.extras <= named.get(wanted.name.lower(), set())
    }
    assert missing == set()
