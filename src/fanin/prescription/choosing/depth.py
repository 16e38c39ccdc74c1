"""What no choice of weights can mend, said before training starts."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING

from fanin.graph.graph import Op
from fanin.graph.roles.residual import joints
from fanin.prescription.choosing.families import REPELS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.graph.flow import Flow
    from fanin.prescription.choosing.families import Family

ENOUGH_GROWTH = 2.0
"""A factor on a small error of scale that is worth a warning."""
ENOUGH_DECAY = 1e-3
"""A factor on squared gradients that is worth a warning."""


def depth_warnings(flow: Flow, families: Mapping[int, Family]) -> tuple[str, ...]:
    """Warn of activations whose scale drifts or whose gradients fade over the depth.

    Depth is counted in weights since the last normalization or residual sum, both of
    which stop the drift.
    """
    depths = plain_depths(flow)
    deepest: dict[str, tuple[int, Family]] = {}
    for node_id, family in families.items():
        n_layers = max((depths[n.id] for n in flow.after(node_id)), default=0)
        if n_layers > deepest.get(family.name, (0, family))[0]:
            deepest[family.name] = (n_layers, family)
    found = (_warnings_of(family, n) for n, family in deepest.values())
    return tuple(text for texts in found for text in texts)


def _warnings_of(family: Family, n_layers: int) -> list[str]:
    texts = []
    drift = family.slope ** (n_layers - 1)
    if family.slope > REPELS and drift >= ENOUGH_GROWTH:
        texts.append(
            f"{family.name}: at gain {family.gain:.4g} the second moment 1 is kept but "
            f"repels (V′ = {family.slope:.4g}): over {n_layers} weights without "
            f"normalization or skips an error of 1 % in scale grows to {drift:.3g} %. "
            "No other weight scale is stable; add normalization or residual "
            f"connections, or calibrate on a batch.{_more(family)}"
        )
    fading = family.growth ** (n_layers - 1)
    if fading <= ENOUGH_DECAY:
        texts.append(
            f"{family.name}: squared gradients fall by {family.growth:.3g} a layer "
            f"(10^{log10(fading):.0f} over {n_layers} weights) at the scale that keeps "
            "the signal, and a larger one saturates it. No weight scale can mend this; "
            f"use another activation, normalization or residual connections."
            f"{_more(family)}"
        )
    return texts


def _more(family: Family) -> str:
    """Say why fanin does not draw the chain in another way, where it would."""
    if not family.hindrance:
        return ""
    return f" Not drawn in pairs or centred by biases, because {family.hindrance}."


def plain_depths(flow: Flow) -> dict[int, int]:
    """Count the weights on the longest way since a normalization or residual sum."""
    resets = _resets(flow)
    depths: dict[int, int] = {}
    for node in flow.graph.nodes:
        before = max((depths[i] for i in node.inputs), default=0)
        depths[node.id] = 0 if node.id in resets else before + (node.op is Op.LINEAR)
    return depths


def plain_runs(flow: Flow) -> dict[int, int]:
    """Count the weights on the longest plain way through each node.

    From one normalization or residual sum, or an input, to the next, or an output.

    >>> from fanin.graph.flow import Flow
    >>> from fanin.graph.sketch import Sketch
    >>> sketch = Sketch()
    >>> z = sketch.apply(sketch.dense(sketch.input((4, 2)), 3, path="0"), abs)
    >>> plain_runs(Flow(sketch.graph(sketch.dense(z, 1, path="1"))))[z]
    2
    """
    resets, before = _resets(flow), plain_depths(flow)
    behind: dict[int, int] = {}
    for node in reversed(flow.graph.nodes):
        behind[node.id] = max(
            (
                behind[reader.id] + (reader.op is Op.LINEAR)
                for reader in flow.after(node.id)
                if reader.id not in resets
            ),
            default=0,
        )
    return {node_id: before[node_id] + behind[node_id] for node_id in before}


def _resets(flow: Flow) -> set[int]:
    """Give the nodes behind which the count of layers begins anew."""
    found = {joint.node for joint in joints(flow) if joint.shortcut is not None}
    return found | {n.id for n in flow.graph.nodes if n.op is Op.NORMALIZE}
