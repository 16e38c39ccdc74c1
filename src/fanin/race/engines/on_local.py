"""This machine: one process a core by joblib, each with one thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.errors import MissingDependencyError
from fanin.race.engines.engine import MOST_TRIES, Engine, Lost, n_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Function = Callable[[Any], Any]


def engine(address: str | None, n_jobs: int | None) -> Engine:
    """Give the engine; with one process all runs in this one."""
    del address
    n_processes = n_jobs or n_cores()

    def apply(function: Function, items: Sequence[Any]) -> Iterator[Any]:
        if n_processes == 1 or len(items) <= 1:
            yield from map(function, items)
        else:
            yield from _apply(function, items, n_processes)

    return apply


def _apply(function: Function, items: Sequence[Any], n_processes: int) -> Iterator[Any]:
    """Run in a pool; where a process dies, start another pool for what is left.

    A pool does not say which of its tasks killed it: after some attempts that brought
    nothing, the tasks get a pool each, so that only the guilty one is given up.
    """
    left = dict(enumerate(items))
    n_futile, reason = 0, ""
    while left and n_futile < MOST_TRIES:
        n_before = len(left)
        try:
            for place, result in _pooled(function, left, n_processes):
                del left[place]
                yield result
        except _broken() as error:
            reason = str(error)
            n_futile = n_futile + 1 if len(left) == n_before else 0
    for place, item in left.items():  # one by one
        try:
            for _, result in _pooled(function, {place: item}, 1):
                yield result
        except _broken():
            yield Lost(place=place, reason=reason.split("\n")[0])


def _pooled(
    function: Function, left: dict[int, Any], n_processes: int
) -> Iterator[tuple[int, Any]]:
    """Yield (place, result) as they are done.

    joblib sends out few more than run at once, so that Ctrl-C finds little to undo.
    """
    try:
        from joblib import Parallel, delayed, parallel_config
    except ImportError as missing:
        raise MissingDependencyError.of(
            package="joblib", purpose="Training on several cores", extra="data"
        ) from missing
    with parallel_config(backend="loky", inner_max_num_threads=1):
        # Two processes at least: with one, joblib would run the task in this process.
        pool = Parallel(n_jobs=max(n_processes, 2), return_as="generator_unordered")
    calls = (delayed(_at)(function, place, item) for place, item in list(left.items()))
    yield from pool(calls)


def _at(function: Function, place: int, item: Any) -> tuple[int, Any]:  # noqa: ANN401
    return place, function(item)


def _broken() -> type[BaseException]:
    """Give the error of a pool one of whose processes died."""
    from concurrent.futures.process import BrokenProcessPool

    return BrokenProcessPool
