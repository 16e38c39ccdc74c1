"""The small dense nets that a proof can take coordinate by coordinate."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from fanin.derivation.notation import Entry
from fanin.errors import ArgumentError

if TYPE_CHECKING:
    from fanin.derivation.functions import Nonlinearity
    from fanin.derivation.losses import Loss

MOST_LAYERS = 6
MOST_WIDE = 9
MOST_PARAMETERS = 200


@dataclass(frozen=True, kw_only=True)
class Net:
    """A dense net: widths from inputs to outputs, one activation, one loss.

    >>> from fanin.derivation.functions import RELU
    >>> from fanin.derivation.losses import MSE
    >>> net = Net(widths=(2, 2, 1), activation=RELU, loss=MSE)
    >>> net.n_layers, len(net.entries), net.tensors
    (2, 9, ('W1', 'b1', 'W2', 'b2'))
    """

    widths: tuple[int, ...]
    activation: Nonlinearity
    loss: Loss

    @property
    def name(self) -> str:
        """Give the widths as written: "2-2-1"."""
        return "-".join(map(str, self.widths))

    @property
    def n_layers(self) -> int:
        """Count the layers of weights."""
        return len(self.widths) - 1

    @property
    def n_outputs(self) -> int:
        """Count the outputs."""
        return self.widths[-1]

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """List every weight and bias, layer by layer, weights first."""
        listed: list[Entry] = []
        for layer in range(1, self.n_layers + 1):
            listed += [self.weight(layer, i, j) for i, j in self._pairs(layer)]
            listed += [Entry(layer, 0, j) for j in self.units(layer)]
        return tuple(listed)

    @property
    def tensors(self) -> tuple[str, ...]:
        """Name the arrays: W1, b1, W2, b2 and so on."""
        layers = range(1, self.n_layers + 1)
        return tuple(f"{kind}{layer}" for layer in layers for kind in "Wb")

    def units(self, layer: int) -> range:
        """Number the units of a layer from 1; layer 0 is the inputs."""
        return range(1, self.widths[layer] + 1)

    def weight(self, layer: int, i: int, j: int) -> Entry:
        """Give the weight from unit i of the layer before to unit j."""
        return Entry(layer, i, j)

    def of(self, tensor: str) -> tuple[Entry, ...]:
        """List the entries of one array."""
        return tuple(entry for entry in self.entries if entry.tensor == tensor)

    def with_activation(self, activation: Nonlinearity) -> Net:
        """Give the same net with another activation."""
        return replace(self, activation=activation)

    def _pairs(self, layer: int) -> list[tuple[int, int]]:
        return [(i, j) for j in self.units(layer) for i in self.units(layer - 1)]


def refused(spec: object, expected: str) -> ArgumentError:
    """Give the error of a net that cannot be taken."""
    return ArgumentError.of("net", spec, expected)


def parse_widths(spec: str) -> tuple[int, ...]:
    """Read "2-2-1" as (2, 2, 1).

    Raises:
        ArgumentError: if it is no chain of whole numbers, or too large to prove things
            of entry by entry.

    >>> parse_widths("3-4-4-2")
    (3, 4, 4, 2)
    """
    if not re.fullmatch(r"\s*[1-9]\d*(-[1-9]\d*)+\s*", str(spec)):
        expected = 'widths from inputs to outputs joined by "-", such as "2-2-1"'
        raise refused(spec, expected)
    widths = tuple(int(width) for width in spec.split("-"))
    pairs = itertools.pairwise(widths)
    n_parameters = sum((i + 1) * j for i, j in pairs)
    is_small = len(widths) - 1 <= MOST_LAYERS and max(widths) <= MOST_WIDE
    if not is_small or n_parameters > MOST_PARAMETERS:
        expected = (
            f"small enough to prove things of weight by weight: at most {MOST_LAYERS} "
            f"layers, {MOST_WIDE} units in each and {MOST_PARAMETERS} parameters (a "
            "small net shows the same; for your own model use fanin.check)"
        )
        raise refused(spec, expected)
    return widths
