"""Batches for models that were given none: standard normal numbers, or tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.sampler.draw import Law, draw

if TYPE_CHECKING:
    from fanin.graph.signature import InputSignature


def batch_of(signature: InputSignature, *, seed: int = 0) -> np.ndarray:
    """Draw a batch of that signature, the same one for the same seed.

    Returns:
        float32 numbers of N(0, 1), or int64 numbers uniform over 0 … below − 1.

    >>> from fanin.graph.signature import InputSignature
    >>> batch_of(InputSignature(shape=(2, 3))).shape
    (2, 3)
    >>> bool(batch_of(InputSignature(shape=(4, 5), below=7)).max() < 7)
    True
    """
    if not signature.below:
        law = Law(kind="normal", std=1.0)
        return draw("fanin/input", signature.shape, law, seed=seed)
    law = Law(kind="uniform", bound=1.0)
    numbers = draw("fanin/tokens", signature.shape, law, seed=seed, dtype="float64")
    whole = np.floor((numbers + 1.0) / 2.0 * signature.below).astype(np.int64)
    return np.clip(whole, 0, signature.below - 1)
