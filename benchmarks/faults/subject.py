"""A healthy model, what is known of its layers, and the copy that a fault goes into."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

RECTIFIERS = frozenset({"relu", "relu6"})
"""φ(z) = 0 for z ≤ 0, and φ′(0) = 0 as every framework has it: a zero shuts them."""
SIGMOIDAL = frozenset({"tanh", "sigmoid"})
THROUGH_ZERO = frozenset({"relu", "relu6", "tanh", "gelu", "silu", "selu", "none"})
"""φ(0) = 0."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A weight inside a model, and what stands around it: paths and axes.

    norm: (gain, shift) of the normalization between the weight and its activation.
    reader: the weight that reads the layer's units, and nothing else does. unit_axis,
    reader_axis: where the units lie in the two. is_whole: weight, bias, norm and reader
    are all that belongs to a unit. is_bare: no normalization comes after it before the
    output, so that its scale is the signal's. in_branch: a stream goes past it.
    """

    weight: str
    bias: str | None = None
    norm: tuple[str, str] | None = None
    activation: str = "none"
    reader: str | None = None
    unit_axis: int = 0
    reader_axis: int = 1
    is_whole: bool = True
    is_bare: bool = False
    in_branch: bool = False


@dataclass(frozen=True, kw_only=True)
class Base:
    """A model that is healthy by theory, and what is written down of it.

    make: seed → (model, batch). layers: some of those inside, in order. head: the
    output's weight; head_bias: its bias. classes: of the output; 0 for regression.
    is_plain: one layer behind the other, no normalization, no stream that goes past.
    depth: hidden layers of a plain net, blocks of another. reads: "numbers", "images"
    or "words"; per_token: one output each word. first_is_bare: no normalization comes
    right after the first weight. head_reads_unit: what enters the head is of about unit
    size (the mean of a signed map over positions is not). has_equal_shapes: two of the
    trained weights are of one shape. branch_ends: last weights of
    branches of a stream that is never normalized. table: that looks words up.
    tied_table: the table that is also the head, where positions come in as rotations
    or not at all. lora: pairs of factors. experts: stacks (expert, in, out) read
    as x @ W. steps: Mamba-2's dt_bias. variants: further ways of making it, by the
    fault that they are.
    """

    name: str
    make: Callable[[int], tuple[Any, Any]]
    head: str
    layers: tuple[Layer, ...] = ()
    framework: str = "torch"
    head_bias: str | None = None
    classes: int = 10
    is_plain: bool = False
    depth: int = 1
    reads: str = "numbers"
    per_token: bool = False
    first_is_bare: bool = False
    head_reads_unit: bool = True
    has_equal_shapes: bool = True
    branch_ends: tuple[str, ...] = ()
    tied_table: str | None = None
    table: str | None = None
    lora: tuple[tuple[str, str], ...] = ()
    experts: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    variants: dict[str, Callable[[int], tuple[Any, Any]]] = field(default_factory=dict)

    @property
    def bare(self) -> tuple[Layer, ...]:
        """Give the layers whose scale no normalization takes out."""
        return tuple(layer for layer in self.layers if layer.is_bare)


@dataclass(kw_only=True)
class Subject:
    """One model that a fault is put into, and how it will be checked.

    options: further words for ``fanin.check``.
    """

    base: Base
    model: Any
    batch: Any
    loss: Any = None
    target: Any = None
    options: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def framework(self) -> Any:
        """Give fanin's reader and writer of this model's framework."""
        from fanin.frameworks.find import find

        return find(self.model)

    @cached_property
    def values(self) -> dict[str, np.ndarray]:
        """Give a copy of all parameters, by path; ``put`` writes it back."""
        read: dict[str, np.ndarray] = self.framework.read(self.model)
        return read

    @property
    def matrices(self) -> list[str]:
        """Give the paths of the parameters with two axes or more (of length over 1)."""
        return [p for p, v in self.values.items() if sum(n > 1 for n in v.shape) > 1]

    def put(self, *paths: str) -> frozenset[str]:
        """Write these paths of ``values`` into the model, and give them."""

        def draw(path: str) -> Any:
            array = self.values[path]
            return lambda at: array if at is None else array.reshape(-1)[at]

        self.model = self.framework.write(self.model, {p: draw(p) for p in paths})
        return frozenset(paths)
