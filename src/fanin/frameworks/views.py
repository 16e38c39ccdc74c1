"""A model's values to look at: no copy of the whole is made, and none can be written.

What has a NumPy type of its own is an array over the model's own memory; what has none
(bfloat16) is converted each time that it is looked at, and not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np

    from fanin.frameworks.framework import Keep


class Views(Mapping[str, "np.ndarray"]):
    """Arrays by path, each made when it is asked for and locked against writing.

    >>> import numpy as np
    >>> held = np.ones(2)
    >>> views = Views({"w": lambda: held})
    >>> views["w"].flags.writeable, held.flags.writeable
    (False, True)
    """

    def __init__(self, makers: Mapping[str, Callable[[], np.ndarray]]) -> None:
        self._makers = dict(makers)

    def __getitem__(self, path: str) -> np.ndarray:
        array = self._makers[path]().view()
        array.flags.writeable = False
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


def kept(
    gradients: Mapping[str, np.ndarray | None], keep: Keep | None
) -> dict[str, np.ndarray | None]:
    """Apply what is kept of a gradient to all that arrived.

    >>> import numpy as np
    >>> kept({"w": np.ones(2), "b": None}, lambda _, gradient: gradient.sum())
    {'w': np.float64(2.0), 'b': None}
    """
    if keep is None:
        return dict(gradients)
    return {
        path: None if gradient is None else keep(path, gradient)
        for path, gradient in gradients.items()
    }
