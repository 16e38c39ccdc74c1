"""Small models of each kind in Flax NNX, written as its users write them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import jax.numpy as jnp
import numpy as np
from flax import nnx

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


class MLP(nnx.Module):
    """A dense net of two hidden layers with dropout."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first = nnx.Linear(8, WIDTH, rngs=rngs)
        self.second = nnx.Linear(WIDTH, WIDTH, rngs=rngs)
        self.dropout = nnx.Dropout(0.1, rngs=rngs)
        self.head = nnx.Linear(WIDTH, 3, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        """(b, 8) → (b, 3)."""
        x = nnx.relu(self.first(x))
        return self.head(self.dropout(nnx.gelu(self.second(x))))


class CNN(nnx.Module):
    """Convolutions with batch normalization, pooled."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first = nnx.Conv(3, 8, (3, 3), rngs=rngs)
        self.norm = nnx.BatchNorm(8, rngs=rngs)
        self.second = nnx.Conv(8, WIDTH, (3, 3), strides=2, rngs=rngs)
        self.head = nnx.Linear(4 * WIDTH, 3, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        """(b, 8, 8, 3) → (b, 3)."""
        x = nnx.relu(self.norm(self.first(x)))
        x = nnx.avg_pool(nnx.relu(self.second(x)), (2, 2), (2, 2))
        return self.head(x.reshape(x.shape[0], -1))


class Residual(nnx.Module):
    """A block of a ResNet, with a projection where the width changes."""

    def __init__(self, n_in: int, n_out: int, rngs: nnx.Rngs) -> None:
        conv = partial(nnx.Conv, use_bias=False, rngs=rngs)
        self.first, self.second = conv(n_in, n_out, (3, 3)), conv(n_out, n_out, (3, 3))
        self.norms = nnx.List([nnx.BatchNorm(n_out, rngs=rngs) for _ in range(2)])
        self.skip = None if n_in == n_out else conv(n_in, n_out, (1, 1))

    def __call__(self, x: Any) -> Any:
        """(b, h, w, n_in) → (b, h, w, n_out)."""
        branch = nnx.relu(self.norms[0](self.first(x)))
        branch = self.norms[1](self.second(branch))
        return nnx.relu(branch + (x if self.skip is None else self.skip(x)))


class ResNet(nnx.Module):
    """A stem, three residual blocks, the mean over positions, a head."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.stem = nnx.Conv(3, 8, (3, 3), rngs=rngs)
        widths = [(8, 8), (8, WIDTH), (WIDTH, WIDTH)]
        self.blocks = nnx.List([Residual(*pair, rngs=rngs) for pair in widths])
        self.head = nnx.Linear(WIDTH, 3, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        """(b, 8, 8, 3) → (b, 3)."""
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean((1, 2)))


class Block(nnx.Module):
    """A transformer's block, normalized in front of each branch."""

    def __init__(self, rngs: nnx.Rngs, *, is_causal: bool) -> None:
        self.norms = nnx.List([nnx.LayerNorm(WIDTH, rngs=rngs) for _ in range(2)])
        self.attention = nnx.MultiHeadAttention(
            num_heads=2, in_features=WIDTH, decode=False, rngs=rngs
        )
        self.wide = nnx.Linear(WIDTH, 4 * WIDTH, rngs=rngs)
        self.narrow = nnx.Linear(4 * WIDTH, WIDTH, rngs=rngs)
        self.is_causal = is_causal

    def __call__(self, x: Any) -> Any:
        """(b, t, WIDTH) → the same."""
        mask = nnx.make_causal_mask(x[..., 0]) if self.is_causal else None
        x = x + self.attention(self.norms[0](x), mask=mask)
        return x + self.narrow(nnx.gelu(self.wide(self.norms[1](x))))


class GPT(nnx.Module):
    """Tokens to logits of the next one, the table tied to the head."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.words = nnx.Embed(WORDS, WIDTH, rngs=rngs)
        self.positions = nnx.Embed(LENGTH, WIDTH, rngs=rngs)
        self.blocks = nnx.List([Block(rngs, is_causal=True) for _ in range(2)])
        self.norm = nnx.LayerNorm(WIDTH, rngs=rngs)

    def __call__(self, tokens: Any) -> Any:
        """(b, t) → (b, t, WORDS)."""
        x = self.words(tokens) + self.positions(jnp.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.words.attend(self.norm(x))


class ViT(nnx.Module):
    """An image in patches behind a class token."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.patches = nnx.Conv(3, WIDTH, (4, 4), strides=4, padding="VALID", rngs=rngs)
        normal = nnx.initializers.normal(0.02)
        self.token = nnx.Param(normal(rngs.params(), (1, 1, WIDTH)))
        self.positions = nnx.Param(normal(rngs.params(), (1, 5, WIDTH)))
        self.blocks = nnx.List([Block(rngs, is_causal=False) for _ in range(2)])
        self.norm = nnx.LayerNorm(WIDTH, rngs=rngs)
        self.head = nnx.Linear(WIDTH, 3, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        """(b, 8, 8, 3) → (b, 3)."""
        x = self.patches(x).reshape(x.shape[0], -1, WIDTH)
        token = jnp.broadcast_to(self.token[...], (x.shape[0], 1, WIDTH))
        x = jnp.concatenate([token, x], axis=1) + self.positions[...]
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


class LSTM(nnx.Module):
    """Tokens read one after the other, the last state classified."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.words = nnx.Embed(WORDS, WIDTH, rngs=rngs)
        self.net = nnx.RNN(nnx.LSTMCell(WIDTH, WIDTH, rngs=rngs), rngs=rngs)
        self.head = nnx.Linear(WIDTH, 3, rngs=rngs)

    def __call__(self, tokens: Any) -> Any:
        """(b, t) → (b, 3)."""
        return self.head(self.net(self.words(tokens))[:, -1])


class Mixer(nnx.Module):
    """Patches mixed over positions, then over channels."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.patches = nnx.Conv(3, WIDTH, (4, 4), strides=4, padding="VALID", rngs=rngs)
        self.norms = nnx.List([nnx.LayerNorm(WIDTH, rngs=rngs) for _ in range(2)])
        sizes = [(4, 8), (8, 4), (WIDTH, 32), (32, WIDTH)]
        self.layers = nnx.List([nnx.Linear(*size, rngs=rngs) for size in sizes])
        self.head = nnx.Linear(WIDTH, 3, rngs=rngs)

    def __call__(self, x: Any) -> Any:
        """(b, 8, 8, 3) → (b, 3)."""
        x = self.patches(x).reshape(x.shape[0], 4, WIDTH)
        mixed = self.norms[0](x).swapaxes(1, 2)
        x = x + self.layers[1](nnx.gelu(self.layers[0](mixed))).swapaxes(1, 2)
        x = x + self.layers[3](nnx.gelu(self.layers[2](self.norms[1](x))))
        return self.head(x.mean(1))


class Autoencoder(nnx.Module):
    """Strided convolutions down, transposed ones up again."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.down = nnx.Conv(3, 8, (3, 3), strides=2, rngs=rngs)
        self.code = nnx.Linear(8 * 16, WIDTH, rngs=rngs)
        self.back = nnx.Linear(WIDTH, 8 * 16, rngs=rngs)
        self.up = nnx.ConvTranspose(8, 3, (4, 4), strides=(2, 2), rngs=rngs)

    def __call__(self, x: Any) -> Any:
        """(b, 8, 8, 3) → the same."""
        x = nnx.silu(self.down(x)).reshape(x.shape[0], -1)
        x = nnx.silu(self.back(jnp.tanh(self.code(x))))
        return nnx.sigmoid(self.up(x.reshape(-1, 4, 4, 8)))


MODELS: dict[str, tuple[type, Callable[[], np.ndarray]]] = {
    "mlp": (MLP, partial(_numbers, BATCH, 8)),
    "cnn": (CNN, partial(_numbers, BATCH, 8, 8, 3)),
    "resnet": (ResNet, partial(_numbers, BATCH, 8, 8, 3)),
    "gpt": (GPT, _words),
    "vit": (ViT, partial(_numbers, BATCH, 8, 8, 3)),
    "lstm": (LSTM, _words),
    "mixer": (Mixer, partial(_numbers, BATCH, 8, 8, 3)),
    "autoencoder": (Autoencoder, partial(_numbers, BATCH, 8, 8, 3)),
}


def zoo() -> dict[str, Callable[[], tuple[Any, Any]]]:
    """Give a builder of (model, batch) for each model, by name."""
    return {f"flax {name}": partial(_build, name) for name in MODELS}


def _build(name: str) -> tuple[Any, Any]:
    model, batch = MODELS[name]
    return model(nnx.Rngs(0)), batch()
