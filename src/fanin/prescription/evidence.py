"""What is known beside the Graph: the inputs' scale, the target, present values."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from fanin.errors import ArgumentError
from fanin.graph.graph import Op
from fanin.theory.given import number
from fanin.theory.moments import Moments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph

N_DEVIATIONS = 3.0
"""A prior counts as uneven, or a mean as not 0, beyond so many standard errors."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the planner may use; every field may be left out.

    inputs: moments of INPUT nodes, by node id. target: as in the Task, any array.
    loss: "cross_entropy", "binary_cross_entropy" or "mse". values: present values by
    path, of which only those of kept parameters are used.
    """

    inputs: Mapping[int, Moments] = field(default_factory=dict)
    target: np.ndarray | None = None
    loss: str | None = None
    values: Mapping[str, np.ndarray] = field(default_factory=dict)

    def present(self, path: str) -> Moments | None:
        """Give the mean and square of a parameter's present entries, None if unknown.

        >>> evidence = Evidence(values={"w": np.array([1.0, 3.0])})
        >>> evidence.present("w").mean, evidence.present("w").variance
        (2.0, 1.0)
        """
        values = self.values.get(path)
        if values is None:
            return None
        entries = np.asarray(values, dtype=np.float64)
        if entries.size == 0 or not np.isfinite(entries).all():
            return None
        square = float(np.mean(entries**2))
        return Moments(mean=float(entries.mean()), second_moment=square)


def inputs_of(graph: Graph) -> dict[int, Moments]:
    """Give the moments of the model's inputs, by node id, as the graph has them.

    Inputs whose numbers are not known, or that are looked up, keep the default.

    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> inputs = {"mean": 0.5, "second_moment": 1.25}
    >>> x = sketch.add_node(Op.INPUT, shape=(8, 4), unit_axis=1, details=inputs)
    >>> found = inputs_of(sketch.graph(sketch.dense(x, 2, path="0")))[x]
    >>> found.mean, found.variance
    (0.5, 1.0)
    """
    found = {}
    for node in graph.nodes:
        if node.op is Op.INPUT and "mean" in node.details:
            mean = number(node, "mean", 0.0)
            second_moment = number(node, "second_moment", 1.0)
            found[node.id] = Moments(
                mean=mean, second_moment=second_moment, kurtosis=1.0
            )
    return found


@dataclass(frozen=True, kw_only=True)
class Target:
    """What an ignorant predictor knows of the target.

    bias: of the output units, so that the model starts as that predictor: log class
    frequencies (centred), log odds, or means; () where zero is as good.
    loss: its expected loss, in nats or squared units. spread: standard deviation of a
    real-valued target, 1 else. text: the same in words.
    """

    bias: tuple[float, ...] = ()
    loss: float | None = None
    spread: float = 1.0
    text: str = "no target was given"


def describe_target(evidence: Evidence, n_outputs: int) -> Target:
    """Find the best constant prediction for the loss at hand.

    Frequencies get one half-count each (Jeffreys), so that an unseen class has a
    finite logit. Where frequencies or means are even within three standard errors,
    the bias is left out.

    Args:
        evidence: with ``loss`` and ``target``.
        n_outputs: output units, a count.

    Raises:
        ArgumentError: if the target holds a class that the model has no output for.

    >>> rare = Evidence(
    ...     loss="binary_cross_entropy", target=np.repeat([0, 1], [990, 10])
    ... )
    >>> [round(bias, 3) for bias in describe_target(rare, 1).bias]
    [-4.547]
    """
    describers = {
        "cross_entropy": _classes,
        "binary_cross_entropy": _rates,
        "mse": _means,
    }
    describe = describers.get(evidence.loss or "")
    if evidence.target is None or describe is None:
        loss = float(np.log(n_outputs)) if evidence.loss == "cross_entropy" else None
        return Target(loss=loss)
    return describe(np.asarray(evidence.target), n_outputs)


def _classes(target: np.ndarray, n_outputs: int) -> Target:
    """Log class frequencies, from whole numbers or one-hot rows."""
    if target.ndim > 1 and target.shape[-1] == n_outputs and n_outputs > 1:
        counts = target.reshape(-1, n_outputs).sum(axis=0).astype(np.float64)
    else:
        labels = target.astype(np.int64).ravel()
        if labels.size and not 0 <= labels.min() <= labels.max() < n_outputs:
            received = f"classes from {labels.min()} to {labels.max()}"
            expected = f"a class from 0 to {n_outputs - 1}, as many as outputs"
            raise ArgumentError.of(
                argument="target", received=received, expected=expected
            )
        counts = np.bincount(labels, minlength=n_outputs).astype(np.float64)
    even = counts.sum() / n_outputs
    uneven = float(((counts - even) ** 2).sum() / even) if even else 0.0
    freedom = n_outputs - 1
    if uneven <= freedom + N_DEVIATIONS * sqrt(2 * freedom):
        text = "classes are even within the sampling error"
        return Target(loss=float(np.log(n_outputs)), text=text)
    shares = (counts + 0.5) / (counts + 0.5).sum()
    bias = np.log(shares) - np.log(shares).mean()
    return Target(
        bias=tuple(float(b) for b in bias),
        loss=float(-(shares * np.log(shares)).sum()),
        text="log class frequencies, so that the first loss is their entropy",
    )


def _rates(target: np.ndarray, n_outputs: int) -> Target:
    """Log odds of each output."""
    columns = target.reshape(-1, n_outputs).astype(np.float64)
    n_rows = len(columns)
    rates = (columns.sum(axis=0) + 0.5) / (n_rows + 1.0)
    entropy = float(-(rates * np.log(rates) + (1 - rates) * np.log(1 - rates)).mean())
    if np.all(np.abs(rates - 0.5) <= N_DEVIATIONS * 0.5 / sqrt(n_rows)):
        text = "classes are even within the sampling error"
        return Target(loss=float(np.log(2.0)), text=text)
    return Target(
        bias=tuple(float(b) for b in np.log(rates / (1 - rates))),
        loss=entropy,
        text="log odds of the positive class (Lin et al. 2017, section 4.1)",
    )


def _means(target: np.ndarray, n_outputs: int) -> Target:
    """Means of each output; the loss is the variance around them."""
    n_columns = n_outputs if target.size % n_outputs == 0 else 1
    columns = target.reshape(-1, n_columns).astype(np.float64)
    means, deviations = columns.mean(axis=0), columns.std(axis=0)
    spread = float(np.sqrt((deviations**2).mean())) or 1.0
    loss = float((deviations**2).mean())
    if np.all(np.abs(means) <= N_DEVIATIONS * deviations / sqrt(len(columns))):
        text = "the target's mean is 0 within the sampling error"
        return Target(loss=loss, spread=spread, text=text)
    bias = np.broadcast_to(means, (n_outputs,))
    return Target(
        bias=tuple(float(b) for b in bias),
        loss=loss,
        spread=spread,
        text="the target's mean, so that the first loss is the target's variance",
    )
