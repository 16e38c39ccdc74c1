"""FAN001 unreached-parameter.

## What it finds
Trainable parameters that the objective does not use on this batch: a layer that is made
and that no method names again, or whose output is cut off from the gradient (warnings);
a branch that this batch did not take, or an output that the objective leaves out
(notes). With an optimizer, also what is in none of its groups.

## Why it hurts
They get no gradient, so they keep their initial values for ever. Most often a layer
was made in the constructor and forgotten in `forward`, or an output was left out of the
loss.

## When it is fine
Where the model chooses its branches by the data (experts, masks, early exits): another
batch may reach them. Layers kept for later use. It says nothing about how the rest
learns, so it alone does not change the verdict.

## Example
    self.hidden = nn.Linear(8, 8)   # made here
    def forward(self, x):
        return self.head(x)         # not used there

## Use instead
    def forward(self, x):
        return self.head(torch.relu(self.hidden(x)))

## Assumptions
One batch was looked at. Whether a method names a layer is read from the code of its
class; where there is none, a parameter that was not read counts as forgotten.

## Source
Exact: the gradient does not exist.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fanin.rules.reads import read_by
from fanin.rules.rule import Finding, Rule, Severity
from fanin.rules.words import count, listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

    from fanin.rules.inspection import Inspection


def find(inspection: Inspection) -> Iterator[Finding]:
    """Yield a finding for each reason why parameters get no gradient."""
    unread, cut, unused = _sorted(inspection)
    forgotten = tuple(p for p in unread if not _is_mentioned(inspection, p))
    waiting = tuple(p for p in unread if p not in forgotten)
    if forgotten:
        yield replace(
            _finding(inspection, forgotten, "forgotten"),
            severity=Severity.WARNING,
            fix="Use the layer in the forward pass, remove it, or freeze it.",
        )
    if cut:
        yield replace(
            _finding(inspection, cut, "cut"),
            severity=Severity.WARNING,
            fix="Look for detach(), no_grad or stop_gradient behind the layer; freeze "
            "what is not to be trained.",
        )
    if unused:
        yield _finding(inspection, unused, "unused")
    if waiting:
        yield _finding(inspection, waiting, "waiting")
    yield from _unstepped(inspection)


def _sorted(
    inspection: Inspection,
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Give what no node reads, what is cut off, and what leads to no objective."""
    gradients = inspection.first_gradients
    without = [p for p in inspection.trainable if _is_none(inspection, gradients, p)]
    unread = tuple(p for p in without if p not in inspection.used)
    cut = tuple(p for p in without if p not in unread and _is_cut(inspection, p))
    return unread, cut, tuple(p for p in without if p not in {*unread, *cut})


def _is_none(
    inspection: Inspection, gradients: Mapping[str, np.ndarray | None], path: str
) -> bool:
    """Say whether there is no gradient; some frameworks give 0 for what is not read."""
    gradient = gradients.get(path)
    return gradient is None or (path not in inspection.used and not gradient.any())


def _is_cut(inspection: Inspection, path: str) -> bool:
    """Say whether a later node gets a gradient that this parameter's does not."""
    graph, sites = inspection.graph, inspection.awakened.sites
    reached = {node.id for node in graph.nodes if path in read_by(graph, node)}
    for node in graph.nodes:  # in order of running: what reads comes after
        if reached & set(node.inputs):
            reached.add(node.id)
            site = sites.get(node.id)
            if site is not None and site.gradient_second_moment:
                return True
    return False


def _is_mentioned(inspection: Inspection, path: str) -> bool:
    """Say whether some method names the layer, so that another batch may reach it."""
    ask = inspection.is_mentioned
    return ask is not None and ask(path)


def _finding(inspection: Inspection, paths: tuple[str, ...], how: str) -> Finding:
    message, expected = SAID[how]
    return Finding(
        code=RULE.code,
        name=RULE.name,
        severity=Severity.INFO,
        where=listing(paths),
        message=message.format(count(len(paths), "parameter")),
        measured=f"no gradient for {len(paths)} of {len(inspection.trainable)}",
        expected=expected,
        value=float(len(paths)),
        interval=(0.0, 0.0),
        why="What the objective does not use keeps its initial values for ever.",
        fix="None is needed if another batch, or another objective, reaches it.",
        paths=paths,
        mends=(),
    )


def _unstepped(inspection: Inspection) -> Iterator[Finding]:
    """Yield one finding for what the optimizer was not given."""
    facts = inspection.optimizer
    paths = () if facts is None else tuple(facts.unstepped)
    if paths:
        yield Finding(
            code=RULE.code,
            name=RULE.name,
            severity=Severity.WARNING,
            where=listing(paths),
            message=f"{count(len(paths), 'trainable parameter')} in no group of the "
            "optimizer.",
            measured=f"{len(paths)} of {len(inspection.trainable)} never stepped",
            expected="every trainable parameter in a group",
            value=float(len(paths)),
            interval=(0.0, 0.0),
            why="It gets gradients, and no step follows from them.",
            fix="Give it to the optimizer, or freeze it.",
            paths=paths,
            mends=(),
        )


SAID: Final = {
    "forgotten": (
        "Made in the constructor and never read: no other method names it ({}).",
        "every trainable parameter read in the forward pass",
    ),
    "cut": (
        "What it gives is used, and no gradient comes back ({}).",
        "a gradient for every trainable parameter that is read",
    ),
    "unused": (
        "It is read, and nothing that the objective sees depends on it ({}).",
        "a gradient, if the objective is to use it",
    ),
    "waiting": (
        "Not read on this batch; code that was not run names it ({}).",
        "a gradient on a batch that takes the branch",
    ),
}

RULE = Rule(
    code="FAN001",
    name="unreached-parameter",
    severity=Severity.WARNING,
    find=find,
    page=__doc__,
)
