"""The line: in order, one at a time, with a place, and full when it is full."""

import threading
import time

import pytest

from nuggy_nodes.core.errors import InputError
from nuggy_nodes.service.limits import Limits
from nuggy_nodes.service.line import Busy, Line


def test_one_at_a_time_in_the_order_in_which_they_came():
    line, done, inside, most = Line(20), [], [], []
    gate = threading.Event()

    def one(i):
        with line.turn():
            inside.append(i)
            most.append(len(inside))
            gate.wait(5)
            done.append(i)
            inside.remove(i)

    threads = []
    for i in range(8):
        threads.append(threading.Thread(target=one, args=(i,)))
        threads[-1].start()
        while len(line) <= i:  # so that the order is known
            time.sleep(0.001)
    gate.set()
    for t in threads:
        t.join(10)
    assert done == list(range(8)) and max(most) == 1 and len(line) == 0


def test_places_are_told_and_who_leaves_makes_room():
    line, told = Line(20), []
    entered, leave = threading.Event(), threading.Event()

    def holder():
        with line.turn():
            entered.set()
            leave.wait(10)

    class Gone(Exception):
        pass

    def tell(place):
        told.append(place)
        raise Gone

    first = threading.Thread(target=holder)
    first.start()
    assert entered.wait(5)
    with pytest.raises(Gone), line.turn(tell):
        raise AssertionError("it was somebody else's turn")
    assert told == [1] and len(line) == 1
    leave.set()
    first.join(5)
    with line.turn(), pytest.raises(ZeroDivisionError), Line(1).turn():
        raise ZeroDivisionError
    assert len(line) == 0


def test_a_full_line_turns_away_with_seconds():
    line = Line(0)
    with line.turn():
        with pytest.raises(Busy) as e, line.turn():
            raise AssertionError
        assert e.value.seconds >= 1 and "try again" in str(e.value)
    with line.turn():
        pass


def test_limits_are_above_nothing():
    with pytest.raises(InputError, match="--megapixels must be above 0"):
        Limits(megapixels=0)
    assert Limits(waiting=0).waiting == 0
