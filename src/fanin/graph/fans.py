"""Fans from axis roles: how many terms one output sums, and one input feeds.

A layout (PyTorch's ``(out, in, k, k)``, Keras's ``(k, k, in, out)``) is a choice of
axes; the fans are not. So a recorder states the role of each axis, and one pair of
formulas serves every layer of every framework:

    n_in  = inputs of one group · kernel         (÷ strides where transposed)
    n_out = outputs of one group · kernel        (÷ strides where not transposed)

Both are means over positions: a stride larger than one visits each input less often,
and spreads each output of a transposed convolution over fewer terms. Terms that fall
into zero padding are counted here; ``Node.details["padding_share"]`` says how many do.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Generic, TypeVar

from fanin.errors import ArgumentError

Scalar = TypeVar("Scalar")


@dataclass(frozen=True, kw_only=True)
class Fan(Generic[Scalar]):
    """The two fans of a weight, as numbers or as SymPy symbols.

    n_in: terms summed in one output (mean over positions), > 0.
    n_out: outputs that one input feeds (mean over positions), > 0.

    >>> Fan(n_in=512.0, n_out=10.0).n_in
    512.0
    """

    n_in: Scalar
    n_out: Scalar


@dataclass(frozen=True, kw_only=True)
class AxisRoles:
    """What each axis of a weight stands for.

    inputs: axes summed over; outputs: axes that index outputs; kernel: spatial axes of
    a convolution. Together they name every axis once. ``groups``: the number of
    independent blocks (the convolution's groups; the channels of a depthwise one; the
    experts of a stacked weight). The output axes hold the count over all groups and
    the input axes that of one, except in a transposed convolution, where it is the
    other way round, unless ``has_all_outputs`` (JAX lays every kernel out alike).
    ``is_transposed``: a transposed convolution. ``strides``: the
    product of the strides over all spatial axes. ``is_lookup``: an embedding table,
    whose one-hot input has a single term.

    >>> AxisRoles(outputs=(0,), inputs=(1,)).outputs
    (0,)
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    kernel: tuple[int, ...] = ()
    groups: int = 1
    strides: int = 1
    is_transposed: bool = False
    is_lookup: bool = False
    has_all_outputs: bool = False


def fans(shape: tuple[int, ...], roles: AxisRoles) -> Fan[float]:
    """Give the fans of a weight of that shape, whose axes play those roles.

    Args:
        shape: of the stored weight, a length an axis.
        roles: what each axis stands for.

    Raises:
        ArgumentError: if the roles do not name every axis once, or the groups do not
            divide the axis that holds the count over all of them.

    PyTorch's Conv2d(64, 128, 3, stride=2) and ConvTranspose2d(64, 8, 4, stride=2):

    >>> conv = AxisRoles(outputs=(0,), inputs=(1,), kernel=(2, 3), strides=4)
    >>> fans((128, 64, 3, 3), conv)
    Fan(n_in=576.0, n_out=288.0)
    >>> transposed = AxisRoles(
    ...     inputs=(0,), outputs=(1,), kernel=(2, 3), strides=4, is_transposed=True
    ... )
    >>> fans((64, 8, 4, 4), transposed)
    Fan(n_in=256.0, n_out=128.0)
    """
    matrix = matrix_fans(shape, roles)
    if roles.is_lookup:
        return Fan(n_in=1.0, n_out=matrix.n_out)
    positions = _count(shape, roles.kernel)
    if roles.is_transposed:
        return Fan(n_in=matrix.n_in / roles.strides, n_out=matrix.n_out * positions)
    return Fan(n_in=matrix.n_in, n_out=matrix.n_out * positions / roles.strides)


def matrix_fans(shape: tuple[int, ...], roles: AxisRoles) -> Fan[float]:
    """Give the two sides of the weight as one matrix: n_out rows, n_in columns.

    A row holds the weights of one output of one group: its inputs times the kernel.
    This is the matrix that an orthogonal or identity scheme works on. For a dense
    weight the sides are the fans.

    Raises:
        ArgumentError: as `fans`.

    >>> conv = AxisRoles(outputs=(0,), inputs=(1,), kernel=(2, 3), strides=4)
    >>> matrix_fans((128, 64, 3, 3), conv)
    Fan(n_in=576.0, n_out=128.0)
    """
    _require_each_axis_once(shape, roles)
    n_inputs, n_outputs = _count(shape, roles.inputs), _count(shape, roles.outputs)
    is_counted_in = roles.is_transposed and not roles.has_all_outputs
    _require_whole_groups(n_inputs if is_counted_in else n_outputs, roles)
    if is_counted_in:
        n_inputs //= roles.groups
    else:
        n_outputs //= roles.groups
    positions = _count(shape, roles.kernel)
    return Fan(n_in=float(n_inputs * positions), n_out=float(n_outputs))


def _count(shape: tuple[int, ...], axes: tuple[int, ...]) -> int:
    return prod(shape[axis] for axis in axes)


def _require_each_axis_once(shape: tuple[int, ...], roles: AxisRoles) -> None:
    named = sorted((*roles.inputs, *roles.outputs, *roles.kernel))
    if named != list(range(len(shape))):
        expected = f"axes 0 to {len(shape) - 1} of the shape {shape}, each named once"
        raise ArgumentError.of(argument="roles", received=roles, expected=expected)


def _require_whole_groups(n_channels: int, roles: AxisRoles) -> None:
    if roles.groups < 1 or n_channels % roles.groups:
        expected = f"a divisor of the {n_channels} channels of all groups"
        raise ArgumentError.of(
            argument="groups", received=roles.groups, expected=expected
        )
    if roles.strides < 1:
        raise ArgumentError.of(
            argument="strides",
            received=roles.strides,
            expected="a product of whole strides",
        )
