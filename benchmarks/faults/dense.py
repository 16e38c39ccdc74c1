"""Healthy dense nets: plain ones at several depths, and those with a purpose."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from benchmarks.faults.subject import Base, Layer

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH, FEATURES, WIDTH, CLASSES, RANK, EXPERTS = 64, 32, 96, 10, 8, 4

Model = tuple[nn.Module, Any]

# n_in·Var(w) that keeps a layer's second moment: 1/E[φ²] around 1, from the literature
# (He et al. 2015; Klambauer et al. 2017) or by quadrature (GELU: 1/0.425).
CRITICAL = {"relu": 2.0, "tanh": 1.0, "gelu": 2.35, "sigmoid": 8.0, "selu": 1.0}
"""n_in·Var(w) of a healthy layer. At 1.0 a sigmoid layer sends back 0.05 of the
gradient's square, and three of them stay at chance for 200 steps of SGD at 0.1 on the
digits; at 8.0 they have 0.75 right by then."""
MODULES: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "gelu": nn.GELU,
    "sigmoid": nn.Sigmoid,
    "selu": nn.SELU,
}


def numbers(seed: int, *shape: int) -> torch.Tensor:
    """Give standard normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def linear(n_in: int, n_out: int, variance: float) -> nn.Linear:
    """Build a dense layer with n_in·Var(w) as given and no bias to begin with."""
    layer = nn.Linear(n_in, n_out)
    nn.init.normal_(layer.weight, std=math.sqrt(variance / n_in))
    nn.init.zeros_(layer.bias)
    return layer


def plain(depth: int, activation: str, n_out: int, seed: int) -> Model:
    """Build a plain net at its critical variance, with a cool head."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    n_in = FEATURES
    for _ in range(depth):
        layers.append(linear(n_in, WIDTH, CRITICAL[activation]))
        layers.append(MODULES[activation]())
        n_in = WIDTH
    head = linear(n_in, n_out, 0.25)
    return nn.Sequential(*layers, head), numbers(seed, BATCH, FEATURES)


def chain(
    depth: int, activation: str, *, step: int = 2, bare: bool = True
) -> tuple[Layer, ...]:
    """Say what the layers of an ``nn.Sequential`` of weight, activation, … are."""
    return tuple(
        Layer(
            weight=f"{step * i}.weight",
            bias=f"{step * i}.bias",
            activation=activation,
            reader=f"{step * (i + 1)}.weight",
            is_bare=bare,
        )
        for i in range(depth)
    )


def mlp(depth: int, activation: str, classes: int = CLASSES) -> Base:
    """Describe a plain net; classes 0 makes it a regression."""
    return Base(
        name=f"mlp {activation} {depth}" if classes else "regression",
        make=partial(plain, depth, activation, classes or 1),
        layers=chain(depth, activation),
        head=f"{2 * depth}.weight",
        head_bias=f"{2 * depth}.bias",
        classes=classes,
        is_plain=True,
        depth=depth,
        first_is_bare=True,
    )


class Normed(nn.Module):
    """Residual dense blocks with layer normalization in front."""

    def __init__(self, n_blocks: int, *, norm: bool) -> None:
        super().__init__()
        self.enter = linear(FEATURES, WIDTH, 1.0)
        self.norms = nn.ModuleList(
            nn.LayerNorm(WIDTH) if norm else nn.Identity() for _ in range(n_blocks)
        )
        self.up = nn.ModuleList(linear(WIDTH, WIDTH, 2.0) for _ in range(n_blocks))
        self.down = nn.ModuleList(
            linear(WIDTH, WIDTH, 1.0 / n_blocks) for _ in range(n_blocks)
        )
        self.head = linear(WIDTH, CLASSES, 0.25)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add each branch to the stream."""
        x = self.enter(x)
        for norm, up, down in zip(self.norms, self.up, self.down, strict=True):
            x = x + down(torch.relu(up(norm(x))))
        return self.head(x)


def stream(n_blocks: int, *, norm: bool, seed: int) -> Model:
    """Build a residual dense net."""
    torch.manual_seed(seed)
    return Normed(n_blocks, norm=norm), numbers(seed, BATCH, FEATURES)


def residual(n_blocks: int, *, norm: bool) -> Base:
    """Describe a residual dense net; without norm its branches end small (1/√L)."""
    layers = tuple(
        Layer(
            weight=f"up.{i}.weight",
            bias=f"up.{i}.bias",
            activation="relu",
            reader=f"down.{i}.weight",
            is_bare=not norm,
            in_branch=True,
        )
        for i in range(n_blocks)
    )
    return Base(
        name=f"residual mlp {n_blocks}" + (", norm" if norm else ""),
        make=partial(_stream, n_blocks, norm),
        layers=layers,
        head="head.weight",
        head_bias="head.bias",
        depth=n_blocks,
        first_is_bare=True,
        branch_ends=() if norm else tuple(f"down.{i}.weight" for i in range(n_blocks)),
    )


def _stream(n_blocks: int, norm: bool, seed: int) -> Model:  # noqa: FBT001
    return stream(n_blocks, norm=norm, seed=seed)


