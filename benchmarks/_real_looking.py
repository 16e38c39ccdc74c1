"""Batches that look like data, and labels at random, for models of every library.

Words come with Zipf's frequencies, images with the smooth power of photographs and
normalized, sounds as filtered noise. All are the same each time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

WORDS_FROM, SEED = 3, 0


def numbers(shape: tuple[int, ...], *, channels_last: bool = False) -> np.ndarray:
    """Give float32 numbers of mean 0 and variance 1: images where there are 4 axes."""
    source = np.random.default_rng(SEED)
    drawn = source.standard_normal(shape)
    if len(shape) == 4:
        axes = (1, 2) if channels_last else (2, 3)
        drawn = _smooth(drawn, axes)
        others = (0, *axes)
        drawn = drawn - drawn.mean(axis=others, keepdims=True)
        drawn = drawn / drawn.std(axis=others, keepdims=True)
    return drawn.astype(np.float32)


def _smooth(noise: np.ndarray, axes: tuple[int, int]) -> np.ndarray:
    """Weigh a wave of f cycles an image by 1/f, as photographs have it (Field 1987)."""
    spectrum = np.fft.fft2(noise, axes=axes)
    cycles = [np.fft.fftfreq(noise.shape[axis]) * noise.shape[axis] for axis in axes]
    radius = np.hypot(cycles[0][:, None], cycles[1][None, :])
    shape = [1] * noise.ndim
    for axis in axes:
        shape[axis] = noise.shape[axis]
    weight = (1.0 / np.maximum(radius, 1.0)).reshape(shape)
    smooth: np.ndarray = np.fft.ifft2(spectrum * weight, axes=axes).real
    return smooth


def words(shape: tuple[int, ...], n_words: int) -> np.ndarray:
    """Give whole numbers below ``n_words`` of which the k-th is 1/k as frequent."""
    source = np.random.default_rng(SEED)
    first = min(WORDS_FROM, n_words - 1)
    shares = 1.0 / np.arange(1, n_words - first + 1)
    return source.choice(np.arange(first, n_words), size=shape, p=shares / shares.sum())


def classes(shape: tuple[int, ...], n_classes: int) -> np.ndarray:
    """Give labels at random, each class as likely."""
    return np.random.default_rng(SEED + 1).integers(0, n_classes, shape)


def like(batch: Any, *, channels_last: bool = False) -> Any:
    """Give a batch of the same structure and shapes that looks like data.

    Arrays and tensors alike; what holds pixels from 0 to 255 stays.
    """
    if isinstance(batch, dict):
        return {k: like(v, channels_last=channels_last) for k, v in batch.items()}
    if isinstance(batch, tuple | list):
        return type(batch)(like(v, channels_last=channels_last) for v in batch)
    held = np.asarray(batch)
    if held.dtype.kind in "iu":
        made = words(held.shape, int(held.max()) + 1)
    elif held.size and held.min() >= 0.0 and held.max() > 10.0:
        made = held
    else:
        made = numbers(held.shape, channels_last=channels_last)
    if isinstance(batch, np.ndarray):
        return made.astype(held.dtype)
    import torch

    return torch.from_numpy(np.array(made)).to(batch.dtype)
