"""What a JAX model may read, from the layers that it holds.

The tree does not say which layer runs first, so every layer's input is tried in turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fanin.frameworks.jax.parameters import parameters
from fanin.graph.signature import InputSignature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fanin.graph import Parameter

BATCH: Final = 32
LENGTH: Final = 16
SIDE: Final = 32
"""Of an image where only its channels are known."""


def input_signatures(model: Any) -> Iterator[InputSignature]:
    """Yield a signature for each layer that could be the first, each one once.

    >>> import jax
    >>> pair = (lambda params, x: x @ params["w"], {"w": jax.numpy.ones((4, 2))})
    >>> next(input_signatures(pair)).shape
    (32, 4)
    """
    seen: set[InputSignature] = set()
    for parameter in parameters(model):
        for signature in _signatures(parameter):
            if signature not in seen:
                seen.add(signature)
                yield signature


def _signatures(parameter: Parameter) -> Iterator[InputSignature]:
    """Yield what a layer with this weight reads, by how its library lays it out."""
    shape, owner = parameter.shape, parameter.owner
    name = parameter.path.rpartition(".")[2]
    if owner in {"Embed", "Embedding"}:
        yield InputSignature(shape=(BATCH, LENGTH), below=shape[0])
    elif owner.startswith("Conv") and len(shape) > 2:
        yield _image(shape, name)
    elif len(shape) == 2:
        n_in = shape[1] if name == "weight" else shape[0]
        yield InputSignature(shape=(BATCH, n_in))
        yield InputSignature(shape=(BATCH, LENGTH, n_in))


def _image(shape: tuple[int, ...], name: str) -> InputSignature:
    sides = (SIDE,) * (len(shape) - 2)
    if name == "weight":  # Equinox: (out, in, k…), channels first
        return InputSignature(shape=(BATCH, shape[1], *sides))
    return InputSignature(shape=(BATCH, *sides, shape[-2]))
