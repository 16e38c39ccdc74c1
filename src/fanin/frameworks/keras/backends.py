"""The verbs that every backend of Keras does in its own way."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from fanin.frameworks.calibration import Goals
    from fanin.frameworks.keras.run import Run
    from fanin.graph import Graph, Measurement
    from fanin.graph.calibration import Calibration


class Backend(Protocol):
    """What a module ``on_<backend>`` holds."""

    def record(self, run: Run) -> Graph:
        """Run or trace the model forward and write down what ran."""
        ...

    def measure(self, run: Run, values: Mapping[str, np.ndarray]) -> Measurement:
        """Run forward and backward at these values."""
        ...

    def gradients(self, run: Run, tensors: Mapping[str, Any]) -> dict[str, Any | None]:
        """Give the objective's gradient at each of these tensors, by path."""
        ...

    def calibrate(
        self, run: Run, values: Mapping[str, np.ndarray], goals: Goals
    ) -> Calibration:
        """Find the weights' factors in one forward run."""
        ...


def backend_of(name: str) -> Backend:
    """Import what fanin has for a backend: "torch", "jax" or "tensorflow"."""
    return cast("Backend", importlib.import_module(f"fanin.frameworks.keras.on_{name}"))
