"""The variables of a Keras model, sorted by what they are for.

A Keras model keeps four kinds in one list: parameters (trainable, or frozen by
``layer.trainable = False``), buffers (moving means), states of random generators, and
metrics. Only the first two are the model's own numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fanin.errors import NoStorageError
from fanin.frameworks.keras.names import canonical_paths, layers_of

if TYPE_CHECKING:
    from collections.abc import Mapping

SEED_STATE = "seed_generator_state"
"""The name that Keras gives to the state of every random generator."""


@dataclass(frozen=True, kw_only=True)
class Variables:
    """A model's variables by canonical path.

    parameters: created to be trained; a frozen layer's too. buffers: stored and never
    trained. states: of the random generators, in the model's order. owners: by path,
    the layer that created the parameter.
    """

    parameters: Mapping[str, Any]
    buffers: Mapping[str, Any]
    states: tuple[Any, ...]
    owners: Mapping[str, Any]


def variables_of(model: Any) -> Variables:
    """Sort the variables of a built model; a shared layer's are listed once.

    Raises:
        NoStorageError: if the model is not built, so that it has no variables yet.
    """
    if not is_built(model):
        raise NoStorageError.of(model.name, "unbuilt")
    owners = {
        id(variable): layer
        for layer in reversed(layers_of(model))
        for variable in vars(layer).get("_trainable_variables", ())
    }
    everything = list(model.variables)
    states = tuple(v for v in everything if v.name == SEED_STATE)
    held = [v for v in everything if v.name != SEED_STATE]
    named = dict(zip(canonical_paths(model, held), held, strict=True))
    return Variables(
        parameters={p: v for p, v in named.items() if id(v) in owners},
        buffers={p: v for p, v in named.items() if id(v) not in owners},
        states=states,
        owners={p: owners[id(v)] for p, v in named.items() if id(v) in owners},
    )


def is_built(model: Any) -> bool:
    """Say whether the model has its variables: False before its first call."""
    return bool(model.built)
