"""The Inspection: all that rules may ask of a model, computed when first asked.

One forward and backward pass at the start; gradients at other values only when a rule
needs them, and never twice. The model itself is not written to.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypedDict

from fanin.errors import InternalError
from fanin.graph.graph import Op
from fanin.graph.roles import Role, roles
from fanin.graph.units import unit_groups
from fanin.rules.awakening import Awakening, Lock, amplified, awaken, blockers
from fanin.rules.expected_sizes import with_shared_functions
from fanin.rules.noise import filled
from fanin.rules.reads import read_by
from fanin.rules.runs import Runs, fillable, has_tiny_numbers, moves
from fanin.rules.second_batch import freed_by_shuffling
from fanin.rules.slopes import Slopes, where_not_zero
from fanin.rules.switched_off import held_by_biases
from fanin.rules.trunk import find_trunk
from fanin.rules.updates import Update, first_updates, values_after_a_step
from fanin.rules.virtual_steps import virtual_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from fanin.frameworks.framework import Framework, Keep, Rehearsal
    from fanin.graph import Graph, Measurement, Parameter, SiteStatistics, Task
    from fanin.graph.construction import Construction
    from fanin.graph.optimizer import OptimizerFacts
    from fanin.graph.units import UnitGroup
    from fanin.rules.awakening import Gradients, Values
    from fanin.rules.trunk import Trunk


class Facts(TypedDict, total=False):
    """What a caller knows of a model's training and building."""

    optimizer: OptimizerFacts | None
    precision: str | None
    construction: Construction | None
    factory: Callable[[], Any] | None
    is_mentioned: Callable[[str], bool] | None
    made_up: str
    closure: bool


