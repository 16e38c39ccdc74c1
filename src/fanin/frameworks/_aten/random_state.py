"""Random state: set while fanin runs a model, and put back as it was."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def kept() -> Iterator[None]:
    """Put the random states of torch (all devices), Python and NumPy back afterwards.

    >>> before = torch.get_rng_state()
    >>> with kept():
    ...     _ = torch.rand(3)
    >>> bool((torch.get_rng_state() == before).all())
    True
    """
    numpy_random = np.random  # noqa: TID251 (its state is the caller's: kept, not used)
    python_state, numpy_state = random.getstate(), numpy_random.get_state()
    devices = (
        list(range(torch.cuda.device_count())) if torch.cuda.is_available() else []
    )
    with torch.random.fork_rng(devices=devices):
        try:
            yield
        finally:
            random.setstate(python_state)
            numpy_random.set_state(numpy_state)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch (all devices), Python and NumPy; afterwards all are as before.

    >>> with seeded(1):
    ...     first = torch.rand(3)
    >>> with seeded(1):
    ...     bool((torch.rand(3) == first).all())
    True
    """
    with kept():
        torch.manual_seed(seed)
        random.seed(seed)
        numpy_random = np.random  # noqa: TID251 (for models that draw from it)
        numpy_random.seed(seed % 2**32)
        yield
