"""What the open page of Chromium receives and sends, in bytes as they come over the line, and a line as slow as wished."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Page


@dataclass(frozen=True)
class Pace:
    """A line: ``latency`` in milliseconds for each request, ``kilobits`` per second in each direction."""

    name: str
    latency: int
    kilobits: int


# the two lines that Chrome's own tools offer under these names
SLOW_3G, FAST_3G = Pace("Slow 3G", 400, 400), Pace("3G", 300, 1600)


class Wire:
    """Counts what comes for a page: bodies as they were compressed, with their heads; what the cache holds costs nothing."""

    def __init__(self, page: Page) -> None:
        self._devtools = page.context.new_cdp_session(page)
        self._paths: dict[str, str] = {}
        self.came: list[tuple[str, int]] = []  # (path, bytes)
        for event, heard in (
            ("requestWillBeSent", self._asked), ("loadingFinished", self._finished),
            ("requestServedFromCache", lambda told: self._paths.pop(told["requestId"], None)),
        ):  # fmt: skip
            self._devtools.on(f"Network.{event}", heard)
        self._devtools.send("Network.enable")

    def _asked(self, told: dict[str, Any]) -> None:
        answer = told.get("redirectResponse")
        if answer:
            self.came.append((urlsplit(answer["url"]).path, int(answer["encodedDataLength"])))
        self._paths[told["requestId"]] = urlsplit(told["request"]["url"]).path

    def _finished(self, told: dict[str, Any]) -> None:
        path = self._paths.pop(told["requestId"], None)
        if path is not None and told["encodedDataLength"] > 0:
            self.came.append((path, int(told["encodedDataLength"])))

    @property
    def bytes(self) -> int:
        """All that came since the last :meth:`forget`."""
        return sum(size for _path, size in self.came)

    def forget(self) -> None:
        """Begin to count anew."""
        self.came.clear()

    def slow_down(self, pace: Pace) -> None:
        """Make the line as slow as a pace says, from now on."""
        each = pace.kilobits * 1000 / 8
        self._devtools.send(
            "Network.emulateNetworkConditions",
            {"offline": False, "latency": pace.latency, "downloadThroughput": each, "uploadThroughput": each},
        )

    def told(self) -> str:
        """List what came, the heaviest first, for the report of a failure."""
        return "\n".join(f"{size:>8} {path}" for path, size in sorted(self.came, key=lambda one: -one[1]))
