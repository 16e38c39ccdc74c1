"""Find the framework that a model is of, importing none that is not loaded."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import TYPE_CHECKING, Any, cast

from fanin.errors import ArgumentError, MissingDependencyError
from fanin.frameworks.backend import choose_backend

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from fanin.frameworks.framework import Framework
    from fanin.graph.cohort import Train

FRAMEWORKS = ("keras", "torch", "jax")
"""In the order in which they are asked: on the torch backend a Keras layer is a torch
module as well. Flax and Equinox stand on JAX: where it is not loaded, they are not."""

TRAINERS = ("keras", "torch")
"""Those that train the dense nets of a race."""


def find(model: Any) -> Framework:
    """Give the framework of a model: Keras is asked before torch, JAX last.

    A framework that is not imported yet cannot have made the model and is not asked.

    Raises:
        ArgumentError: if the model is of none; it names what is taken.

    >>> find(42)
    Traceback (most recent call last):
        ...
    fanin.errors.ArgumentError: Argument 'model' must be a torch.nn.Module, a
    keras.Layer, a flax.nnx.Module, an equinox.Module or a pair (apply, params).
    Received: 42.
    """
    found = owner(model)
    if found is not None:
        return found
    expected = (
        "a torch.nn.Module, a keras.Layer, a flax.nnx.Module, an equinox.Module or a "
        "pair (apply, params)"
    )
    raise ArgumentError.of(argument="model", received=model, expected=expected)


def owner(model: Any) -> Framework | None:
    """Give the framework of a model, None if it is no model.

    >>> owner(42) is None
    True
    """
    loaded = (named(name) for name in FRAMEWORKS if name in sys.modules)
    return next((framework for framework in loaded if framework.owns(model)), None)


def is_immutable(model: Any) -> bool:
    """Say whether `write` gives another model, because this one cannot be changed.

    >>> is_immutable(42)
    False
    """
    found = owner(model)
    check = getattr(found, "is_immutable", None)
    return check is not None and bool(check(model))


def named(name: str) -> Framework:
    """Import the folder of a framework: "torch", "keras" or "jax".

    Raises:
        ArgumentError: if there is no such framework.
    """
    if name not in FRAMEWORKS:
        expected = f"one of {', '.join(FRAMEWORKS)}"
        raise ArgumentError.of(argument="framework", received=name, expected=expected)
    module = importlib.import_module(f"fanin.frameworks.{name}")
    return cast("Framework", module)


def trainer(name: str) -> Train:
    """Give the function by which a framework trains a cohort of dense nets.

    Raises:
        ArgumentError: if there is no such framework.
        MissingDependencyError: if it is not installed.
    """
    return cast("Train", _part(name, "ensemble").train)


def dense_net(name: str, sizes: Sequence[int], activation: str) -> Any:
    """Build a plain dense net in a framework, with the weights it draws by itself.

    Raises:
        ArgumentError: if there is no such framework.
        MissingDependencyError: if it is not installed.
        UnknownNameError: if it has no such activation.
    """
    return _part(name, "dense").dense_net(sizes, activation)


def _part(name: str, part: str) -> ModuleType:
    if name not in TRAINERS:
        expected = f"one of {', '.join(TRAINERS)}"
        raise ArgumentError.of(argument="framework", received=name, expected=expected)
    if importlib.util.find_spec(name) is None:
        raise MissingDependencyError.of(name, f"Training with {name}", name)
    if name == "keras":
        choose_backend()
    return importlib.import_module(f"fanin.frameworks.{name}.{part}")
