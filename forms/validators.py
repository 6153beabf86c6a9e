"""Rules for fields of ordinary forms."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _l
from wtforms.validators import ValidationError

from forms.reading import Unreadable, read_text

if TYPE_CHECKING:
    from wtforms import Field, Form

_CODE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


class Readable:
    """The text holds no characters that are not text and is not too long (characters, not bytes)."""

    def __init__(self, limit: int = 2_000, lang: str = "") -> None:
        self.limit = limit
        self.lang = lang

    def __call__(self, form: Form, field: Field) -> None:
        """Raises: ValidationError."""
        del form
        try:
            read_text(str(field.data or ""), lang=self.lang, limit=self.limit)
        except Unreadable as trouble:
            raise ValidationError(trouble.sentence) from None


class ShortCode:
    """A code that stands in addresses and file names: Latin letters, digits, point, hyphen, underscore."""

    def __init__(self, limit: int = 40) -> None:
        self.limit = limit

    def __call__(self, form: Form, field: Field) -> None:
        """Raises: ValidationError."""
        del form
        code = str(field.data or "")
        if code and (len(code) > self.limit or not _CODE.fullmatch(code)):
            sentence = _l(
                "A code has at most %(limit)s Latin letters, digits, points and hyphens, for example MOJ-2.",
                limit=self.limit,
            )
            raise ValidationError(sentence)
