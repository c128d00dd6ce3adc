"""Busy calls let others go on; calls that have just begun, or have waited, do not pause."""

import pytest

from xinfer.runtime.openai import sockets
from xinfer.runtime.openai.limits import BUSY, PAUSE


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self):
        self.now = 1000.0
        self.slept = []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(sockets, "time", clock)
    return clock


@pytest.fixture
def deadline(clock):
    deadline = sockets.Deadline()
    clock.now += 3600  # an idle connection
    deadline.start(60)
    return deadline


def read(deadline, clock, seconds):
    asked = clock.now
    clock.now += seconds
    deadline.arrived(asked)


def test_the_first_bytes_of_an_answer_cause_no_pause(deadline, clock):
    read(deadline, clock, PAUSE / 2)
    assert clock.slept == []


def test_reading_without_waiting_pauses_once_it_is_busy(deadline, clock):
    for _ in range(10):
        read(deadline, clock, BUSY / 4)
    assert clock.slept == [PAUSE] * 2


def test_waiting_for_bytes_lets_others_go_on_by_itself(deadline, clock):
    for _ in range(10):
        read(deadline, clock, PAUSE * 1.5)
    assert clock.slept == []


def test_the_time_out_is_counted_from_the_last_content(deadline, clock):
    read(deadline, clock, 40)
    deadline.extend()
    assert deadline.left(clock.now) == pytest.approx(60)
    read(deadline, clock, 40)  # a comment: no content
    assert deadline.left(clock.now) == pytest.approx(20)
    with pytest.raises(TimeoutError):
        deadline.left(clock.now + 20)
