"""Secrets of addresses, kept out of logs: ``/enter/<token>`` and ``/shared/<token>`` are half of a way in."""

from __future__ import annotations

import logging
import re

_SECRET_PATH = re.compile(r"(/enter/|/shared/(?!work/))[\w%.~-]+")


def masked(text: str) -> str:
    """Return a text with the tokens of links left out."""
    return _SECRET_PATH.sub(r"\1…", text)


class Masked(logging.Filter):
    """Masks every record that passes."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Write the record's words without tokens."""
        text = record.getMessage()
        record.msg, record.args = masked(text), None
        return True


MASK = Masked()
