"""Where initializers fail: thirteen small models, five initializers, what each does.

Run: ``python -m benchmarks failures [--cases NAME ...] [--markdown]``, with AnyInit
0.4.0 and lsuv 0.3.0 installed (``peers`` in pyproject.toml). Each initializer gets a
model of its own with the same first weights, and the batch. After it, one forward and
one backward pass are measured. The cases are hard ones on purpose: they were found by
attacking the peers and fanin, and every number here is measured in this run.
"""

from __future__ import annotations

import argparse
import warnings
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from benchmarks._initializers import INITIALIZERS
from benchmarks._table import Table
from benchmarks.models import torch_build as build
from fanin.frameworks import torch as framework
from fanin.graph import Op, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SEED = 0
PRIOR = 3.0
HEAD = (
    "model",
    "initializer",
    "rms of layers",
    "rms of sums",
    "grad ×",
    "weights left",
    "wrong writes",
    "it says",
)


def transposed() -> tuple[nn.Module, Any]:
    """Build a decoder of strided transposed convolutions that get narrower."""
    widths = (64, 32, 16, 8)
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.ConvTranspose2d(n_in, n_out, 4, stride=2, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Conv2d(8, 3, 1)), build.numbers(16, 64, 4, 4)


def swiglu(depth: int) -> tuple[nn.Module, Any]:
    """Build a stack of SwiGLU layers with no normalization and no way around them."""
    blocks = [
        build.Written(
            build.gated,
            gate=nn.Linear(build.WIDTH, 256),
            up=nn.Linear(build.WIDTH, 256),
            down=nn.Linear(256, build.WIDTH),
        )
        for _ in range(depth)
    ]
    model = nn.Sequential(
        nn.Linear(build.FEATURES, build.WIDTH),
        *blocks,
        nn.Linear(build.WIDTH, build.CLASSES),
    )
    return model, build.numbers(build.SAMPLES, build.FEATURES)


def pre_norm(depth: int) -> tuple[nn.Module, Any]:
    """Build residual blocks of two layers behind a layer normalization."""
    return build.residual(depth, norm=True, dense=True)


def with_prior() -> tuple[nn.Module, Any]:
    """Build a classifier whose author has set the bias of the rare class's output."""
    model, batch = build.mlp(2, nn.ReLU)
    head = model[-1]
    nn.init.zeros_(head.bias)
    with torch.no_grad():
        head.bias[0] = PRIOR
    return model, batch


def out_of_order() -> tuple[nn.Module, Any]:
    """Build a net whose layers are registered the other way round than they run."""
    layers = [nn.Linear(build.WIDTH, build.WIDTH) for _ in range(6)]
    held = OrderedDict((f"layer{i}", layers[i]) for i in reversed(range(6)))

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        for i in range(6):
            x = functional.relu(getattr(m, f"layer{i}")(x))
        return m.head(x)

    return build.written(
        forward,
        build.numbers(build.SAMPLES, build.WIDTH),
        **held,
        head=nn.Linear(build.WIDTH, build.CLASSES),
    )


def used_again() -> tuple[nn.Module, Any]:
    """Build a net that runs through one layer eight times."""

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        for _ in range(8):
            x = functional.relu(m.layer(x))
        return m.head(x)

    return build.written(
        forward,
        build.numbers(build.SAMPLES, build.WIDTH),
        layer=nn.Linear(build.WIDTH, build.WIDTH),
        head=nn.Linear(build.WIDTH, build.CLASSES),
    )


def frozen() -> tuple[nn.Module, Any]:
    """Build a net whose first layer is pretrained, and not to be touched."""
    model, batch = build.mlp(3, nn.ReLU)
    model[0].requires_grad_(requires_grad=False)
    return model, batch


def on_meta() -> tuple[nn.Module, Any]:
    """Build a net without memory."""
    _, batch = build.mlp(3, nn.ReLU)
    with torch.device("meta"):
        model, _ = build.mlp(3, nn.ReLU)
    return model, batch


