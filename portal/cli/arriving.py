"""How much of a request is still on its way: what comes in pieces over a slow line is waited for without a thread."""

from __future__ import annotations

import re

# bytes of a request that is gathered in memory before a thread answers it: a page of answers, a piece of an upload.
# Larger ones (a whole file sent without script) are gathered in a file (:mod:`portal.cli.spooling`)
LARGEST = 1024 * 1024 + 64 * 1024
_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,12})[ \t]*\r\n", re.IGNORECASE)
# bodies that end where they say so themselves, and clients that wait for a word before they send one
_OTHERWISE = re.compile(rb"\r\n(?:transfer-encoding|expect)[ \t]*:", re.IGNORECASE)


def still_to_come(arrived: bytes | bytearray, longest: int) -> int:
    """Return how many bytes a request lacks, at least; 0 when it is whole, or is better read while it comes.

    A body that announces more than ``longest`` bytes is such a one, where it does not fit into LARGEST: it is refused
    before it came. Nothing is decided here but when a thread begins to read: where a request ends, gunicorn's parser
    says.
    """
    end = arrived.find(_END)
    if end < 0:
        return 1
    head = bytes(arrived[: end + 2])
    length = _LENGTH.search(head)
    if length is None or _OTHERWISE.search(head):
        return 0
    body = int(length[1])
    whole = end + len(_END) + body
    return max(0, whole - len(arrived)) if whole <= LARGEST or body <= longest else 0


def has_head(arrived: bytes | bytearray) -> bool:
    """Tell whether all is here that says how long a request is."""
    return arrived.find(_END) >= 0


def without_end(arrived: bytes | bytearray) -> bool:
    """Tell whether a head is longer than any request may be and has not ended."""
    return len(arrived) >= LARGEST and not has_head(arrived)
