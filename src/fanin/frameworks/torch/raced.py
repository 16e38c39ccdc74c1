"""Nets that a race builds: dense, residual and convolutional, with any normalization.

A dense net's weights are called ``layers.0.weight``, …, as those of a cohort are: the
same seed gives the same numbers. ``values`` and ``sums`` say what is looked at before
training: the modules after which a layer's values stand, and before whose activation
its sums do.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch

from fanin.errors import ArgumentError, UnknownNameError
from fanin.frameworks.torch.dense import Activation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fanin.graph.raced import NetWish


class Dense(torch.nn.Module):
    """Linear layers; after each hidden one a normalization and the activation."""

    def __init__(self, wish: NetWish) -> None:
        super().__init__()
        sizes = (wish.n_in, *(wish.width,) * wish.depth, wish.n_out)
        self.layers = torch.nn.ModuleList(
            torch.nn.Linear(n_in, n_out) for n_in, n_out in pairwise(sizes)
        )
        self.norms = _norms(wish, wish.depth)
        self.hidden = _activations(wish, wish.depth)
        self.values, self.sums = [*self.hidden, self.layers[-1]], [*self.layers]

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Run: "sample n_in" → "sample n_out"."""
        values = inputs
        steps = zip(self.layers[:-1], self.norms, self.hidden, strict=True)
        for layer, norm, activation in steps:
            values = activation(norm(layer(values)))
        return self.layers[-1](values)  # type: ignore[no-any-return]


class Block(torch.nn.Module):
    """x + down(φ(up(norm(x)))): the branch of a residual net."""

    def __init__(self, wish: NetWish) -> None:
        super().__init__()
        self.norm = _norms(wish, 1)[0]
        self.up = torch.nn.Linear(wish.width, wish.width)
        self.activation = Activation(wish.activation)
        self.down = torch.nn.Linear(wish.width, wish.width)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Add the branch onto the trunk."""
        branch = self.down(self.activation(self.up(self.norm(values))))
        return values + branch  # type: ignore[no-any-return]


class Residual(torch.nn.Module):
    """A stem, blocks, a last normalization, and a head."""

    def __init__(self, wish: NetWish) -> None:
        super().__init__()
        self.stem = torch.nn.Linear(wish.n_in, wish.width)
        self.blocks = torch.nn.ModuleList(Block(wish) for _ in range(wish.depth))
        self.norm = _norms(wish, 1)[0]
        self.head = torch.nn.Linear(wish.width, wish.n_out)
        self.values = [*self.blocks, self.head]
        self.sums = [*(block.up for block in self.blocks), self.head]

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Run: "sample n_in" → "sample n_out"."""
        values = self.stem(inputs)
        for block in self.blocks:
            values = block(values)
        return self.head(self.norm(values))  # type: ignore[no-any-return]


class Conv(torch.nn.Module):
    """Convolutions of 3 × 3 with padding, the mean over all places, and a head."""

    def __init__(self, wish: NetWish) -> None:
        super().__init__()
        if wish.image is None:
            expected = "data whose inputs are images (digits, or an array of images)"
            raise ArgumentError.of(argument="net", received="conv", expected=expected)
        channels = (wish.image[0], *(wish.width,) * wish.depth)
        self.image = wish.image
        self.layers = torch.nn.ModuleList(
            torch.nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(channels)
        )
        self.norms = _norms(wish, wish.depth)
        self.hidden = _activations(wish, wish.depth)
        self.head = torch.nn.Linear(wish.width, wish.n_out)
        self.values = [*self.hidden, self.head]
        self.sums = [*self.layers, self.head]

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Run: "sample n_in" → "sample n_out"."""
        values = inputs.reshape(len(inputs), *self.image)
        steps = zip(self.layers, self.norms, self.hidden, strict=True)
        for layer, norm, activation in steps:
            values = activation(norm(layer(values)))
        return self.head(values.mean((2, 3)))  # type: ignore[no-any-return]


NETS: Mapping[str, Callable[[NetWish], torch.nn.Module]] = {
    "dense": Dense,
    "residual": Residual,
    "conv": Conv,
}


def build(wish: NetWish) -> torch.nn.Module:
    """Build a net of this house, with the weights that torch draws by itself.

    Raises:
        UnknownNameError: if there is no such net, or torch has no such activation.
        ArgumentError: if it is convolutional and the inputs are no images.
    """
    if wish.net not in NETS:
        raise UnknownNameError.of(kind="net", name=wish.net, known=NETS)
    return NETS[wish.net](wish)


def _activations(wish: NetWish, n: int) -> torch.nn.ModuleList:
    return torch.nn.ModuleList(Activation(wish.activation) for _ in range(n))


def _norms(wish: NetWish, n: int) -> torch.nn.ModuleList:
    """Give n normalizations over the width; of images over the channels."""
    is_image = wish.net == "conv"
    kinds: Mapping[str, Callable[[], torch.nn.Module]] = {
        "none": torch.nn.Identity,
        "batch": lambda: (torch.nn.BatchNorm2d if is_image else torch.nn.BatchNorm1d)(
            wish.width
        ),
        "layer": lambda: (
            torch.nn.GroupNorm(1, wish.width)
            if is_image
            else torch.nn.LayerNorm(wish.width)
        ),
        "rms": lambda: (
            ChannelRms(wish.width) if is_image else torch.nn.RMSNorm(wish.width)
        ),
    }
    if wish.normalization not in kinds:
        kind = "normalization"
        raise UnknownNameError.of(kind, wish.normalization, kinds)
    return torch.nn.ModuleList(kinds[wish.normalization]() for _ in range(n))


class ChannelRms(torch.nn.Module):
    """Root-mean-square normalization over the channels at every place of an image."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.norm = torch.nn.RMSNorm(n_channels)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Normalize "sample channel h w"."""
        return self.norm(values.movedim(1, 3)).movedim(3, 1)  # type: ignore[no-any-return]


def weighted(model: torch.nn.Module) -> list[torch.nn.Module]:
    """Give the modules of a user's net that have a weight of two axes or more."""
    return [
        module
        for module in model.modules()
        if any(p.ndim > 1 for p in module.parameters(recurse=False))
    ]


def watched(
    model: torch.nn.Module,
) -> tuple[Sequence[torch.nn.Module], Sequence[torch.nn.Module]]:
    """Give the modules of a net whose outputs are its layers' values, and its sums."""
    values, sums = getattr(model, "values", None), getattr(model, "sums", None)
    if isinstance(values, list) and isinstance(sums, list):
        return values, sums
    return weighted(model), weighted(model)
