"""A second batch: the numbers of the first, shuffled between its samples.

A unit that is off on one batch may be on for another, so that "no gradient on this
batch" is no proof. The second batch keeps what is known of the data: each entry holds
the same numbers as before, in other samples; so what must stay positive stays so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.errors import ModelError
from fanin.rules.runs import moves
from fanin.rules.slopes import where_not_zero

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.rules.inspection import Inspection


def freed_by_shuffling(inspection: Inspection, stuck: Sequence[str]) -> frozenset[str]:
    """Give the stuck parameters that have a gradient on the second batch.

    It is that of a random projection of the output, since targets are the samples'. One
    gradient is computed; none where there is nothing to ask, or no batch to shuffle.
    """
    task = inspection.task
    if not stuck or task.objective is not None:
        return frozenset()
    batch = shuffled(task.batch, inspection.measured.batch_size)
    if batch is None:
        return frozenset()
    second = replace(task, batch=batch, loss=None, target=None)
    try:
        found = inspection.framework.gradients(
            inspection.model, second, {}, where_not_zero
        )
    except ModelError:
        return frozenset()
    return frozenset(path for path in stuck if moves(found.get(path)))


def shuffled(batch: Any, n_samples: int) -> Any:  # noqa: ANN401 (a batch is anything)
    """Give a batch whose entries are moved to other samples, each its own way.

    Returns:
        None where nothing of it can be moved: one sample, a function, no arrays.

    >>> shuffled(np.array([[1, 2, 3], [4, 5, 6]]), 2).tolist()
    [[1, 5, 3], [4, 2, 6]]
    >>> shuffled(np.ones((1, 3)), 1) is None
    True
    """
    if n_samples < 2 or callable(batch):
        return None
    if isinstance(batch, Mapping):
        return _all_or_none(dict(batch), n_samples)
    if isinstance(batch, tuple | list):
        parts = _all_or_none(dict(enumerate(batch)), n_samples)
        return None if parts is None else tuple(parts.values())
    array = _array_of(batch, n_samples)
    return None if array is None else _moved(array)


def _all_or_none(parts: dict[Any, Any], n_samples: int) -> dict[Any, Any] | None:
    """Shuffle the arrays among some parts; None if there is none."""
    arrays = {name: _array_of(part, n_samples) for name, part in parts.items()}
    known = {name: _moved(array) for name, array in arrays.items() if array is not None}
    return {**parts, **known} if known else None


def _array_of(part: Any, n_samples: int) -> np.ndarray | None:  # noqa: ANN401
    """Give a part as a NumPy array, if it has a row for each sample."""
    shape = tuple(getattr(part, "shape", ()))
    if callable(part) or not shape or shape[0] != n_samples:
        return None
    try:
        array = np.asarray(part)
    except (TypeError, ValueError, RuntimeError):  # of a type that NumPy has not
        return None
    return array if array.dtype.kind in "fiub" else None


def _moved(array: np.ndarray) -> np.ndarray:
    """Move entry j of each sample on by j samples, round the batch."""
    n_samples = len(array)
    flat = array.reshape(n_samples, -1)
    entries = np.arange(flat.shape[1])
    # Neighbours go apart, and with more entries than samples each shift is met.
    samples = (np.arange(n_samples)[:, None] + entries) % n_samples
    moved: np.ndarray = flat[samples, entries].reshape(array.shape)
    return moved
