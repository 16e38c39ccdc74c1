"""One step from two sets of numbers, for loops that have no hooks (JAX, Keras)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.trace import Moved, StepRow, Trace, trace_of

if TYPE_CHECKING:
    from collections.abc import Mapping


def probe(
    before: object, after: object, gradients: object = None, *, loss: float = np.nan
) -> Trace:
    """Say what one step did to each parameter. It is pure: nothing is changed or kept.

    Args:
        before: a model, as `fanin.check` takes it, or arrays: a mapping or a nest of
            mappings, lists and tuples, as JAX keeps parameters in.
        after: the same, after the step.
        gradients: the same, of the gradients that the step was made of; None if not
            at hand.
        loss: of that step.

    Returns:
        A trace of one step; ``.ratio`` holds log₁₀(update ÷ weight).

    >>> before = {"w": np.array([3.0, 4.0])}
    >>> after = {"w": np.array([3.003, 4.004])}
    >>> probe(before, after).ratio.round(6).tolist()
    [[-3.0]]
    """
    old, new = arrays_of(before), arrays_of(after)
    slopes = {} if gradients is None else arrays_of(gradients)
    row = StepRow(loss=float(loss), moved=moved_between(old, new, slopes))
    return trace_of([row], paths=tuple(old))


def moved_between(
    before: Mapping[str, np.ndarray],
    after: Mapping[str, np.ndarray],
    gradients: Mapping[str, np.ndarray],
) -> dict[str, Moved]:
    """Compare two sets of numbers, path by path; a path of one alone is left out."""
    return {
        path: _moved(before[path], after[path], gradients.get(path))
        for path in before
        if path in after and after[path].shape == before[path].shape
    }


def _moved(before: np.ndarray, after: np.ndarray, gradient: np.ndarray | None) -> Moved:
    lost = np.nan
    if gradient is not None and gradient.shape == before.shape:
        has_gradient = gradient != 0
        n_left = int((has_gradient & (before == after)).sum())
        lost = n_left / max(int(has_gradient.sum()), 1)
    return Moved(
        gradient=np.nan if gradient is None else size_of(gradient),
        weight=size_of(before),
        update=size_of(after.astype(np.float64) - before.astype(np.float64)),
        lost=lost,
    )


def size_of(array: np.ndarray) -> float:
    """Give the root mean square; infinity where a number is not finite.

    >>> size_of(np.array([3.0, 4.0, 0.0, 0.0])), size_of(np.array([np.nan]))
    (2.5, inf)
    """
    wide = array.astype(np.float64)
    if not wide.size:
        return np.nan
    return float(np.sqrt(np.mean(wide**2))) if np.isfinite(wide).all() else np.inf


def arrays_of(given: object) -> dict[str, np.ndarray]:
    """Give numbers by path: of a model, or of nested mappings and sequences.

    >>> sorted(arrays_of({"dense": {"kernel": np.zeros(2), "bias": np.zeros(1)}}))
    ['dense.bias', 'dense.kernel']
    """
    from fanin.frameworks.find import owner

    framework = owner(given)
    if framework is not None:
        return framework.read(given)
    return dict(_leaves("", given))


def _leaves(path: str, given: object) -> list[tuple[str, np.ndarray]]:
    if isinstance(given, dict):
        pairs = [(str(key), value) for key, value in given.items()]
    elif isinstance(given, (list, tuple)):
        pairs = [(str(place), value) for place, value in enumerate(given)]
    else:
        return [] if given is None else [(path, np.asarray(given))]
    return [
        leaf
        for name, value in pairs
        for leaf in _leaves(f"{path}.{name}" if path else name, value)
    ]
