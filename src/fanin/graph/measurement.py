"""What one forward and backward pass showed: statistics, and no tensors kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from fanin.graph.graph import Graph


@dataclass(frozen=True, kw_only=True)
class SiteStatistics:
    """Statistics of one node's output over the batch, in float64.

    mean, second_moment: over all entries. between_samples: the variance over the
    batch of each entry, averaged over entries; between_samples / second_moment is the
    input share: 1 when samples are independent, 0 when the output has forgotten the
    input. unit_means, unit_variances, unit_minima, unit_maxima: per unit (along
    ``unit_axis``), over samples and positions; empty where the node has no unit axis.
    sample: at most 4096 entries, evenly spaced, for histograms.
    is_finite: no NaN, no infinity. share_subnormal: of non-zero entries.
    gradient_second_moment: of dL/d(output), or None when no gradient arrived.
    gradient_between: mean over entries of the gradient's variance over the batch.
    """

    mean: float
    second_moment: float
    maximum: float
    between_samples: float
    is_finite: bool
    unit_means: np.ndarray
    unit_variances: np.ndarray
    unit_minima: np.ndarray
    unit_maxima: np.ndarray
    sample: np.ndarray
    share_subnormal: float = 0.0
    gradient_second_moment: float | None = None

    @property
    def input_share(self) -> float:
        """Give between_samples / second_moment, in [0, 1]; 0 for an all-zero output."""
        if self.second_moment == 0.0:
            return 0.0
        return self.between_samples / self.second_moment


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One forward and backward pass of the model on the task.

    graph: as it ran here, on real tensors; ``sites`` is keyed by its node ids.
    loss: the objective's value, None without a loss. outputs: the model's first
    output, float64, the batch along the first axis (the logits, say).
    gradients: by parameter path, float arrays in the parameter's shape; None for a
    parameter that the objective does not reach; empty if the model ran forward alone.
    batch_size: a count.
    """

    graph: Graph
    sites: Mapping[int, SiteStatistics]
    loss: float | None
    outputs: np.ndarray
    gradients: Mapping[str, np.ndarray | None]
    batch_size: int
