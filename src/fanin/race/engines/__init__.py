"""Engines: where the trials of a race run. All give the same numbers."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import cast

from fanin.errors import ArgumentError, UnknownNameError
from fanin.race.engines.engine import Engine as Engine
from fanin.race.engines.engine import Lost as Lost

Make = Callable[[str | None, int | None], Engine]
ENGINES = ("local", "ray", "dask")
"""This machine's cores by joblib; a Ray cluster; a Dask cluster."""


def find_engine(
    name: str = "local", *, address: str | None = None, n_jobs: int | None = None
) -> Engine:
    """Give an engine.

    Args:
        name: one of ``ENGINES``.
        address: of the cluster: Ray's "host:6379" or "auto", Dask's
            "tcp://host:8786"; None: the one that is found here, else a new one.
        n_jobs: trials at once; None or -1: one a core.

    Raises:
        UnknownNameError: if there is no such engine.
        ArgumentError: if ``n_jobs`` is below 1, and not -1.
    """
    if name not in ENGINES:
        raise UnknownNameError.of(kind="engine", name=name, known=ENGINES)
    if n_jobs == -1:
        n_jobs = None
    if n_jobs is not None and n_jobs < 1:
        expected = "at least 1, or -1 for one a core"
        raise ArgumentError.of(argument="n_jobs", received=n_jobs, expected=expected)
    module = importlib.import_module(f"fanin.race.engines.on_{name}")
    return cast("Make", module.engine)(address, n_jobs)
