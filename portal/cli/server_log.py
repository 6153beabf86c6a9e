"""How gunicorn logs: no access log unless one is asked for, and never the token of a link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gunicorn.glogging import Logger

from portal.masking import MASK

if TYPE_CHECKING:
    from gunicorn.config import Config


class MaskedLog(Logger):
    """Gunicorn's own log with every line masked, whatever ``GUNICORN_CMD_ARGS`` switches on."""

    def setup(self, cfg: Config) -> None:
        """Set up the logs and put the mask before both."""
        super().setup(cfg)
        self.error_log.addFilter(MASK)
        self.access_log.addFilter(MASK)
