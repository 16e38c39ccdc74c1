"""Finds the factor of each weight while a JAX program runs forward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from fanin.frameworks._jaxpr.compiled import OPTIONS
from fanin.frameworks._jaxpr.interpret import interpret
from fanin.frameworks.calibration import Goals, Seen, Trial, Use, settle

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fanin.frameworks._jaxpr.record import Argument
    from fanin.frameworks._jaxpr.steps import Program
    from fanin.frameworks.program import Product, Recorded


def calibrate(
    program: Program,
    arguments: Sequence[Argument],
    recorded: Recorded,
    goals: Goals,
    values: Mapping[str, np.ndarray],
) -> dict[str, float]:
    """Run the program, and scale the output of each linear step as it appears.

    The factor is found where a weight is first used on anything but zeros (as the first
    state of a recurrence is); wherever it is used again, the output is multiplied by
    the same factor, as if the weight had been. See ``frameworks.calibration``. It is
    compiled once for all passes.

    Args:
        program: the steps.
        arguments: what goes in.
        recorded: its graph, and ``linears``.
        goals: what is wanted.
        values: of the parameters among the arguments, by path.

    Returns:
        The factors that were found, by path.

    Raises:
        SignalError: if an output is always 0, though no weight is 0, or not finite.
    """
    tuned = _Tuned(program, recorded, goals)

    def run(trial: Trial) -> Seen:
        given = [_scaled(argument, trial) for argument in arguments]
        uses = tuned.uses(given, trial)
        return Seen(goals=goals, trial=trial, uses=uses, graph=recorded.graph)

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
        self.goals = goals
        self.products = recorded.products(goals)
        self.whole = {*program.inputs}.union(*(step.outputs for step in program.steps))
        self.places: list[_Place] = []
        self._run = jax.jit(self._traced, compiler_options=OPTIONS)

    def uses(self, given: Sequence[Any], trial: Trial) -> list[Use]:
        """Run once."""
        known = {path: trial.outputs.get(path, 0.0) for path in self.goals.targets}
        sizes, factors = self._run(given, known)
        return [
            self._use(place, float(size), float(factor))
            for place, size, factor in zip(self.places, sizes, factors, strict=True)
        ]

    def _use(self, place: _Place, size: float, factor: float) -> Use:
        product = place.product
        with np.errstate(all="ignore"):
            square = float(np.square(np.float64(size) * factor))
        return Use(
            path=product.path,
            mean_square=square,
            size=place.size,
            factor=factor,
            degree=product.degree,
            is_apart=product.value not in self.whole,
        )

    def _traced(self, given: Sequence[Any], known: Mapping[str, Any]) -> Any:
        """Give root mean square and factor of each product, in order."""
        self.places.clear()
        settled = dict(known)
        sizes: list[Any] = []
        factors: list[Any] = []

        def scale(value: int, array: Any) -> Any:
            if array.size == 0:
                return array
            product = self.products[value]
            size = _root_mean_square(array)
            factor: Any = jnp.float32(1.0)
            if value in self.whole:
                wanted = self.goals.targets[product.path] / size
                is_usable = jnp.isfinite(wanted) & (wanted > 0.0)
                found = jnp.where(is_usable, wanted, 0.0)
                before = settled[product.path]
                settled[product.path] = jnp.where(before > 0.0, before, found)
                factor = settled[product.path]
                factor = jnp.where(factor > 0.0, factor, 1.0)
            self.places.append(_Place(product=product, size=array.size))
            sizes.append(size)
            factors.append(factor)
            wide = jnp.promote_types(array.dtype, jnp.float32)
            return (array.astype(wide) * factor).astype(array.dtype)

        interpret(self.program, given, scale, self.products)
        return sizes, factors


def _root_mean_square(array: Any) -> Any:
    """Give it in float32, with the largest taken out so that no square leaves it."""
    numbers = array.astype(jnp.float32)
    largest = jnp.max(jnp.abs(numbers))
    unit = jnp.where(largest > 0.0, largest, 1.0)
    return largest * jnp.sqrt(jnp.mean(jnp.square(numbers / unit)))
