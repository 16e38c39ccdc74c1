"""Data that ship with scikit-learn: nothing is downloaded."""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from fanin.errors import MissingDependencyError
from fanin.race.raw import Raw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _sklearn(purpose: str) -> Any:  # noqa: ANN401 (a module)
    try:
        return importlib.import_module("sklearn.datasets")
    except ImportError as missing:
        raise MissingDependencyError.of(
            package="sklearn", purpose=purpose, extra="data"
        ) from missing


def _digits() -> Raw:
    """1797 scans of 8 × 8 pixels, from 0 to 16 (Alpaydin & Kaynak 1998)."""
    inputs, targets = _sklearn("The digits data").load_digits(return_X_y=True)
    return Raw(
        inputs=np.asarray(inputs, np.float64),
        targets=np.asarray(targets, np.int64),
        task="classification",
        image=(1, 8, 8),
    )


def _points(make: str) -> Callable[[], Raw]:
    """Give a loader of 1000 points of the plane, in two classes, with noise."""

    def load() -> Raw:
        module = _sklearn(f"The {make} data")
        noise = {"moons": {"noise": 0.2}, "circles": {"noise": 0.1, "factor": 0.5}}
        inputs, targets = getattr(module, f"make_{make}")(
            1000, random_state=0, **noise[make]
        )
        return Raw(
            inputs=np.asarray(inputs, np.float64),
            targets=np.asarray(targets, np.int64),
            task="classification",
        )

    return load


def _table(name: str, task: str) -> Callable[[], Raw]:
    """Give a loader of one of scikit-learn's small tables."""

    def load() -> Raw:
        module = _sklearn(f"The {name} data")
        inputs, targets = getattr(module, f"load_{name}")(return_X_y=True)
        return Raw.of(np.asarray(inputs), np.asarray(targets), task=task)

    return load


DATASETS: Mapping[str, Callable[[], Raw]] = MappingProxyType(
    {
        "digits": _digits,
        "moons": _points("moons"),
        "circles": _points("circles"),
        "breast_cancer": _table("breast_cancer", "classification"),
        "wine": _table("wine", "classification"),
        "iris": _table("iris", "classification"),
        "diabetes": _table("diabetes", "regression"),
    }
)
"""Loaders by name. Only the last one, diabetes, is a regression."""
