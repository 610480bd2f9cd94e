"""Interrupts that are kept until it does no harm to raise them."""

import signal

import pytest

from verdigris.cli import interrupts

pytestmark = pytest.mark.usefixtures("heeding_interrupts")


def test_an_interrupt_waits_until_it_is_asked_for():
    with pytest.raises(KeyboardInterrupt), interrupts.kept() as check:
        check()
        signal.raise_signal(signal.SIGINT)
        reached = True
        check()
        pytest.fail("it was not raised")
    assert reached and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_one_that_nobody_asks_for_is_raised_at_the_end():
    reached = False
    with pytest.raises(KeyboardInterrupt), interrupts.kept():
        signal.raise_signal(signal.SIGINT)
        reached = True
    assert reached


def test_a_second_one_does_not_wait():
    with pytest.raises(KeyboardInterrupt), interrupts.kept():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("it waited")


def test_what_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts.kept() as check:
            signal.raise_signal(signal.SIGINT)
            check()
    finally:
        signal.signal(signal.SIGINT, before)
