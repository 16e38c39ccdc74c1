"""A trace written to whatever logs a training run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.graph.trace import Trace


def log(trace: Trace, writer: Any, *, prefix: str = "fanin") -> None:  # noqa: ANN401
    """Write every step's numbers.

    Args:
        trace: of a watched loop.
        writer: with ``add_scalar(name, value, step)`` (TensorBoard), ``log(dict,
            step=…)`` (wandb) or ``log_metrics(dict, step=…)`` (MLflow, Lightning).
        prefix: of the names.

    Raises:
        ArgumentError: if it has none of the three.
    """
    send = sender(writer)
    for step in range(trace.n_steps):
        send(numbers_of(trace, step, prefix=prefix), step)


def numbers_of(trace: Trace, step: int, *, prefix: str = "fanin") -> dict[str, float]:
    """Give the finite numbers of one step, by name.

    >>> from fanin.graph.trace import Moved, StepRow, trace_of
    >>> row = StepRow(loss=0.5, moved={"w": Moved(2.0, 1.0, 0.01, 0.0)})
    >>> numbers_of(trace_of([row], paths=("w",)), 0)
    {'fanin/loss': 0.5, 'fanin/gradient/w': 2.0, 'fanin/update_ratio/w': -2.0}
    """
    named = [(f"{prefix}/loss", trace.loss[step])]
    for kind, names, table in (
        ("gradient", trace.paths, trace.gradient),
        ("update_ratio", trace.paths, trace.ratio),
        ("signal", trace.sites, trace.rms),
        ("spread", trace.sites, trace.spread),
    ):
        row = table[step]
        named += [
            (f"{prefix}/{kind}/{name}", number)
            for name, number in zip(names, row, strict=True)
        ]
    return {name: float(number) for name, number in named if np.isfinite(number)}


def sender(writer: Any) -> Callable[[dict[str, float], int], object]:  # noqa: ANN401
    """Give the function that takes a step's numbers to a logger.

    Raises:
        ArgumentError: if the logger has no method that fanin knows.
    """
    add_scalar = getattr(writer, "add_scalar", None)
    if callable(add_scalar):
        return lambda numbers, step: [
            add_scalar(name, number, step) for name, number in numbers.items()
        ]
    for name in ("log_metrics", "log"):
        method = getattr(writer, name, None)
        if callable(method):
            return _with_step(method)
    expected = "a logger with add_scalar, log_metrics or log"
    raise ArgumentError.of(argument="writer", received=writer, expected=expected)


def _with_step(method: Callable[..., object]) -> Callable[[dict[str, float], int], Any]:
    return lambda numbers, step: method(numbers, step=step)
