"""Samples as they came, before they are split and scaled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fanin.errors import ArgumentError
from fanin.graph.cohort import TASKS

MOST_CLASSES = 50  # whole numbers with more different values are quantities


@dataclass(frozen=True, kw_only=True)
class Raw:
    """A table or a stack of images, and what is to be said of each row.

    inputs: float64 "n_samples …". targets: int64 classes from 0, or float64
    "n_samples n_out". task: "classification" or "regression". is_scaled_by_column:
    columns have units of their own; else one mean and one deviation serve all inputs.
    image: (channels, height, width) where a row is an image laid flat.
    """

    inputs: np.ndarray
    targets: np.ndarray
    task: str
    is_scaled_by_column: bool = False
    image: tuple[int, int, int] | None = None

    @classmethod
    def of(
        cls, inputs: np.ndarray, targets: np.ndarray, *, task: str | None = None
    ) -> Raw:
        """Take arrays from outside.

        Args:
            inputs: numbers, "n_samples n_in", or images "n_samples h w" or "n_samples
                channels h w".
            targets: "n_samples": classes of any kind, or numbers; "n_samples n_out":
                numbers.
            task: None: a regression if the targets are fractions, have several
                columns, or are whole numbers of more than 50 different values.

        Raises:
            ArgumentError: if they are not finite numbers, or of different lengths.

        >>> Raw.of(np.eye(4), np.array(["b", "a", "b", "a"])).targets.tolist()
        [1, 0, 1, 0]
        """
        values, wanted = _numbers(inputs), np.asarray(targets)
        if values.ndim < 2 or len(values) != len(wanted) or len(values) < 4:
            expected = (
                "at least four rows of inputs, and a target for each; came inputs "
                f"{values.shape}"
            )
            raise ArgumentError.of(
                argument="targets", received=wanted.shape, expected=expected
            )
        chosen = _task_of(wanted) if task is None else task
        if chosen not in TASKS:
            raise ArgumentError.of(
                argument="task", received=task, expected=f"one of {', '.join(TASKS)}"
            )
        return cls(
            inputs=values.reshape(len(values), -1),
            targets=_targets(wanted, chosen),
            task=chosen,
            is_scaled_by_column=values.ndim == 2,
            image=_image(values.shape),
        )


def _numbers(inputs: np.ndarray) -> np.ndarray:
    try:
        values = np.asarray(inputs, np.float64)
    except (TypeError, ValueError) as error:
        expected = f"an array of numbers ({error})"
        raise ArgumentError.of(
            argument="inputs", received=type(inputs).__name__, expected=expected
        ) from error
    if not np.isfinite(values).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
        expected = f"finite everywhere; entry {place} is not"
        raise ArgumentError.of(
            argument="inputs", received=values[place], expected=expected
        )
    return values


def _task_of(targets: np.ndarray) -> str:
    if targets.ndim > 1 and targets.shape[1:] != (1,):
        return "regression"
    if targets.dtype.kind not in "fiu":
        return "classification"
    is_whole = np.isfinite(targets).all() and (targets == np.floor(targets)).all()
    is_few = len(np.unique(targets)) <= MOST_CLASSES
    return "classification" if is_whole and is_few else "regression"


def _targets(targets: np.ndarray, task: str) -> np.ndarray:
    if task == "regression":
        return _numbers(targets).reshape(len(targets), -1)
    _, classes = np.unique(targets.reshape(len(targets)), return_inverse=True)
    return classes.astype(np.int64)


def _image(shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    if len(shape) == 3:
        return (1, shape[1], shape[2])
    return (shape[1], shape[2], shape[3]) if len(shape) == 4 else None
