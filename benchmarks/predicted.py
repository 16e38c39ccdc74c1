"""How well theory predicts: second moments predicted and measured, node by node.

Run: ``python -m benchmarks predicted [--models NAME ...] [--seeds 3] [--worst 5]``.
Each model gets known random weights, once the framework's own and once fanin's plan.
What theory is told is the mean and variance of each parameter and of the batch; what
it says of the output of every linear layer and every sum is held against one forward
pass. ``inside``: share of nodes whose measured second moment is in the predicted
interval; ``×1.5``: within that factor of the prediction; ``width``: median of the
interval's upper end over its lower. A second table sorts the same nodes by what
theory says that it takes for granted there.
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from dataclasses import dataclass
from math import exp, inf, isnan, log, nan
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from benchmarks._table import Table
from benchmarks.models import every_torch as models
from fanin.frameworks import torch as framework
from fanin.graph import Op, Task
from fanin.prescription import Evidence, inputs_of, make_plan
from fanin.theory import predict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fanin.graph import Graph, Measurement, Node
    from fanin.theory import Prediction

FACTOR = 1.5
TINY = 1e-30  # second moments below this are zero in float32
MASKED = 1e60  # and above this they are those of a mask's float32 minimum
WEIGHTS = ("default", "plan")


@dataclass(frozen=True, kw_only=True)
class Site:
    """One node under test: what was predicted (None: nothing) and what was measured."""

    model: str
    weights: str
    node: Node
    predicted: float | None
    interval: tuple[float, float] | None
    measured: float
    note: str = ""
    assumptions: tuple[str, ...] = ()

    @property
    def is_inside(self) -> bool:
        """Say whether the interval holds the measured value, float32 noise allowed."""
        if self.interval is None:
            return False
        low, high = self.interval
        slack = 1e-4 * self.measured + TINY
        return low - slack <= self.measured <= high + slack

    @property
    def ratio(self) -> float:
        """Give measured over predicted; NaN where nothing is predicted."""
        if self.predicted is None:
            return nan
        if self.predicted <= TINY:
            return 1.0 if self.measured <= TINY else inf
        return self.measured / self.predicted

    @property
    def error(self) -> float:
        """Give |ln(measured / predicted)|."""
        ratio = self.ratio
        return inf if isnan(ratio) or ratio in {0.0, inf} else abs(log(ratio))

    @property
    def width(self) -> float:
        """Give the upper end of the interval over its lower."""
        if self.interval is None:
            return nan
        low, high = self.interval
        return 1.0 if high <= TINY else high / max(low, TINY)


def sites_of(name: str, weights: str, seed: int, roots: Counter[str]) -> Iterator[Site]:
    """Build a model with a seed, give it weights, and compare at every site.

    ``roots`` counts the nodes where prediction first fails: their operands are known.
    """
    torch.manual_seed(seed)
    model, batch = models.zoo()[name]()
    task = Task(batch=batch, seed=seed)
    values = values_for(model, task, weights, seed)
    measured = framework.measure(model, task, values)
    predicted = prediction_for(measured, values)
    roots.update(first_unknown(measured.graph, predicted))
    for node in measured.graph.nodes:
        site = measured.sites.get(node.id)
        if node.op not in {Op.LINEAR, Op.ADD} or site is None:
            continue
        if site.is_finite and site.second_moment < MASKED:
            moments = predicted.moments.get(node.id)
            yield Site(
                model=name,
                weights=weights,
                node=node,
                predicted=None if moments is None else moments.second_moment,
                interval=predicted.interval(node.id),
                measured=site.second_moment,
                note=predicted.notes.get(node.id, ""),
                assumptions=tuple(
                    getattr(predicted, "assumptions", {}).get(node.id, ())
                ),
            )


def first_unknown(graph: Graph, predicted: Prediction) -> Iterator[str]:
    """Describe each node that is not predicted although all that it reads is."""
    moments = predicted.moments
    for node in graph.nodes:
        if moments.get(node.id) is None and all(
            moments.get(i) is not None for i in node.inputs
        ):
            why = predicted.notes.get(node.id, "no note")
            yield f"{node.op} ({', '.join(node.primitives[:2])}): {why}"


def values_for(
    model: torch.nn.Module, task: Task, weights: str, seed: int
) -> dict[str, np.ndarray]:
    """Give the values to run with: the framework's own, or those of fanin's plan.

    Of a plan whose weights are independent, as theory takes them: what mirrored and
    orthogonal ones give is decided, and not only predicted.
    """
    values = framework.read(model)
    if weights == "default":
        return values
    graph = framework.record(model, task)
    evidence = Evidence(inputs=inputs_of(graph), values=values)
    plan = make_plan(graph, law="normal", evidence=evidence, seed=seed)
    return values | {path: draw(None) for path, draw in plan.draws().items()}


def prediction_for(measured: Measurement, values: dict[str, np.ndarray]) -> Prediction:
    """Predict from mean and variance of each parameter and of the batch, no more."""
    graph: Graph = measured.graph
    arrays = {path: np.asarray(v, dtype=np.float64) for path, v in values.items()}
    return predict(
        graph,
        {path: float(array.var()) for path, array in arrays.items()},
        means={path: float(array.mean()) for path, array in arrays.items()},
        inputs=inputs_of(graph),
    )


def row(name: str, sites: list[Site]) -> tuple[Any, ...]:
    """Sum up the sites of one model or of one kind."""
    known = [site for site in sites if site.predicted is not None]
    count = max(len(sites), 1)
    close = sum(site.error <= log(FACTOR) for site in sites)
    errors = sorted(site.error for site in known)
    return (
        name,
        len(sites),
        f"{100 * sum(site.is_inside for site in sites) / count:.0f} %",
        f"{100 * close / count:.0f} %",
        f"{median(site.width for site in known):.3g}" if known else "–",
        f"{exp(min(median(errors), 700.0)):.3g}" if errors else "–",
        len(sites) - len(known) or "–",
    )


HEAD = ("model", "nodes", "inside", "×1.5", "width", "median off by", "not predicted")


def by_assumption(sites: list[Site], *, is_markdown: bool) -> None:
    """Print how well each assumption that a node says it makes turns out to hold."""
    groups: dict[str, list[Site]] = {}
    for site in sites:
        for phrase in site.assumptions or ("wide layers, no more",):
            groups.setdefault(phrase, []).append(site)
    table = Table(("a node assumes", *HEAD[1:]), is_markdown=is_markdown)
    for phrase, some in sorted(groups.items(), key=lambda item: -len(item[1])):
        table.row(*row(phrase, some))
    table.close()


def is_miss(site: Site) -> bool:
    """Say whether a prediction was made and is wrong by its own interval."""
    return site.predicted is not None and not site.is_inside


def worst(sites: Iterable[Site], count: int) -> list[str]:
    """Describe the first miss of each model that is furthest off, worst model first.

    Later misses of one model mostly follow from its first.
    """
    first: dict[tuple[str, str], Site] = {}
    for site in sites:
        if is_miss(site) and site.error > log(1.1):
            first.setdefault((site.model, site.weights), site)
    ordered = sorted(first.values(), key=lambda site: -min(site.error, 1e6))
    return [describe(site) for site in ordered[:count]]


def describe(site: Site) -> str:
    """Give one line on a site: where, what was predicted, what came."""
    node = site.node
    where = node.path or (node.weight.path if node.weight else "")
    start = f"{site.model}/{site.weights} #{node.id} {node.op} {where} {node.shape}"
    if site.predicted is None or site.interval is None:
        return f"{start}: not predicted ({site.note or 'an operand is not'})"
    low, high = site.interval
    assumed = f" assumes {', '.join(map(str, site.assumptions))}"
    return (
        f"{start}: predicted {site.predicted:.4g} [{low:.4g}, {high:.4g}], "
        f"measured {site.measured:.4g} (×{site.ratio:.3g})"
        f"{assumed if site.assumptions else ''}"
    )


def compare(names: list[str], seeds: int, options: argparse.Namespace) -> None:
    """Compare all models, print a row each, a row a kind, and the worst nodes."""
    kinds = models.kinds()
    table = Table(HEAD, is_markdown=options.markdown)
    by_kind: dict[str, list[Site]] = {}
    everything: list[Site] = []
    roots: Counter[str] = Counter()
    for name in names:
        try:
            sites = [
                site
                for weights in WEIGHTS
                for seed in range(seeds)
                for site in sites_of(name, weights, seed, roots)
            ]
        except Exception as error:
            table.row(name, f"{type(error).__name__}: {error}"[:70], *[""] * 5)
            continue
        by_kind.setdefault(kinds[name], []).extend(sites)
        everything += sites
        table.row(*row(name, sites))
    for kind, sites in sorted(by_kind.items()):
        table.row(*row(f"**{kind}**", sites))
    table.close()
    if everything:
        by_assumption(everything, is_markdown=options.markdown)
    if options.worst:
        print(f"Furthest off, of {sum(is_miss(site) for site in everything)} misses:")
        for line in worst(everything, options.worst):
            print("  " + line)
        print("Where prediction first fails:")
        for text, count in roots.most_common(options.worst):
            print(f"  {count:5} {text}")


def main() -> None:
    """Read the options and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="*", default=None)
    parser.add_argument("--kinds", nargs="*", default=None)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--worst", type=int, default=0, help="nodes to print")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    names = options.models or list(models.zoo())
    if options.kinds:
        names = [name for name in names if models.kinds()[name] in options.kinds]
    compare(names, options.seeds, options)


if __name__ == "__main__":
    main()
