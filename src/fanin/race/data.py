"""Real data that ships with scikit-learn: handwritten digits, and two moons.

The split and the order of batches come from fanin's own sampler, so that they are the
same on every machine and in every framework.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from fanin.errors import ArgumentError, MissingDependencyError, UnknownNameError
from fanin.sampler import Law, draw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TEST_SHARE = 0.25
UNIT = Law(kind="uniform", bound=1.0)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A classification task, standardised by one mean and one deviation for all inputs.

    inputs, test_inputs: float32 "n_samples n_in", mean 0 and second moment 1 over the
    whole training set; targets, test_targets: int64 classes from 0.
    """

    name: str
    inputs: np.ndarray
    targets: np.ndarray
    test_inputs: np.ndarray
    test_targets: np.ndarray
    n_classes: int

    @property
    def n_in(self) -> int:
        """How many numbers one input has: a count."""
        return int(self.inputs.shape[1])

    @property
    def chance(self) -> float:
        """Give the accuracy of a guess: 1 / n_classes."""
        return 1 / self.n_classes


def load(name: str, *, split_seed: int = 0) -> Dataset:
    """Load a dataset and split it: three quarters to train on, one quarter to test.

    Args:
        name: one of ``DATASETS``.
        split_seed: decides which samples go where.

    Raises:
        UnknownNameError: if there is no such dataset.
        MissingDependencyError: if scikit-learn is not installed.
    """
    if name not in DATASETS:
        raise UnknownNameError.of(kind="dataset", name=name, known=DATASETS)
    inputs, targets = DATASETS[name]()
    order = shuffled(f"data.{name}", len(targets), seed=split_seed)
    n_test = round(TEST_SHARE * len(targets))
    test, kept = order[:n_test], order[n_test:]
    mean, std = inputs[kept].mean(), inputs[kept].std()
    scaled = ((inputs - mean) / std).astype(np.float32)
    return Dataset(
        name=name,
        inputs=scaled[kept],
        targets=targets[kept],
        test_inputs=scaled[test],
        test_targets=targets[test],
        n_classes=int(targets.max()) + 1,
    )


def shuffled(name: str, n: int, *, seed: int) -> np.ndarray:
    """Give 0 … n−1 in an order that depends on the name and the seed alone."""
    places = draw(name, (n,), UNIT, seed=seed, dtype="float64")
    return np.argsort(places, kind="stable")


def batches(n_samples: int, n_steps: int, batch_size: int, *, seed: int) -> np.ndarray:
    """Give each step's rows, int64 "n_steps batch_size": epochs, each in a new order.

    Raises:
        ArgumentError: if a batch would be larger than the training set.
    """
    if batch_size > n_samples:
        expected = f"at most {n_samples}, the size of the training set"
        raise ArgumentError.of(
            argument="batch_size", received=batch_size, expected=expected
        )
    n_epochs = -(-n_steps * batch_size // n_samples)
    shape = (n_epochs, n_samples)
    places = draw("data.batches", shape, UNIT, seed=seed, dtype="float64")
    rows = np.argsort(places, axis=1, kind="stable").ravel()
    return rows[: n_steps * batch_size].reshape(n_steps, batch_size)


def _digits() -> tuple[np.ndarray, np.ndarray]:
    """1797 scans of 8 × 8 pixels, from 0 to 16 (Alpaydin & Kaynak 1998)."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as missing:
        purpose = "The digits data"
        raise MissingDependencyError.of(
            package="sklearn", purpose=purpose, extra="data"
        ) from missing
    inputs, targets = load_digits(return_X_y=True)
    return np.asarray(inputs, np.float64), np.asarray(targets, np.int64)


def _moons() -> tuple[np.ndarray, np.ndarray]:
    """Two half circles of 500 points each, with noise of deviation 0.2."""
    try:
        from sklearn.datasets import make_moons
    except ImportError as missing:
        purpose = "The moons data"
        raise MissingDependencyError.of(
            package="sklearn", purpose=purpose, extra="data"
        ) from missing
    inputs, targets = make_moons(1000, noise=0.2, random_state=0)
    return np.asarray(inputs, np.float64), np.asarray(targets, np.int64)


DATASETS: Mapping[str, Callable[[], tuple[np.ndarray, np.ndarray]]] = MappingProxyType(
    {"digits": _digits, "moons": _moons}
)
"""Loaders by name: each gives float64 inputs and int64 classes."""
