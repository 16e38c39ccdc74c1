"""How the torch models are built: nets by depth, and forward functions by hand."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable

    Builder = Callable[[], tuple[nn.Module, Any]]

SAMPLES, FEATURES, WIDTH, CLASSES = 64, 32, 128, 10
CHANNELS, SIDE, LENGTH, VOCABULARY = 32, 16, 12, 100


def numbers(*shape: int) -> torch.Tensor:
    """Give standard normal numbers, the same each time."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def token_ids(*shape: int) -> torch.Tensor:
    """Give whole numbers below the vocabulary, the same each time."""
    source = torch.Generator().manual_seed(0)
    return torch.randint(0, VOCABULARY, shape, generator=source)


class Written(nn.Module):
    """A forward function with the parameters and layers that it uses."""

    def __init__(self, function: Callable[..., Any], **held: Any) -> None:
        super().__init__()
        self.function = function
        for name, value in held.items():
            is_tensor = isinstance(value, torch.Tensor)
            setattr(self, name, nn.Parameter(value) if is_tensor else value)

    def forward(self, *args: Any, **keywords: Any) -> Any:
        """Call the function on itself and the batch."""
        return self.function(self, *args, **keywords)


def written(
    function: Callable[..., Any], batch: Any, **held: Any
) -> tuple[nn.Module, Any]:
    """Build a model from its forward function and what that uses."""
    return Written(function, **held), batch


def mlp(depth: int, activation: Callable[[], nn.Module]) -> tuple[nn.Module, Any]:
    """Build a dense net of so many hidden layers."""
    layers: list[nn.Module] = []
    n_in = FEATURES
    for _ in range(depth):
        layers += [nn.Linear(n_in, WIDTH), activation()]
        n_in = WIDTH
    model = nn.Sequential(*layers, nn.Linear(n_in, CLASSES))
    return model, numbers(SAMPLES, FEATURES)


def dropped() -> tuple[nn.Module, Any]:
    """Build a dense net with dropout and layer normalization."""
    layers: list[nn.Module] = [nn.Linear(FEATURES, WIDTH)]
    for _ in range(4):
        layers += [nn.LayerNorm(WIDTH), nn.GELU(), nn.Dropout(0.2)]
        layers += [nn.Linear(WIDTH, WIDTH)]
    return nn.Sequential(*layers, nn.Linear(WIDTH, CLASSES)), numbers(SAMPLES, FEATURES)


def reparametrized(wrap: Callable[[nn.Linear], nn.Module]) -> tuple[nn.Module, Any]:
    """Build a dense net whose weights are computed from their parameters."""
    model = nn.Sequential(
        wrap(nn.Linear(FEATURES, WIDTH)),
        nn.ReLU(),
        wrap(nn.Linear(WIDTH, WIDTH)),
        nn.ReLU(),
        nn.Linear(WIDTH, CLASSES),
    )
    return model, numbers(SAMPLES, FEATURES)


