"""What was taken over from copies of an offline workbook or document, so that a copy that comes again is known."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.models.base import Base


class OfflineTaking(Base):
    """An answer or line as it was last taken from one copy: ``book`` is the download, ``copy`` the department's name.

    ``code``, ``line`` and ``lang`` name the cell as the file does; of a line that was added ``code`` is '' and ``row``
    its key. ``digest`` is that of what the cell said, ``revision`` that of the answer which it became; ``kept``: the
    cell was not taken, somebody chose to keep the answer that stood at ``revision``.
    """

    __tablename__ = "offline_taking"

    submission_id: Mapped[int] = mapped_column(ForeignKey("submission.id"), primary_key=True, autoincrement=False)
    book: Mapped[str] = mapped_column(String(64), primary_key=True)
    copy: Mapped[str] = mapped_column(String(80), primary_key=True)
    code: Mapped[str] = mapped_column(String(80), primary_key=True)
    line: Mapped[str] = mapped_column(String(64), primary_key=True)
    lang: Mapped[str] = mapped_column(String(16), primary_key=True)
    digest: Mapped[str] = mapped_column(String(8))
    revision: Mapped[int]
    row: Mapped[str] = mapped_column(String(64), default="")
    kept: Mapped[bool] = mapped_column(default=False)
    taken_at: Mapped[datetime]
