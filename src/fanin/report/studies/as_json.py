"""A study as JSON: the settings and every number. NaN and infinity are null."""

from __future__ import annotations

from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from fanin.race.studies import DepthMap, Widths


def depth_json(found: DepthMap) -> dict[str, Any]:
    """Give the schema fanin.study.depth/1."""
    return {
        "schema": "fanin.study.depth/1",
        "study": asdict(found.study),
        "accuracy": _numbers(found.accuracy),
        "learning_rates": _numbers(found.rates),
        "chance": found.chance,
        "expected_depth": [_number(reach.n_layers) for reach in found.reaches],
        "growth": [_number(reach.growth) for reach in found.reaches],
        "n_as_expected": found.n_as_expected,
        "seconds": found.seconds,
    }


def width_json(found: Widths) -> dict[str, Any]:
    """Give the schema fanin.study.width/1."""
    return {
        "schema": "fanin.study.width/1",
        "study": asdict(found.study),
        "model": found.model,
        "layers": list(found.layers),
        "walks": [
            {
                "policy": policy,
                "width": width,
                "seed": seed,
                "mean_abs": _numbers(walk.mean_abs),
                "change": _numbers(walk.change),
                "losses": _numbers(walk.losses),
            }
            for (policy, width, seed), walk in found.walks.items()
        ],
        "losses": [
            {"policy": policy, "width": width, "loss": _numbers(losses)}
            for (policy, width), losses in found.losses.items()
        ],
        "seconds": found.seconds,
    }


def _numbers(values: np.ndarray) -> list[Any]:
    if values.ndim == 1:
        return [_number(float(value)) for value in values]
    return [_numbers(row) for row in values]


def _number(value: float) -> float | None:
    return value if isfinite(value) else None
