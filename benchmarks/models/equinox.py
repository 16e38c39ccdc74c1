"""Small models of each kind in Equinox, written as its users do: for one sample.

The class makes the layers; the batch is mapped over by whoever runs the model.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from equinox import nn

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = 4
WIDTH = 16
LENGTH = 6
WORDS = 11


def _numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def _words() -> np.ndarray:
    return np.random.default_rng(0).integers(0, WORDS, (BATCH, LENGTH))


class MLP(eqx.Module):
    """A dense net of two hidden layers with dropout."""

    first: nn.Linear
    second: nn.Linear
    dropout: nn.Dropout
    head: nn.Linear

    def __init__(self, key: Any) -> None:
        keys = jax.random.split(key, 3)
        self.first = nn.Linear(8, WIDTH, key=keys[0])
        self.second = nn.Linear(WIDTH, WIDTH, key=keys[1])
        self.dropout = nn.Dropout(0.1)
        self.head = nn.Linear(WIDTH, 3, key=keys[2])

    def __call__(self, x: Any, *, key: Any = None) -> Any:
        """(8,) → (3,)."""
        x = jax.nn.gelu(self.second(jax.nn.relu(self.first(x))))
        return self.head(self.dropout(x, key=key))


class CNN(eqx.Module):
    """Convolutions with batch normalization, pooled."""

    first: nn.Conv2d
    norm: nn.BatchNorm
    second: nn.Conv2d
    pool: nn.AvgPool2d
    head: nn.Linear

    def __init__(self, key: Any) -> None:
        keys = jax.random.split(key, 3)
        self.first = nn.Conv2d(3, 8, 3, padding=1, key=keys[0])
        self.norm = nn.BatchNorm(8, "batch", mode="batch")
        self.second = nn.Conv2d(8, WIDTH, 3, stride=2, padding=1, key=keys[1])
        self.pool = nn.AvgPool2d(2, 2)
        self.head = nn.Linear(4 * WIDTH, 3, key=keys[2])

    def __call__(self, x: Any, state: nn.State) -> tuple[Any, nn.State]:
        """(3, 8, 8) → (3,)."""
        x, state = self.norm(self.first(x), state)
        x = self.pool(jax.nn.relu(self.second(jax.nn.relu(x))))
        return self.head(x.reshape(-1)), state


class Residual(eqx.Module):
    """A block of a ResNet, with a projection where the width changes."""

    first: nn.Conv2d
    second: nn.Conv2d
    norms: list[nn.BatchNorm]
    skip: nn.Conv2d | None

    def __init__(self, n_in: int, n_out: int, key: Any) -> None:
        keys = jax.random.split(key, 3)
        conv = partial(nn.Conv2d, use_bias=False)
        self.first = conv(n_in, n_out, 3, padding=1, key=keys[0])
        self.second = conv(n_out, n_out, 3, padding=1, key=keys[1])
        self.norms = [nn.BatchNorm(n_out, "batch", mode="batch") for _ in range(2)]
        self.skip = None if n_in == n_out else conv(n_in, n_out, 1, key=keys[2])

    def __call__(self, x: Any, state: nn.State) -> tuple[Any, nn.State]:
        """(n_in, h, w) → (n_out, h, w)."""
        branch, state = self.norms[0](self.first(x), state)
        branch, state = self.norms[1](self.second(jax.nn.relu(branch)), state)
        skip = x if self.skip is None else self.skip(x)
        return jax.nn.relu(branch + skip), state


class ResNet(eqx.Module):
    """A stem, three residual blocks, the mean over positions, a head."""

    stem: nn.Conv2d
    blocks: list[Residual]
    head: nn.Linear

    def __init__(self, key: Any) -> None:
        keys = jax.random.split(key, 5)
        self.stem = nn.Conv2d(3, 8, 3, padding=1, key=keys[0])
        widths = [(8, 8), (8, WIDTH), (WIDTH, WIDTH)]
        self.blocks = [
            Residual(*pair, k) for pair, k in zip(widths, keys[1:4], strict=True)
        ]
        self.head = nn.Linear(WIDTH, 3, key=keys[4])

    def __call__(self, x: Any, state: nn.State) -> tuple[Any, nn.State]:
        """(3, 8, 8) → (3,)."""
        x = self.stem(x)
        for block in self.blocks:
            x, state = block(x, state)
        return self.head(x.mean((1, 2))), state


class Block(eqx.Module):
    """A transformer's block, normalized in front of each branch."""

    norms: list[nn.LayerNorm]
    attention: nn.MultiheadAttention
    wide: nn.Linear
    narrow: nn.Linear
    is_causal: bool = eqx.field(static=True)

    def __init__(self, key: Any, *, is_causal: bool) -> None:
        keys = jax.random.split(key, 3)
        self.norms = [nn.LayerNorm(WIDTH) for _ in range(2)]
        self.attention = nn.MultiheadAttention(
            2,
            WIDTH,
            use_query_bias=True,
            use_key_bias=True,
            use_value_bias=True,
            use_output_bias=True,
            key=keys[0],
        )
        self.wide = nn.Linear(WIDTH, 4 * WIDTH, key=keys[1])
        self.narrow = nn.Linear(4 * WIDTH, WIDTH, key=keys[2])
        self.is_causal = is_causal

    def __call__(self, x: Any) -> Any:
        """(t, WIDTH) → the same."""
        normal = jax.vmap(self.norms[0])(x)
        length = x.shape[0]
        mask = jnp.tril(jnp.ones((length, length), bool)) if self.is_causal else None
        x = x + self.attention(normal, normal, normal, mask=mask)
        hidden = jax.nn.gelu(jax.vmap(self.wide)(jax.vmap(self.norms[1])(x)))
        return x + jax.vmap(self.narrow)(hidden)


