"""LibreOffice in tests: where it is, when a test without it is passed over, and how it converts."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

OFFICE = shutil.which("soffice")
or_passed_over = pytest.mark.skipif(
    OFFICE is None and not os.environ.get("CI"), reason="LibreOffice (soffice) is not installed"
)
needs_office = [pytest.mark.soffice, or_passed_over]


def convert(files: Iterable[Path], to: str, folder: Path) -> None:
    """Convert files, under a profile of their own."""
    profile = f"-env:UserInstallation=file://{folder}/profile"
    subprocess.run(
        [OFFICE, "--headless", profile, "--convert-to", to, "--outdir", folder, *files],
        check=True, capture_output=True, timeout=200,
    )  # fmt: skip
