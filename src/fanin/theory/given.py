"""What a prediction starts from: moments of parameters and inputs, a node's numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

from fanin.theory.moments import Moments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Node


@dataclass(frozen=True, kw_only=True)
class Given:
    """What prediction starts from.

    variances, means: of the entries of each parameter, by path. A weight must have a
    variance, or nothing behind it is predicted; biases and shifts count as 0, gains
    and factors as 1, unless given. inputs: of INPUT and CONSTANT nodes by id, else
    mean 0 and second moment 1 for an INPUT. known: moments at any node, which replace
    the prediction there (measured behind an operation that has no rule).
    """

    variances: Mapping[str, float]
    means: Mapping[str, float] = field(default_factory=dict)
    inputs: Mapping[int, Moments] = field(default_factory=dict)
    known: Mapping[int, Moments] = field(default_factory=dict)

    def of(self, path: str | None, *, mean: float) -> Moments:
        """Give the moments of one parameter's entries, with a mean if none is given."""
        if path is None:
            return Moments(mean=mean, second_moment=mean**2)
        mean = self.means.get(path, mean)
        return Moments(mean=mean, second_moment=mean**2 + self.variances.get(path, 0.0))


def number(node: Node, key: str, default: float) -> float:
    """Give a number of the node's details."""
    value = node.details.get(key, default)
    return float(value) if isinstance(value, int | float) else default


def padding_share(node: Node) -> float:
    """Give the share of a convolution's terms that zero padding leaves out."""
    return number(node, "padding_share", 0.0)


def size_of(node: Node) -> int:
    """Give how many entries the node's output has: a count."""
    return prod(node.shape)
