"""Random state is put back after a run, wherever a layer may have drawn from."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import keras
import numpy as np
from keras.src.backend.common import global_state

if TYPE_CHECKING:
    from collections.abc import Iterator

GENERATOR = "global_seed_generator"
"""Where Keras 3 keeps the generator of unseeded draws; there is no public name."""


@contextmanager
def untouched(seed: int) -> Iterator[None]:
    """Seed the noise that no ``SeedGenerator`` governs, and put all states back.

    The states are those of Python, NumPy, torch (on that backend) and Keras's global
    generator, which Keras makes at its first use from a number that Python draws.

    Args:
        seed: ≥ 0; two runs with one seed see the same noise.
    """
    python = random.getstate()
    numpy = np.random.get_state()  # noqa: NPY002, TID251 (put back, not drawn from)
    generator = global_state.get_global_attribute(GENERATOR)
    try:
        random.seed(seed)
        with _torch_seeded(seed):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002, TID251 (put back, not drawn from)
        global_state.set_global_attribute(GENERATOR, generator)


@contextmanager
def _torch_seeded(seed: int) -> Iterator[None]:
    if keras.backend.backend() != "torch":
        yield
        return
    import torch

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
