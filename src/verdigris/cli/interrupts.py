"""Ctrl-C taken where it does no harm: raised in a callback of a library it may be swallowed, or come out as another
error."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def kept() -> Iterator[Callable[[], None]]:
    """Keeps an interrupt until the function that is given is called, or the end, and raises KeyboardInterrupt there; a
    second one is raised at once. Interrupts that are ignored or handled otherwise stay so."""
    asked = False

    def keep(number: int, frame: Any) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    def check() -> None:
        if asked:
            raise KeyboardInterrupt

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield check
        return
    signal.signal(signal.SIGINT, keep)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    check()
