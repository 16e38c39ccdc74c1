"""The policy "auto": from a weight's role and what it reads to its std.

One walk forward through the Graph. Every weight is scaled so that its output has root
mean square 1, on the understanding that everything before it has the size it aims at:
streams 1, normalized tensors 1, activations their Gaussian moments. Pooling and
dropout are passed over, as the published schemes do. Exceptions, by role:

- after tanh-like activations: Glorot, which lets second moments fall slowly (1/2l);
- last weight of a residual branch: divided by √L for the L branches of its stream, so
  that the stream grows by (1 + 1/L)^L < e whatever the depth. Normalized branches too:
  the stream of a pre-norm net would grow by L otherwise, which starves later blocks.
  Left alone where a normalization follows the weight and would undo it; larger by what
  a gate or an activation takes that stands between it and the sum (``behind.py``);
- weights that meet in a plain sum of k: divided by √k;
- recurrent weights: 1/√n of the state's units, drawn orthogonal;
- routers: root mean square 0.1, so that experts are chosen about equally often;
- output head: root mean square 0.2, so that cross-entropy starts within s²/2 = 0.02
  of the ignorant predictor's loss and gradients still reach every layer;
- deep plain chains: orthogonal, with what is read made odd (``isometry.py``).

Where nothing normalizes a net of streams or products, the policy draws what is decided
here orthogonal as well (``recipes/unnormalized.py``).
"""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import TYPE_CHECKING

from fanin.errors import ArgumentError
from fanin.graph.graph import Op
from fanin.graph.roles import Role, RoleKind
from fanin.graph.unit_spaces import parameter_path
from fanin.prescription.choosing.behind import Behind
from fanin.prescription.choosing.choices import (
    Choice,
    Offset,
    router_choice,
    scaled,
)
from fanin.prescription.choosing.families import Family, family_of
from fanin.prescription.choosing.special import Special
from fanin.prescription.choosing.treated import Treated
from fanin.theory import forward_pairs as with_pairs
from fanin.theory.forward import Forward
from fanin.theory.moments import Moments, rule_of, through_function

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Graph, Node
    from fanin.theory.given import Given


LARGEST_KURTOSIS = 1e4
"""Of a size that is believed: z⁴ has 183, e^z of variance 2.3 has this."""


class Chooser(Forward):
    """The walk; ``choices`` holds what it decided for each weight, by path.

    law: of all weights, None where the walk may choose it. kept: weights that keep
    their values, whose moments are given: they have a choice too, but what follows
    reads them as they are. fixed: parameters that others decide: no chain is drawn
    together with them. offsets: biases that are to follow a weight, by path.
    """

    def __init__(
        self,
        graph: Graph,
        given: Given,
        found: Mapping[str, Role],
        *,
        law: str | None = None,
        kept: frozenset[str] = frozenset(),
        fixed: frozenset[str] = frozenset(),
    ) -> None:
        self._variances = dict(given.variances)
        chains = Treated(graph, found, kept=kept | fixed, law=law)
        super().__init__(chains.graph, replace(given, variances=self._variances))
        self.chains = chains
        self.roles = found
        self.law = law
        self.kept = kept
        self.choices: dict[str, Choice] = {}
        self.offsets: dict[str, Offset] = {}
        self.families: dict[int, Family] = {}
        self.special = Special(self.flow, found)
        self.behind = Behind(chains.graph, given)
        self._given_sizes: set[int] = set()

    def _has_given_size(self, node: Node) -> bool:
        """Say whether kept weights set a size, with no norm or drawn weight after."""
        if node.op is Op.LINEAR and node.weight is not None:
            return self.graph.parameter(node.weight.path).path in self.kept
        is_sized = node.op is Op.NORMALIZE
        return not is_sized and any(i in self._given_sizes for i in node.inputs)

    def _visit(self, node: Node) -> Moments | None:
        """Where no rule is, take the size that calibration would give: 1."""
        if self._has_given_size(node):
            self._given_sizes.add(node.id)
        predicted = super()._visit(node)
        if predicted is None or not is_believed(predicted):
            return with_pairs.unknown(node)
        return predicted

    def _parameter(self, node: Node) -> Moments | None:
        """A table or a token has the size that it is given; a kept value its own."""
        path = parameter_path(self.graph, node)
        if path is None:
            return None
        if path in self.kept:
            return super()._parameter(node)
        size = self.special.size_of(path)
        return with_pairs.shared(Moments(second_moment=size**2), node)

    def _reduce(self, node: Node) -> Moments | None:
        x, pooled = self._first(node), super()._reduce(node)
        if x is None or pooled is None:
            return x
        return _sized(pooled, x.second_moment)

    def _noise(self, node: Node) -> Moments | None:
        return self._first(node)

    def _add(self, node: Node) -> Moments | None:
        total = super()._add(node)
        size = self.special.streams.get(node.id)
        if size is not None and node.id not in self._given_sizes:
            return _sized(total or with_pairs.unknown(node), size**2)
        return total

    def _linear(self, node: Node) -> Moments | None:
        """Take the output's size as what it aims at, and its pairs from theory."""
        weight = node.weight
        if weight is None:
            return None
        path = self.graph.parameter(weight.path).path
        if path not in self.choices:
            x = self._first(node) or Moments()
            choice = self._choose(node, self.roles[path], x)
            self.choices[path] = choice
            if path not in self.kept:
                self._variances |= {path: choice.std**2, weight.path: choice.std**2}
        found = super()._linear(node) or with_pairs.unknown(node)
        if path in self.kept:
            return found
        choice = self.choices[path]
        if node.id in self.chains.written:
            self.choices[path] = _reaching(choice, found)
        return _sized(found, choice.target**2)

    def _choose(self, node: Node, role: Role, x: Moments) -> Choice:
        special = self.special.first(node, role, x)
        if special is not None:
            return special
        choice = self._by_origin(node, role, x)
        if role.kind is RoleKind.ROUTER:
            return router_choice(node, x, choice)
        if role.kind is RoleKind.HEAD:
            choice = self.special.head(node, x, choice)
        elif node.id not in self.chains.written:
            choice = self.special.last(node, role, _joined(choice, role))
            choice = self._before_functions(node, role, choice)
        self.offsets |= self.chains.offsets(node)
        return self.chains.choice(node, x, choice)

    def _before_functions(self, node: Node, role: Role, choice: Choice) -> Choice:
        """Let the end of a branch make up for a function between it and the sum."""
        if not role.n_branches or role.is_scale_free:
            return choice
        size = self.behind.size(node, choice.target)
        if size is None:
            return choice
        factor = size / choice.target
        return replace(
            choice,
            std=choice.std * factor,
            gain=choice.gain * factor,
            target=size,
            reason=f"{choice.reason} × {factor:.4g}, which what stands behind takes.",
        )

    def _by_origin(self, node: Node, role: Role, x: Moments) -> Choice:
        """Scale a weight by what it reads; the first layer by what it will feed."""
        origin = None if role.origin is None else self.flow.nodes[role.origin]
        if origin is not None and origin.op is Op.ELEMENTWISE and origin.function:
            read = self._family(origin, x)
            if read is not None:
                return scaled(node, read.scheme, read.gain, x, read.reason, read)
        fed = self._fed_family(role)
        if role.kind is RoleKind.INPUT_LAYER:
            return _first_layer(node, x, fed)
        scheme, reason = "lecun", f"Reads {_name_of(origin)} of rms {x.rms:.4g}."
        if fed is not None and fed.scheme == "glorot":
            scheme, reason = "glorot", f"{reason} Feeds {fed.name}."
        return scaled(node, scheme, 1.0 / x.rms, x, reason, fed)

    def _family(self, node: Node, x: Moments) -> Family | None:
        if node.id not in self.families:
            found = self.chains.family(node) or _family_if_finite(node, x)
            if found is None or node.id in self._given_sizes:
                return found  # known at the size that the plan aims at, and no other
            self.families[node.id] = found
        return self.families[node.id]

    def _fed_family(self, role: Role) -> Family | None:
        """Give the family of the activation that follows, at second moment 1."""
        if role.activation is None:
            return None
        node = self.flow.nodes[role.activation]
        return self.chains.family(node) or _family_if_finite(node)