class GPT(eqx.Module):
    """Tokens to logits of the next one."""

    words: nn.Embedding
    positions: nn.Embedding
    blocks: list[Block]
    norm: nn.LayerNorm
    head: nn.Linear

    def __init__(self, key: Any) -> None:
        keys = jax.random.split(key, 5)
        self.words = nn.Embedding(WORDS, WIDTH, key=keys[0])
        self.positions = nn.Embedding(LENGTH, WIDTH, key=keys[1])
        self.blocks = [Block(k, is_causal=True) for k in keys[2:4]]
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, WORDS, use_bias=False, key=keys[4])

    def __call__(self, tokens: Any) -> Any:
        """(t,) → (t, WORDS)."""
        places = jnp.arange(tokens.shape[0])
        x = jax.vmap(self.words)(tokens) + jax.vmap(self.positions)(places)
        for block in self.blocks:
            x = block(x)
        return jax.vmap(self.head)(jax.vmap(self.norm)(x))


class ViT(eqx.Module):
    """An image in patches behind a class token."""

    patches: nn.Conv2d
    token: Any
    positions: Any
    blocks: list[Block]
    norm: nn.LayerNorm
    head: nn.Linear

    def __init__(self, key: Any) -> None:
        keys = jax.random.split(key, 6)
        self.patches = nn.Conv2d(3, WIDTH, 4, stride=4, key=keys[0])
        self.token = 0.02 * jax.random.normal(keys[1], (1, WIDTH))
        self.positions = 0.02 * jax.random.normal(keys[2], (5, WIDTH))
        self.blocks = [Block(k, is_causal=False) for k in keys[3:5]]
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, 3, key=keys[5])

    def __call__(self, x: Any) -> Any:
        """(3, 8, 8) → (3,)."""
        x = self.patches(x).reshape(WIDTH, -1).T
        x = jnp.concatenate([self.token, x]) + self.positions
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x[0]))


