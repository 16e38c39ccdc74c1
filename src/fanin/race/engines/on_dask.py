"""A Dask cluster: a scheduler by its address, or workers started on this machine."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from fanin.errors import ArgumentError, MissingDependencyError
from fanin.race.engines.engine import MOST_TRIES, Engine, Lost, n_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Function = Callable[[Any], Any]

PATIENCE = 20  # seconds in which a scheduler must answer
A_CORE = 2  # tasks that are sent out for every thread: one runs, one waits


def engine(address: str | None, n_jobs: int | None) -> Engine:
    """Give the engine.

    Raises:
        MissingDependencyError: if distributed is not installed.
    """
    try:
        distributed = importlib.import_module("distributed")
    except ImportError as missing:
        raise MissingDependencyError.of(
            package="distributed", purpose="Training on a Dask cluster", extra="dask"
        ) from missing

    def apply(function: Function, items: Sequence[Any]) -> Iterator[Any]:
        with _client(distributed, address, n_jobs) as client:
            yield from _apply(distributed, client, function, items, n_jobs)

    return apply


def _client(distributed: Any, address: str | None, n_jobs: int | None) -> Any:  # noqa: ANN401
    if address is None:
        return distributed.Client(
            n_workers=n_jobs or n_cores(),
            threads_per_worker=1,
            dashboard_address=None,
            set_as_default=False,
        )
    try:
        return distributed.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        expected = f"the address of a Dask scheduler that runs ({error})"
        raise ArgumentError.of(
            argument="address", received=address, expected=expected
        ) from error


def _apply(
    distributed: Any,  # noqa: ANN401 (a module)
    client: Any,  # noqa: ANN401 (a distributed.Client)
    function: Function,
    items: Sequence[Any],
    n_jobs: int | None,
) -> Iterator[Any]:
    """Keep the workers fed, and give results as they come; lost work is sent again.

    The function goes with every task: what is scattered once dies with its worker.
    """
    n_at_once = n_jobs or A_CORE * max(sum(client.nthreads().values()), 1)
    waiting = [(place, item, 1) for place, item in enumerate(items)][::-1]
    running: dict[Any, tuple[int, Any, int]] = {}
    done = distributed.as_completed(loop=client.loop)

    def feed() -> None:
        while waiting and len(running) < n_at_once:
            task = waiting.pop()
            future = client.submit(function, task[1], pure=False)
            running[future] = task
            done.add(future)

    feed()
    try:
        while running:
            future = next(done)
            place, item, n_tries = running.pop(future)
            if future.status == "finished":
                yield future.result()
            elif n_tries < MOST_TRIES:
                waiting.append((place, item, n_tries + 1))
            else:
                yield Lost(place=place, reason=_reason(future))
            feed()
    finally:
        client.cancel(list(running))


def _reason(future: Any) -> str:  # noqa: ANN401 (a distributed.Future)
    error = future.exception() if future.status == "error" else None
    return future.status if error is None else type(error).__name__