CASES: dict[str, Callable[[], tuple[nn.Module, Any]]] = {
    "50 tanh layers": partial(build.mlp, 50, nn.Tanh),
    "30 sigmoid layers": partial(build.mlp, 30, nn.Sigmoid),
    "nn.TransformerEncoder": partial(build.encoder, norm_first=True),
    "24 pre-norm blocks": partial(pre_norm, 24),
    "6 SwiGLU, no norm": partial(swiglu, 6),
    "transposed, strided": transposed,
    "LSTM": partial(build.recurrent, nn.LSTM),
    "weight norm": partial(build.reparametrized, parametrizations.weight_norm),
    "on the meta device": on_meta,
    "head with a prior": with_prior,
    "registered backwards": out_of_order,
    "one layer, 8 times": used_again,
    "first layer frozen": frozen,
}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """layers, sums: least and largest rms at linear operations and at sums.

    gradients: largest over least rms of dL/d(output) at linear operations that write no
    output of the model; None where there are not two.
    """

    layers: tuple[float, float] | None
    sums: tuple[float, float] | None
    gradients: float | None


def measured(model: nn.Module, batch: Any) -> Measured:
    """Measure one forward and one backward pass; heads are left out."""
    found = framework.measure(model, Task(batch=batch, seed=SEED))
    inside = [
        node
        for node in found.graph.nodes
        if node.id in found.sites and node.id not in found.graph.outputs
    ]

    def sites(op: Op) -> list[Any]:
        return [found.sites[node.id] for node in inside if node.op is op]

    gradients = ends(site.gradient_second_moment for site in sites(Op.LINEAR))
    return Measured(
        layers=ends(site.second_moment for site in sites(Op.LINEAR)),
        sums=ends(site.second_moment for site in sites(Op.ADD)),
        gradients=None if gradients is None else gradients[1] / gradients[0],
    )


def ends(squares: Iterable[float | None]) -> tuple[float, float] | None:
    """Give the least and the largest root of what is known and not zero."""
    roots = [sqrt(square) for square in squares if square]
    return (min(roots), max(roots)) if roots else None


def values(model: nn.Module) -> dict[str, torch.Tensor]:
    """Copy the parameters as they are; none of what has no memory."""
    return {
        name: value.detach().clone()
        for name, value in model.named_parameters()
        if not value.is_meta
    }


def left(model: nn.Module, before: dict[str, torch.Tensor]) -> str:
    """Count the trainable matrices that still hold what their constructor drew."""
    weights = [
        name
        for name, value in model.named_parameters()
        if value.requires_grad and value.dim() > 1
    ]
    same = [
        name
        for name in weights
        if name not in before or torch.equal(before[name], dict_of(model)[name])
    ]
    return f"{len(same)} of {len(weights)}"


def dict_of(model: nn.Module) -> dict[str, torch.Tensor]:
    """Give the parameters by name."""
    return dict(model.named_parameters())


def wrong_writes(case: str, model: nn.Module, before: dict[str, torch.Tensor]) -> str:
    """Name what was written that a person had reason to find as it was."""
    now = dict_of(model)
    wrong = [
        f"{name} (frozen)"
        for name, value in now.items()
        if not value.requires_grad and not torch.equal(before[name], value)
    ]
    if case == "head with a prior":
        head = [name for name in now if name.endswith("bias")][-1]
        wrong += [] if torch.equal(before[head], now[head]) else [f"{head} (prior)"]
    return ", ".join(wrong) or "–"


def span(found: tuple[float, float] | None) -> str:
    """Write the two ends of a range."""
    return "–" if found is None else f"{found[0]:.2g} – {found[1]:.2g}"


def row(case: str, initializer: str) -> tuple[str, ...]:
    """Let one initializer have one model, and measure what it leaves."""
    torch.manual_seed(SEED)
    model, batch = CASES[case]()
    before = values(model)
    try:
        says = INITIALIZERS[initializer](model, batch)
    except Exception as error:
        says = type(error).__name__
    kept = left(model, before)
    wrong = wrong_writes(case, model, before)
    if any(value.is_meta for value in model.parameters()):
        return case, initializer, "–", "–", "–", kept, wrong, says
    found = measured(model, batch)
    ratio = "–" if found.gradients is None else f"{found.gradients:.3g}"
    return (
        case,
        initializer,
        span(found.layers),
        span(found.sums),
        ratio,
        kept,
        wrong,
        says,
    )


def main() -> None:
    """Read the options and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    table = Table(HEAD, is_markdown=options.markdown)
    for case in options.cases:
        for initializer in INITIALIZERS:
            table.row(*row(case, initializer))
    table.close()


if __name__ == "__main__":
    main()
