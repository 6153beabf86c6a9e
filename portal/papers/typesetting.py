"""Data in, PDF out: typst sets the templates of ``templates/papers``; what people wrote goes in as data, never markup.

typst is installed after the first start (``portal.bootstrap``), so it may come while the portal runs; until then
:func:`available` says no, and pages offer their printable form alone.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import threading
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "papers"
# one at a time in a process: a pack of a hundred pages takes 100 MB for a second
_ONE = threading.Lock()
KEPT = frozenset({"receipt", "certificate"})
_found = threading.Event()


class NotInstalled(RuntimeError):
    """typst is not there (yet)."""


def available() -> bool:
    """Tell whether PDFs can be made; once they can, always."""
    if not _found.is_set():
        importlib.invalidate_caches()
        if importlib.util.find_spec("typst") is not None:
            _found.set()
    return _found.is_set()


@cache
def _fonts() -> Path:
    """Return the folder of the Khmer font: it holds Latin letters too, so nothing else is needed."""
    return Path(str(resources.files("fontpkg_noto_sans_khmer").joinpath("files")))


def typeset(data: Mapping[str, Any]) -> bytes:
    """Return the PDF of a paper; ``data["kind"]`` names it.

    Receipts and certificates are kept and read on screen: PDF/UA-1. Packs and whole replies are printed, and stand as
    an accessible page beside; without tags they are a fifth of the size (2.4 instead of 11.5 MB for 40 replies).

    Raises:
        NotInstalled: see :func:`available`.
    """
    if not available():
        raise NotInstalled
    import typst

    kept = data["kind"] in KEPT
    with _ONE:
        return bytes(
            typst.compile(
                str(TEMPLATES / "paper.typ"),
                root=str(TEMPLATES),
                font_paths=[str(_fonts())],
                ignore_system_fonts=True,
                sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
                pdf_standards=["ua-1"] if kept else [],
                pdf_tags=kept,
                format="pdf",
            )
        )