def cnn(depth: int, activation: Callable[[], nn.Module], *, norm: bool = False) -> Any:
    """Build a convolutional net: blocks of two layers, then a pool of half the side."""
    layers: list[nn.Module] = []
    n_in, side = 3, SIDE
    for i in range(depth):
        layers.append(nn.Conv2d(n_in, CHANNELS, 3, padding=1, bias=not norm))
        layers += [nn.BatchNorm2d(CHANNELS)] if norm else []
        layers.append(activation())
        n_in = CHANNELS
        if i % 2 and side > 4:
            layers.append(nn.MaxPool2d(2) if i % 4 == 1 else nn.AvgPool2d(2))
            side //= 2
    layers += [nn.Flatten(), nn.Linear(CHANNELS * side**2, CLASSES)]
    return nn.Sequential(*layers), numbers(SAMPLES // 4, 3, SIDE, SIDE)


def separable() -> tuple[nn.Module, Any]:
    """Build a net of strided, depthwise, pointwise and transposed convolutions."""
    model = nn.Sequential(
        nn.Conv2d(3, CHANNELS, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, groups=CHANNELS),
        nn.Conv2d(CHANNELS, 2 * CHANNELS, 1),
        nn.SiLU(),
        nn.Conv2d(2 * CHANNELS, 2 * CHANNELS, 3, padding=2, dilation=2, groups=4),
        nn.SiLU(),
        nn.ConvTranspose2d(2 * CHANNELS, CHANNELS, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(CHANNELS, 3, 1),
    )
    return model, numbers(SAMPLES // 4, 3, SIDE, SIDE)


def strip(m: Any, x: torch.Tensor) -> torch.Tensor:
    """Classify a sequence of features by convolutions along it."""
    return m.head(m.body(x).amax(-1))


def u_net(m: Any, x: torch.Tensor) -> torch.Tensor:
    """Go down, up, and join what went down."""
    down = functional.relu(m.down(x))
    up = m.up(functional.relu(m.middle(functional.max_pool2d(down, 2))))
    return m.out(torch.cat([down, up], 1))


class Block(nn.Module):
    """A residual block of two layers, in front of which the stream may be normed."""

    def __init__(self, norm: bool, layer: Callable[[], nn.Module], width: int) -> None:  # noqa: FBT001
        super().__init__()
        normed = nn.BatchNorm2d if isinstance(layer(), nn.Conv2d) else nn.LayerNorm
        self.branch = nn.Sequential(
            normed(width) if norm else nn.Identity(),
            nn.ReLU(),
            layer(),
            nn.ReLU(),
            layer(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add the branch to the stream."""
        return x + self.branch(x)


def residual(depth: int, *, norm: bool, dense: bool = False) -> tuple[nn.Module, Any]:
    """Build a residual net of so many blocks."""
    if dense:
        blocks = [
            Block(norm, partial(nn.Linear, WIDTH, WIDTH), WIDTH) for _ in range(depth)
        ]
        model = nn.Sequential(
            nn.Linear(FEATURES, WIDTH), *blocks, nn.Linear(WIDTH, CLASSES)
        )
        return model, numbers(SAMPLES, FEATURES)
    layer = partial(nn.Conv2d, CHANNELS, CHANNELS, 3, padding=1)
    model = nn.Sequential(
        nn.Conv2d(3, CHANNELS, 3, padding=1),
        *[Block(norm, layer, CHANNELS) for _ in range(depth)],
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(CHANNELS, CLASSES),
    )
    return model, numbers(SAMPLES // 4, 3, SIDE, SIDE)


def attention(m: Any, x: torch.Tensor) -> torch.Tensor:
    """Attend by hand, causally, in four heads."""
    n, length, width = x.shape
    q, k, v = m.qkv(m.norm(x)).view(n, length, 3, 4, -1).permute(2, 0, 3, 1, 4)
    scores = torch.einsum("bhqd,bhkd->bhqk", q, k) / math.sqrt(width // 4)
    seen = torch.ones(length, length, device=x.device).tril().bool()
    shares = scores.masked_fill(~seen, -math.inf).softmax(-1)
    mixed = torch.einsum("bhqk,bhkd->bqhd", shares, v).reshape(n, length, width)
    return x + m.scale * m.out(mixed)


def encoder(*, norm_first: bool) -> tuple[nn.Module, Any]:
    """Build torch's own transformer encoder of three layers."""
    layer = nn.TransformerEncoderLayer(
        64, 4, 128, batch_first=True, norm_first=norm_first, activation="gelu"
    )
    model = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
    return model, numbers(SAMPLES // 4, LENGTH, 64)


def language_model(m: Any, ids: torch.Tensor) -> torch.Tensor:
    """Look up, add positions, and read out by the same table."""
    x = m.table(ids) * math.sqrt(64) + m.places[: ids.shape[1]]
    return m.block(x) @ m.table.weight.T


def experts(m: Any, x: torch.Tensor) -> torch.Tensor:
    """Mix all experts by a router."""
    shares = functional.softmax(m.router(x), -1)
    hidden = functional.gelu(torch.einsum("bi,eio->beo", x, m.up))
    return torch.einsum("beo,eoi,be->bi", hidden, m.down, shares)


def low_rank(m: Any, x: torch.Tensor) -> torch.Tensor:
    """Add a low-rank pair to a layer."""
    return m.head(functional.relu(m.base(x) + (x @ m.a.T) @ m.b.T * 0.5))


def gated(m: Any, x: torch.Tensor) -> torch.Tensor:
    """Gate one branch by another."""
    return m.down(functional.silu(m.gate(x)) * m.up(x))


def last(m: Any, x: torch.Tensor) -> torch.Tensor:
    """Read out the last state of a recurrent net."""
    return m.head(m.rnn(x)[0][:, -1])


def recurrent(cell: type[nn.RNNBase], **settings: Any) -> tuple[nn.Module, Any]:
    """Build a recurrent net with a head; torch's cell unless told."""
    rnn = cell(FEATURES, 64, batch_first=True, **settings)
    both = 2 if settings.get("bidirectional") else 1
    model = Written(last, rnn=rnn, head=nn.Linear(64 * both, CLASSES))
    return model, numbers(SAMPLES, LENGTH, FEATURES)


def drawn(*shape: int) -> torch.Tensor:
    """Draw a weight of unit output variance from the global generator."""
    return torch.randn(shape) / math.sqrt(shape[-1])
