"""draw and activation: numbers of one parameter, moments of one function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from fanin.activations import Activation
    from fanin.graph.fans import AxisRoles


def draw(  # noqa: PLR0913 (an address has that many parts)
    name: str,
    shape: tuple[int, ...],
    scheme: str,
    *,
    seed: int = 0,
    dtype: str = "float32",
    index: np.ndarray | None = None,
    out: np.ndarray | None = None,
    roles: AxisRoles | None = None,
) -> np.ndarray:
    """Draw one parameter: a function of (seed, name, index) alone.

    Args:
        name: the parameter's dotted name; another name gives other numbers.
        shape: of the whole parameter.
        scheme: a spec, "he_normal".
        seed: a whole number from 0 to 2⁶⁴ − 1.
        dtype: "float32", "float64", "float16" or "bfloat16"; of ``out``, where given.
        index: global row-major indices; None for the whole, in shape.
        out: memory to write the whole into, of that shape and any strides; bfloat16's
            may be named by its bits, uint16.
        roles: what the axes stand for (`fanin.graph.layouts` has those of every
            layer); None for PyTorch's order: outputs, inputs, then the kernel's sides.

    Returns:
        The numbers: the same bits on every machine, in every framework; ``out``, if
        there is one.

    Raises:
        UnknownNameError: if there is no such scheme.
        ArgumentError: if another argument is wrong, or there are an index and an out.

    >>> import fanin, numpy as np
    >>> whole = fanin.draw("0.weight", (4, 3), "he_normal", seed=1)
    >>> part = fanin.draw("0.weight", (4, 3), "he_normal", seed=1, index=np.arange(3))
    >>> bool((whole[0] == part).all())
    True
    """
    from fanin.graph.fans import AxisRoles
    from fanin.prescription.resolve import resolve
    from fanin.sampler import draw as draw_numbers
    from fanin.sampler import filling
    from fanin.schemes import find_scheme

    if roles is None:
        kernel = tuple(range(2, len(shape)))
        inputs = (1,) if len(shape) > 1 else ()
        roles = AxisRoles(outputs=(0,), inputs=inputs, kernel=kernel)
    law = resolve(find_scheme(scheme), tuple(shape), roles)
    if out is not None:
        _require_memory(out, tuple(shape), index)
        filling(out, name, shape, law, seed=seed)()
        return out
    return draw_numbers(name, shape, law, seed=seed, dtype=dtype, index=index)


def _require_memory(
    out: np.ndarray, shape: tuple[int, ...], index: np.ndarray | None
) -> None:
    if index is not None:
        expected = "left out where an out is given: the whole is written"
        raise ArgumentError.of(argument="index", received=index, expected=expected)
    if out.shape != shape or not out.flags.writeable:
        expected = f"a writable array of shape {shape}"
        raise ArgumentError.of(argument="out", received=out.shape, expected=expected)


def activation(
    function: str | Callable[[np.ndarray], np.ndarray],
) -> Activation:
    """Give an activation with its Gaussian moments and gains.

    Args:
        function: a name ("gelu", "leaky_relu(0.2)"), or a function of float64 NumPy
            arrays, entry by entry.

    Raises:
        UnknownNameError: if there is no such activation; it names the nearest.
        ArgumentError: if the function does not run on NumPy arrays.

    >>> import fanin
    >>> print(f"{fanin.activation('gelu').forward_gain:.8f}")
    1.53353044
    """
    from fanin.activations import find_activation

    return find_activation(function)
