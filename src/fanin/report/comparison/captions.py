"""Captions: what each figure shows, found in the numbers."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from fanin.report.comparison.figures import drawn, measured
from fanin.report.comparison.statements import share
from fanin.report.page import number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fanin.race import Standing, Standings


def _ranked(standings: Standings) -> list[Standing]:
    """Give the best scheme of each setting."""
    found = [standings.best(s) for s in standings.experiment.settings]
    return [row for row in found if row is not None]


def _accuracy(standings: Standings) -> str:
    best = "; ".join(
        f"with {standings.names[row.setting]} {row.scheme} comes first, "
        f"{share(row.test_accuracy)}"
        for row in _ranked(standings)
    )
    n_fail = sum(standings.verdict(row) == "fails" for row in standings.rows)
    return (
        f"On the {standings.n_test} test samples, {best}. {n_fail} of "
        f"{len(standings.rows)} combinations get less than a ninth "
        f"of the way from a guess ({standings.chance:.2f}) to 1."
    )


def _rates(standings: Standings) -> str:
    n_edges = sum(bool(row.edge) for row in standings.rows)
    part = "validation part" if standings.n_valid else "test set"
    return (
        f"Score on the {part} at every learning rate of the grid; lines: mean over the "
        "seeds, bands: from the least seed to the greatest. For "
        f"{n_edges} of {len(standings.rows)} combinations the chosen rate is at an end "
        "of the grid, so that a wider grid might do better."
    )


def _loss(standings: Standings) -> str:
    parts = []
    for row in _ranked(standings):
        others = [r for r in standings.of(row.setting) if r is not row]
        still = [r for r in others if abs(r.final_loss - r.first_loss) < 0.05]
        parts.append(
            f"With {standings.names[row.setting]} the loss of {row.scheme} falls from "
            f"{number(row.first_loss)} to {number(row.final_loss)}; "
            f"{len(still)} of the {len(others)} others end within 0.05 of where they "
            "began."
        )
    return (
        f"{' '.join(parts)} Lines: mean over the seeds, a few steps averaged. "
        "Bands: from the least seed to the greatest."
    )


def _growth(row: Standing, what: str) -> float:
    """Give by what factor a quantity changes a hidden layer, first to last."""
    values = measured(row, what).mean(axis=0)
    n_layers = len(values) - 2
    if n_layers < 1:
        return 0.0
    ends = (values[-2], values[0]) if what == "gradient_rms" else values[[1, -1]]
    first, last = map(float, ends)
    return float((last / first) ** (1 / n_layers)) if min(first, last) > 0 else 0.0


def _by_layer(what: str, subject: str, direction: str) -> Callable[[Standings], str]:
    def caption(standings: Standings) -> str:
        parts = []
        for setting in drawn(standings):
            rows = standings.of(setting)
            words = ", ".join(
                f"{row.scheme} × {number(_growth(row, what))}"
                for row in rows
                if _growth(row, what)
            )
            if words:
                parts.append(f"with {standings.names[setting]} {words}")
        theory = (
            ""
            if what == "between"
            else " Points are measured, lines are what theory predicts from fan-in and "
            "variance alone; where weights are not random there is no line."
        )
        return (
            f"Before the first step: {subject} From one layer to the next{direction} "
            f"it changes by: {'; '.join(parts)}.{theory}"
        )

    return caption


def _histograms(standings: Standings) -> str:
    parts = []
    for setting in drawn(standings):
        words = ", ".join(
            f"{row.scheme} {number(float(measured(row, 'rms')[:, -1].mean()))}"
            for row in standings.of(setting)
        )
        parts.append(f"with {standings.names[setting]} {words}")
    return (
        "Values of some hidden layers, before the first step, on one scale; what lies "
        "beyond it stands in the outermost bins. Heights follow the square root of the "
        "counts. Root mean squares at the last hidden layer: "
        f"{'; '.join(parts)}."
    )


CAPTIONS: Mapping[str, Callable[[Standings], str]] = MappingProxyType(
    {
        "Does it learn?": _accuracy,
        "Which learning rate": _rates,
        "How the loss falls": _loss,
        "How large the signal is": _by_layer(
            "rms", "how large the values of each hidden layer are.", ""
        ),
        "How well inputs are told apart": _by_layer(
            "between",
            "how much one unit's value differs from sample to sample: where this is "
            "gone, the net has forgotten its input, even if its values are large.",
            "",
        ),
        "How large the gradient is": _by_layer(
            "gradient_rms",
            "how large the gradient of one sample's loss is at the sums of each layer.",
            " on the way back",
        ),
        "What the units put out": _histograms,
    }
)
