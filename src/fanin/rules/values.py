"""Values of parameters: real numbers, and points that differ in a few of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class RealValues(Mapping[str, np.ndarray]):
    """The arrays of real numbers among others, in a type that NumPy computes with.

    Formats that NumPy has no type of its own for (bfloat16) become float32 each time
    that they are looked at; complex and integer parameters are left out.

    >>> views = {"w": np.ones(2), "index": np.array([1])}
    >>> list(RealValues(views))
    ['w']
    """

    def __init__(self, views: Mapping[str, np.ndarray]) -> None:
        self._views = views
        kinds = {path: view.dtype.kind for path, view in views.items()}
        self._paths = dict.fromkeys(p for p, kind in kinds.items() if kind in "fV")

    def __getitem__(self, path: str) -> np.ndarray:
        if path not in self._paths:
            raise KeyError(path)
        value = self._views[path]
        return value.astype(np.float32) if value.dtype.kind == "V" else value

    def __contains__(self, path: object) -> bool:
        return path in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


class Changed(Mapping[str, np.ndarray]):
    """Values at another point: those that differ, over those that stay.

    >>> point = Changed({"a": np.zeros(1), "b": np.ones(1)}, {"a": np.ones(1)})
    >>> point["a"].tolist(), point["b"].tolist(), list(point.own)
    ([1.0], [1.0], ['a'])
    """

    def __init__(
        self, rest: Mapping[str, np.ndarray], own: Mapping[str, np.ndarray]
    ) -> None:
        self.own = dict(own)
        self._rest = rest

    def __getitem__(self, path: str) -> np.ndarray:
        return self.own[path] if path in self.own else self._rest[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rest)

    def __len__(self) -> int:
        return len(self._rest)


class Chosen(Mapping[str, np.ndarray]):
    """Some of the values, each still made when it is looked at, and not kept.

    >>> chosen = Chosen({"a": np.ones(1), "b": np.zeros(1)}, ["b"])
    >>> list(chosen), chosen["b"].tolist(), "a" in chosen
    (['b'], [0.0], False)
    """

    def __init__(self, values: Mapping[str, np.ndarray], paths: Iterable[str]) -> None:
        self._values = values
        self._paths = dict.fromkeys(paths)

    def __getitem__(self, path: str) -> np.ndarray:
        if path not in self._paths:
            raise KeyError(path)
        return self._values[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def changed_in(values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Give what differs from a model's own values, as far as that is known.

    >>> changed_in({"a": np.ones(1)})
    {'a': array([1.])}
    """
    if isinstance(values, Changed):
        return values.own
    return {} if isinstance(values, RealValues) else dict(values)
