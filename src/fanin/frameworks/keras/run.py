"""One run of a Keras model on a task: its batch and target ready, its values given."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import keras
import numpy as np
from keras import ops

from fanin.errors import ModelError, ShapeError, UnknownParameterError
from fanin.frameworks.keras.call import at_values, check_fit, outputs_of, tensors_of
from fanin.frameworks.keras.head import graph_says, last_layer_says
from fanin.frameworks.keras.names import layers_of
from fanin.frameworks.keras.objective import (
    loss_of,
    scalar,
    target_of,
    uses_compiled_loss,
)
from fanin.frameworks.keras.variables import variables_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from fanin.graph import Graph, Task

ENTROPIES: Final = ("cross_entropy", "binary_cross_entropy")
"""Losses of logits; of shares they are another formula."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What every run on one task shares; made once, and checked before anything runs.

    batch: tensors in the task's own structure, None without one. target: tensors.
    gives_probabilities: the output went through a softmax or a sigmoid; None where
    that is not known, or does not matter.
    """

    model: Any
    task: Task
    batch: Any
    target: Any
    gives_probabilities: bool | None

    @classmethod
    def of(cls, model: Any, task: Task) -> Run:
        """Check model and batch against each other, and make the tensors.

        Raises:
            NoStorageError: if the model is not built.
            ModelError: if a layer wraps a torch module, which reads no Keras variable.
            BatchError: if the batch is missing, wrong or not finite.
        """
        variables_of(model)
        _require_own_layers(model)
        batch = tensors_of(task)
        check_fit(model, batch)
        gives_probabilities = None
        if task.loss in ENTROPIES:
            gives_probabilities = last_layer_says(model)
        return cls(
            model=model,
            task=task,
            batch=batch,
            target=target_of(task),
            gives_probabilities=gives_probabilities,
        )

    def with_head(self, read: Callable[[Run], Graph]) -> Run:
        """Find out whether the output is shares, where the last layer did not say.

        Args:
            read: records the run; called only if the loss depends on the answer.
        """
        if self.task.loss not in ENTROPIES or self.gives_probabilities is not None:
            return self
        return replace(self, gives_probabilities=graph_says(read(self)))

    def tensors(self, values: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Give all real parameters as tensors, at ``values`` where given.

        Raises:
            UnknownParameterError, ShapeError: if ``values`` do not fit the model.
        """
        held = variables_of(self.model).parameters
        for path, array in values.items():
            if path not in held:
                raise UnknownParameterError.of(path, held)
            shape = tuple(int(n) for n in held[path].shape)
            if np.shape(array) != shape:
                raise ShapeError.of(path, shape, np.shape(array))
        convert = partial(_as_parameter, values=values)
        return {path: convert(path, v) for path, v in held.items() if _is_real(v)}

    @property
    def buffers(self) -> tuple[Any, ...]:
        """Give the tensors that the model stores and does not train."""
        held = variables_of(self.model)
        return tuple(v.value for v in (*held.buffers.values(), *held.states))

    def with_leaves(self, leaves: Sequence[Any]) -> Run:
        """Give the same run on other tensors in the batch's nesting."""
        waiting = iter(leaves)
        batch = keras.tree.map_structure(
            lambda leaf: next(waiting) if hasattr(leaf, "shape") else leaf, self.batch
        )
        return replace(self, batch=batch)

    @contextmanager
    def at(self, values: Mapping[str, Any]) -> Iterator[None]:
        """Let the model read these tensors; see `call.at_values`."""
        with at_values(self.model, values, self.task.seed):
            yield

    def outputs(self) -> Any:
        """Run the model forward, inside `at`."""
        return outputs_of(self.model, self.task, self.batch)

    def loss(self, outputs: Any) -> Any:
        """Compute the objective from the outputs, inside `at`: a scalar tensor."""
        if self.task.objective is not None:
            return scalar(outputs, "objective")
        return loss_of(
            self.model,
            self.task,
            self.target,
            outputs,
            gives_probabilities=bool(self.gives_probabilities),
        )

    @property
    def has_loss(self) -> bool:
        """Say whether the objective is the caller's own, or that of ``compile``."""
        return self.task.has_loss or uses_compiled_loss(self.model, self.task)

    def objective(self) -> Any:
        """Run forward and compute the objective, inside `at`."""
        return self.loss(self.outputs())


def _as_parameter(path: str, variable: Any, values: Mapping[str, np.ndarray]) -> Any:
    if path in values:
        return ops.convert_to_tensor(values[path], dtype=variable.dtype)
    return ops.convert_to_tensor(variable.value)


def _require_own_layers(model: Any) -> None:
    for layer in layers_of(model):
        if isinstance(layer, keras.layers.TorchModuleWrapper):
            message = (
                f"Layer {layer.name!r} wraps a torch module, which reads its own "
                "parameters, so that the model cannot be run at other values. Hand "
                "fanin the torch module, or write the layer in Keras."
            )
            raise ModelError(message)


def _is_real(variable: Any) -> bool:
    return bool(keras.backend.is_float_dtype(variable.dtype))