def _reaching(choice: Choice, found: Moments) -> Choice:
    """Scale a choice so that what is predicted of its output is what it aims at.

    Zero padding is counted so, and how its loss spreads from the border.
    """
    factor = choice.target / found.rms
    return replace(choice, std=choice.std * factor, gain=choice.gain * factor)


def is_believed(x: Moments) -> bool:
    """Say whether a size is more than 0 and not that of a few entries alone.

    Of a tensor such as e^z of a wide z theory knows little: what keeps it in bounds, as
    a softmax written by hand does by its largest logit, is not seen in moments.
    """
    return x.second_moment > 0.0 and x.kurtosis <= LARGEST_KURTOSIS


def _sized(x: Moments, second_moment: float) -> Moments:
    """Give the moments at another size, as calibration would: the pairs keep theirs."""
    if x.second_moment == 0.0:
        return Moments(second_moment=second_moment)
    return with_pairs.scaled(x, second_moment / x.second_moment)


def _family_if_finite(node: Node, x: Moments | None = None) -> Family | None:
    """Give the family of an activation; None where it is not finite everywhere.

    Args:
        node: of the activation.
        x: its moments; None for those behind N(0, 1).
    """
    if node.function is None:
        return None
    try:
        after = x or through_function(Moments(), rule_of(Moments(), node.function))
        return family_of(node.function, after)
    except ArgumentError:  # √ or a logarithm, of numbers that may be negative
        return None


def _first_layer(node: Node, x: Moments, family: Family | None) -> Choice:
    """The input has been through no activation: no factor 2, but its own size."""
    size = f"root mean square {x.rms:.4g}"
    reason = f"First layer: its input ({size}) has been through no activation."
    scheme = "lecun"
    if family is not None and family.scheme == "glorot":
        scheme = "glorot"
        reason = f"{reason} Feeds {family.name}."
    elif family is not None and family.scheme == "he":
        reason = f"{reason} So He's factor 2 has nothing to make up for."
    return scaled(node, scheme, 1.0 / x.rms, x, reason, family)


def _joined(choice: Choice, role: Role) -> Choice:
    """Divide by √L at the end of a branch, by √k in a plain sum of k."""
    if role.is_scale_free:
        note = "A normalization follows, so this scale sets only the learning speed."
        return replace(choice, reason=f"{choice.reason} {note}")
    divisor, note = 1, ""
    if role.n_branches > 1:
        divisor = role.n_branches
        note = f"Divided by √{divisor}: {divisor} branches add up in its stream."
    elif role.n_summed > 1:
        divisor = role.n_summed
        note = f"Divided by √{divisor}: {divisor} such terms are added."
    if divisor == 1:
        return choice
    return replace(
        choice,
        gain=choice.gain / sqrt(divisor),
        std=choice.std / sqrt(divisor),
        target=choice.target / sqrt(divisor),
        reason=f"{choice.reason} {note}",
    )


def _name_of(node: Node | None) -> str:
    if node is None:
        return "an input"
    if node.op is Op.ADD:
        return "a sum"
    return f"{node.path} ({node.op})" if node.path else f"the {node.op} at {node.id}"
