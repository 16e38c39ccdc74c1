"""The axis roles of each kind of layer, in PyTorch's and in Keras's layout.

| layer | PyTorch | Keras |
|---|---|---|
| dense | (out, in) | (in, out) |
| convolution | (out, in/g, k…) | (k…, in/g, out) |
| depthwise | (in·m, 1, k…) with g = in | (k…, in, m) |
| transposed convolution | (in, out/g, k…) | (k…, out, in) |
| embedding | (entries, width) | (entries, width) |

Flax, Haiku and plain JAX lay a dense weight and a convolution out as Keras does.
"""

from __future__ import annotations

from math import prod

from fanin.errors import ArgumentError
from fanin.graph.fans import AxisRoles


def torch_linear() -> AxisRoles:
    """Give the roles of ``nn.Linear``: (out, in).

    >>> from fanin.graph.fans import fans
    >>> fans((10, 512), torch_linear())
    Fan(n_in=512.0, n_out=10.0)
    """
    return AxisRoles(outputs=(0,), inputs=(1,))


def torch_bilinear() -> AxisRoles:
    """Give the roles of ``nn.Bilinear``: (out, in of one input, in of the other)."""
    return AxisRoles(outputs=(0,), inputs=(1, 2))


def torch_conv(
    rank: int, *, groups: int = 1, strides: int | tuple[int, ...] = 1
) -> AxisRoles:
    """Give the roles of ``nn.Conv1d`` to ``nn.Conv3d``: (out, in/groups, k…).

    Args:
        rank: number of spatial axes, ≥ 0.
        groups: the layer's ``groups``; the number of input channels if depthwise.
        strides: one stride for all axes or one an axis, as the layer takes it.

    Raises:
        ArgumentError: if there are not ``rank`` strides, or one is below 1.

    A depthwise convolution of 64 channels:

    >>> from fanin.graph.fans import fans
    >>> fans((64, 1, 3, 3), torch_conv(2, groups=64))
    Fan(n_in=9.0, n_out=9.0)
    """
    return AxisRoles(
        outputs=(0,),
        inputs=(1,),
        kernel=tuple(range(2, 2 + rank)),
        groups=groups,
        strides=_product(strides, rank),
    )


def torch_conv_transpose(
    rank: int, *, groups: int = 1, strides: int | tuple[int, ...] = 1
) -> AxisRoles:
    """Give the roles of ``nn.ConvTranspose1d`` to ``3d``: (in, out/groups, k…).

    Args and Raises: as `torch_conv`.

    >>> from fanin.graph.fans import fans
    >>> fans((64, 8, 4, 4), torch_conv_transpose(2, strides=2))
    Fan(n_in=256.0, n_out=128.0)
    """
    return AxisRoles(
        inputs=(0,),
        outputs=(1,),
        kernel=tuple(range(2, 2 + rank)),
        groups=groups,
        strides=_product(strides, rank),
        is_transposed=True,
    )


def torch_embedding() -> AxisRoles:
    """Give the roles of ``nn.Embedding``: (entries, width)."""
    return AxisRoles(inputs=(0,), outputs=(1,), is_lookup=True)


def keras_dense() -> AxisRoles:
    """Give the roles of ``layers.Dense``: (in, out).

    >>> from fanin.graph.fans import fans
    >>> fans((512, 10), keras_dense())
    Fan(n_in=512.0, n_out=10.0)
    """
    return AxisRoles(inputs=(0,), outputs=(1,))


def keras_conv(
    rank: int, *, groups: int = 1, strides: int | tuple[int, ...] = 1
) -> AxisRoles:
    """Give the roles of ``layers.Conv1D`` to ``Conv3D``: (k…, in/groups, out).

    Args and Raises: as `torch_conv`.
    """
    return AxisRoles(
        kernel=tuple(range(rank)),
        inputs=(rank,),
        outputs=(rank + 1,),
        groups=groups,
        strides=_product(strides, rank),
    )


def keras_depthwise(
    rank: int, *, channels: int, strides: int | tuple[int, ...] = 1
) -> AxisRoles:
    """Give the roles of ``layers.DepthwiseConv1D`` and ``2D``: (k…, in, multiplier).

    Each of the ``channels`` inputs is a group of its own, which sums over the kernel
    alone and feeds ``multiplier`` outputs. So both channel axes index outputs.

    >>> from fanin.graph.fans import fans
    >>> fans((3, 3, 64, 2), keras_depthwise(2, channels=64))
    Fan(n_in=9.0, n_out=18.0)
    """
    return AxisRoles(
        kernel=tuple(range(rank)),
        inputs=(),
        outputs=(rank, rank + 1),
        groups=channels,
        strides=_product(strides, rank),
    )


def keras_separable(
    rank: int, *, channels: int, strides: int | tuple[int, ...] = 1
) -> tuple[AxisRoles, AxisRoles]:
    """Give the roles of the depthwise and the pointwise kernel of a separable layer.

    The strides belong to the depthwise part; the pointwise kernel is (1…, in·m, out).
    """
    depthwise = keras_depthwise(rank, channels=channels, strides=strides)
    return depthwise, keras_conv(rank)


def keras_conv_transpose(rank: int, *, strides: int | tuple[int, ...] = 1) -> AxisRoles:
    """Give the roles of ``layers.Conv1DTranspose`` to ``3D``: (k…, out, in).

    >>> from fanin.graph.fans import fans
    >>> fans((4, 4, 8, 64), keras_conv_transpose(2, strides=2))
    Fan(n_in=256.0, n_out=128.0)
    """
    return AxisRoles(
        kernel=tuple(range(rank)),
        outputs=(rank,),
        inputs=(rank + 1,),
        strides=_product(strides, rank),
        is_transposed=True,
    )


def keras_embedding() -> AxisRoles:
    """Give the roles of ``layers.Embedding``: (entries, width)."""
    return AxisRoles(inputs=(0,), outputs=(1,), is_lookup=True)


def _product(strides: int | tuple[int, ...], rank: int) -> int:
    along = (strides,) * rank if isinstance(strides, int) else tuple(strides)
    if len(along) != rank or any(stride < 1 for stride in along):
        expected = f"a whole number ≥ 1, or one for each of the {rank} spatial axes"
        raise ArgumentError.of(argument="strides", received=strides, expected=expected)
    return prod(along)
