"""Finds the factor of each weight while a JAX program runs forward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from fanin.frameworks._jaxpr.compiled import OPTIONS
from fanin.frameworks._jaxpr.interpret import interpret
from fanin.frameworks.calibration import Goals, Seen, Trial, Use
from fanin.frameworks.settle import settle
from fanin.graph.calibration import LEAST_LEFT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._jaxpr.record import Argument
    from fanin.frameworks._jaxpr.steps import Program
    from fanin.frameworks.program import Product, Recorded
    from fanin.graph.calibration import Calibration


def calibrate(
    program: Program,
    arguments: Sequence[Argument],
    recorded: Recorded,
    goals: Goals,
    values: Mapping[str, np.ndarray],
) -> Calibration:
    """Run the program, and scale the output of each linear step as it appears.

    The factor is found where a weight is first used on anything but zeros (as the first
    state of a recurrence is); wherever it is used again, the output is multiplied by
    the same factor, as if the weight had been. See ``frameworks.settle``. It is
    compiled once for all passes.

    Args:
        program: the steps.
        arguments: what goes in.
        recorded: its graph, and ``linears``.
        goals: what is wanted.
        values: of the parameters among the arguments, by path.

    Raises:
        SignalError: if an output is always 0, though no weight is 0, or not finite.
    """
    tuned = _Tuned(program, recorded, goals)

    def run(trial: Trial) -> Seen:
        given = [_scaled(argument, trial) for argument in arguments]
        return tuned.seen(given, trial)

    return settle(run, values)


def _scaled(argument: Argument, trial: Trial) -> Any:
    factor = trial.values.get(argument.path)
    if factor is None:
        return argument.value
    return (jnp.asarray(argument.value) * factor).astype(argument.value.dtype)


@dataclass(frozen=True, kw_only=True)
class _Place:
    """A product as it is traced: which it is, and how many entries it has."""

    product: Product
    size: int


class _Tuned:
    """A program that scales its products; compiled at its first run.

    Values inside a step that runs as a whole (a long ``scan``) are seen, but what the
    step gives cannot be changed by them.
    """

    def __init__(self, program: Program, recorded: Recorded, goals: Goals) -> None:
        self.program = program
        self.graph = recorded.graph
        self.goals = goals
        self.products = recorded.products(goals)
        self.whole = {*program.inputs}.union(*(step.outputs for step in program.steps))
        self.places: list[_Place] = []
        self._run = jax.jit(self._traced, compiler_options=OPTIONS)

    def seen(self, given: Sequence[Any], trial: Trial) -> Seen:
        """Run once."""
        known = {path: trial.outputs.get(path, 0.0) for path in self.goals.aims}
        found, centres = self._run(given, known)
        return Seen(
            goals=self.goals,
            trial=trial,
            uses=[
                self._use(place, *map(float, each))
                for place, each in zip(self.places, found, strict=True)
            ],
            graph=self.graph,
            centres={
                path: np.asarray(each, np.float64) for path, each in centres.items()
            },
        )

    def _use(self, place: _Place, deviation: float, rms: float, factor: float) -> Use:
        product = place.product
        with np.errstate(all="ignore"):
            square = float(np.square(np.float64(deviation) * factor))
        return Use(
            path=product.path,
            mean_square=square,
            size=place.size,
            factor=factor,
            degree=product.degree,
            is_apart=product.value not in self.whole,
            is_zero=rms == 0.0,
        )

    def _traced(self, given: Sequence[Any], known: Mapping[str, Any]) -> Any:
        """Give deviation, root mean square, factor of each product, and the centres."""
        self.places.clear()
        settled = dict(known)
        found: list[tuple[Any, Any, Any]] = []
        centres: dict[str, Any] = {}

        def scale(value: int, array: Any) -> Any:
            product = self.products[value]
            if array.size == 0:
                return array
            aim = self.goals.aims[product.path]
            wide = array.astype(jnp.promote_types(array.dtype, jnp.float32))
            axes = product.other_axes(array.shape, aim.n_centred)
            means = 0.0 if axes is None else wide.mean(axis=axes, keepdims=True)
            rms, deviation = _rms(wide), _rms(wide - means)
            is_shared = deviation**2 <= (1.0 - aim.least_shared) * rms**2
            is_centred = is_shared & (deviation >= LEAST_LEFT * rms)
            means = jnp.where(is_centred, means, 0.0)
            deviation = jnp.where(is_centred, deviation, rms)
            factor: Any = jnp.float32(1.0)
            if value in self.whole:
                factor = self._factor(settled, product, deviation, rms)
            self.places.append(_Place(product=product, size=array.size))
            found.append((deviation, rms, factor))
            if axes is not None:
                centres[product.path] = jnp.ravel(means) * factor
            return ((wide - means) * factor).astype(array.dtype)

        interpret(self.program, given, scale, self.products)
        return found, centres

    def _factor(
        self, settled: dict[str, Any], product: Product, deviation: Any, rms: Any
    ) -> Any:
        """Give the factor of an output: that of its first use on anything but zeros."""
        aim = self.goals.aims[product.path]
        wanted = jnp.where(
            deviation > 0.0,
            jnp.minimum(aim.size / deviation, aim.most / rms),
            min(aim.size, aim.most) / rms,
        )
        is_usable = jnp.isfinite(wanted) & (wanted > 0.0)
        before = settled[product.path]
        settled[product.path] = jnp.where(
            before > 0.0, before, jnp.where(is_usable, wanted, 0.0)
        )
        return jnp.where(settled[product.path] > 0.0, settled[product.path], 1.0)


def _rms(array: Any) -> Any:
    """Give it in float32, with the largest taken out so that no square leaves it."""
    numbers = array.astype(jnp.float32)
    largest = jnp.max(jnp.abs(numbers))
    unit = jnp.where(largest > 0.0, largest, 1.0)
    return largest * jnp.sqrt(jnp.mean(jnp.square(numbers / unit)))
