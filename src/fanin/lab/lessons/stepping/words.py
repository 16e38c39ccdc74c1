"""What is said of one moment, for the eye and for a screen reader alike."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from fanin.derivation.proving import listed
from fanin.lab.lessons.stepping.names import DIGITS
from fanin.report.page import number

if TYPE_CHECKING:
    from fanin.derivation.net import Net
    from fanin.derivation.notation import Entry
    from fanin.lab.lessons.stepping.evidence import Evidence
    from fanin.lab.lessons.stepping.run import Moment, Run


def said(evidence: Evidence, run: Run, step: int, phase: str) -> str:
    """Say what one phase of an update shows.

    Args:
        evidence: of the case; twins are only called so where it proves them.
        run: the one that is played: the case's own, or the one that works.
        step: updates made before.
        phase: "forward", "backward" or "update".
    """
    moment = run.moments[step]
    if phase == "forward":
        done = "At the start" if step == 0 else f"After {counted(step)}"
        loss = f"{done} the loss over all samples is {printed(moment.loss)}."
        return f"{loss} {_twins(evidence, run, moment)}".strip()
    if phase == "backward":
        return _still(run, moment)
    return _moved(run, moment, step)


def printed(value: float) -> str:
    """Give a number as the page shows it."""
    return number(value + 0.0, DIGITS)


def counted(n: int) -> str:
    """Give a count of updates.

    >>> counted(1), counted(3)
    ('1 update', '3 updates')
    """
    return f"{n} update" if n == 1 else f"{n} updates"


def _twins(evidence: Evidence, run: Run, moment: Moment) -> str:
    if run is not evidence.run or not evidence.are_twins:
        return ""
    one, other = twin_weights(run.net)
    value = printed(moment.parameters[one])
    return (
        f"{one} = {other} = {value}: the hidden units are equal, and stay so for ever, "
        "because equal units get equal gradients."
    )


def twin_weights(net: Net) -> tuple[Entry, Entry]:
    """Give the first incoming weight of the first two hidden units."""
    return net.weight(1, 1, 1), net.weight(1, 1, 2)


def _still(run: Run, moment: Moment) -> str:
    net = run.net
    none = [t for t in net.tensors if not any(moment.gradient[e] for e in net.of(t))]
    if not none:
        return "Every array has a gradient."
    if len(none) == len(net.tensors):
        return "Every gradient of the mean loss is exactly 0."
    rest = [t for t in net.tensors if t not in none]
    verb = "has" if len(rest) == 1 else "have"
    only = f"Only {listed(rest)} {verb} one."
    return f"Every gradient of {listed(none)} is exactly 0. {only}"


def _moved(run: Run, moment: Moment, step: int) -> str:
    net = run.net
    largest = max(net.entries, key=lambda e: abs(moment.change[e]))
    change = moment.change[largest]
    if change == 0:
        return f"Update {step + 1} changes nothing."
    new = printed(moment.parameters[largest] + change)
    return (
        f"Update {step + 1} changes {largest} the most: by {printed(change)}, to {new}."
    )


def losses_fall(losses: tuple[float, ...]) -> bool:
    """Say whether the loss falls at every update.

    >>> losses_fall((2.0, 1.0)), losses_fall((1.0, 1.0))
    (True, False)
    """
    return all(later < before for before, later in pairwise(losses))
