"""What a Plan says beside its prescriptions: notes, warnings, the first loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fanin.graph.graph import Op
from fanin.graph.roles import RoleKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fanin.graph.graph import Graph, Node
    from fanin.prescription.desk import Desk
    from fanin.prescription.prescription import Prescription

MOST_NAMES = 5


def named(names: Iterable[str]) -> str:
    """Give some names in a row, and a sign that there are more.

    >>> named(["a", "b"]), named("abcdefg")
    ('a, b', 'a, b, c, d, e, …')
    """
    listed = list(names)
    return ", ".join(listed[:MOST_NAMES]) + (", …" if len(listed) > MOST_NAMES else "")


def notes(desk: Desk) -> tuple[str, ...]:
    """Say what was assumed, in sentences, as far as a weight reads what comes of it."""
    read = _ancestors(desk.graph)
    nodes = (desk.flow.nodes[i] for i in desk.chooser.notes if i in read)
    unknown = [node for node in nodes if node.op in {Op.CONTRACT, Op.OPAQUE}]
    names = sorted({_place(node) for node in unknown})
    found = []
    if names:
        found.append(
            f"Not predicted at {named(names)}: its output is taken as of rms 1. Give a "
            "batch, and the scale there is measured."
        )
    if desk.evidence.target is not None:
        found.append(f"Head bias: {desk.target.text}.")
    return tuple(found)


def _ancestors(graph: Graph) -> set[int]:
    """Give the nodes that a linear node reads, at once or through others."""
    found: set[int] = set()
    for node in reversed(graph.nodes):
        if node.op is Op.LINEAR or node.id in found:
            found.update(node.inputs)
    return found


def _place(node: Node) -> str:
    """Name a node so that a person finds it: what it does, and where."""
    where = node.path or node.source or f"the model itself, as operation {node.id}"
    return f"the {node.op} in {where}"


def unread(desk: Desk) -> tuple[str, ...]:
    """Warn of trainable parameters that no operation of this run reads."""
    paths = [
        p.path
        for p in desk.graph.parameters
        if desk.is_open(p) and desk.roles[p.path].kind is RoleKind.UNREAD
    ]
    if not paths:
        return ()
    text = (
        f"No operation that ran reads {named(paths)}: kept as they are. If their layer "
        "runs in training, give a batch with which it does."
    )
    return (text,)


def first_loss(desk: Desk, written: Mapping[str, Prescription]) -> float | None:
    """Give the loss expected before training: the ignorant predictor's, and a bit.

    Independent logits of variance s² around those of the shares p add s²/2·(1 − Σp²)
    to cross-entropy and s²/2·p(1 − p) to binary cross-entropy, to second order, and s²
    to the squared error.
    """
    heads = [p for p in written.values() if p.role == RoleKind.HEAD]
    biases = [p for p in written.values() if p.role == RoleKind.HEAD_BIAS]
    if desk.target.loss is None or len(heads) != 1 or heads[0].predicted is None:
        return None
    if any(p.is_kept for p in biases):  # it stands for a prior that is not known here
        return None
    return desk.target.loss + _curvature(desk) * heads[0].predicted ** 2


def _curvature(desk: Desk) -> float:
    """Give what independent noise of variance 1 on each output adds to the loss."""
    logits = np.array(desk.target.bias or (0.0,) * max(desk.n_outputs, 1))
    if desk.evidence.loss == "cross_entropy":
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        return float(1.0 - np.sum(shares**2)) / 2.0
    if desk.evidence.loss == "binary_cross_entropy":
        rates = 1.0 / (1.0 + np.exp(-logits))
        return float(np.mean(rates * (1.0 - rates))) / 2.0
    return 1.0
