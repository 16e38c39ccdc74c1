"""A Ray cluster: one that runs already, by its address, or one started here."""

from __future__ import annotations

import importlib
import socket
from typing import TYPE_CHECKING, Any

from fanin.errors import ArgumentError, MissingDependencyError
from fanin.race.engines.engine import MOST_TRIES, Engine, Lost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Function = Callable[[Any], Any]

PATIENCE = 10.0  # seconds in which a cluster must answer
A_CORE = 2  # tasks that are sent out for every core: one runs, one waits


def engine(address: str | None, n_jobs: int | None) -> Engine:
    """Give the engine.

    Raises:
        MissingDependencyError: if Ray is not installed.
    """
    try:
        ray = importlib.import_module("ray")
    except ImportError as missing:
        raise MissingDependencyError.of(
            package="ray", purpose="Training on a Ray cluster", extra="ray"
        ) from missing

    def apply(function: Function, items: Sequence[Any]) -> Iterator[Any]:
        was_running = ray.is_initialized()
        if not was_running:
            _connect(ray, address)
        try:
            yield from _apply(ray, function, items, n_jobs)
        finally:
            if not was_running:
                ray.shutdown()

    return apply


def _connect(ray: Any, address: str | None) -> None:  # noqa: ANN401 (a module)
    """Join the cluster; without an address one that is found, else a new one."""
    quiet = {"log_to_driver": False, "logging_level": "error"}
    try:
        _require_answer(address)
        if address is None:
            ray.init(include_dashboard=False, **quiet)
        else:
            ray.init(address=address, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        expected = f"the address of a Ray cluster that runs ({error})"
        raise ArgumentError.of(
            argument="address", received=address, expected=expected
        ) from error


def _require_answer(address: str | None) -> None:
    """Knock at host:port first: Ray itself waits for minutes where nobody answers.

    Raises:
        OSError: if nobody does.
    """
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=PATIENCE).close()


def _apply(
    ray: Any,  # noqa: ANN401 (a module)
    function: Function,
    items: Sequence[Any],
    n_jobs: int | None,
) -> Iterator[Any]:
    """Keep the cluster fed, and give results as they come; lost work is sent again."""
    task = ray.remote(max_retries=MOST_TRIES - 1, num_cpus=1)(_call)
    shared = ray.put(function)  # once, however many tasks there are
    n_cores = int(ray.cluster_resources().get("CPU", 1))
    n_at_once = n_jobs or A_CORE * n_cores
    waiting = list(enumerate(items))[::-1]
    running: dict[Any, int] = {}
    try:
        while waiting or running:
            while waiting and len(running) < n_at_once:
                place, item = waiting.pop()
                running[task.remote(shared, item)] = place
            (done, *_), _ = ray.wait(list(running), num_returns=1)
            place = running.pop(done)
            try:
                yield ray.get(done)
            except ray.exceptions.RayError as error:
                yield Lost(place=place, reason=type(error).__name__)
    finally:
        for one in running:
            ray.cancel(one, force=True)


def _call(function: Function, item: Any) -> Any:  # noqa: ANN401 (of any kind)
    return function(item)
