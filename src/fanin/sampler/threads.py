"""The threads that draw: as many as the process may use, kept between calls."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future


def available_threads() -> int:
    """Count the threads to draw with.

    The cores that this process may run on, or fewer where ``OMP_NUM_THREADS`` says so,
    as it does in each of several processes on one machine.
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    said = os.environ.get("OMP_NUM_THREADS", "")
    return min(cores, int(said)) if said.isdecimal() and int(said) else cores


def run_all(work: Iterable[Callable[[], None]], n_threads: int) -> None:
    """Do all of some work, this thread and others taking the next piece in turn.

    Where no other thread can be started this one does it all. It returns, or raises the
    first error, when no thread is at work any more.
    """
    turns, lock = iter(work), threading.Lock()

    def take() -> None:
        while True:
            with lock:
                piece = next(turns, None)
            if piece is None:
                return
            piece()

    helpers: list[Future[None]] = []
    with suppress(RuntimeError):  # no thread can be started
        helpers += (_pool(os.getpid()).submit(take) for _ in range(n_threads - 1))
    try:
        take()
    finally:
        wait(helpers)
    for helper in helpers:
        helper.result()


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """Give the threads of this process: those of its parent are not in a fork."""
    del process
    most = max(1, (os.cpu_count() or 1) - 1)
    return ThreadPoolExecutor(max_workers=most, thread_name_prefix="fanin-draw")
