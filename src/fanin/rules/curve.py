"""The shape of an activation, read off its values: where is it flat, where zero?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fanin.activations import Activation

# Far enough that tanh, sigmoid, erf and their kin have no slope left, near enough
# that their values still tell it.
FAR = 15.0
# Of the steepest slope: as `Activation.flat_share` counts.
FLAT_SHARE = 0.05


def saturates(activation: Activation) -> bool:
    """Say whether it is flat far out on both sides and steep between: tanh, sigmoid.

    ReLU6 is flat on both sides too, but half of it by design: it is no saturating
    function in this sense, it is a rectifier.

    >>> from fanin.activations import find_activation
    >>> [saturates(find_activation(name)) for name in ("tanh", "relu", "relu6")]
    [True, False, False]
    """
    if is_rectifier(activation):
        return False
    steepest = float(np.max(np.abs(activation.slope(np.linspace(-4.0, 4.0, 513)))))
    far = np.abs(activation.slope(np.array([-FAR, FAR])))
    return bool(np.all(far < FLAT_SHARE * steepest))


def is_rectifier(activation: Activation) -> bool:
    """Say whether it is exactly zero left of 0 and rises right of it: ReLU, ReLU6.

    >>> from fanin.activations import find_activation
    >>> [is_rectifier(find_activation(name)) for name in ("relu", "gelu", "tanh")]
    [True, False, False]
    """
    below = activation(np.array([-8.0, -3.0, -1.0, -0.1]))
    above = activation(np.array([0.1, 0.5, 1.0]))
    return bool(np.all(below == 0.0) and np.all(np.diff(above) > 0.0))
