"""Print the digest of the dependency tables of pyproject.toml, which each lock repeats in its first line."""

import hashlib
import json
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def digest() -> str:
    """Return the first 16 hex digits of the sha256 of dependencies, extras and groups, whatever their layout."""
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = tables["project"]
    chosen = [
        project["requires-python"],
        project["dependencies"],
        project["optional-dependencies"],
        tables["dependency-groups"],
    ]
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()[:16]


if __name__ == "__main__":
    print(digest())
