"""A comparison as JSON: schema fanin.compare/1. Everything the page shows is in it."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import numpy as np

from fanin.race.setting import Trial
from fanin.report.comparison.statements import statements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fanin.graph.cohort import MemberRun
    from fanin.race import Estimate, Setting, Standing, Standings, TrialResult
    from fanin.race.standings import Contrast

SCHEMA = "fanin.compare/1"
Json = None | str | int | float | bool | list["Json"] | dict[str, "Json"]


def as_json(standings: Standings, *, has_curves: bool = True) -> dict[str, Json]:
    """Give plain lists and dicts; NaN and infinity are the texts "NaN", "Infinity".

    Args:
        standings: what to write.
        has_curves: with the loss of every step, for the runs at the chosen rates.
    """
    experiment = dataclasses.asdict(standings.experiment)
    return {
        "schema": SCHEMA,
        "experiment": {name: plain(value) for name, value in experiment.items()},
        "data": {
            "name": standings.data,
            "n_train": standings.n_train,
            "n_valid": standings.n_valid,
            "n_test": standings.n_test,
        },
        "metric": standings.metric,
        "chance": plain(standings.chance),
        "sizes": list(standings.sizes),
        "seconds": plain(standings.seconds),
        "is_partial": standings.is_partial,
        "findings": {
            name: [
                {"kind": one.kind, "text": one.text}
                for one in statements(standings, setting)
            ]
            for setting, name in standings.names.items()
        },
        "standings": [_standing(standings, row, has_curves) for row in standings.rows],
        "contrasts": [_contrast(one) for one in standings.contrasts],
        "trials": {
            "columns": list(COLUMNS),
            "rows": [_trial(result) for result in standings.results],
        },
        "failures": [
            {**_plain_fields(one.trial), "error": one.error}
            for one in standings.failures
        ],
    }


def plain(value: object) -> Json:
    """Give a value as JSON has it; floats keep five significant digits."""
    if isinstance(value, bool | str | int) or value is None:
        return value
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return _float(float(value))  # type: ignore[arg-type] # NumPy's floats are left


def _float(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(f"{value:.5g}")


def _array(values: np.ndarray) -> Json:
    return [_float(value) for value in values.tolist()]


def _estimate(estimate: Estimate) -> Json:
    return {name: plain(value) for name, value in dataclasses.asdict(estimate).items()}


def _plain_fields(record: Trial | Setting) -> dict[str, Json]:
    return {name: plain(value) for name, value in dataclasses.asdict(record).items()}


def _contrast(contrast: Contrast) -> Json:
    return {
        **_plain_fields(contrast.one.setting),
        "one": contrast.one.scheme,
        "other": contrast.other.scheme,
        "difference": _estimate(contrast.difference),
        "p": plain(contrast.p),
        "p_corrected": plain(contrast.p_corrected),
    }


def _standing(
    standings: Standings,
    row: Standing,
    has_curves: bool,  # noqa: FBT001 (passed on)
) -> Json:
    curves: list[Json] = [_array(run.losses) for run in row.runs] if has_curves else []
    return {
        "scheme": row.scheme,
        **_plain_fields(row.setting),
        "verdict": standings.verdict(row),
        "learning_rate": row.learning_rate,
        "edge": row.edge,
        "test_accuracy": _estimate(row.test_accuracy),
        "valid_accuracy": _estimate(row.valid_accuracy),
        "train_accuracy": _estimate(row.train_accuracy),
        "first_loss": plain(row.first_loss),
        "final_loss": plain(row.final_loss),
        "n_diverged": row.n_diverged,
        "n_diverged_in_all": row.n_diverged_in_all,
        "weight_change": plain(row.weight_change),
        "unit_spread": plain(row.unit_spread),
        "is_stuck": row.is_stuck,
        "seconds": plain(row.seconds),
        "start": _start(row.runs),
        "losses": curves,
    }


def _start(runs: Sequence[MemberRun]) -> Json:
    """Give the start layer by layer: mean, least and greatest over the seeds."""
    names = ("rms", "between", "gradient_rms", "weight_gradient_rms")
    return {
        name: {
            "mean": _array(values.mean(axis=0)),
            "low": _array(values.min(axis=0)),
            "high": _array(values.max(axis=0)),
        }
        for name in names
        for values in [np.array([getattr(run.start, name) for run in runs])]
    }


COLUMNS = (
    *(field.name for field in dataclasses.fields(Trial)),
    "diverged_at",
    "first_loss",
    "final_loss",
    "train_accuracy",
    "valid_accuracy",
    "test_accuracy",
)


def _trial(result: TrialResult) -> Json:
    trial, run = result.trial, result.run
    values = (
        *dataclasses.astuple(trial),
        run.diverged_at,
        run.first_loss,
        run.final_loss,
        run.train_accuracy,
        run.valid_accuracy,
        run.test_accuracy,
    )
    return [plain(value) for value in values]
