"""Products with a weight, and how they are scaled while a model runs."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import torch

from fanin.frameworks._aten.sizes import as_float64
from fanin.frameworks.calibration import Goals, Pass, Trial

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Product:
    """The output of a contraction with parameters, as it appears.

    degrees: in each parameter behind the weight (``graph.degree``). bias: what is in
    the output already, None if nothing is. unit_axis: of the output.
    """

    degrees: Mapping[str, float | None]
    output: torch.Tensor
    bias: torch.Tensor | None
    unit_axis: int = -1


class Tuner:
    """Gives each product the size that is wanted of it: a recorder's ``change``.

    Sums are taken in float64, and half precision is multiplied in float32.

    Args:
        goals: what is wanted.
        trial: what the pass starts from.
        tensors: the parameters that the model runs with; a bias that follows its
            weight is multiplied in place.
    """

    def __init__(
        self, goals: Goals, trial: Trial, tensors: Mapping[str, torch.Tensor]
    ) -> None:
        self.goals = goals
        self.seen = Pass(goals, trial)
        self._tensors = tensors
        self._followers: dict[str, torch.Tensor] = {}

    def __call__(self, product: Product) -> torch.Tensor:
        """Note a product; give what the model reads on."""
        output = product.output
        path = self.goals.path_of(product.degrees)
        if path is None or output.numel() == 0 or not output.is_floating_point():
            return output
        wide = output.float() if output.element_size() < 4 else output
        follower = self.goals.follower(path)
        bias = None if follower is None else self._bias(follower, product)
        sums, left_out = _without(wide, None if follower else product.bias)
        full = sums if bias is None else sums + bias
        means, deviation, rms = self._around(path, product, full)
        factor = self.seen.see(
            path,
            product.degrees[path],
            deviation=deviation,
            rms=rms,
            size=output.numel(),
        )
        if follower is not None and bias is not None:
            self._tensors[follower].copy_(self._followers[follower] * factor)
        if factor == 1.0 and means is None:
            return output
        scaled = sums * factor
        if means is not None:
            scaled = scaled - means * factor
            self.seen.centres[path] = as_float64(means * factor).reshape(-1)
        return (scaled if left_out is None else scaled + left_out).to(output.dtype)

    def _around(
        self, path: str, product: Product, output: torch.Tensor
    ) -> tuple[torch.Tensor | None, float, float]:
        """Give the means that are to be taken off, deviation, and root mean square."""
        means, rms = self._means(path, product, output), _rms(output)
        if means is None:
            return None, rms, rms
        deviation = _rms(output - means)
        if self.goals.aims[path].centres(deviation=deviation, rms=rms):
            return means, deviation, rms
        return None, rms, rms

    def _means(
        self, path: str, product: Product, output: torch.Tensor
    ) -> torch.Tensor | None:
        """Give each unit's mean, in the output's rank, where it is to be centred."""
        axis = product.unit_axis % output.dim()
        if output.shape[axis] != self.goals.aims[path].n_centred:
            return None
        others = [i for i in range(output.dim()) if i != axis]
        return output.mean(others, keepdim=True) if others else None

    def _bias(self, follower: str, product: Product) -> torch.Tensor | None:
        """Give a bias that follows its weight and is added to the output later."""
        if product.bias is not None:
            return None
        held = self._followers.setdefault(
            follower, self._tensors[follower].detach().clone()
        )
        n_units = product.output.shape[product.unit_axis]
        if held.shape != (n_units,):
            return None
        shape = [1] * product.output.dim()
        shape[product.unit_axis] = n_units
        return held.reshape(shape)


def _without(
    output: torch.Tensor, bias: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Give the output less its bias, and that bias."""
    if bias is None:
        return output, None
    held = bias.to(output.dtype)
    return output - held, held


def _rms(numbers: torch.Tensor) -> float:
    norm = torch.linalg.vector_norm(numbers, dtype=torch.float64)
    return float(norm) / sqrt(numbers.numel())
