"""A run as what the player plays: texts by key, made here, only shown there."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from fanin.lab.lessons.stepping.names import DIGITS, factors, place
from fanin.lab.lessons.stepping.run import loss_function
from fanin.lab.lessons.stepping.words import said
from fanin.report.page import number

if TYPE_CHECKING:
    from fanin.lab.lessons.stepping.evidence import Evidence
    from fanin.lab.lessons.stepping.run import Moment, Run

Number = list[str]
"""A number as it is printed, and with every digit."""


class Played(TypedDict):
    """One moment. all: θ, its mean gradient G:θ, its change D:θ, the loss, masks.

    samples: of each z, a, φ′ (s), dL/da (u), dL/dz (e), dL/dθ (g:θ), target, loss.
    looks: classes of each edge. says: a sentence or two a phase.
    """

    all: dict[str, Number]
    samples: list[dict[str, Number]]
    looks: dict[str, str]
    says: list[str]


class Frames(TypedDict):
    """A run, played. chains: by parameter, names and keys of its gradient's factors."""

    phases: list[str]
    nSteps: int
    chains: dict[str, list[list[str]]]
    names: dict[str, str]
    moments: list[Played]


PHASES = ("forward", "backward", "update")
LEVELS = 6


def shown(value: float) -> Number:
    """Give a number as it is printed, and exactly.

    >>> shown(1 / 3), shown(0.5), shown(-0.0)
    (['0.3333', '0.3333333333333333'], ['0.5', '0.5'], ['0', '0'])
    """
    plain = float(value) + 0.0  # −0 is 0 to a reader
    return [number(plain, DIGITS), exactly(plain)]


def exactly(value: float) -> str:
    """Give every digit of a number: reading them gives the same number again.

    >>> exactly(0.1 + 0.2), exactly(-2.0)
    ('0.30000000000000004', '−2')
    """
    return repr(value).removesuffix(".0").replace("-", "−")


def look(value: float) -> str:
    """Give the classes of an edge: its sign, and how wide it is drawn.

    >>> look(0.0), look(-3.0)
    ('zero w0', 'minus w5')
    """
    if value == 0:
        return "zero w0"
    size = abs(value)
    level = 1 + min(int((LEVELS - 1) * size / (1 + size) * 1.25), LEVELS - 2)
    return f"{'plus' if value > 0 else 'minus'} w{level}"


def frames_of(evidence: Evidence, run: Run) -> Frames:
    """Give all that a player needs; its numbers are those of the run, as text."""
    return {
        "phases": list(PHASES),
        "nSteps": len(run.moments) - 1,
        "chains": {place(e): factors(run.net, e) for e in run.net.entries},
        "names": {place(e): str(e) for e in run.net.entries},
        "moments": [moment_of(evidence, run, step) for step in range(len(run.moments))],
    }


def moment_of(evidence: Evidence, run: Run, step: int) -> Played:
    """Give one moment: numbers of all samples, of each, and what is said of it."""
    moment = run.moments[step]
    return {
        "all": _of_all(moment),
        "samples": [_of_sample(run, moment, k) for k in range(len(run.batch))],
        "looks": {place(e): look(v) for e, v in moment.parameters.items()},
        "says": [said(evidence, run, step, phase) for phase in PHASES],
    }


def _of_all(moment: Moment) -> dict[str, Number]:
    """Give θ, the mean gradient G:θ and the change D:θ, and the loss."""
    found = {"loss": shown(moment.loss)}
    for entry, value in moment.parameters.items():
        key = place(entry)
        found[key] = shown(value)
        found[f"G:{key}"] = shown(moment.gradient[entry])
        found[f"D:{key}"] = shown(moment.change[entry])
    for (layer, j), mask in moment.masks.items():
        found[f"m{layer}.{j}"] = shown(mask)
    return found


def _of_sample(run: Run, moment: Moment, index: int) -> dict[str, Number]:
    """Give one sample's z, a, φ′, dL/dz and dL/dθ (g:θ), and its target and loss."""
    one = moment.passes[index]
    targets = run.batch[index][1]
    last = run.net.n_layers
    found = {f"a{layer}.{j}": shown(v) for (layer, j), v in one.a.items()}
    found |= {f"z{layer}.{j}": shown(v) for (layer, j), v in one.z.items()}
    found |= {f"s{layer}.{j}": shown(v) for (layer, j), v in one.slope.items()}
    found |= {f"u{layer}.{j}": shown(v) for (layer, j), v in one.upstream.items()}
    found |= {f"e{layer}.{j}": shown(v) for (layer, j), v in one.delta.items()}
    found |= {f"g:{place(e)}": shown(v) for e, v in one.gradient.items()}
    for k, guess in enumerate(one.y_hat, 1):
        found[f"a{last}.{k}"] = shown(guess)
        found[f"y{k}"] = shown(targets[k - 1])
    found["L"] = shown(loss_function(run.net.loss.name)(one.y_hat[0], targets[0]))
    return found
