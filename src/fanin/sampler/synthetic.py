"""Batches for models that were given none: standard normal numbers, or tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.errors import InternalError
from fanin.graph.signature import InputSignature
from fanin.sampler.draw import Law, draw

if TYPE_CHECKING:
    from fanin.graph.signature import Signature


def array_of(signature: InputSignature, *, seed: int = 0, name: str = "") -> np.ndarray:
    """Draw an array of that signature, the same one for the same seed.

    Args:
        signature: of one input.
        seed: of the numbers.
        name: of the input; inputs of different names are independent.

    Returns:
        float32 numbers of N(0, 1), or int64 numbers uniform over 0 … below − 1.

    >>> from fanin.graph.signature import InputSignature
    >>> array_of(InputSignature(shape=(2, 3))).shape
    (2, 3)
    >>> bool(array_of(InputSignature(shape=(4, 5), below=7)).max() < 7)
    True
    """
    stem = f"/{name}" if name else ""
    if not signature.below:
        law = Law(kind="normal", std=1.0)
        return draw(f"fanin/input{stem}", signature.shape, law, seed=seed)
    law = Law(kind="uniform", bound=1.0)
    key = f"fanin/tokens{stem}"
    numbers = draw(key, signature.shape, law, seed=seed, dtype="float64")
    whole = np.floor((numbers + 1.0) / 2.0 * signature.below).astype(np.int64)
    return np.clip(whole, 0, signature.below - 1)


def batch_of(signature: Signature, *, seed: int = 0) -> Any:  # noqa: ANN401
    """Draw a batch that a model of this signature reads.

    Returns:
        An array for one input; for several, each drawn for itself, a tuple of arrays,
        or a dict where they are given by name.

    Raises:
        InternalError: if some are given in order and others by name.

    >>> from fanin.graph.signature import InputSignature, SeveralInputs
    >>> image = InputSignature(shape=(2, 3))
    >>> one, other = batch_of(SeveralInputs(positional=(image, image)))
    >>> bool((one == other).any())
    False
    """
    if isinstance(signature, InputSignature):
        return array_of(signature, seed=seed)
    if signature.positional and signature.keywords:
        message = "A batch is a tuple or a dict, not both."
        raise InternalError.of(message)
    if signature.keywords:
        return {
            name: array_of(each, seed=seed, name=name)
            for name, each in signature.keywords
        }
    return tuple(
        array_of(each, seed=seed, name=str(place))
        for place, each in enumerate(signature.positional)
    )