# Twins of a zero network wake layer by layer; a few steps more show whether they part.
LEAST_STEPS, MOST_STEPS = 4, 16


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """A model under examination.

    parameters: as listed without running it. values: by path, as they are; empty
    where a parameter has no memory. measurement: of the model as it is; None if it
    could not be run (no memory, or numbers that are not finite). optimizer: what will
    train it, None if not told. precision: what mixed precision will compute in
    ("float16", "bfloat16"), None for the model's own. construction: what was seen
    while a factory built it. factory: builds such a model anew. is_mentioned: says
    of a path whether a method of its layer's holder names the layer; None where code
    is not read. made_up: in words, the batch that stood in for a missing one.
    closure: False where rules that need the awakening closure rest. rehearsal: what
    measurements follow, where one was made. slopes: what is kept of gradients.
    """

    framework: Framework
    model: Any
    task: Task
    parameters: tuple[Parameter, ...]
    values: Mapping[str, np.ndarray]
    measurement: Measurement | None
    optimizer: OptimizerFacts | None = None
    precision: str | None = None
    construction: Construction | None = None
    factory: Callable[[], Any] | None = None
    is_mentioned: Callable[[str], bool] | None = None
    made_up: str = ""
    closure: bool = True
    rehearsal: Rehearsal | None = None
    slopes: Slopes = field(default_factory=Slopes)

    @property
    def measured(self) -> Measurement:
        """Give the measurement.

        Raises:
            InternalError: if the model was not run; such rules are not asked then.
        """
        if self.measurement is None:
            msg = "A rule that needs a run was asked without one."
            raise InternalError.of(msg)
        return self.measurement

    @cached_property
    def graph(self) -> Graph:
        """Give the graph as it ran, one function for all activations that are equal."""
        return with_shared_functions(self.measured.graph)

    @property
    def sites(self) -> Mapping[int, SiteStatistics]:
        """Give the statistics of each node's output."""
        return self.measured.sites

    @cached_property
    def trainable(self) -> tuple[str, ...]:
        """Give the paths that an optimizer would step."""
        return tuple(
            p.path for p in self.parameters if p.is_trainable and p.path in self.values
        )

    @cached_property
    def fans(self) -> dict[str, float]:
        """Give n_in of each weight in the graph, by path."""
        weights = (n.weight for n in self.graph.linears if n.weight is not None)
        return {w.path: w.fan.n_in for w in weights}

    @cached_property
    def used(self) -> frozenset[str]:
        """Give the parameters that some node of the graph reads."""
        names = {p for node in self.graph.nodes for p in read_by(self.graph, node)}
        return frozenset(
            p.path for p in self.parameters if names & {p.path, *p.aliases}
        )

    @cached_property
    def roles(self) -> Mapping[str, Role]:
        """Give what each parameter is for, by path."""
        return roles(self.graph)

    @cached_property
    def trunk(self) -> Trunk:
        """Give the path that carries the signal."""
        return find_trunk(self.graph, self.sites)

    @cached_property
    def unit_groups(self) -> tuple[UnitGroup, ...]:
        """Give the hidden unit groups of two units or more that can be trained."""
        return tuple(
            group
            for group in unit_groups(self.graph)
            if group.is_hidden and group.size > 1 and group.incoming and group.outgoing
        )

    @cached_property
    def _runs(self) -> Runs:
        return Runs(
            framework=self.framework,
            model=self.model,
            task=self.task,
            measured=self.measured,
            used=self.used,
            fillable=fillable(self.graph, self.trainable, self.values),
            rehearsal=self.rehearsal,
            slopes=self.slopes,
        )

    def gradients(
        self, values: Values, keep: Keep | None = None
    ) -> dict[str, np.ndarray | None]:
        """Give the objective's gradients at these values; see ``Runs.gradients``."""
        return self._runs.gradients(self.task, values, keep)

    def projected(self, values: Values) -> Mapping[str, np.ndarray | None]:
        """Give where the gradients of a random projection of the output are not 0."""
        stand_in = replace(self.task, loss=None, target=None)
        return self._runs.gradients(stand_in, values, where_not_zero)

    @cached_property
    def awakening(self) -> Awakening:
        """Give the closure under the objective's own gradients."""
        return self._closed_under(self._runs.where_moving)

    def _closed_under(self, gradients: Gradients) -> Awakening:
        return awaken(
            gradients,
            self.values,
            [p for p in self.trainable if p not in self.rounded_away],
            fillable=self._runs.fillable,
            seed=self.task.seed,
        )

    @cached_property
    def balanced(self) -> tuple[str, ...]:
        """Give what is stuck under this batch's loss and moves under another.

        A loss can be stationary by coincidence (a balanced batch, a target already
        met). A random projection of the output has no such coincidence.
        """
        stuck = self.awakening.stuck
        if not stuck or self.task.loss is None or self.task.objective is not None:
            return ()
        other = self._closed_under(self.projected)
        return tuple(path for path in stuck if path in other.rounds)

    @cached_property
    def elsewhere(self) -> frozenset[str]:
        """Give what is stuck on this batch, and moves on its numbers shuffled."""
        return freed_by_shuffling(self, self.awakening.stuck)

    @cached_property
    def stuck(self) -> tuple[str, ...]:
        """Give what never moves, coincidences and pointless biases left out."""
        excused = {*self.balanced, *self._normalized_away, *self.rounded_away}
        excused |= held_by_biases(self, self.awakening.stuck)  # FAN402 speaks of these
        excused |= self.elsewhere
        return tuple(p for p in self.awakening.stuck if p not in excused)

    @cached_property
    def _normalized_away(self) -> frozenset[str]:
        """Give biases that the next node subtracts again: still, and harmless."""
        return frozenset(
            node.bias
            for node in self.graph.linears
            if node.bias is not None
            and (readers := self.graph.consumers(node.id))
            and all(reader.op is Op.NORMALIZE for reader in readers)
        )

    @cached_property
    def lock(self) -> Lock:
        """Give the zero tensors that hold what is stuck."""
        return blockers(
            partial(self.gradients, keep=where_not_zero),
            self.values,
            self.stuck,
            frozen=[p.path for p in self.parameters if not p.is_trainable],
            seed=self.task.seed,
        )

    @cached_property
    def rounded_away(self) -> tuple[str, ...]:
        """Give what has no gradient at the start only because numbers are too small.

        With every weight brought up to ordinary size, zeros kept zero, it has one.
        """
        found = self._runs.where_moving(self.values)
        still = (p for p in self.trainable if found.get(p) is not None)
        asleep = [path for path in still if not moves(found[path])]
        if not asleep or not has_tiny_numbers(self.sites, self.values):
            return ()
        found = self.gradients(amplified(self.values, self.fans), where_not_zero)
        return tuple(path for path in asleep if moves(found.get(path)))

    @cached_property
    def stepped(self) -> Values:
        """Give the values after some virtual optimizer steps."""
        latest = max(self.awakening.rounds.values(), default=1)
        n_steps = min(max(LEAST_STEPS, latest + 2), MOST_STEPS)
        return virtual_steps(
            self.gradients, self.values, self.trainable, n_steps=n_steps
        )

    @cached_property
    def awakened(self) -> Measurement:
        """Give the measurement with legitimate zeros filled by small numbers.

        A zero head sends no gradient back at the first step and a moment later it
        does: scales are judged as they will be then.
        """
        zeros = self._runs.fillable
        if not zeros or (self.closure and not self.awakening.late):
            return self.measured
        return self._runs.measured_at(
            {p: filled(p, self.values[p], self.task.seed) for p in sorted(zeros)}
        )

    @property
    def first_gradients(self) -> Mapping[str, np.ndarray | None]:
        """Give gradients at the start, or where they are not 0, whichever was kept.

        A check without the closure takes them with zeros filled, and no others.
        """
        return self.measured.gradients or self.awakened.gradients

    @cached_property
    def updates(self) -> tuple[Update, ...]:
        """Give the optimizer's first update of each parameter, zeros filled before."""
        return first_updates(self, self.awakened.gradients)

    @cached_property
    def later_gradients(self) -> Mapping[str, np.ndarray | None]:
        """Give the gradients one step of the optimizer later: gates near 0 are open."""
        return self.gradients(values_after_a_step(self))

    @cached_property
    def later_updates(self) -> tuple[Update, ...]:
        """Give each parameter's update from those gradients."""
        return first_updates(self, self.later_gradients)
