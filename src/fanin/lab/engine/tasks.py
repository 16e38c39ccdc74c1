"""What the nets of the lab learn: points in the plane, or digits."""

from __future__ import annotations

from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from fanin.race.data import Dataset, load, shuffled
from fanin.sampler import Law, draw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

N_POINTS: Final = 600
TURNS: Final = 1.25
NOISE: Final = 0.04
"""Deviation of each coordinate, of radii up to 1."""


def _noisy(name: str, points: np.ndarray) -> np.ndarray:
    law = Law("normal", std=NOISE)
    noise = draw(name, points.shape, law, seed=0, dtype="float64")
    return np.asarray(points + noise)


def _on_rays(radii: np.ndarray, angles: np.ndarray) -> np.ndarray:
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def _circles() -> tuple[np.ndarray, np.ndarray]:
    """Points on a circle of radius 1 around points on one of radius 0.5."""
    half = N_POINTS // 2
    targets = np.repeat([0, 1], half)
    angles = np.tile(np.arange(half) * (2 * np.pi / half), 2)
    return _noisy("lab.circles", _on_rays(1.0 - 0.5 * targets, angles)), targets


def _spirals() -> tuple[np.ndarray, np.ndarray]:
    """Two arms that wind around each other, one turn and a quarter each."""
    half = N_POINTS // 2
    targets = np.repeat([0, 1], half)
    radii = np.tile(np.sqrt((np.arange(half) + 1) / half), 2)
    angles = 2 * np.pi * TURNS * radii + np.pi * targets
    return _noisy("lab.spirals", _on_rays(radii, angles)), targets


def _drawn(name: str) -> Dataset:
    """Shuffle, split and standardise a task of `PLANE`, as `fanin.race` does."""
    inputs, targets = PLANE[name]()
    order = shuffled(f"data.{name}", len(targets), seed=0)
    n_test = len(targets) // 4
    test, kept = order[:n_test], order[n_test:]
    scaled = ((inputs - inputs[kept].mean()) / inputs[kept].std()).astype(np.float32)
    return Dataset(
        name=name,
        inputs=scaled[kept],
        targets=targets[kept].astype(np.int64),
        test_inputs=scaled[test],
        test_targets=targets[test].astype(np.int64),
        n_classes=2,
    )


PLANE: Final[Mapping[str, Callable[[], tuple[np.ndarray, np.ndarray]]]] = (
    MappingProxyType({"spirals": _spirals, "circles": _circles})
)
TASKS: Final[Mapping[str, Callable[[], Dataset]]] = MappingProxyType(
    {
        **{name: partial(_drawn, name) for name in PLANE},
        **{name: partial(load, name) for name in ("moons", "digits")},
    }
)
"""Tasks by name; moons and digits come with scikit-learn."""


@cache
def task(name: str) -> Dataset:
    """Give a task, made once: mean 0 and second moment 1 over the training set.

    Raises:
        KeyError: if there is no such task; a `Recipe` has been held to the table.
        MissingDependencyError: for moons and digits without scikit-learn.

    >>> task("spirals").inputs.shape, task("spirals").n_classes
    ((450, 2), 2)
    """
    return TASKS[name]()
