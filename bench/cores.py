"""Tells whether the cores were whole while something was measured: rented ones share theirs with strangers.

A virtual core may be one of two threads of a real one; while its neighbour works, everything takes half as long
again or twice as long, for moments or minutes, and nothing within the machine says so (no stolen time is counted). So
while something is measured each core does a small fixed sum 25 times a second, which takes it one part in a hundred of
its time, and the time it was at work for that is its pace; waiting for its turn is no part of it. A run whose sums took
on average little longer than the quickest sum of all had its cores for itself. What was measured has no part in that
judgement.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import statistics
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

# some 0.4 ms, and seconds between two
NUMBERS, EVERY = 10_000, 0.04
# times the quickest sum up to which cores count as whole: what else runs here leaves a sum nothing in the nearest
# memory, which makes it 1.1; a neighbour at work all the time makes it 1.7 to 2
SHARED = 1.25


def _sums(core: int, told: Connection) -> None:
    """Stay on a core; between two words say how long its sums took in ms, on average and at least, until none comes."""
    if hasattr(os, "sched_setaffinity"):  # Linux; elsewhere the system spreads as many processes as there are cores
        os.sched_setaffinity(0, {core})
    while told.recv():
        took = []
        while not told.poll(EVERY):
            begun = time.thread_time()
            sum(number * number for number in range(NUMBERS))
            took.append(time.thread_time() - begun)
        told.recv()
        told.send((statistics.mean(took) * 1000, min(took) * 1000) if took else (math.inf, math.inf))


class Cores:
    """All cores of this machine (:func:`cores`)."""

    def __init__(self, asked: list[Connection]) -> None:
        self._asked = asked
        self.paces: list[float] = []
        self.quickest = math.inf

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Keep the pace of the slowest core while the block runs, in ms per sum, as the last of ``paces``."""
        for core in self._asked:
            core.send("begin")
        try:
            yield
        finally:
            for core in self._asked:
                core.send("say")
            said = [core.recv() for core in self._asked]
            self.paces.append(max(mean for mean, _least in said))
            self.quickest = min(self.quickest, *(least for _mean, least in said))

    def were_whole(self, pace: float) -> bool:
        """Tell whether a pace is about that of the quickest sum of all so far."""
        return pace <= self.quickest * SHARED


@contextmanager
def cores() -> Iterator[Cores]:
    """Lend the cores that this process may use, with a process on each that sleeps while nothing is watched."""
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    with ExitStack() as ends:
        asked = []
        for core in usable:
            here, there = multiprocessing.Pipe()
            process = multiprocessing.Process(target=_sums, args=(core, there), daemon=True)
            process.start()
            ends.callback(process.join, 5)
            ends.callback(here.send, "")
            asked.append(here)
        yield Cores(asked)
