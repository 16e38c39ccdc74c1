"""The policy "depth_mup": muP in width, and branches that fall as 1/√L in depth.

Of a stream x + c·f(x) with L branches, c = 1/√L keeps the sum of L independent
branches of size 1 at the start. In training their changes add up in line: Adam's steps
of size η in each give L·c·η, so η has to fall as 1/√L; SGD's steps have the factor c of
the gradient, L·c²·η, and need nothing (Yang et al. 2023, Table 1; the tests derive it).

The model has no c: the last weights of a branch carry it, or the gain of a
normalization or a learned scale behind them. A weight c·W learns c times as fast under
Adam and c² under SGD, so those get 1/L of both.

The limit is shown for branches with one weight each; those with more (attention, an
MLP) are scaled alike, as is usual. Without a base the model is its own; with ``depth``
the base is taken to have so many branches. A base may have fewer blocks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fanin.prescription.policies.auto import decide as auto
from fanin.prescription.policies.mup import (
    carried,
    require_starts,
    require_whole,
    started,
)
from fanin.prescription.policies.mup import warnings as width_warnings
from fanin.prescription.widening.deeper import depths
from fanin.prescription.widening.tied import multiplied
from fanin.prescription.widening.transfer import is_drawn, with_rates, with_std
from fanin.prescription.widening.wide import wide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.graph import Node
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription
    from fanin.prescription.widening.deeper import Depth
    from fanin.prescription.widening.wide import Wide

NAME = "depth_mup"
SUMMARY = "As mup, and branches scaled so that a learning rate fits any depth too."
SOURCE = "Yang, Yu, Zhu, Hayou 2023, Table 1 (arXiv 2310.02244)"


def decide(
    desk: Desk,
    *,
    head: str = "normal",
    query: str = "normal",
    width: int | None = None,
    depth: int | None = None,
) -> Mapping[str, Prescription]:
    """Decide every parameter by its growth and its stream's over the base.

    Args:
        desk: of the model; ``desk.base`` is the base's Graph.
        head: as of "mup".
        query: as of "mup".
        width: as of "mup".
        depth: residual branches of the base's stream, where no base is given.

    Raises:
        ArgumentError: if an option is no such word, or the base does not fit.
        ContradictionError: if there is a base, and a width or a depth.
    """
    require_starts(head=head, query=query)
    whole = require_whole("width", width)
    found = wide(desk, auto, width=whole, is_deeper=True)
    on_branch = depths(desk, require_whole("depth", depth))
    done = carried(found)
    done |= {path: _deepened(found, done[path], d) for path, d in on_branch.items()}
    return started(found, done, head, query)


def warnings(
    desk: Desk,
    *,
    head: str = "normal",
    query: str = "normal",
    width: int | None = None,
    depth: int | None = None,
) -> tuple[str, ...]:
    """Say what the model itself would have to do, and does not."""
    texts = width_warnings(desk, head=head, query=query, width=width, is_deeper=True)
    if depths(desk, depth):
        return texts
    none = (
        "No residual stream that is left as it is between its branches was found, so "
        "depth_mup scales nothing with the depth: normalized after each sum, or plain, "
        "a net has no such limit."
    )
    return (*texts, none)


def _deepened(found: Wide, p: Prescription, depth: Depth) -> Prescription:
    """Give a parameter on a branch the rates of its depth, and its end the factor."""
    c = depth.factor
    rated = with_rates(p, c * c, c * c) if depth.is_end else with_rates(p, c, 1.0)
    if not depth.is_end or found.small is None or c == 1.0:
        return rated
    words = f"Its branch is one of {depth.deeper:.4g} times as many: times {c:.4g}."
    if is_drawn(p):
        return with_std(rated, p.std * c, f"{p.reason} {words}")
    if p.law == "constant":
        return _constant(found, rated, c, words)
    return rated


def _constant(found: Wide, p: Prescription, c: float, words: str) -> Prescription:
    """Let a gain or a learned scale carry the factor: the base's value, times c."""
    start = replace(p, value=found.before[p.path].value)
    node = _norm_of(found, p.path)
    details = {} if node is None else node.details
    is_gain = node is not None and node.scale == p.path
    offset = details.get("gain_offset", 0.0) if is_gain else 0.0
    factor = details.get("gain_factor", 1.0) if is_gain else 1.0
    return multiplied(start, c, offset, factor, f"{p.reason} {words}")


def _norm_of(found: Wide, path: str) -> Node | None:
    number = found.desk.roles[path].node
    return None if number is None else found.desk.flow.nodes[number]
