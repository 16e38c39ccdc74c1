"""What a published case is, and the small nets that several of them share."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

import fanin
from fanin.rules import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.rules import Report

BATCH, FEATURES, WIDTH, CLASSES = 64, 32, 64, 10


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A model and all that ``fanin.check`` is told of it."""

    model: Any
    batch: Any
    loss: Any = None
    target: Any = None
    options: dict[str, Any] = field(default_factory=dict)

    def report(self) -> Report:
        """Check it."""
        return fanin.check(
            self.model, self.batch, self.loss, self.target, **self.options
        )


@dataclass(frozen=True, kw_only=True)
class Case:
    """One published fault.

    number: of the list in docs/benchmarks.md. broken: None for a distractor. codes: of
    the rules that name it. mended: None where the source has no fix that can be built.
    """

    number: str
    title: str
    source: str
    codes: frozenset[str] = frozenset()
    broken: Callable[[], Checked] | None = None
    mended: Callable[[], Checked] | None = None


def codes(digits: str) -> frozenset[str]:
    """Give rule codes from their digits."""
    return frozenset(f"FAN{name}" for name in digits.split())


def alarms(checked: Checked) -> list[str]:
    """Give the codes of errors and warnings, worst first."""
    findings = checked.report().findings
    return [f.code for f in findings if f.severity is not Severity.INFO]


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    """Give standard normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def labels(n_classes: int = CLASSES, n: int = BATCH) -> torch.Tensor:
    """Give classes at random."""
    return torch.randint(n_classes, (n,), generator=torch.Generator().manual_seed(1))


def classified(model: nn.Module, batch: Any = None, **options: Any) -> Checked:
    """Check a classifier of ten classes, on standard normal inputs unless given."""
    batch = numbers(BATCH, FEATURES) if batch is None else batch
    return Checked(
        model=model,
        batch=batch,
        loss="cross_entropy",
        target=labels(n=len(batch)),
        options=options,
    )


def drawn(
    sizes: tuple[int, ...],
    activation: Callable[[], nn.Module],
    std: Callable[[int, int], float],
    *,
    bias_std: float = 0.0,
) -> nn.Sequential:
    """Build a dense net; std: (n_in, n_out) → standard deviation of the weights."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for n_in, n_out in pairwise(sizes):
        layer = nn.Linear(n_in, n_out)
        nn.init.normal_(layer.weight, std=std(n_in, n_out))
        nn.init.normal_(layer.bias, std=bias_std)
        layers += [layer, activation()]
    return nn.Sequential(*layers[:-1])


def sound(
    sizes: tuple[int, ...] = (FEATURES, WIDTH, WIDTH, CLASSES),
    activation: Callable[[], nn.Module] = nn.ReLU,
    *,
    gain: float = 2.0,
) -> nn.Sequential:
    """Build a dense net as theory has it: n·Var(w) of the activation, a cool head."""
    model = drawn(sizes, activation, lambda n_in, _: (gain / n_in) ** 0.5)
    nn.init.normal_(model[-1].weight, std=0.5 * sizes[-2] ** -0.5)
    return model


def filled(model: nn.Module, weight: float, bias: float = 0.0) -> nn.Module:
    """Make every weight and every bias one number."""
    for parameter in model.parameters():
        nn.init.constant_(parameter, weight if parameter.dim() > 1 else bias)
    return model
