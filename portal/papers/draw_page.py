"""A script of its own process: counts the pages of a PDF, or draws one as a picture (PNG); typst's reader does both.

``draw_page.py count FILE`` writes a number, ``draw_page.py N FILE`` the picture; where there is no such page, or the
file is none that can be read, it ends with an error. The files come from anywhere: a process of its own, with a bound
to its memory and its time, keeps what goes wrong in one of them from who types beside it. It imports nothing of the
portal.
"""

from __future__ import annotations

import sys
from pathlib import Path

try:
    import resource
except ImportError:  # Windows; there the time that the caller waits is the only bound
    resource = None  # type: ignore[assignment] # a module elsewhere

# of a picture in pixels: an A4 page of 10-point text is read at that width, and wider where it is asked for
WIDTH = 1120
MOST_PAGES = 500
MEMORY, SECONDS = 2 * 1024**3, 20
# a picture of the page on paper of its own size
_MAIN = b"""
#set page(width: 840pt, height: auto, margin: 0pt)
#image(sys.inputs.file, format: "pdf", page: int(sys.inputs.page), width: 100%)
"""


def _compiled(file: Path, number: int, ppi: float) -> bytes:
    import typst

    made = typst.compile(  # type: ignore[call-overload] # its stub wants root and input of one type; bytes are no path
        _MAIN, root=str(file.parent), format="png", ppi=ppi, ignore_system_fonts=True,
        sys_inputs={"file": f"/{file.name}", "page": str(number)},
    )  # fmt: skip
    return bytes(made)


def _is_there(file: Path, number: int) -> bool:
    import typst

    try:
        # drawn as small as can be: it is asked whether the page is there
        _compiled(file, number, 1)
    except typst.TypstError as error:  # it says in words alone what it did not find
        if "does not exist" in str(error):
            return False
        raise
    return True


def count(file: Path) -> int:
    """Return how many pages a file has, up to ``MOST_PAGES``: typst says of a number alone whether it is there."""
    if not _is_there(file, 1):
        return 0
    there, away = 1, 2
    while away <= MOST_PAGES and _is_there(file, away):
        there, away = away, away * 2
    away = min(away, MOST_PAGES + 1)
    while away - there > 1:
        middle = (there + away) // 2
        there, away = (middle, away) if _is_there(file, middle) else (there, middle)
    return there


def main(what: str, path: str) -> None:
    """Write the number or the picture to the standard output."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    file = Path(path).resolve()
    made = str(count(file)).encode() if what == "count" else _compiled(file, int(what), WIDTH * 72 / 840)
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main(*sys.argv[1:])