class Adapted(nn.Module):
    """A frozen dense layer with a low-rank pair beside it (Hu et al. 2021)."""

    def __init__(self, n_in: int, n_out: int, variance: float) -> None:
        super().__init__()
        self.dense = linear(n_in, n_out, variance).requires_grad_(requires_grad=False)
        self.down = nn.Parameter(torch.randn(RANK, n_in) / math.sqrt(n_in))
        self.up = nn.Parameter(torch.zeros(n_out, RANK))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Give W x + B A x."""
        return self.dense(x) + x @ self.down.T @ self.up.T


def adapted(seed: int) -> Model:
    """Build a net of three adapted layers."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        Adapted(FEATURES, WIDTH, 2.0),
        nn.ReLU(),
        Adapted(WIDTH, WIDTH, 2.0),
        nn.ReLU(),
        Adapted(WIDTH, CLASSES, 0.25),
    )
    return model, numbers(seed, BATCH, FEATURES)


class Mixture(nn.Module):
    """Experts in one stack each (expert, in, out), mixed by a router."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = linear(FEATURES, WIDTH, 1.0)
        self.router = linear(WIDTH, EXPERTS, 0.25)
        self.up = nn.Parameter(
            torch.randn(EXPERTS, WIDTH, 2 * WIDTH) * math.sqrt(2.0 / WIDTH)
        )
        self.down = nn.Parameter(
            torch.randn(EXPERTS, 2 * WIDTH, WIDTH) * math.sqrt(0.5 / WIDTH)
        )
        self.head = linear(WIDTH, CLASSES, 0.25)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Mix what the experts say of each sample."""
        x = self.enter(x)
        shares = torch.softmax(self.router(x), -1)
        hidden = torch.relu(torch.einsum("bi,eio->beo", x, self.up))
        return self.head(torch.einsum("beo,eoi,be->bi", hidden, self.down, shares))


def mixture(seed: int) -> Model:
    """Build the experts."""
    torch.manual_seed(seed)
    return Mixture(), numbers(seed, BATCH, FEATURES)


class Siamese(nn.Module):
    """One encoder for two inputs, classified by where the two differ."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            linear(FEATURES, WIDTH, 2.0),
            nn.ReLU(),
            linear(WIDTH, WIDTH, 2.0),
            nn.ReLU(),
        )
        self.head = linear(WIDTH, CLASSES, 0.25)

    def forward(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Compare two samples."""
        return self.head((self.encoder(one) - self.encoder(other)).abs())


def siamese(seed: int) -> Model:
    """Build the two-sided net and pairs to compare."""
    torch.manual_seed(seed)
    pair = (numbers(seed, BATCH, FEATURES), numbers(seed + 1000, BATCH, FEATURES))
    return Siamese(), pair


def autoencoder(seed: int) -> Model:
    """Build a net that goes down to eight numbers and up again."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        linear(FEATURES, WIDTH, 2.0),
        nn.ReLU(),
        linear(WIDTH, 8, 1.0),
        nn.Tanh(),
        linear(8, WIDTH, 2.0),
        nn.ReLU(),
        linear(WIDTH, FEATURES, 0.25),
    )
    return model, numbers(seed, BATCH, FEATURES)


def _with_purpose() -> list[Base]:
    """Give the nets that are no plain classifier."""
    narrow = ("relu", "tanh", "relu")
    return [
        Base(
            name="lora",
            make=adapted,
            head="4.dense.weight",
            layers=(),
            lora=tuple((f"{i}.down", f"{i}.up") for i in (0, 2, 4)),
        ),
        Base(
            name="experts",
            has_equal_shapes=False,
            make=mixture,
            head="head.weight",
            head_bias="head.bias",
            layers=(
                Layer(
                    weight="up",
                    activation="relu",
                    reader="down",
                    unit_axis=2,
                    reader_axis=1,
                    is_bare=True,
                    is_whole=False,
                ),
            ),
            experts=("up", "down"),
            first_is_bare=True,
        ),
        Base(
            name="siamese",
            has_equal_shapes=False,
            make=siamese,
            head="head.weight",
            head_bias="head.bias",
            layers=(
                Layer(
                    weight="encoder.0.weight",
                    bias="encoder.0.bias",
                    activation="relu",
                    reader="encoder.2.weight",
                    is_bare=True,
                ),
            ),
            first_is_bare=True,
        ),
        Base(
            name="autoencoder",
            has_equal_shapes=False,
            make=autoencoder,
            head="6.weight",
            head_bias="6.bias",
            classes=0,
            layers=tuple(
                Layer(
                    weight=f"{2 * i}.weight",
                    bias=f"{2 * i}.bias",
                    activation=activation,
                    reader=f"{2 * i + 2}.weight",
                    is_bare=True,
                )
                for i, activation in enumerate(narrow)
            ),
            is_plain=True,
            depth=3,
            first_is_bare=True,
        ),
    ]


BASES: list[Base] = [
    mlp(3, "relu"),
    mlp(10, "relu"),
    mlp(30, "relu"),
    mlp(3, "tanh"),
    mlp(10, "tanh"),
    mlp(30, "tanh"),
    mlp(6, "gelu"),
    mlp(3, "sigmoid"),
    mlp(30, "selu"),
    mlp(4, "relu", classes=0),
    residual(6, norm=True),
    residual(6, norm=False),
    *_with_purpose(),
]
