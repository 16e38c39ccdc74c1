"""Groups of Keras variables: one for each learning rate and decay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.frameworks.keras.variables import variables_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.rate import Rate


def groups(model: Any, rates: Mapping[str, Rate]) -> list[dict[str, Any]]:
    """Give groups of variables, for an optimizer each.

    Keras's optimizers have one learning rate for all variables. Each group has the
    keys "variables", "learning_rate" and "weight_decay", the last two named as the
    optimizers name them. Frozen variables are left out.

    Raises:
        NoStorageError: if the model is not built.
    """
    trained = {id(variable) for variable in model.trainable_variables}
    found: dict[tuple[float, float], dict[str, Any]] = {}
    for path, variable in variables_of(model).parameters.items():
        if id(variable) not in trained:
            continue
        rate = rates[path]
        group = found.setdefault(
            (rate.learning_rate, rate.weight_decay),
            {
                "variables": [],
                "learning_rate": rate.learning_rate,
                "weight_decay": rate.weight_decay,
            },
        )
        group["variables"].append(variable)
    return list(found.values())
