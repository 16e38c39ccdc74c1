"""The check and the watch as callbacks of trainers, each loaded with its framework.

    fanin.callbacks.LightningCallback   Lightning, by either of its names
    fanin.callbacks.KerasCallback       Keras 3, on PyTorch, JAX or TensorFlow
    fanin.callbacks.HFCallback          the Trainer of transformers

Each asks the rules about weights before training begins, the rules that need a batch
where it is given one, and watches the first optimizer steps. What is found becomes a
warning, an error, or the end of training.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from fanin.callbacks.action import LearningError as LearningError
from fanin.callbacks.action import LearningWarning as LearningWarning

if TYPE_CHECKING:
    from fanin.callbacks.in_keras import KerasCallback as KerasCallback
    from fanin.callbacks.in_lightning import LightningCallback as LightningCallback
    from fanin.callbacks.in_transformers import HFCallback as HFCallback

__all__ = [
    "HFCallback",
    "KerasCallback",
    "LearningError",
    "LearningWarning",
    "LightningCallback",
]

HOMES: Final = {
    "HFCallback": "fanin.callbacks.in_transformers",
    "KerasCallback": "fanin.callbacks.in_keras",
    "LightningCallback": "fanin.callbacks.in_lightning",
}

if not TYPE_CHECKING:  # so that a type checker still refuses a name that is not there

    def __getattr__(name: str) -> object:
        """Bring a callback, and with it its framework, when it is asked for."""
        if name in HOMES:
            return getattr(import_module(HOMES[name]), name)
        msg = f"module 'fanin.callbacks' has no attribute {name!r}"
        raise AttributeError(msg)


def __dir__() -> list[str]:
    """List the callbacks, those not loaded yet as well."""
    return sorted({*globals(), *__all__})
