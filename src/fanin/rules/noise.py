"""Generic numbers: the same for the same path and seed, and special in no way."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from fanin.rules.sampled import PIECE, root_mean_square
from fanin.sampler.key import key_of
from fanin.sampler.philox import words_in

if TYPE_CHECKING:
    from collections.abc import Mapping

# A step that a float32 sum cannot lose and that leaves a tensor's scale as it is; an
# all-zero tensor has none, and gets one that is small for any layer.
SHARE_OF_SIZE = 0.05
STEP_FROM_ZERO = 0.02
# Streams of weights count from 0 upwards (blocks, mirrored halves).
STREAM = 2**64 - 1


def generic(path: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Give numbers in ±[½, 1), each entry and path its own, float64.

    None is near zero, so that every entry truly moves. They are the sampler's words, on
    a stream that no weight is drawn from.

    >>> bool(np.all(np.abs(generic("a", (3, 2), 0)) >= 0.5))
    True
    """
    size = prod(shape)
    found = np.empty(size)
    for start in range(0, size, PIECE):
        stop = min(start + PIECE, size)
        found[start:stop] = _numbers(path, start, stop, seed)
    return found.reshape(shape)


def _numbers(path: str, start: int, stop: int, seed: int) -> np.ndarray:
    """Give the generic numbers of the entries from start to stop, row-major."""
    words = words_in(key_of(path, seed=seed, stream=STREAM), start, stop)
    size = 0.5 + (words >> 1) / 2.0**32
    return np.where(words & 1, size, -size)


def filled(path: str, value: np.ndarray, seed: int) -> np.ndarray:
    """Give small generic numbers in the shape and type of an all-zero array.

    >>> abs(filled("a", np.zeros(3), 0)).max() <= STEP_FROM_ZERO
    np.True_
    """
    return moved(path, np.zeros_like(value), np.ones(value.shape, dtype=bool), seed)


def moved(path: str, value: np.ndarray, mask: np.ndarray, seed: int) -> np.ndarray:
    """Give a copy of an array with the masked entries moved by a generic step.

    >>> moved("a", np.ones(2), np.array([True, False]), 0)[1]
    np.float64(1.0)
    """
    step = step_size(value)
    found = np.array(value, order="C")
    flat, chosen = found.reshape(-1), mask.reshape(-1)
    for start in range(0, flat.size, PIECE):
        stop = min(start + PIECE, flat.size)
        step_by = step * _numbers(path, start, stop, seed) * chosen[start:stop]
        flat[start:stop] = flat[start:stop] + step_by
    return found


def step_size(value: np.ndarray) -> float:
    """Give how far a generic step moves an entry of this tensor, in its own unit.

    >>> step_size(np.zeros((2, 2))), step_size(np.array([3.0, -3.0])).__round__(12)
    (0.02, 0.15)
    """
    return SHARE_OF_SIZE * root_mean_square(value) or STEP_FROM_ZERO


def nudged(
    values: Mapping[str, np.ndarray], masks: Mapping[str, np.ndarray], seed: int
) -> dict[str, np.ndarray]:
    """Give the arrays with a mask, their masked entries moved generically."""
    return {path: moved(path, values[path], mask, seed) for path, mask in masks.items()}
