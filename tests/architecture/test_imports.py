"""The rooms: what may import what."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from config import ROOT


def test_import_contracts_hold():
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([str(linter), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-1000:]


def test_what_runs_before_the_environment_is_standard_library_only():
    for name in ("portal/__init__.py", "portal/bootstrap.py"):
        tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for module in modules:
                assert module.partition(".")[0] in sys.stdlib_module_names, f"{name} imports {module}"


def test_the_package_imports_nothing():
    tree = ast.parse((ROOT / "portal" / "__init__.py").read_text(encoding="utf-8"))
    assert [node for node in tree.body if not isinstance(node, ast.Expr)] == []
