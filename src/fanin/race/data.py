"""What a race trains on: a dataset split in three, scaled, and put in order.

The split and the order of batches come from fanin's own sampler, so that they are the
same on every machine and in every framework.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fanin.errors import ArgumentError, UnknownNameError
from fanin.race import files, user_code
from fanin.race.raw import Raw
from fanin.race.sources import DATASETS as DATASETS
from fanin.sampler import Law, draw

if TYPE_CHECKING:
    from collections.abc import Iterator

TEST_SHARE = 0.25
VALID_SHARE = 0.2  # of what is left, where a race chooses a learning rate
UNIT = Law(kind="uniform", bound=1.0)
LEAST_SPREAD = 1e-9  # of a column, of its largest entry: less is rounding


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A task, scaled by what its training part shows.

    inputs, valid_inputs, test_inputs: float32 "n_samples n_in", mean 0 and second
    moment 1 over the training part: of each column, or of all inputs together.
    targets, …: int64 classes from 0; of a regression float32 "n_samples n_out", scaled
    column by column. n_classes: 0 for a regression. task: "classification" or
    "regression". guess: the score of who always names the commonest class, its share
    in all samples (None: 1 / n_classes); or always the mean, which has R² = 0.
    image: (channels, height, width) where inputs are images laid flat.
    """

    name: str
    inputs: np.ndarray
    targets: np.ndarray
    test_inputs: np.ndarray
    test_targets: np.ndarray
    n_classes: int
    valid_inputs: np.ndarray | None = None
    valid_targets: np.ndarray | None = None
    task: str = "classification"
    guess: float | None = None
    image: tuple[int, int, int] | None = None

    @property
    def n_in(self) -> int:
        """How many numbers one input has: a count."""
        return int(self.inputs.shape[1])

    @property
    def n_out(self) -> int:
        """How many numbers a net puts out: the classes, or a regression's targets."""
        return self.n_classes or int(self.targets.shape[1])

    @property
    def n_valid(self) -> int:
        """How many samples choose the learning rate: a count."""
        return 0 if self.valid_targets is None else len(self.valid_targets)

    @property
    def chance(self) -> float:
        """Give the score of a guess."""
        if self.guess is not None:
            return self.guess
        return 0.0 if self.task == "regression" else 1 / self.n_classes

    @property
    def fingerprint(self) -> str:
        """Give 16 hex digits that change with any number in it."""
        total = hashlib.sha256()
        for array in self._arrays():
            total.update(f"{array.dtype}{array.shape}".encode())
            total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()[:16]

    def _arrays(self) -> Iterator[np.ndarray]:
        yield from (self.inputs, self.targets, self.test_inputs, self.test_targets)
        if self.valid_inputs is not None and self.valid_targets is not None:
            yield from (self.valid_inputs, self.valid_targets)


def load(
    name: str,
    *,
    split_seed: int = 0,
    valid_share: float = 0.0,
    target: str | None = None,
    task: str | None = None,
) -> Dataset:
    """Load data and split them: a quarter to test, the rest to train on and to choose.

    Args:
        name: one of ``DATASETS``; a .npz, .csv or .parquet file; or ``pkg.mod:data``, a
            function that gives inputs and targets.
        split_seed: decides which samples go where.
        valid_share: share of those not in the test part on which a rate is chosen.
        target: a file's column to learn; see `files.read`.
        task: "classification" or "regression"; None: by the targets.

    Raises:
        UnknownNameError: if there is no such dataset or column.
        ArgumentError: if a file or function gives no numbers, or is not there.
        ModelError: if a user's function raises.
        MissingDependencyError: if scikit-learn, or a reader, is not installed.
    """
    raw = _raw(name, target, task)
    order = shuffled(f"data.{_stream(name)}", len(raw.targets), seed=split_seed)
    n_test = round(TEST_SHARE * len(order))
    test, kept = order[:n_test], order[n_test:]
    n_valid = round(valid_share * len(kept))
    valid, train = kept[:n_valid], kept[n_valid:]
    inputs = _scaled(raw.inputs, train, is_by_column=raw.is_scaled_by_column)
    targets = raw.targets
    if raw.task == "regression":
        targets = _scaled(targets, train, is_by_column=True)
    is_regression = raw.task == "regression"
    return Dataset(
        name=name,
        inputs=inputs[train],
        targets=targets[train],
        test_inputs=inputs[test],
        test_targets=targets[test],
        n_classes=0 if is_regression else int(targets.max()) + 1,
        valid_inputs=inputs[valid] if n_valid else None,
        valid_targets=targets[valid] if n_valid else None,
        task=raw.task,
        guess=0.0 if is_regression else float(np.bincount(targets).max()) / len(order),
        image=raw.image,
    )


def is_known(name: str) -> bool:
    """Say whether a name is of a dataset, a file or a user's function."""
    return name in DATASETS or files.is_file(name) or user_code.is_reference(name)


def _raw(name: str, target: str | None, task: str | None) -> Raw:
    if name in DATASETS:
        return DATASETS[name]()
    if files.is_file(name):
        return files.read(name, target=target, task=task)
    if not user_code.is_reference(name):
        raise UnknownNameError.of(kind="dataset", name=name, known=DATASETS)
    found = user_code.find(name)()
    if not isinstance(found, tuple) or len(found) != 2:
        expected = f"a pair (inputs, targets) from {name!r}"
        raise ArgumentError.of(
            argument="data", received=type(found).__name__, expected=expected
        )
    return Raw.of(*found, task=task)


def _stream(name: str) -> str:
    """Name the random numbers of a split; a file may be moved and keep its own."""
    return name if name in DATASETS else "user"


def _scaled(values: np.ndarray, rows: np.ndarray, *, is_by_column: bool) -> np.ndarray:
    """Subtract the mean of these rows and divide by their deviation; float32.

    A constant's deviation is not always zero, as its mean is rounded.
    """
    axis = 0 if is_by_column else None
    known = values[rows]
    mean, std = known.mean(axis=axis), known.std(axis=axis)
    least = LEAST_SPREAD * np.abs(known).max(axis=axis, initial=0.0)
    scaled: np.ndarray = (values - mean) / np.where(std > least, std, 1.0)
    return scaled.astype(np.float32)


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