class LSTM(eqx.Module):
    """Tokens read one after the other, the last state classified."""

    words: nn.Embedding
    cell: nn.LSTMCell
    head: nn.Linear

    def __init__(self, key: Any) -> None:
        keys = jax.random.split(key, 3)
        self.words = nn.Embedding(WORDS, WIDTH, key=keys[0])
        self.cell = nn.LSTMCell(WIDTH, WIDTH, key=keys[1])
        self.head = nn.Linear(WIDTH, 3, key=keys[2])

    def __call__(self, tokens: Any) -> Any:
        """(t,) → (3,)."""
        start = (jnp.zeros(WIDTH), jnp.zeros(WIDTH))
        read = jax.vmap(self.words)(tokens)
        (hidden, _), _ = jax.lax.scan(
            lambda carry, x: (self.cell(x, carry), None), start, read
        )
        return self.head(hidden)


class Mixer(eqx.Module):
    """Patches mixed over positions, then over channels."""

    patches: nn.Conv2d
    norms: list[nn.LayerNorm]
    over_positions: nn.MLP
    over_channels: nn.MLP
    head: nn.Linear

    def __init__(self, key: Any) -> None:
        keys = jax.random.split(key, 4)
        self.patches = nn.Conv2d(3, WIDTH, 4, stride=4, key=keys[0])
        self.norms = [nn.LayerNorm(WIDTH) for _ in range(2)]
        mlp = partial(nn.MLP, depth=1, activation=jax.nn.gelu)
        self.over_positions = mlp(4, 4, 8, key=keys[1])
        self.over_channels = mlp(WIDTH, WIDTH, 32, key=keys[2])
        self.head = nn.Linear(WIDTH, 3, key=keys[3])

    def __call__(self, x: Any) -> Any:
        """(3, 8, 8) → (3,)."""
        x = self.patches(x).reshape(WIDTH, 4).T
        x = x + jax.vmap(self.over_positions)(jax.vmap(self.norms[0])(x).T).T
        x = x + jax.vmap(self.over_channels)(jax.vmap(self.norms[1])(x))
        return self.head(x.mean(0))


class Autoencoder(eqx.Module):
    """Strided convolutions down, transposed ones up again."""

    down: nn.Conv2d
    code: nn.Linear
    back: nn.Linear
    up: nn.ConvTranspose2d

    def __init__(self, key: Any) -> None:
        keys = jax.random.split(key, 4)
        self.down = nn.Conv2d(3, 8, 3, stride=2, padding=1, key=keys[0])
        self.code = nn.Linear(8 * 16, WIDTH, key=keys[1])
        self.back = nn.Linear(WIDTH, 8 * 16, key=keys[2])
        self.up = nn.ConvTranspose2d(8, 3, 4, stride=2, padding=1, key=keys[3])

    def __call__(self, x: Any) -> Any:
        """(3, 8, 8) → the same."""
        x = jnp.tanh(self.code(jax.nn.silu(self.down(x)).reshape(-1)))
        return jax.nn.sigmoid(self.up(jax.nn.silu(self.back(x)).reshape(8, 4, 4)))


MODELS: dict[str, tuple[type, Callable[[], np.ndarray]]] = {
    "mlp": (MLP, partial(_numbers, BATCH, 8)),
    "cnn": (CNN, partial(_numbers, BATCH, 3, 8, 8)),
    "resnet": (ResNet, partial(_numbers, BATCH, 3, 8, 8)),
    "gpt": (GPT, _words),
    "vit": (ViT, partial(_numbers, BATCH, 3, 8, 8)),
    "lstm": (LSTM, _words),
    "mixer": (Mixer, partial(_numbers, BATCH, 3, 8, 8)),
    "autoencoder": (Autoencoder, partial(_numbers, BATCH, 3, 8, 8)),
}
STATEFUL = frozenset({"cnn", "resnet"})
"""Models that are a pair with their state."""


def zoo() -> dict[str, Callable[[], tuple[Any, Any]]]:
    """Give a builder of (model, batch) for each model, by name."""
    return {f"equinox {name}": partial(_build, name) for name in MODELS}


def _build(name: str) -> tuple[Any, Any]:
    model, batch = MODELS[name]
    make = nn.make_with_state(model) if name in STATEFUL else model
    return make(jax.random.key(0)), batch()
