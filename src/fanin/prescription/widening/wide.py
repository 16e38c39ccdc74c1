"""A model beside its base: what muP and its kin read off the two, gathered once."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from fanin.errors import ContradictionError
from fanin.graph.roles import RoleKind
from fanin.prescription.choosing.factors import (
    Logits,
    attentions,
    factor_after,
    factor_before,
)
from fanin.prescription.widening.widths import (
    SAME,
    absolute,
    growths,
    on_base,
    partners,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fanin.graph.graph import Node
    from fanin.prescription.desk import Desk
    from fanin.prescription.policy import Decide
    from fanin.prescription.prescription import Prescription
    from fanin.prescription.widening.widths import Growth

CLOSE = 0.01
"""Factors that differ by less are the same."""


@dataclass(frozen=True, kw_only=True)
class Wide:
    """What is known of a model's parameters, by path.

    small: the desk of the base, or None. growths: over the base. own: what "auto" says
    for the model itself; before: for the partner in the base, with the base's shape,
    or for the model where there is no base. stds: of the base.
    """

    desk: Desk
    small: Desk | None
    growths: Mapping[str, Growth]
    own: Mapping[str, Prescription]
    before: Mapping[str, Prescription]
    stds: Mapping[str, float]

    def factor(self, path: str) -> float:
        """Give what the model multiplies by around a table or a head, over the base's.

        Other weights are sized by what reads them: for those it is 1.
        """
        here, there = uses(self.desk, path), self._uses_before(path)
        pairs = list(zip(here, there, strict=False))
        is_head = self.desk.roles[path].kind is RoleKind.HEAD
        if not pairs or not (is_head or is_lookup(pairs[0][0])):
            return 1.0
        return self.factor_at(*pairs[0])

    def factor_at(self, node: Node, other: Node) -> float:
        """Give the factor around one use of a weight over that around the base's."""
        if self.small is None:
            return 1.0
        mine, its = self.desk.flow, self.small.flow
        ratio = factor_after(mine, node) / (factor_after(its, other) or 1.0)
        if not is_lookup(node):
            ratio *= factor_before(mine, node) / (factor_before(its, other) or 1.0)
        return ratio or 1.0

    def tied(self) -> Iterator[tuple[str, Node, Node, float, float]]:
        """Yield each table that is the head too, and the factors of its two uses.

        As (path, lookup, head, factor after the lookup, factor around the head), the
        factors over the base's.
        """
        for path in self.own:
            mine, its = uses(self.desk, path), self._uses_before(path)
            pairs = list(zip(mine, its, strict=False))
            lookups = [pair for pair in pairs if is_lookup(pair[0])]
            heads = [pair for pair in pairs if not is_lookup(pair[0])]
            if lookups and heads:
                taken, written = lookups[0], heads[-1]
                factors = self.factor_at(*taken), self.factor_at(*written)
                yield path, taken[0], written[0], *factors

    def _uses_before(self, path: str) -> list[Node]:
        if self.small is None:
            return uses(self.desk, path)
        return uses(self.small, self.before[path].path)

    def lengths_of_heads(self) -> Iterator[tuple[Logits, float, float]]:
        """Yield each attention whose heads are longer than in the base.

        As (attention, by what its sums have more terms, by what its factor differs).
        """
        if self.small is None:
            return
        here, there = attentions(self.desk.flow), attentions(self.small.flow)
        for mine, its in zip(here, there, strict=False):
            longer = mine.n_terms / its.n_terms
            if longer != 1.0 and not mine.is_bounded and its.factor:
                yield mine, longer, mine.factor / its.factor


def wide(
    desk: Desk, auto: Decide, *, width: int | None = None, is_deeper: bool = False
) -> Wide:
    """Compare a model with its base; with itself where none is given.

    Args:
        desk: of the model; its base is compared.
        auto: what the policy of that name decides beyond each parameter's role.
        width: the base's, where no base is at hand: every side that is width is then
            compared with this number.
        is_deeper: the base may have fewer blocks.

    Raises:
        ArgumentError: if the base is no smaller model of the same architecture, or the
            width below 1.
        ContradictionError: if there is a base and a width.
    """
    own = _decided(desk, auto)
    if desk.base is None:
        found = dict.fromkeys(own, SAME) if width is None else absolute(desk, width)
        stds = {path: _at_base(p, found[path]) for path, p in own.items()}
        return Wide(
            desk=desk, small=None, growths=found, own=own, before=own, stds=stds
        )
    if width is not None:
        raise ContradictionError.of([f"base= gives the widths, and so does {width}."])
    small = on_base(desk, desk.base)
    grown = growths(desk, small, is_deeper=is_deeper)
    pairs = partners(desk.graph, desk.base, is_deeper=is_deeper)
    decided = _decided(small, auto)
    before = {path: decided[other.path] for path, other in pairs.items()}
    stds = {path: p.std for path, p in before.items()}
    return Wide(
        desk=desk, small=small, growths=grown, own=own, before=before, stds=stds
    )


def _decided(desk: Desk, auto: Decide) -> dict[str, Prescription]:
    """Give what the policy "auto" says of every parameter."""
    beyond = auto(desk)
    return {
        p.path: beyond[p.path]
        if p.path in beyond and desk.is_open(p)
        else desk.prescribe(p)
        for p in desk.graph.parameters
    }


def _at_base(p: Prescription, growth: Growth) -> float:
    """Give the std that "auto" would choose at the base's width: it goes as 1/√n."""
    if p.role == RoleKind.TIED_EMBEDDING:
        return p.std * sqrt(growth.n_out)
    return p.std * sqrt(growth.n_in)


def uses(desk: Desk, path: str) -> list[Node]:
    """Give the linear nodes that use a weight, in order."""
    return [
        node
        for node in desk.graph.linears
        if node.weight and desk.graph.parameter(node.weight.path).path == path
    ]


def is_lookup(node: Node) -> bool:
    """Say whether a linear node looks rows up in a table."""
    return node.weight is not None and node.weight.roles.is_lookup


def attention_warnings(found: Wide) -> tuple[str, ...]:
    """Warn of logits that would grow with the length of the heads.

    Before training q and k are independent and Σ q·k over d terms grows as √d; trained,
    they are not, and it grows as d (Yang et al. 2022, section 4: "1/d attention").
    """
    wrong: dict[tuple[float, float], list[str]] = {}
    for logits, longer, factor in found.lengths_of_heads():
        if abs(factor * longer - 1.0) > CLOSE:
            wrong.setdefault((round(longer, 6), round(factor, 6)), []).append(
                logits.path or "the model"
            )
    return tuple(
        f"Attention at {paths[0]}{f' and {len(paths) - 1} more' if paths[1:] else ''}: "
        f"its heads are {longer:.4g} times as long as the base's, and its logits are "
        f"multiplied by {factor:.4g} times the base's factor, where muP wants "
        f"{1.0 / longer:.4g} (1/d and not 1/√d: trained queries and keys point the "
        "same way). No initial weight can do this: set the factor in the model, or "
        "widen it by more heads of the same length."
        for (longer, factor), paths in wrong.items()
    )
