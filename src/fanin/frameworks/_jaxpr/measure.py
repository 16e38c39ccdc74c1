"""Statistics of every node of a JAX program, from one run forward and backward."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from fanin.frameworks._jaxpr.compiled import run_compiled
from fanin.frameworks._jaxpr.interpret import interpret
from fanin.frameworks._jaxpr.probe import probe
from fanin.frameworks.program import Measured
from fanin.graph.statistics import statistics_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fanin.frameworks._jaxpr.record import Argument
    from fanin.frameworks._jaxpr.steps import Program
    from fanin.frameworks.program import Recorded
    from fanin.graph import Node, SiteStatistics


def measure(
    program: Program,
    arguments: Sequence[Argument],
    recorded: Recorded,
    objective: Callable[[Sequence[Any]], Any],
) -> Measured:
    """Run a recorded program on its arguments, forward and backward, once.

    The run is compiled whole, so that values and gradients of all nodes are held until
    it ends: about twice what a training step holds. Statistics are all that is kept.

    Args:
        program: the steps.
        arguments: what goes in; gradients are taken for those with a path.
        recorded: the graph of this program, and where its nodes' outputs are.
        objective: takes the program's outputs, gives a scalar.
    """
    return _Run(program, arguments, recorded).measured(objective)


class _Run:
    def __init__(
        self, program: Program, arguments: Sequence[Argument], recorded: Recorded
    ) -> None:
        self.program = program
        self.recorded = recorded
        self.arguments = [argument.value for argument in arguments]
        self.places = {
            place: argument.path
            for place, argument in enumerate(arguments)
            if argument.path
        }
        self.arrived: set[int] = set()

    def measured(self, objective: Callable[[Sequence[Any]], Any]) -> Measured:
        given = {place: jnp.asarray(self.arguments[place]) for place in self.places}
        values, gradients, loss, outputs, found = run_compiled(
            partial(self.differentiated, objective), given
        )
        return Measured(
            sites={
                node.id: _statistics(node, values[value], gradients.get(value))
                for node in self.recorded.graph.nodes
                if (value := self.recorded.sites.get(node.id)) in values
            },
            gradients={
                path: found[place] if place in self.arrived else None
                for place, path in self.places.items()
            },
            objective=float(loss),
            outputs=outputs,
        )

    def differentiated(
        self, objective: Callable[[Sequence[Any]], Any], given: Mapping[int, Any]
    ) -> tuple[Any, ...]:
        """Give values and gradients of all sites, the objective, and its gradients."""
        gradients: dict[int, Any] = {}
        watch = probe(gradients.__setitem__)
        arrival = probe(lambda place, _: self.arrived.add(place))

        def run(parameters: Mapping[int, Any]) -> tuple[Any, Any]:
            values: dict[int, Any] = {}

            def show(value: int, array: Any) -> Any:
                values[value] = array
                is_real = jnp.issubdtype(array.dtype, jnp.floating)
                return watch(array, value) if is_real else array

            inputs = list(self.arguments)
            for place, array in parameters.items():
                inputs[place] = arrival(array, place)
            watched = set(self.recorded.sites.values())
            outputs = interpret(self.program, inputs, show, watched)
            return objective(outputs), (outputs, values)

        (loss, kept), found = jax.value_and_grad(run, has_aux=True)(given)
        outputs, values = kept
        return values, gradients, loss, outputs, found


def _statistics(node: Node, value: Any, gradient: Any | None) -> SiteStatistics:
    return statistics_of(
        np.asarray(value),
        unit_axis=node.unit_axis,
        batch_axis=node.batch_axis,
        gradient=None if gradient is None else np.asarray(gradient),
        dtype=str(value.dtype),
    )
