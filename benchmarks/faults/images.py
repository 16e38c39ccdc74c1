"""Healthy nets that read images, with and without normalization."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from benchmarks.faults.dense import numbers
from benchmarks.faults.subject import Base, Layer
from benchmarks.models import norm_free, torch_build

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = 32

Model = tuple[nn.Module, Any]


def conv(n_in: int, n_out: int, kernel: int, variance: float) -> nn.Conv2d:
    """Build a convolution of equal size with n_in·Var(w) as given, biases 0."""
    layer = nn.Conv2d(n_in, n_out, kernel, padding=kernel // 2)
    nn.init.normal_(layer.weight, std=math.sqrt(variance / (n_in * kernel**2)))
    nn.init.zeros_(layer.bias)
    return layer


def plain_cnn(depth: int, activation: str, seed: int) -> Model:
    """Build convolutions of 48 channels at their critical variance."""
    torch.manual_seed(seed)
    variance = {"relu": 2.0, "tanh": 1.0}[activation]
    function: Callable[[], nn.Module] = {"relu": nn.ReLU, "tanh": nn.Tanh}[activation]
    layers: list[nn.Module] = []
    n_in = 3
    for _ in range(depth):
        layers += [conv(n_in, 48, 3, variance), function()]
        n_in = 48
    head = nn.Linear(48, 10)
    nn.init.normal_(head.weight, std=0.5 * 48**-0.5)
    nn.init.zeros_(head.bias)
    model = nn.Sequential(*layers, norm_free.Pool(), head)
    return model, numbers(seed, BATCH, 3, 8, 8)


def cnn(depth: int, activation: str) -> Base:
    """Describe a plain convolutional net: weight, activation, …, mean, head."""
    layers = tuple(
        Layer(
            weight=f"{2 * i}.weight",
            bias=f"{2 * i}.bias",
            activation=activation,
            reader=f"{2 * i + 2}.weight"
            if i + 1 < depth
            else f"{2 * depth + 1}.weight",
            is_bare=True,
        )
        for i in range(depth)
    )
    return Base(
        name=f"cnn {activation} {depth}",
        make=partial(plain_cnn, depth, activation),
        layers=layers,
        head=f"{2 * depth + 1}.weight",
        head_bias=f"{2 * depth + 1}.bias",
        is_plain=True,
        depth=depth,
        reads="images",
        first_is_bare=True,
        head_reads_unit=activation == "relu",
    )


def batch_normed(seed: int) -> Model:
    """Build the zoo's convolutions with batch normalization."""
    torch.manual_seed(seed)
    model, _ = torch_build.cnn(5, nn.ReLU, norm=True)
    return model, numbers(seed, BATCH, 3, 16, 16)


def published(name: str, seed: int) -> Model:
    """Build a small ResNet, MobileNet or ConvNeXt."""
    torch.manual_seed(seed)
    return norm_free.NETS[name](1, norm=True), numbers(seed, BATCH, 1, 8, 8)


class UNet(nn.Module):
    """Down, up, and what went down beside what came up: a value for each pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.down = conv(3, 32, 3, 2.0)
        self.middle = conv(32, 64, 3, 2.0)
        self.up = nn.ConvTranspose2d(64, 32, 2, stride=2)
        nn.init.normal_(self.up.weight, std=math.sqrt(2.0 / 64))
        nn.init.zeros_(self.up.bias)
        self.join = conv(64, 32, 3, 2.0)
        self.out = conv(32, 3, 1, 0.25)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(b, 3, h, w) → the same."""
        skip = torch.relu(self.down(x))
        deep = torch.relu(self.middle(nn.functional.max_pool2d(skip, 2)))
        joined = torch.cat([skip, torch.relu(self.up(deep))], 1)
        return self.out(torch.relu(self.join(joined)))


def u_net(seed: int) -> Model:
    """Build the U-Net."""
    torch.manual_seed(seed)
    return UNet(), numbers(seed, BATCH, 3, 8, 8)


def _normed(weight: str, norm: str, activation: str, reader: str, **more: Any) -> Layer:
    return Layer(
        weight=f"{weight}.weight",
        norm=(f"{norm}.weight", f"{norm}.bias"),
        activation=activation,
        reader=f"{reader}.weight",
        **more,
    )


def _normalized_bases() -> list[Base]:
    """Describe the nets whose weights are followed by normalizations."""
    blocks = range(3, 7)
    return [
        Base(
            name="cnn batch norm",
            make=batch_normed,
            layers=(
                _normed("0", "1", "relu", "3"),
                _normed("3", "4", "relu", "7"),
                _normed("7", "8", "relu", "10"),
            ),
            head="18.weight",
            head_bias="18.bias",
            depth=5,
            reads="images",
        ),
        Base(
            name="resnet",
            make=partial(published, "residual cnn"),
            layers=tuple(
                _normed(
                    f"{i}.branch.0",
                    f"{i}.branch.1",
                    "relu",
                    f"{i}.branch.3",
                    in_branch=True,
                )
                for i in blocks
            ),
            head="8.weight",
            head_bias="8.bias",
            depth=4,
            reads="images",
        ),
        Base(
            name="mobilenet",
            make=partial(published, "mobilenet"),
            layers=tuple(
                _normed(
                    f"{i}.branch.0",
                    f"{i}.branch.1",
                    "relu6",
                    f"{i}.branch.3",
                    reader_axis=0,
                    is_whole=False,
                    in_branch=True,
                )
                for i in range(3, 6)
            ),
            head="10.weight",
            head_bias="10.bias",
            depth=3,
            reads="images",
        ),
        Base(
            name="convnext",
            make=partial(published, "convnext"),
            layers=tuple(
                Layer(
                    weight=f"{i}.branch.2.weight",
                    bias=f"{i}.branch.2.bias",
                    activation="gelu",
                    reader=f"{i}.branch.4.weight",
                    in_branch=True,
                )
                for i in range(2, 5)
            ),
            head="7.weight",
            head_bias="7.bias",
            depth=3,
            reads="images",
        ),
    ]


BASES: list[Base] = [
    cnn(6, "relu"),
    cnn(4, "tanh"),
    *_normalized_bases(),
    Base(
        name="u-net",
        has_equal_shapes=False,
        make=u_net,
        layers=(
            Layer(
                weight="middle.weight",
                bias="middle.bias",
                activation="relu",
                reader="up.weight",
                reader_axis=0,
                is_bare=True,
            ),
        ),
        head="out.weight",
        head_bias="out.bias",
        classes=0,
        reads="images",
        first_is_bare=True,
    ),
]
