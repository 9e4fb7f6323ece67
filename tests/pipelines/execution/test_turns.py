"""Turns are fair, end with whoever leaves, and are counted."""

import threading
import time

import pytest
from sepcam.pipelines.execution.turns import Turns

PATIENCE_S = 20


def test_whoever_had_it_longest_ago_is_next():
    """One asks again at once, the others now and then: nobody waits for more than one turn of each."""
    turns, order, going = Turns(), [], [True]
    members = [turns.join() for _ in range(3)]
    first = turns.join()
    first.take()  # so that all are waiting before the order matters

    def work(number):
        while going[0]:
            members[number].take()
            order.append(number)
            going[0] = going[0] and len(order) < 60
            members[number].give()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    give_up = time.monotonic() + PATIENCE_S
    while sum(member.waiting for member in members) < 3:
        assert time.monotonic() < give_up
        time.sleep(0.001)
    first.leave()
    for thread in threads:
        thread.join(PATIENCE_S)
    counts = [order.count(number) for number in range(3)]
    assert max(counts) - min(counts) <= 2, counts
    assert len(order) >= 60


def test_who_waits_goes_when_it_leaves_and_a_turn_that_was_left_is_free():
    turns = Turns()
    one, other = turns.join(), turns.join()
    one.take()
    done = threading.Event()

    def wait():
        other.take()
        done.set()

    threading.Thread(target=wait).start()
    other.leave()
    assert done.wait(PATIENCE_S)
    third = turns.join()
    one.leave()
    third.take()
    third.take()  # it has it
    third.give()
    third.give()


def test_a_share_is_the_part_of_the_time_and_is_forgotten():
    now = [0.0]
    turns = Turns(clock=lambda: now[0])
    slow, quick = turns.join(), turns.join()
    assert slow.share() == 1.0
    for turn, seconds in ((slow, 0.3), (quick, 0.1)):
        turn.take()
        now[0] += seconds
        turn.give()
    assert slow.share() == pytest.approx(0.73, abs=0.05)
    assert slow.share() + quick.share() == pytest.approx(1)
    now[0] += 20
    quick.take()
    now[0] += 0.1
    quick.give()
    assert slow.share() < 0.01
