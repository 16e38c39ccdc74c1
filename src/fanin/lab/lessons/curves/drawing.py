"""Numbers for the lessons' small experiments: the schemes' laws, the sampler's bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.lab.engine.draws import ROLES, Weights
from fanin.prescription.resolve import resolve
from fanin.sampler import Law, draw
from fanin.schemes import find_scheme

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.graph.fans import AxisRoles

N_SAMPLES = 256


def matrix(
    name: str, n_out: int, n_in: int, scheme: str = "he_normal", *, seed: int = 0
) -> np.ndarray:
    """Draw a weight by a scheme, "n_out n_in", in float64.

    >>> round(float(matrix("w", 200, 50).std()), 1)  # √(2/50)
    0.2
    """
    return drawn(name, (n_out, n_in), scheme, ROLES, seed=seed)


def drawn(
    name: str, shape: Sequence[int], scheme: str, roles: AxisRoles, *, seed: int = 0
) -> np.ndarray:
    """Draw a parameter of any layout by a scheme, in float64."""
    law = resolve(find_scheme(scheme), tuple(shape), roles)
    return draw(name, tuple(shape), law, seed=seed, dtype="float64")


def gaussian(name: str, shape: Sequence[int], *, seed: int = 0) -> np.ndarray:
    """Draw numbers of mean 0 and variance 1, in float64.

    >>> gaussian("x", (2, 3)).shape
    (2, 3)
    """
    law = Law(kind="normal", std=1.0)
    return draw(name, tuple(shape), law, seed=seed, dtype="float64")


def stack(sizes: Sequence[int], schemes: Sequence[str], bias: float = 0.0) -> Weights:
    """Draw a dense net in float64.

    Args:
        sizes: units of the input and of each layer.
        schemes: of each layer's weight.
        bias: of every unit.

    >>> [w.shape for w in stack([3, 5, 2], ["he_normal", "he_normal"]).matrices]
    [(5, 3), (2, 5)]
    """
    pairs = zip(sizes[:-1], sizes[1:], schemes, strict=True)
    matrices = tuple(
        matrix(f"layers.{k}", n_out, n_in, scheme)
        for k, (n_in, n_out, scheme) in enumerate(pairs)
    )
    biases = tuple(np.full(n_out, bias) for n_out in sizes[1:])
    return Weights(matrices=matrices, biases=biases)
