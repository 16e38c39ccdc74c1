"""Parameter groups for ``torch.optim``: one for each learning rate and decay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.frameworks.torch.parameters import trainable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.rate import Rate


def groups(model: Any, rates: Mapping[str, Rate]) -> list[dict[str, Any]]:
    """Give parameter groups, as every optimizer of ``torch.optim`` takes them.

    Each has the keys "params", "lr" and "weight_decay", and "lr_scale": its rate over
    the base's, for schedules that set "lr" themselves. Frozen parameters are left out.
    """
    found: dict[tuple[float, ...], dict[str, Any]] = {}
    for path, tensor in trainable(model):
        rate = rates[path]
        settings = (rate.learning_rate, rate.weight_decay, rate.scale)
        group = found.setdefault(
            settings,
            {
                "params": [],
                "lr": rate.learning_rate,
                "weight_decay": rate.weight_decay,
                "lr_scale": rate.scale,
            },
        )
        group["params"].append(tensor)
    return list(found.values())
