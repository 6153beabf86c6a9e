"""One thread leads; one that is busy too long loses the lead to the next and finds out when it is back."""

from __future__ import annotations

import threading
import time

from portal.cli.lead import Lead
from tests.doors import until


def wanting(lead, led):
    """Start a thread that wants the lead, says when it has it, and keeps it."""
    one = threading.Thread(target=lambda: (lead.take(), led.append(threading.get_ident())))
    one.start()
    return one


def test_nobody_takes_the_lead_from_one_that_is_not_busy():
    lead, led = Lead(patience=0.0), []
    lead.take()
    other = wanting(lead, led)
    until(lambda: lead._dozes)  # it has looked, and waits for the bell
    assert led == []
    assert lead.back()
    lead.leave()
    other.join(30)
    assert len(led) == 1


def test_one_that_is_busy_keeps_the_lead_for_its_patience():
    lead, led = Lead(patience=30), []
    lead.take()
    lead.busy()
    other = wanting(lead, led)
    until(lambda: lead._waits)
    assert lead.back()
    assert led == []
    lead.leave()
    other.join(30)
    assert len(led) == 1


def test_one_that_is_busy_too_long_loses_the_lead():
    lead, led = Lead(patience=0.001), []
    lead.take()
    lead.busy()
    other = wanting(lead, led)
    other.join(30)
    assert len(led) == 1
    assert not lead.back()


def test_one_that_dozes_is_woken_by_what_is_busy():
    lead, led = Lead(patience=0.001), []
    lead.take()
    other = wanting(lead, led)
    until(lambda: lead._dozes)
    lead.busy()
    other.join(30)
    assert len(led) == 1


def test_two_never_lead_at_once_however_often_the_lead_is_lost_or_left():
    lead, inside, most, turns, ended = Lead(patience=1e-5), 0, 0, iter(range(100_000)), []
    start = threading.Barrier(8)

    def work():
        nonlocal inside, most
        start.wait(30)
        for _ in range(100):
            lead.take()
            while True:
                inside += 1  # nobody else is between taking the lead, or coming back to it, and being busy
                most = max(most, inside)
                time.sleep(0)
                inside -= 1
                if next(turns) % 3 == 0:
                    lead.leave()
                    break
                lead.busy()
                time.sleep(0)
                if not lead.back():
                    break
        ended.append(True)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert len(ended) == 8
    assert most == 1


def test_a_bell_that_rang_just_too_late_harms_nobody():
    lead, led = Lead(patience=30), []
    lead.take()
    lead.busy()
    bell, looked_away, left = lead._bell, threading.Event(), threading.Event()

    class TooLate:
        """A bell that rings when its listener has just given up."""

        release = bell.release

        def acquire(self, blocking=True, timeout=-1):
            if timeout <= 0:
                return bell.acquire(blocking)
            looked_away.set()
            assert left.wait(30)
            return False

    lead._bell = TooLate()
    other = wanting(lead, led)
    assert looked_away.wait(30)
    lead.leave()
    left.set()
    other.join(30)
    assert lead._rest() == -1  # the next one is about to wait
    lead.busy()  # and the bell can ring
    assert len(led) == 1
