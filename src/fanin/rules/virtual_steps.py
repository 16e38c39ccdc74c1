"""A few optimizer steps on a copy of the values: what stays equal, what parts.

Each tensor is stepped along its own gradient, normalized so that the step is a tenth
of the tensor's size. That treats all entries of a tensor alike, as every element-wise
optimizer does, so equal units with equal gradients stay equal, and nothing else does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.rules.sampled import root_mean_square as root_mean_square
from fanin.rules.values import Changed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.rules.awakening import Gradients, Values

STEP_SHARE = 0.1
# An all-zero tensor has no size of its own: it steps as one of this size would.
LEAST_SIZE = 0.02


def virtual_steps(
    gradients: Gradients, values: Values, trainable: Sequence[str], *, n_steps: int = 4
) -> Values:
    """Give the values after ``n_steps`` normalized gradient steps.

    Args:
        gradients: values → gradient of each parameter; None where it is not used.
        values: by path; not changed.
        trainable: the paths that are stepped.
        n_steps: count.

    >>> def bowl(values):  # loss = a²/2
    ...     return {"a": values["a"]}
    >>> virtual_steps(bowl, {"a": np.array([3.0, 4.0])}, ["a"], n_steps=1)["a"].round(
    ...     12
    ... )
    array([2.7, 3.6])
    """
    now = Changed(values, {})
    for _ in range(n_steps):
        current = gradients(now)
        for path in trainable:
            gradient = current.get(path)
            if gradient is None:
                continue
            length = root_mean_square(gradient)
            if length == 0.0 or not np.isfinite(length):
                continue
            size = STEP_SHARE * max(root_mean_square(now[path]), LEAST_SIZE)
            stepped = now[path] - gradient * (size / length)
            now.own[path] = stepped.astype(now[path].dtype)
    return now
