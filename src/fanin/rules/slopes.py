"""What is kept of gradients as they arrive, so that they never lie together whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.rules.awakening import compact
from fanin.rules.expected_sizes import evenly

if TYPE_CHECKING:
    import numpy as np


class Slopes:
    """Keeps where each gradient is not zero, and some of a matrix's entries.

    Args:
        is_whole: keeps gradients whole as well: an optimizer's first step needs them.

    Attributes:
        entries: by path of an array of two axes or more, evenly spaced entries of its
            gradient in float64.

    >>> import numpy as np
    >>> slopes = Slopes()
    >>> slopes("w", np.array([[0.0, 2.0]])).tolist(), slopes.entries["w"].tolist()
    ([[False, True]], [0.0, 2.0])
    """

    def __init__(self, *, is_whole: bool = False) -> None:
        self.is_whole = is_whole
        self.entries: dict[str, np.ndarray] = {}

    def __call__(self, path: str, gradient: np.ndarray) -> np.ndarray:
        """Note some entries, and give what is kept as the gradient."""
        if gradient.ndim > 1 and gradient.size:
            self.entries[path] = evenly(gradient)
        return gradient if self.is_whole else where_not_zero(path, gradient)


def where_not_zero(path: str, gradient: np.ndarray) -> np.ndarray:
    """Keep of a gradient where it is not zero.

    >>> import numpy as np
    >>> where_not_zero("b", np.array([0.0, -1.0])).tolist()
    [False, True]
    """
    del path
    return compact(gradient != 0)
