"""Read a Keras optimizer: how fast it steps which variable, and its first step."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from fanin.errors import ArgumentError
from fanin.frameworks.keras.arrays import to_numpy
from fanin.frameworks.keras.variables import variables_of
from fanin.graph.optimizer import DIVIDING, UNKNOWN, OptimizerFacts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fanin.graph.optimizer import FirstStep

FAMILIES = DIVIDING | {
    "sgd",
    "adadelta",
    "adafactor",
    "ftrl",
    "lion",
    "muon",
}


def optimizer_facts(model: Any, optimizer: Any) -> OptimizerFacts:
    """Read what an optimizer will do to the variables of a model; neither is changed.

    Args:
        model: a built model.
        optimizer: of ``keras.optimizers``. Its learning rate is the one of the step
            that it is at: a schedule's first value if it is new. What rescales the
            loss (``LossScaleOptimizer``) is looked through.

    Raises:
        ArgumentError: if it is no optimizer of Keras.
        NoStorageError: if the model is not built.
    """
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        expected = "a keras.optimizers.Optimizer, or the name of one"
        raise ArgumentError.of(
            argument="optimizer", received=optimizer, expected=expected
        )
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    config = _config(inner)
    rate = float(to_numpy(keras.ops.convert_to_tensor(inner.learning_rate)))
    betas = (config.get("beta_1"), config.get("beta_2"))
    return OptimizerFacts(
        family=_family(inner),
        rate=rate,
        momentum=float(config.get("momentum") or 0.0),
        betas=tuple(float(beta) for beta in betas if beta is not None),
        eps=float(config.get("epsilon") or 0.0),
        weight_decay=float(config.get("weight_decay") or 0.0),
        unstepped=_unstepped(model, inner),
        first_step=_first_step(inner, rate),
    )


def _config(optimizer: Any) -> dict[str, Any]:
    """Give an optimizer's settings."""
    with _without_copy_warnings():
        return dict(optimizer.get_config())


@contextmanager
def _without_copy_warnings() -> Iterator[None]:
    """Hide what the caller could do nothing about.

    Keras's optimizers read variables by ``np.array(variable)``, which NumPy 2
    deprecates (Keras 3.15.1 on torch).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _family(optimizer: Any) -> str:
    names = (kind.__name__.lower() for kind in type(optimizer).__mro__)
    return next((name for name in names if name in FAMILIES), UNKNOWN)


def _unstepped(model: Any, optimizer: Any) -> tuple[str, ...]:
    """Give the trainable variables that a built optimizer was not built for."""
    known = getattr(optimizer, "_trainable_variables", None)
    if not optimizer.built or not known:
        return ()
    stepped = {id(variable) for variable in known}
    trained = {id(variable) for variable in model.trainable_variables}
    return tuple(
        path
        for path, variable in variables_of(model).parameters.items()
        if id(variable) in trained - stepped
    )


def _first_step(optimizer: Any, rate: float) -> FirstStep:
    """Give a function that takes the first step of a new optimizer of the same kind.

    Weight decay is left out, and the learning rate is a number: the step is the same
    and no variable of the model's own is touched.
    """

    def change(
        values: Mapping[str, np.ndarray], gradients: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        paths = [path for path in gradients if path in values]
        kept = {**_config(optimizer), "learning_rate": rate}
        if kept.get("weight_decay") is not None:
            kept["weight_decay"] = 0.0
        try:
            twin = type(optimizer).from_config(kept)
            copies = [_variable(values[path]) for path in paths]
            before = [to_numpy(copy.value).astype(np.float64) for copy in copies]
            given = [keras.ops.convert_to_tensor(_wide(gradients[p])) for p in paths]
            with _without_copy_warnings():
                twin.build(copies)
                twin.apply(given, copies)
        except (RuntimeError, TypeError, ValueError, KeyError, AttributeError):
            return {}  # a method that needs more than gradients: nothing is known
        after = (to_numpy(copy.value).astype(np.float64) for copy in copies)
        pairs = zip(paths, after, before, strict=True)
        return {path: new - old for path, new, old in pairs}

    return change


def _variable(value: np.ndarray) -> Any:
    return keras.Variable(_wide(value), dtype="float32", name="copy")


def _wide(array: np.ndarray) -> np.ndarray:
    return np.asarray(array, dtype=np.float32)
